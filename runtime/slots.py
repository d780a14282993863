"""Slots: each runs one building at a time, on a connection, a saver and a compiled graph of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from langgraph.graph.state import CompiledStateGraph

from domain.errors import UnavailableError
from graph.building import build
from graph.checkpoints import LiveSaver
from graph.unwatched import unwatched
from nodes.state import BuildingState
from runtime.clock import Clock
from storage.connection import Connection
from storage.database import code_json_fast, connect
from storage.long_term import Embedder
from tools.context import Toolbox
from tools.models import UNLIMITED, ModelAccess, ModelBudget
from tools.prompts import Budgets
from tools.tracing import NO_TRACER, Tracer

TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0)) AS got"
UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"

# What a slot asks is asked of one building or thread, by key, so one plan is right for all of them. Left to itself the
# server makes five for the very values before it compares, and goes on doing so where it reckons that they run cheaper.
PLAN_ONCE = "SELECT set_config('plan_cache_mode', 'force_generic_plan', false)"

PROMPT = Budgets()

MOST_PREPARED = 200
"""Statements that a slot's connection keeps prepared."""


@dataclass
class Slot:
    """One unpooled connection with everything that uses it: lock, checkpoints and effects.

    So when the lock is lost with its connection, nothing can be written any more. On separate connections two runs
    acted on the same order.
    """

    conn: Connection
    saver: LiveSaver
    toolbox: Toolbox
    graph: CompiledStateGraph[BuildingState]
    taken: int = 0
    """How often it was handed out."""

    async def take(self) -> None:
        """Count it. After 8, 16, 32, ... times the statements are planned anew: plans that were made when tables were
        nearly empty took whichever index came first, and it is a minute until PostgreSQL itself looks again. A worker
        went through all entries of a building for each of its events."""
        self.taken += 1
        if self.taken >= 8 and self.taken.bit_count() == 1:
            await self.conn.execute("DISCARD PLANS")


async def open_slot(
    conninfo: str,
    clock: Clock,
    name: str,
    models: ModelAccess | None = None,
    budget: ModelBudget = UNLIMITED,
    budgets: Budgets = PROMPT,
    embedder: Embedder | None = None,
    tracer: Tracer = NO_TRACER,
) -> Slot:
    """Connect and compile the graph on the connection's own saver."""
    conn = await connect(conninfo, application_name=name)
    # The same few dozen statements over and over: each is planned once, when it comes first.
    conn.prepare_threshold, conn.prepared_max = 0, MOST_PREPARED
    await conn.execute(PLAN_ONCE)
    code_json_fast(conn)
    saver = LiveSaver(conn)
    toolbox = Toolbox(conn=conn, clock=clock, steps=saver, budgets=budgets, embedder=embedder, tracer=tracer)
    toolbox.models, toolbox.model_budget = models, budget
    return Slot(conn, saver, toolbox, unwatched(build(toolbox).compile(checkpointer=saver)))


class SlotPool:
    """A bounded number of slots. They are opened when needed, or all at once; one whose use was cut off or whose
    connection broke is closed, since nobody can say what is still under way on it."""

    def __init__(
        self,
        conninfo: str,
        clock: Clock,
        size: int,
        name: str,
        models: ModelAccess | None = None,
        budget: ModelBudget = UNLIMITED,
        budgets: Budgets = PROMPT,
        embedder: Embedder | None = None,
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self._open = partial(open_slot, conninfo, clock, name, models, budget, budgets, embedder, tracer)
        self._free: list[Slot] = []
        self._size = size
        self._room = asyncio.Semaphore(size)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Slot]:
        async with self._room:
            slot = self._free.pop() if self._free else await self._open()
            sound = False
            try:
                await slot.take()
                yield slot
                sound = not slot.conn.broken and not slot.conn.closed
            finally:
                if sound:
                    self._free.append(slot)
                else:
                    await slot.conn.close()

    async def open_all(self) -> None:
        """Open what is not yet open: the first entries need not wait, and the number of connections stays the same."""
        async with AsyncExitStack() as held:
            for _ in range(self._size):
                await held.enter_async_context(self.slot())

    async def close(self) -> None:
        while self._free:
            await self._free.pop().conn.close()


@asynccontextmanager
async def thread_lock(slot: Slot, thread_id: str, wait_s: float) -> AsyncIterator[None]:
    """Hold the thread's advisory lock on the slot's own connection, polled with a bound.

    Raises:
        UnavailableError: another run held it for longer than `wait_s` seconds.
    """
    deadline = asyncio.get_running_loop().time() + wait_s
    pause = 0.01
    while not await _try(slot, thread_id):
        if asyncio.get_running_loop().time() > deadline:
            raise UnavailableError(f"The thread {thread_id} is still held by another worker; it is tried again later.")
        await asyncio.sleep(pause)
        pause = min(pause * 2, 0.25)
    slot.saver.look_afresh()
    yield
    # Only after an undisturbed end: a slot that was cut off is closed, and the lock goes with its connection.
    async with slot.saver.lock:
        await slot.conn.execute(UNLOCK, (thread_id,))


async def _try(slot: Slot, thread_id: str) -> bool:
    async with slot.saver.lock:
        row = await (await slot.conn.execute(TRY_LOCK, (thread_id,))).fetchone()
    return bool(row and row["got"])
