"""An event that cannot be processed is tried, given up and told; the building goes on."""

import errno
import socket
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from domain.approvals import Approval
from domain.errors import ConflictError, UnavailableError
from runtime.clock import SystemClock
from runtime.drain import Drainer, Ended
from runtime.settings import Settings
from storage import inbox
from storage.connection import Connection
from storage.retry import retry
from tests.agent.desk import Desk
from tests.durability.crew import all_rows, note, open_building, running_worker, until_nothing_is_open
from tests.durability.cutting import CutOffError, CuttableSlots, SwitchAt

HVAC: dict[str, Any] = {
    "schedule": {
        "project": {"name": "Office"},
        "deliveries": [{"item": "HVAC Units", "required_by": "2026-04-15", "buffer_days": 7}],
    }
}
UNREADABLE = {"event_type": "Inspection_Failed", "item": "HVAC Units"}


async def test_an_event_that_waits_after_a_failure_is_tried_at_once_where_somebody_asks(desk: Desk) -> None:
    await desk.open(**HVAC)
    await _accept(desk.conn, desk.clock.now(), UNREADABLE)
    with pytest.raises(ConflictError, match="only one that is dead or waits"):
        await retry(desk.conn, "office", "bad", None)
    assert await desk.drainer.drain("office") == Ended.BACKING_OFF
    assert await desk.drainer.drain("office") == Ended.EMPTY
    await retry(desk.conn, "office", "bad", None)
    assert await desk.drainer.drain("office") == Ended.BACKING_OFF, "it was tried again before its time"
    assert (await desk.event("bad"))["failures"] == 2


async def test_an_event_that_fails_is_tried_with_backoff_then_dead_and_told_while_the_building_goes_on(
    desk: Desk,
) -> None:
    await desk.open(**HVAC)
    await _accept(desk.conn, desk.clock.now(), UNREADABLE)
    behind = await desk.post("Human_Input", text="Behind it.", run=False)
    for failures in (1, 2):
        assert await desk.drainer.drain("office") == Ended.BACKING_OFF
        assert await desk.drainer.drain("office") == Ended.EMPTY, "it is not tried before its time"
        event = await desk.event("bad")
        assert (event["status"], event["attempts"], event["failures"]) == ("queued", failures, failures)
        assert "document_url" in event["error"]
        wait = (event["not_before"] - desk.clock.now()) / timedelta(seconds=desk.drainer.settings.retry_base)
        assert 0.8 <= wait / 2 ** (failures - 1) <= 1.2
        assert (await desk.event(behind))["status"] == "queued", "nothing overtakes it"
        desk.clock.forward(seconds=1)
    await desk.run()

    event = await desk.event("bad")
    assert (event["status"], event["attempts"], event["failures"]) == ("dead", 3, 3)
    assert (await desk.event(behind))["status"] == "done"
    question = await desk.question("event_failed")
    assert question.subject["event_id"] == "bad"
    assert "document_url" in question.subject["error"]
    assert await desk.item("hvac-units") is not None
    assert await desk.names("bad") == []


def outages(error: Exception) -> Callable[..., Awaitable[None]]:
    async def fails(*_: object) -> None:
        raise RuntimeError("a library's words") from error

    return fails


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError("no"),
        TimeoutError(),
        socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
        OSError(errno.ENOSPC, "No space left on device"),
        httpx.ConnectTimeout("no"),
        UnavailableError("held by another worker"),
    ],
)
async def test_an_event_that_fails_by_something_outside_is_tried_for_longer_than_one_that_fails_by_itself(
    desk: Desk, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.drainer.settings.event_outage_attempts = 5
    await desk.open()
    event_id = await desk.post("Human_Input", text="Hello.", run=False)
    with monkeypatch.context() as broken:
        broken.setattr("runtime.drain.advance", outages(error))
        for _ in range(4):
            assert await desk.drainer.drain("office") == Ended.BACKING_OFF
            desk.clock.forward(seconds=1)
    event = await desk.event(event_id)
    assert (event["status"], event["failures"], event["outages"]) == ("queued", 4, 4)
    await desk.run()
    assert (await desk.event(event_id))["status"] == "done"


async def test_an_outage_uses_up_none_of_the_patience_with_an_event_that_fails_by_itself(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.open(**HVAC)
    await _accept(desk.conn, desk.clock.now(), UNREADABLE)
    with monkeypatch.context() as broken:
        broken.setattr("runtime.drain.advance", outages(ConnectionResetError()))
        for _ in range(10):
            await desk.run()
            desk.clock.forward(minutes=30)
    assert (await desk.event("bad"))["status"] == "queued"
    await _let_it_die(desk, "bad")
    assert (await desk.event("bad"))["failures"] == 13


async def test_an_outage_that_never_ends_is_given_up_and_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.drainer.settings.event_outage_attempts = 2
    await desk.open()
    event_id = await desk.post("Human_Input", text="Hello.", run=False)
    with monkeypatch.context() as broken:
        broken.setattr("runtime.drain.advance", outages(ConnectionResetError()))
        for _ in range(2):
            await desk.run()
            desk.clock.forward(seconds=1)
    await desk.run()
    assert (await desk.event(event_id))["status"] == "dead"
    assert (await desk.question("event_failed")).subject["event_id"] == event_id


async def test_a_database_without_room_costs_no_attempt_and_counts_as_no_crash_however_often(desk: Desk) -> None:
    """It cannot even be written that the start is not to count: it is kept, and written when there is room."""
    desk.drainer.settings.event_crashes = 2
    await desk.open()
    event_id = await desk.post("Human_Input", text="Hello.", run=False)
    await desk.conn.execute(NO_ROOM)
    await desk.conn.execute(NO_ROOM_FOR.format(table="checkpoints", when="INSERT", condition="true"))
    await desk.conn.execute(NO_ROOM_FOR.format(table="events", when="UPDATE", condition="NEW.attempts < OLD.attempts"))
    for _ in range(6):
        with pytest.raises(psycopg.errors.DiskFull):
            await desk.drainer.drain("office")
    assert (await desk.event(event_id))["attempts"] == 1, "it is not started while that cannot be counted"
    for table in ("checkpoints", "events"):
        await desk.conn.execute(f"DROP TRIGGER no_room ON {table}")
    await desk.run()
    event = await desk.event(event_id)
    assert (event["status"], event["attempts"], event["failures"]) == ("done", 1, 0)


NO_ROOM = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE 'no room' USING ERRCODE = 'disk_full'; END $$"""
NO_ROOM_FOR = """
CREATE TRIGGER no_room BEFORE {when} ON {table} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION no_room()"""


async def test_what_is_retried_is_asked_no_more_until_it_dies_again(desk: Desk) -> None:
    await desk.open(**HVAC)
    await _accept(desk.conn, desk.clock.now(), UNREADABLE)
    await _let_it_die(desk, "bad")
    asked = await desk.question("event_failed")
    await retry(desk.conn, "office", "bad", None)
    assert await desk.pending() == []
    await _let_it_die(desk, "bad")
    assert (await desk.question("event_failed")).approval_id != asked.approval_id
    (withdrawn,) = [one for one in await desk.rows(Approval) if one.approval_id == asked.approval_id]
    assert withdrawn.status == "withdrawn"


async def test_a_worker_gives_an_event_up_by_itself(conn: Connection, database: str) -> None:
    await open_building(conn, "office", "HVAC Units")
    await _accept(conn, SystemClock().now(), UNREADABLE)
    await note(conn, "office", "behind")
    async with running_worker(database):
        await until_nothing_is_open(conn)
    events = await all_rows(conn, "SELECT event_id, status, failures FROM events ORDER BY seq")
    assert [(event["event_id"], event["status"], event["failures"]) for event in events] == [
        ("bad", "dead", 3),
        ("behind", "done", 0),
        ("failed:1:0", "done", 0),
    ]
    assert [row["kind"] for row in await all_rows(conn, "SELECT kind FROM approvals")] == ["event_failed"]


async def test_when_the_telling_dies_too_the_row_alone_tells(desk: Desk) -> None:
    await desk.open(**HVAC)
    await inbox.accept(
        desk.conn,
        "office",
        source=inbox.INTERNAL,
        event_id="failed:0:0",
        event_type="Event_Failed",
        body={"event": UNREADABLE},
        now=desk.clock.now(),
    )
    await _let_it_die(desk, "failed:0:0")
    assert len(await all_rows(desk.conn, "SELECT 1 FROM events")) == 1
    assert (await desk.event("failed:0:0"))["error"]


async def test_an_event_that_dies_behind_the_closing_of_its_building_ends_with_its_row(desk: Desk) -> None:
    await desk.open()
    closed = await desk.post("Building_Closed", run=False)
    await _accept(desk.conn, desk.clock.now(), {"event_type": "Human_Input"})
    await _let_it_die(desk, "bad")
    assert (await desk.event(closed))["outcome"]["note"] == "building closed"
    assert len(await all_rows(desk.conn, "SELECT 1 FROM events")) == 2


async def test_a_decision_that_dies_gives_its_question_back_at_the_next_version(desk: Desk, database: str) -> None:
    await desk.open(**HVAC)
    await desk.post("Inspection_Failed", item="HVAC Units", inspection_date="2026-02-11")
    decided = await desk.decide(await desk.question(), run=False)
    await _crash(desk, database, "start of apply_decision", times=2)
    assert (await desk.event(decided.event_id))["status"] == "dead"

    given_back = await desk.question("inspection_failed")
    assert (given_back.status, given_back.version, given_back.decision) == ("pending", 2, None)
    assert (await desk.question("event_failed")).subject["event_id"] == decided.event_id
    with pytest.raises(ConflictError, match="version 2"):
        await desk.decide(given_back, version=1)
    await desk.decide(given_back, version=2)
    assert (await desk.item("hvac-units")).round == 1


async def test_a_decision_whose_actions_fail_gives_its_question_back(desk: Desk) -> None:
    """The answer was applied, and one of its actions cannot be carried out: somebody has to decide anew."""
    await desk.open(**HVAC)
    await desk.post("Inspection_Failed", item="HVAC Units", inspection_date="2026-02-11")
    lost = {"name": "expedite_order", "arguments": {"item": "nowhere"}}
    decided = await desk.decide(await desk.question(), "edit", actions=[lost])
    await _let_it_die(desk, decided.event_id)

    given_back = await desk.question("inspection_failed")
    assert (given_back.status, given_back.version) == ("pending", 2)
    assert (await desk.question("event_failed")).subject["event_id"] == decided.event_id
    await desk.decide(given_back, "approve")
    assert (await desk.item("hvac-units")).round == 1


async def test_a_decision_that_dies_behind_a_newer_question_leaves_that_one_to_ask(desk: Desk, database: str) -> None:
    await desk.open(**HVAC, items=[{"name": "HVAC Units", "quantity": "6"}])
    await desk.post("Inspection_Failed", item="HVAC Units", inspection_date="2026-02-11", quantity_rejected="1")
    older = await desk.question()
    failed_again = {"inspection_date": "2026-02-12", "quantity_rejected": "2", "ncr_number": older.matter}
    await desk.post("Inspection_Failed", item="HVAC Units", **failed_again, run=False)
    decided = await desk.decide(older, run=False)
    after = await desk.post("Human_Input", text="After it.", run=False)
    await _crash(desk, database, "start of apply_decision", times=2)

    assert (await desk.event(decided.event_id))["status"] == "dead"
    assert (await desk.event(after))["status"] == "done"
    asked = await desk.question("inspection_failed")
    assert asked.raised_seq == 2
    (closed,) = [approval for approval in await desk.rows(Approval) if approval.approval_id == older.approval_id]
    assert closed.status == "superseded"


async def test_an_event_that_ends_the_process_every_time_is_given_up(desk: Desk, database: str) -> None:
    await desk.open(**HVAC)
    killer = await desk.post("Human_Input", text="Deadly.", run=False)
    after = await desk.post("Human_Input", text="After it.", run=False)
    await _crash(desk, database, "start of take_note", times=2)

    assert (await desk.event(killer))["status"] == "dead"
    assert (await desk.event(after))["status"] == "done"
    assert "3 times" in (await desk.question("event_failed")).subject["error"]


async def _accept(conn: Connection, now: datetime, body: dict[str, Any]) -> None:
    """An entry as an older program might have accepted it: its handler misses fields."""
    await inbox.accept(conn, "office", source="test", event_id="bad", event_type=body["event_type"], body=body, now=now)


async def _let_it_die(desk: Desk, event_id: str) -> None:
    for _ in range(desk.drainer.settings.event_attempts):
        desk.clock.forward(seconds=1)
        await desk.run()
    assert (await desk.event(event_id))["status"] == "dead"


async def _crash(desk: Desk, database: str, boundary: str, times: int) -> None:
    """Run a worker that gives an event up after so many crashes, and that is cut off so often at this boundary."""
    settings = Settings(event_crashes=times, shutdown_grace=1, heartbeat_interval=1)
    switch = SwitchAt(boundary=boundary, times=times)
    slots = CuttableSlots(database, desk.clock, switch)
    drainer = Drainer(settings, desk.clock, slots, desk.drainer.stopping)  # type: ignore[arg-type]
    for _ in range(times):
        with pytest.raises(CutOffError):
            await drainer.drain("office")
        switch.restart()
    await drainer.drain("office")
    await slots.close()
