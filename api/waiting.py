"""`Prefer: wait=N` (RFC 7240): answer when it is processed. Those who wait never keep others from being answered."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Request

from runtime.connections import ENDING

T = TypeVar("T")

MAX_WAIT_S = 60
_FIRST_PAUSE_S = 0.02
_LAST_PAUSE_S = 0.2
_PAUSE_PER_WAITER_S = 0.005
"""So that all of them together look 200 times a second at most."""
_WAIT = re.compile(r'(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?=$|[,;])', re.IGNORECASE)
APPLIED = {"Preference-Applied": "wait"}


def wait_of(prefer: Sequence[str] | None) -> int:
    """Seconds that the caller wants to wait; 0 without such a preference. Others are passed over, as the RFC says."""
    found = _WAIT.search(",".join(prefer or ()))
    return min(int(found[1]), MAX_WAIT_S) if found else 0


class WaitingRoom:
    """Room for requests that wait for a result: so many at once, on a small share of the database's connections."""

    def __init__(self, size: int, connections: int) -> None:
        """Describe the room.

        Args:
            size: requests that wait at once.
            connections: the API's database connections; a quarter of them serves those who wait.
        """
        self.size = size
        self.waiting = 0
        self.looks = asyncio.Semaphore(max(1, connections // 4))


@dataclass(frozen=True)
class Waiter:
    """One request that may wait."""

    room: WaitingRoom
    is_ending: Callable[[], bool]
    """Whether its client has gone, or the service ends: then it waits no longer."""

    @property
    def has_room(self) -> bool:
        """Whether one more may wait; else a request is answered with what is known now."""
        return self.room.waiting < self.room.size

    async def until(self, look: Callable[[], Awaitable[T | None]], seconds: float) -> T | None:
        """Look again and again, less and less often; None when there is nothing after `seconds`.

        Where too many wait already, look once and return.
        """
        if not self.has_room:
            return await look()
        self.room.waiting += 1
        try:
            return await self._wait(look, seconds)
        finally:
            self.room.waiting -= 1

    async def _wait(self, look: Callable[[], Awaitable[T | None]], seconds: float) -> T | None:
        end = asyncio.get_running_loop().time() + seconds
        pause = _FIRST_PAUSE_S
        while True:
            async with self.room.looks:
                found = await look()
            left = end - asyncio.get_running_loop().time()
            if found is not None or left <= 0 or self.is_ending():
                return found
            await asyncio.sleep(min(max(pause, self.room.waiting * _PAUSE_PER_WAITER_S), left))
            pause = min(pause * 1.5, _LAST_PAUSE_S)


async def waiter(request: Request) -> Waiter:
    """This request, where it may wait."""
    return Waiter(request.app.state.waiting_room, request.scope.get(ENDING, lambda: False))


Waiting = Annotated[Waiter, Depends(waiter)]
