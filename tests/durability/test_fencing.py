"""A drain that was believed dead does no harm: what it still does is refused, and exactly one run acts."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from domain.errors import LeaseLostError, UnavailableError
from runtime.drain import Drainer, Ended
from runtime.settings import Settings
from runtime.slots import SlotPool, open_slot
from storage.connection import Connection
from tests.agent.desk import Desk, FixedClock, make_drainer
from tests.durability.crew import all_rows, until
from tests.durability.gates import gated_drainer

FINISH = "WITH own AS"
LEDGER = "WITH given AS"
LOCK = "SELECT * FROM buildings"
STEEL: dict[str, Any] = {
    "schedule": {
        "project": {"name": "Office"},
        "deliveries": [{"item": "Steel Beams", "required_by": "2026-04-15", "buffer_days": 5}],
    }
}
ORDERED_ONCE = ["issue_purchase_order", "start_tracking"]


async def test_a_drain_cannot_finish_an_event_behind_its_successors_back(desk: Desk, database: str) -> None:
    await desk.open(**STEEL)
    await desk.post("Submittal_Approved", item="Steel Beams", run=False)
    stale, gate, _ = gated_drainer(database, desk.clock, FINISH)
    first = asyncio.create_task(stale.drain("office"))
    await gate.stops(first)
    successor = asyncio.create_task(desk.drainer.drain("office"))
    await until(desk.conn, "SELECT epoch = 2 FROM buildings")
    gate.opened.set()

    with pytest.raises(LeaseLostError):
        await first
    assert await successor == Ended.EMPTY
    event = await desk.event("e1")
    assert (event["status"], event["attempts"], event["failures"]) == ("done", 2, 0)
    assert await desk.names() == ORDERED_ONCE
    assert event["outcome"]["actions"] == ORDERED_ONCE


async def test_an_event_that_failed_is_not_put_back_behind_the_successors_back(desk: Desk, database: str) -> None:
    await desk.open(**STEEL)
    await desk.conn.execute(
        "INSERT INTO events (building_id, seq, source, event_id, event_type, body, body_hash, received_at) "
        "VALUES ('office', 1, 'test', 'bad', 'Inspection_Failed', '{\"item\": \"Steel Beams\"}', '', now())"
    )
    stale, gate, _ = gated_drainer(database, desk.clock, FINISH)
    first = asyncio.create_task(stale.drain("office"))
    await gate.stops(first)
    await desk.conn.execute("UPDATE buildings SET epoch = epoch + 1")
    gate.opened.set()

    with pytest.raises(LeaseLostError):
        await first
    event = await desk.event("bad")
    assert (event["status"], event["failures"], event["not_before"]) == ("running", 0, None)


@pytest.mark.parametrize("words", [LOCK, LEDGER, FINISH])
async def test_a_slot_whose_connection_was_terminated_writes_nothing_more(
    desk: Desk, database: str, words: str
) -> None:
    """The thread's lock was lost with the connection, so a successor acts while the first run is still under way."""
    await desk.open(**STEEL)
    await desk.post("Submittal_Approved", item="Steel Beams", run=False)
    lost, gate, slots = gated_drainer(database, desk.clock, words)
    first = asyncio.create_task(lost.drain("office"))
    await gate.stops(first)
    await desk.conn.execute("SELECT pg_terminate_backend(%s)", (slots.backend,))
    assert await desk.drainer.drain("office") == Ended.EMPTY
    before = await _everything(desk.conn)
    gate.opened.set()

    with pytest.raises(psycopg.OperationalError):
        await first
    assert await _everything(desk.conn) == before
    event = await desk.event("e1")
    assert (event["status"], event["attempts"], event["failures"]) == ("done", 2, 0)
    assert await desk.names() == ORDERED_ONCE
    assert len(await all_rows(desk.conn, "SELECT 1 FROM purchase_orders")) == 1


async def test_a_fault_of_the_database_costs_no_attempt(desk: Desk, database: str) -> None:
    await desk.open(**STEEL)
    await desk.post("Submittal_Approved", item="Steel Beams", run=False)
    for _ in range(4):
        drainer, gate, slots = gated_drainer(database, desk.clock, LEDGER, event_attempts=2, event_crashes=2)
        draining = asyncio.create_task(drainer.drain("office"))
        await gate.stops(draining)
        await desk.conn.execute("SELECT pg_terminate_backend(%s)", (slots.backend,))
        gate.opened.set()
        with pytest.raises(psycopg.OperationalError):
            await draining
        assert (await desk.event("e1"))["failures"] == 0
    await desk.run()

    event = await desk.event("e1")
    assert (event["status"], event["failures"]) == ("done", 0)
    assert await desk.names() == ORDERED_ONCE


async def test_two_workers_never_run_one_thread_at_once(desk: Desk, database: str) -> None:
    await desk.open(**STEEL)
    posted = [await desk.post("Human_Input", text=f"Note {number}.", run=False) for number in range(20)]
    seen = _Seen()
    workers = [_watched_drainer(database, desk.clock, seen) for _ in range(4)]
    for _ in range(10):
        ends = await asyncio.gather(*(worker.drain("office") for worker in workers), return_exceptions=True)
        assert all(isinstance(end, (Ended, LeaseLostError, UnavailableError)) for end in ends), ends
        if Ended.EMPTY in ends and (await desk.event(posted[-1]))["status"] == "done":
            break

    assert seen.most == 1
    assert seen.entries == sorted(seen.entries)
    assert set(seen.entries) == set(range(1, 21))
    facts = await all_rows(desk.conn, "SELECT seq FROM actions WHERE kind = 'fact' ORDER BY position, seq")
    assert [row["seq"] for row in facts] == list(range(1, 21))


@dataclass
class _Seen:
    """Who is running the graph, and who was."""

    now: int = 0
    most: int = 0
    entries: list[int] = field(default_factory=list)


@dataclass
class _WatchedGraph:
    graph: Any
    seen: _Seen

    async def ainvoke(self, given: Any, config: Any, **options: Any) -> Any:
        self.seen.now += 1
        self.seen.most = max(self.seen.most, self.seen.now)
        self.seen.entries.append(config["metadata"]["seq"])
        try:
            return await self.graph.ainvoke(given, config, **options)
        finally:
            self.seen.now -= 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self.graph, name)


class _WatchedSlots(SlotPool):
    """The worker's pool with slots whose graphs tell when they run."""

    def __init__(self, conninfo: str, clock: FixedClock, seen: _Seen) -> None:
        super().__init__(conninfo, clock, 1, "watched slot")
        self._place, self._seen = conninfo, seen

    @asynccontextmanager
    async def slot(self) -> Any:
        slot = await open_slot(self._place, FixedClock(), "watched slot")
        slot.graph = _WatchedGraph(slot.graph, self._seen)  # type: ignore[assignment]
        try:
            yield slot
        finally:
            await slot.conn.close()


def _watched_drainer(database: str, clock: FixedClock, seen: _Seen) -> Drainer:
    settings: Settings = make_drainer(database, clock).settings
    return Drainer(settings, clock, _WatchedSlots(database, clock, seen), asyncio.Event())


async def _everything(conn: Connection) -> dict[str, list[dict[str, Any]]]:
    """Every row that a run writes."""
    tables = ("events", "actions", "decisions", "changes", "outbox", "approvals", "items", "purchase_orders")
    tables += ("milestones", "checkpoints", "checkpoint_writes", "checkpoint_blobs")
    return {table: await all_rows(conn, f"SELECT * FROM {table} t ORDER BY t::text") for table in tables}
