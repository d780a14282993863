"""A process that is cut off at a chosen step: the real slot, with a switch at every boundary of what it writes.

The boundaries: before and after every checkpoint, every set of writes, every transaction and every statement that
changes something outside of one (claim, finish, lock), at the last moment before a commit, and at the start of every
node. Whoever reaches a cut-off process once more is cut off again, and its connection is closed, as the system does.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from langgraph.graph import StateGraph
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from graph.building import build
from graph.checkpoints import LiveSaver
from runtime.slots import Slot
from storage.database import Connection
from tests.agent.desk import FixedClock
from tools.context import Toolbox


class CutOffError(BaseException):
    """The process is gone. No `except Exception` may catch it, as none catches a SIGKILL."""


Cuts = dict[int, list[int]]
"""For each step of a story, the numbers of the boundaries, from 1, at which the process is cut off; the boundaries
that a restarted process passes in the same step count on."""


@dataclass
class Switch:
    """Counts boundaries, and cuts the process off at those that are asked for."""

    cuts: Cuts = field(default_factory=dict)
    passed: dict[int, list[str]] = field(default_factory=dict)
    happened: list[str] = field(default_factory=list)
    step: int = 0
    dead: bool = False

    def begin(self, step: int) -> None:
        self.step = step
        self.passed[step] = []

    def at(self, boundary: str) -> None:
        if self.dead:
            raise CutOffError("the process is gone")
        passed, cuts = self.passed[self.step], self.cuts.get(self.step, [])
        passed.append(boundary)
        if len(passed) in cuts:
            cuts.remove(len(passed))
            self.happened.append(f"step {self.step}, {boundary} ({len(passed)})")
            self.dead = True
            raise CutOffError(boundary)

    def restart(self) -> None:
        self.dead = False


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


def _changes_something(query: str) -> bool:
    """Statements that only read leave nothing behind: to be cut off around them is to be cut off before the next."""
    return not query.lstrip().startswith("SELECT") or "advisory" in query


class CuttableSaver(LiveSaver):
    """The worker's saver with boundaries around checkpoints and writes."""

    switch: Switch

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        self.switch.at(f"before checkpoint {metadata.get('source')}")
        put = await super().aput(config, checkpoint, metadata, new_versions)
        self.switch.at(f"after checkpoint {metadata.get('source')}")
        return put

    async def aput_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        self.switch.at(f"before writes {task_path}")
        await super().aput_writes(config, writes, task_id, task_path)
        self.switch.at(f"after writes {task_path}")


@dataclass
class CuttableSlots:
    """A pool of one slot at a time; a slot that was cut off is closed, and the next one is a new process."""

    conninfo: str
    clock: FixedClock
    switch: Switch
    free: list[Slot] = field(default_factory=list)

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
                await slot.conn.close()

    async def _open(self) -> Slot:
        conn = await CuttableConnection.connect(self.conninfo, autocommit=True, row_factory=dict_row)
        saver = CuttableSaver(conn)
        conn.switch = saver.switch = self.switch
        toolbox = Toolbox(conn=conn, clock=self.clock, lock=saver.lock)
        return Slot(conn, saver, toolbox, _cuttable(build(toolbox), self.switch).compile(checkpointer=saver))

    async def close(self) -> None:
        while self.free:
            await self.free.pop().conn.close()


def _cuttable(graph: StateGraph[Any], switch: Switch) -> StateGraph[Any]:
    """The graph with a boundary at the start of every node."""
    for name, spec in graph.nodes.items():
        spec.runnable.afunc = _after(switch, name, spec.runnable.afunc)  # type: ignore[attr-defined]
    return graph


def _after(switch: Switch, name: str, node: Any) -> Any:
    async def started(*arguments: Any, **options: Any) -> Any:
        switch.at(f"start of {name}")
        return await node(*arguments, **options)

    return started
