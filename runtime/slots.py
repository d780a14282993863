"""Slots: each runs one building at a time, on a connection, a saver and a compiled graph of its own."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import psycopg
import structlog
from langgraph.graph.state import CompiledStateGraph

from domain.errors import UnavailableError
from domain.outside import one_line
from graph.building import build
from graph.checkpoints import LiveSaver
from graph.unwatched import unwatched
from nodes.state import BuildingState
from runtime.clock import Clock
from runtime.connection_budget import ConnectionsUsedUpError
from storage.connection import Connection
from storage.database import code_json_fast, connect, is_connection_limit
from storage.long_term import Embedder
from tools.context import Toolbox
from tools.models import UNLIMITED, ModelAccess, ModelBudget
from tools.prompts import Budgets
from tools.tracing import NO_TRACER, Tracer

log = structlog.get_logger()

TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0)) AS got"
UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"

# What a slot asks is asked of one building or thread, by key, so one plan is right for all of them. Left to itself the
# server makes five for the very values before it compares, and goes on doing so where it reckons that they run cheaper.
PLAN_ONCE = "SELECT set_config('plan_cache_mode', 'force_generic_plan', false)"

PROMPT = Budgets()

MOST_PREPARED = 200
"""Statements that a slot's connection keeps prepared."""

MAX_IDLE_S = 300.0
"""Seconds that a slot nobody needs keeps its connection."""
LOOK_FOR_IDLE_S = 60.0
RETRY_S = 5.0
"""Seconds until a server that had no connection left is asked for one again."""
FEWER_CONNECTIONS = "lower LONGLEAD_CONCURRENCY, run fewer workers, or allow more connections (docs/scale.md)"


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
    try:
        await conn.execute(PLAN_ONCE)
    except BaseException:
        await conn.close()
        raise
    code_json_fast(conn)
    saver = LiveSaver(conn)
    toolbox = Toolbox(conn=conn, clock=clock, steps=saver, budgets=budgets, embedder=embedder, tracer=tracer)
    toolbox.models, toolbox.model_budget = models, budget
    return Slot(conn, saver, toolbox, unwatched(build(toolbox).compile(checkpointer=saver)))


class SlotPool:
    """A bounded number of slots, opened as buildings need them. One whose use was cut off or whose connection broke is
    closed, since nobody can say what is still under way on it.

    Where the server has no connection left, buildings take turns on the slots that are open.
    """

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
        self._free: list[_FreeSlot] = []
        self._in_use = 0
        self._size = size
        self._room = asyncio.Semaphore(size)
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._try_again_at: float | None = None
        """While the server has no connection left: when to ask it for one again, by the loop's clock."""

    @property
    def opened(self) -> int:
        """How many slots have a connection."""
        return self._in_use + len(self._free)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Slot]:
        """A slot for one building.

        Raises:
            psycopg.OperationalError: the server gives no connection, and no slot is open that could be waited for.
        """
        async with self._room:
            slot = await self._take()
            self._in_use += 1
            sound = False
            try:
                await slot.take()
                yield slot
                sound = not slot.conn.broken and not slot.conn.closed
            finally:
                try:
                    if not sound:
                        await slot.conn.close()
                finally:
                    self._in_use -= 1
                    if sound:
                        self._free.append(_FreeSlot(slot, _now()))
                    self._wake_next()

    async def _take(self) -> Slot:
        """The slot that was used last, a new one, or the next that is given back."""
        while not self._free:
            if not self._in_use or self._may_open():
                try:
                    slot = await self._open()
                except psycopg.OperationalError as error:
                    if not self.opened:
                        raise
                    self._note_shortage(error)
                else:
                    self._note_success()
                    return slot
            else:
                await self._wait()
        return self._free.pop().slot

    def _may_open(self) -> bool:
        return self._try_again_at is None or _now() >= self._try_again_at

    def _note_shortage(self, error: psycopg.OperationalError) -> None:
        if self._try_again_at is None:
            log.warning(
                "no connection for another slot, buildings take turns on those that are open",
                slots=self.opened,
                allowed=self._size,
                error=one_line(str(error)),
                help=FEWER_CONNECTIONS,
            )
        self._try_again_at = _now() + RETRY_S

    def _note_success(self) -> None:
        if self._try_again_at is not None:
            log.info("connections are available again", slots=self.opened + 1, allowed=self._size)
        self._try_again_at = None

    async def _wait(self) -> None:
        """Wait until a slot is given back or a connection may be asked for again."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(waiter, RETRY_S)
        except asyncio.CancelledError:
            if not waiter.cancelled():  # it was this one's turn: it is the next one's now
                self._wake_next()
            raise

    def _wake_next(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    async def open_first(self) -> None:
        """Open one slot, so that a worker that can have none says so at its start.

        Raises:
            ConnectionsUsedUpError: the server or a pooler allows no further connection.
            psycopg.OperationalError: it cannot be reached.
        """
        try:
            async with self.slot():
                pass
        except psycopg.OperationalError as error:
            if is_connection_limit(error):
                raise ConnectionsUsedUpError(f"{one_line(str(error))}: {FEWER_CONNECTIONS}") from error
            raise

    async def close_idle(self, idle_s: float = MAX_IDLE_S) -> None:
        """Close the slots that nobody has used for so many seconds, but for the last one that is open."""
        longest = _now() - idle_s
        while self.opened > 1 and self._free and self._free[0].since <= longest:
            await self._free.pop(0).slot.conn.close()

    async def close_idle_regularly(self) -> None:
        """Never ends."""
        while True:
            await asyncio.sleep(LOOK_FOR_IDLE_S)
            await self.close_idle()

    async def close(self) -> None:
        """Close all slots that nobody uses."""
        while self._free:
            await self._free.pop().slot.conn.close()


@dataclass(frozen=True)
class _FreeSlot:
    slot: Slot
    since: float


def _now() -> float:
    return asyncio.get_running_loop().time()


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
