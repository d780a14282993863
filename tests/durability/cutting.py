"""A process that is cut off at a chosen step: the real slot, with a switch at every boundary of what it writes.

The boundaries: before and after every checkpoint, every set of writes, every transaction and every statement that
changes something outside of one (claim, finish, lock), at the last moment before a commit, and at the start of every
node. Whoever reaches a cut-off process once more is cut off again, and its connection is closed, as the system does.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from graph.building import build
from graph.checkpoints import LiveSaver
from graph.unwatched import unwatched
from runtime.slots import Slot
from storage.connection import Connection, Rows, Statement
from storage.transaction import LOCK
from tests.agent.desk import FixedClock
from tools.context import Toolbox
from tools.models import ModelAccess
from tools.prompts import Budgets


class CutOffError(BaseException):
    """The process is gone. No `except Exception` may catch it, as none catches a SIGKILL."""


BETWEEN = "between two effects of a decision"

Cuts = dict[int, list[int]]
"""For each step of a story, the numbers of the boundaries, from 1, at which the process is cut off; the boundaries
that a restarted process passes in the same step count on."""


def moments(passed: list[str]) -> list[list[int]]:
    """The numbers of these boundaries in groups: a new one begins where something was written.

    Within a group nothing is written, so whoever is cut off at any of its boundaries leaves the same behind
    (tests/durability/test_boundaries.py looks). One of them stands for all.
    """
    groups: list[list[int]] = [[]]
    for number, boundary in enumerate(passed, start=1):
        if _leaves_something(boundary):
            groups.append([])
        groups[-1].append(number)
    return [group for group in groups if group]


@dataclass
class Switch:
    """Counts boundaries, and cuts the process off at those that are asked for."""

    cuts: Cuts = field(default_factory=dict)
    passed: dict[int, list[str]] = field(default_factory=dict)
    happened: list[str] = field(default_factory=list)
    step: int = 0
    dead: bool = False
    line: int | None = None
    """The thread's step that the process has read or written last."""

    def begin(self, step: int) -> None:
        self.step = step
        self.passed[step] = []

    def at(self, boundary: str) -> None:
        if self.dead:
            raise CutOffError("the process is gone")
        self.passed.setdefault(self.step, []).append(boundary)
        if self.cuts_off(boundary):
            self.happened.append(f"step {self.step}, {boundary} ({len(self.passed[self.step])})")
            self.dead = True
            raise CutOffError(boundary)

    def cuts_off(self, boundary: str) -> bool:
        number, cuts = len(self.passed[self.step]), self.cuts.get(self.step, [])
        if number not in cuts:
            return False
        cuts.remove(number)
        return True

    def restart(self) -> None:
        self.dead, self.line = False, None


@dataclass
class SwitchAt(Switch):
    """Cuts the process off at the first so many boundaries of one name; of those in a node, where one is named."""

    boundary: str = ""
    times: int = 1
    within: str = ""
    begun: bool = False

    def cuts_off(self, boundary: str) -> bool:
        self.begun = self.begun or not self.within or boundary == f"start of {self.within}"
        if boundary != self.boundary or not self.begun or self.times == 0:
            return False
        self.times -= 1
        return True


@dataclass
class RelentlessSwitch(Switch):
    """Cuts off at every boundary of every step once, where something was written or is about to be: no process lives
    longer than to the next one."""

    been: set[Any] = field(default_factory=set)
    node: str = ""
    since: int = 0

    def cuts_off(self, boundary: str) -> bool:
        if boundary.startswith("start of"):
            self.node, self.since = boundary, 0
        self.since += 1
        # A restarted process begins the node in hand anew, so that its place tells one boundary from another.
        place = (self.step, self.line, self.node, self.since, boundary)
        if place in self.been or not (_leaves_something(boundary) or boundary in ("before the commit", BETWEEN)):
            return False
        self.been.add(place)
        return True

    def restart(self) -> None:
        super().restart()
        self.node, self.since = "", 0


def _leaves_something(boundary: str) -> bool:
    return boundary.startswith("after") and "advisory" not in boundary


class CuttableConnection(Connection):
    """A connection with boundaries around what it commits."""

    switch: Switch

    async def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        alone = self.pgconn.transaction_status == TransactionStatus.IDLE and not self.pgconn.pipeline_status
        if not (alone and isinstance(query, str) and _changes_something(query)):
            return await super().execute(query, params, **options)
        name = " ".join(query.split()[:2])
        self.switch.at(f"before {name}")
        cursor = await super().execute(query, params, **options)
        self.switch.at(f"after {name}")
        return cursor

    @asynccontextmanager
    async def transaction(self, *arguments: Any, **options: Any) -> AsyncIterator[Any]:
        self.switch.at("before a transaction")
        async with super().transaction(*arguments, **options) as transaction:
            yield transaction
            self.switch.at("before the commit")
        self.switch.at("after the commit")

    async def together(self, statements: Iterable[Statement]) -> list[Rows]:
        asked, before = list(statements), self.pgconn.transaction_status
        if ("COMMIT", None) in asked:
            self.switch.at("before the commit")
        rows = await super().together(asked)
        after = self.pgconn.transaction_status
        if after == TransactionStatus.IDLE:
            self.switch.at("after the commit" if before == TransactionStatus.INTRANS else "after several statements")
        elif before == TransactionStatus.INTRANS and any(query == LOCK for query, _ in asked):
            self.switch.at(BETWEEN)
        elif before == TransactionStatus.IDLE:
            self.switch.at("in a transaction")
        return rows


def _changes_something(query: str) -> bool:
    """Statements that only read leave nothing behind: to be cut off around them is to be cut off before the next."""
    return not query.lstrip().startswith("SELECT") or "advisory" in query


class CuttableSaver(LiveSaver):
    """The worker's saver with boundaries around checkpoints and writes."""

    switch: Switch

    async def aget_tuple(self, config: Any) -> Any:
        found = await super().aget_tuple(config)
        self.switch.line = None if found is None else found.metadata["step"]
        return found

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        self.switch.at(f"before checkpoint {metadata.get('source')}")
        put = await super().aput(config, checkpoint, metadata, new_versions)
        self.switch.line = metadata["step"]
        self.switch.at(f"{'held' if self.waits else 'after'} checkpoint {metadata.get('source')}")
        return put

    async def aput_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        self.switch.at(f"before writes {task_path}")
        await super().aput_writes(config, writes, task_id, task_path)
        self.switch.at(f"{'held' if self.waits else 'after'} writes {task_path}")


async def cuttable_connection(conninfo: str, switch: Switch) -> CuttableConnection:
    conn = await CuttableConnection.connect(conninfo, autocommit=True, row_factory=dict_row)
    conn.switch = switch
    return conn  # type: ignore[return-value]


async def reconnected(conn: CuttableConnection, conninfo: str) -> CuttableConnection:
    """What a new process connects with. To the server it is the same whether a session ends or gives everything back;
    so a quiet one goes on, which spares the server a process with nothing in its caches."""
    if conn.pgconn.transaction_status in (TransactionStatus.ACTIVE, TransactionStatus.UNKNOWN):
        await conn.close()
        return await cuttable_connection(conninfo, conn.switch)
    await conn.rollback()
    await conn.cursor().execute("SELECT pg_advisory_unlock_all()")
    return conn


@dataclass
class CuttableSlots:
    """A pool of one slot at a time; after one that was cut off, the next one is a new process.

    What a process has of its own is its connection and its saver. The compiled graph holds nothing of a run, so all
    processes share one, which is most of what starting one costs.
    """

    conninfo: str
    clock: FixedClock
    switch: Switch
    models: ModelAccess | None = None
    budgets: Budgets = field(default_factory=Budgets)
    free: list[Slot] = field(default_factory=list)
    _conn: CuttableConnection | None = None
    _compiled: CompiledStateGraph[Any] | None = None
    _toolbox: Toolbox | None = None

    def begin(self, clock: FixedClock, switch: Switch) -> None:
        """For the next story: its clock and its switch."""
        self.clock, self.switch = clock, switch
        if self._conn is not None:
            self._conn.switch = switch
        for slot in self.free:
            slot.saver.switch = switch  # type: ignore[attr-defined]
            slot.toolbox.clock = clock
            slot.toolbox.models, slot.toolbox.budgets = self.models, self.budgets

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Slot]:
        slot = self.free.pop() if self.free else await self._open()
        sound = False
        try:
            yield slot
            sound = not self.switch.dead
        finally:
            if sound:
                self.free.append(slot)
            else:
                self._conn = await reconnected(self._conn, self.conninfo)  # type: ignore[arg-type]

    async def _open(self) -> Slot:
        if self._conn is None:
            self._conn = await cuttable_connection(self.conninfo, self.switch)
        conn, saver = self._conn, CuttableSaver(self._conn)
        saver.switch = self.switch
        if self._toolbox is None or self._compiled is None:
            self._toolbox = Toolbox(conn=conn, clock=self.clock)
            self._compiled = unwatched(self._cuttable(build(self._toolbox)).compile())
        self._toolbox.conn, self._toolbox.clock, self._toolbox.steps = conn, self.clock, saver
        self._toolbox.models, self._toolbox.budgets = self.models, self.budgets
        self._toolbox.__dict__.pop("memory", None)  # it holds the connection that was
        self._compiled.checkpointer = saver
        return Slot(conn, saver, self._toolbox, self._compiled)

    def _cuttable(self, graph: StateGraph[Any]) -> StateGraph[Any]:
        """The graph with a boundary at the start of every node."""
        for name, spec in graph.nodes.items():
            spec.runnable.afunc = self._after(name, spec.runnable.afunc)  # type: ignore[attr-defined]
        return graph

    def _after(self, name: str, node: Any) -> Any:
        async def started(*arguments: Any, **options: Any) -> Any:
            self.switch.at(f"start of {name}")
            return await node(*arguments, **options)

        return started

    async def close(self) -> None:
        if self._conn is not None:
            await self._conn.close()
