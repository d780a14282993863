"""Between two entries of a drain the head is not read again: what is kept of it is what is stored."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from langgraph.checkpoint.base import CheckpointTuple

from evals.bench.mix import building, story
from graph.building import build
from graph.checkpoints import LineReader, LiveSaver
from graph.unwatched import unwatched
from runtime.drain import Drainer, Ended
from runtime.settings import Settings
from runtime.slots import Slot
from storage.buildings import thread_id
from storage.connection import Connection
from storage.database import connect
from tests.agent.desk import Desk, FixedClock
from tests.durability.crew import all_rows
from tools.context import Toolbox

FAILED = {"inspection_date": "2026-05-26", "document_url": "https://docs.example/2.pdf", "document_name": "Report"}


class _ComparingSaver(LiveSaver):
    """Reads every head that was kept, and compares."""

    kept = 0

    async def head(self, thread_id: str) -> CheckpointTuple | None:
        kept, head = self._head, await super().head(thread_id)
        if kept is not None and head is kept:
            latest: Any = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}
            stored = await LineReader.aget_tuple(self, latest)
            self._head = head
            assert stored is not None
            metadata = {key: value for key, value in stored.metadata.items() if key != "position"}
            assert (head.checkpoint, head.metadata) == (stored.checkpoint, metadata)
            assert (head.config, head.pending_writes or []) == (stored.config, stored.pending_writes or [])
            self.kept += 1
        return head


@dataclass
class _OneSlot:
    conninfo: str
    clock: FixedClock
    savers: list[_ComparingSaver] = field(default_factory=list)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Slot]:
        async with await connect(self.conninfo, application_name="test slot") as conn:
            saver = _ComparingSaver(conn)
            self.savers.append(saver)
            toolbox = Toolbox(conn=conn, clock=self.clock, steps=saver)
            yield Slot(conn, saver, toolbox, unwatched(build(toolbox).compile(checkpointer=saver)))


async def _drained(database: str, conn: Connection, events: list[dict[str, Any]]) -> int:
    """Drain these events at once, of a building with two lines; how many heads were kept."""
    clock = FixedClock()
    slots = _OneSlot(database, clock)
    drainer = Drainer(Settings(), clock, slots, asyncio.Event())  # type: ignore[arg-type]
    desk = Desk(conn, drainer, clock, "office")
    opening = building("office", 2)
    del opening["building_id"]
    await desk.open(**opening)
    for event in events:
        await desk.post(**event, run=False)
    assert await drainer.drain("office") == Ended.EMPTY
    assert {row["status"] for row in await all_rows(conn, "SELECT status FROM events")} == {"done"}
    return sum(saver.kept for saver in slots.savers)


def _plain(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in event.items() if key not in ("event_id", "source")} for event in events]


async def test_every_head_that_is_kept_is_the_one_that_is_stored(database: str, conn: Connection) -> None:
    events = _plain(story(2))
    assert await _drained(database, conn, events) == len(events) - 1


async def test_a_head_with_an_open_question_is_read_again(database: str, conn: Connection) -> None:
    """Its interrupt was written after it, and an answer needs to know it by its id."""
    events = _plain(story(2))
    failed = [{"event_type": "Inspection_Failed", "item": "Line 000", **FAILED}]
    assert await _drained(database, conn, [*events[:5], *failed, *events[6:]]) == 5


async def test_a_run_and_the_end_of_its_entry_are_committed_together(database: str, conn: Connection) -> None:
    """The last checkpoint names the entry, and was written by the transaction that ended the entry."""
    await _drained(database, conn, _plain(story(1)))
    newest = await all_rows(
        conn,
        "SELECT (metadata ->> 'seq')::int AS seq, xmin::text FROM checkpoints "
        "WHERE thread_id = %s ORDER BY (metadata ->> 'step')::int",
        thread_id("office"),
    )
    last = {row["seq"]: row["xmin"] for row in newest}
    ended = await all_rows(conn, "SELECT seq, xmin::text FROM events ORDER BY seq")
    assert last == {row["seq"]: row["xmin"] for row in ended}
