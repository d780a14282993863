"""Slots that stop at a gate: a chosen statement or node waits until the test lets it go on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from psycopg.rows import dict_row

from graph.building import build
from graph.checkpoints import LiveSaver
from graph.unwatched import unwatched
from runtime.drain import Drainer
from runtime.settings import Settings
from runtime.slots import Slot
from storage.connection import Connection, Rows, Statement
from tests.agent.desk import FixedClock
from tools.context import Toolbox

Meddle = Callable[[str], Awaitable[None]]


class GatedConnection(Connection):
    """A connection that calls `before` and `after` around each statement."""

    before: Meddle | None = None
    after: Meddle | None = None

    async def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        if self.before is not None:
            await self.before(str(query))
        cursor = await super().execute(query, params, **options)
        if self.after is not None:
            await self.after(str(query))
        return cursor

    async def together(self, statements: Iterable[Statement]) -> list[Rows]:
        asked = list(statements)
        for query, _ in asked if self.before is not None else ():
            await self.before(str(query))
        rows = await super().together(asked)
        for query, _ in asked if self.after is not None else ():
            await self.after(str(query))
        return rows


async def gated_connection(conninfo: str) -> GatedConnection:
    return await GatedConnection.connect(conninfo, autocommit=True, row_factory=dict_row)  # type: ignore[return-value]


@dataclass
class Gate:
    """Stops, once, before a statement that begins with these words, or in a node: `start of <its name>`."""

    words: str
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def stops(self, running: "asyncio.Task[Any]") -> None:
        """Wait until the task has come to the gate."""
        reached = asyncio.create_task(self.reached.wait())
        await asyncio.wait([running, reached], return_when=asyncio.FIRST_COMPLETED, timeout=10)
        reached.cancel()
        assert self.reached.is_set(), f"never came to {self.words!r}: {running}"

    async def __call__(self, query: str) -> None:
        if not self.reached.is_set() and query.split()[: len(self.words.split())] == self.words.split():
            self.reached.set()
            await self.opened.wait()


@dataclass
class GatedSlots:
    """One slot whose connection stops at the gate. Like the worker's pool, it closes a slot that was cut off."""

    conninfo: str
    clock: FixedClock
    gate: Gate
    conn: GatedConnection | None = None

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Slot]:
        self.conn = await gated_connection(self.conninfo)
        self.conn.before = self.gate
        saver = LiveSaver(self.conn)
        toolbox = Toolbox(conn=self.conn, clock=self.clock, steps=saver)
        graph = build(toolbox)
        for name, spec in graph.nodes.items():
            spec.runnable.afunc = _stopping(self.gate, name, spec.runnable.afunc)  # type: ignore[attr-defined]
        try:
            yield Slot(self.conn, saver, toolbox, unwatched(graph.compile(checkpointer=saver)))
        finally:
            await self.conn.close()

    @property
    def backend(self) -> int:
        assert self.conn is not None
        return self.conn.info.backend_pid


def _stopping(gate: Gate, name: str, node: Any) -> Any:
    async def stopped(*arguments: Any, **options: Any) -> Any:
        await gate(f"start of {name}")
        return await node(*arguments, **options)

    return stopped


def gated_drainer(conninfo: str, clock: FixedClock, words: str, **settings: Any) -> tuple[Drainer, Gate, GatedSlots]:
    """A drainer that stops before a statement that begins with these words, or in a node."""
    gate = Gate(words)
    slots = GatedSlots(conninfo, clock, gate)
    short = {"event_attempts": 3, "stalled_after": 5, "heartbeat_interval": 0.5, "shutdown_grace": 1, **settings}
    return Drainer(Settings(**short), clock, slots, asyncio.Event()), gate, slots  # type: ignore[arg-type]
