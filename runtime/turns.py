"""Whose turn it is among the drains of a worker process: a building with a long backlog lets the others go first.

All drains share one event loop and one database. A building with thousands of entries waiting is always at work, and
would cost each entry of another one half a turn at every step. So once it has taken many entries in a row it begins
the next one only while no other drain is at its first ones, or after a short wait: it loses next to nothing, since the
others are seldom at work all the time, and it always gets on.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

LONG = 20
"""Entries in a row after which a building lets others go first."""
MOST_WAIT_S = 0.1
"""Longest wait for them before an entry."""


@dataclass
class Turns:
    """The drains at work in this process."""

    _taken: dict[str, int] = field(default_factory=dict)
    """Entries that a building has taken in a row, also over the drains that handed on to each other."""
    _short: set[str] = field(default_factory=set)
    """Buildings at work on their first entries."""
    _none_short: asyncio.Event = field(default_factory=asyncio.Event)

    @contextlib.contextmanager
    def drain(self, building_id: str) -> Iterator["Turn"]:
        """One drain, from its begin to its end."""
        turn = Turn(self, building_id)
        self._look(building_id, working=True)
        try:
            yield turn
        finally:
            self._look(building_id, working=False)
            if not turn.goes_on:
                self._taken.pop(building_id, None)

    def _look(self, building_id: str, *, working: bool) -> None:
        """Whether the building is at work, and whether on its first entries."""
        if working and not self._is_long(building_id):
            self._short.add(building_id)
        else:
            self._short.discard(building_id)
        if self._short:
            self._none_short.clear()
        else:
            self._none_short.set()

    def _is_long(self, building_id: str) -> bool:
        return self._taken.get(building_id, 0) >= LONG

    async def _next(self, building_id: str) -> None:
        if self._is_long(building_id):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._none_short.wait(), MOST_WAIT_S)
        self._taken[building_id] = self._taken.get(building_id, 0) + 1
        self._look(building_id, working=True)


@dataclass
class Turn:
    """A drain's place among the others."""

    turns: Turns
    building_id: str
    goes_on: bool = False
    """Whether another drain of the building goes on with what is left."""

    async def next(self) -> None:
        """Before each entry: wait for those that go first."""
        await self.turns._next(self.building_id)
