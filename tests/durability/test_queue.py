"""Everything that is posted is processed once, in order, whoever else posts at the same time."""

import asyncio
import random
from typing import Any

import pytest

from domain.approvals import LOCAL_PERSON, Decision
from domain.errors import ConflictError
from runtime.clock import SystemClock
from runtime.drain import Ended
from storage import approvals
from storage.connection import Connection
from storage.queue import DRAIN_QUEUE
from tests.agent.desk import Desk
from tests.durability.crew import (
    all_rows,
    note,
    open_building,
    post,
    running_worker,
    several,
    until,
    until_nothing_is_open,
    worker_of,
)
from tests.durability.gates import gated_connection

JOBS = "SELECT status, lock FROM procrastinate_jobs WHERE queue_name = 'drain'"


async def test_200_concurrent_posts_to_one_building_are_each_processed_once_and_in_order(database: str) -> None:
    async with several(database, 20) as callers, running_worker(database):
        await open_building(callers[0], "office")
        await asyncio.gather(*(_post_in_turn(conn, number, 10) for number, conn in enumerate(callers)))
        await until_nothing_is_open(callers[0], within=40)

        events = await all_rows(callers[0], "SELECT * FROM events ORDER BY seq")
        assert [event["seq"] for event in events] == list(range(1, 201))
        assert {(event["status"], event["attempts"], event["failures"]) for event in events} == {("done", 1, 0)}
        ended = [event["finished_at"] for event in events]
        assert ended == sorted(ended)
        started = [event["started_at"] for event in events]
        assert all(before <= after for before, after in zip(ended, started[1:], strict=False))
        by_position = await all_rows(callers[0], "SELECT seq FROM changes WHERE seq > 0 ORDER BY position")
        assert [row["seq"] for row in by_position] == list(range(1, 201))
        live = await all_rows(
            callers[0], "SELECT (metadata ->> 'seq')::int AS seq FROM checkpoints ORDER BY checkpoint_id"
        )
        assert [row["seq"] for row in live] == sorted(row["seq"] for row in live)
        assert {row["seq"] for row in live} == set(range(1, 201))


async def test_a_drain_whose_time_is_up_hands_on_what_is_left_and_nothing_where_nothing_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that has nothing to do would lie there until the engine looks by itself, and the next event with it."""
    monkeypatch.setattr("runtime.drain.MOST_SECONDS", 0.0)
    await desk.open()
    for number in range(2):
        await desk.post("Human_Input", text=f"Note {number}", run=False)
    await desk.conn.execute("DELETE FROM procrastinate_jobs")
    assert await desk.drainer.drain(desk.building_id) == Ended.HANDED_ON
    assert [job["status"] for job in await all_rows(desk.conn, JOBS)] == ["todo"]
    await desk.conn.execute("DELETE FROM procrastinate_jobs")
    assert await desk.drainer.drain(desk.building_id) == Ended.EMPTY
    assert await all_rows(desk.conn, JOBS) == []


async def _post_in_turn(conn: Connection, caller: int, number: int) -> None:
    for each in range(number):
        await note(conn, "office", f"{caller}-{each}")


async def test_the_same_event_posted_50_times_at_once_is_accepted_and_processed_once(database: str) -> None:
    async with several(database, 50) as callers, running_worker(database):
        await open_building(callers[0], "office", "Steel Beams")
        report = {"document_url": "https://docs.example/1.pdf", "document_name": "Submittal", "item": "Steel Beams"}
        accepted = await asyncio.gather(
            *(post(conn, "office", "docs-311", "Submittal_Approved", **report) for conn in callers)
        )
        await until_nothing_is_open(callers[0])

        assert sum(one.created for one in accepted) == 1
        assert {one.seq for one in accepted} == {1}
        assert len(await all_rows(callers[0], "SELECT 1 FROM events")) == 1
        assert len(await all_rows(callers[0], "SELECT 1 FROM purchase_orders")) == 1


@pytest.mark.slow
async def test_no_wake_up_is_lost_when_an_event_comes_in_as_a_drain_ends(database: str) -> None:
    """Nothing but the queue wakes the buildings here: the tick, which would find what was forgotten, is off."""
    buildings = [f"house-{number}" for number in range(5)]
    async with several(database, 5) as callers, worker_of(database) as worker:
        for building_id in buildings:
            await open_building(callers[0], building_id)
        draining = asyncio.create_task(
            worker.app.drains.run_worker_async(
                queues=[DRAIN_QUEUE], concurrency=5, install_signal_handlers=False, delete_jobs="successful"
            )
        )
        try:
            rounds = (
                _post_as_drains_end(conn, building_id, 60) for conn, building_id in zip(callers, buildings, strict=True)
            )
            await asyncio.gather(*rounds)
            await until_nothing_is_open(callers[0])
        finally:
            draining.cancel()
            await asyncio.gather(draining, return_exceptions=True)
        done = await all_rows(callers[0], "SELECT building_id, count(*) AS n FROM events WHERE attempts = 1 GROUP BY 1")
        assert {row["building_id"]: row["n"] for row in done} == dict.fromkeys(buildings, 60)


async def _post_as_drains_end(conn: Connection, building_id: str, rounds: int) -> None:
    """Post the next event at the moment at which the one before is done, or just before or after it."""
    chance = random.Random(building_id)
    for number in range(rounds):
        accepted = await note(conn, building_id, str(number))
        if chance.random() < 0.8:
            done = "SELECT status = 'done' FROM events WHERE building_id = %s AND seq = %s"
            await until(conn, done, building_id, accepted.seq)
        await asyncio.sleep(chance.choice((0, 0, 0.001, 0.004)))


@pytest.mark.parametrize("committed_after_s", [0, 0.1])
async def test_a_drain_job_that_appears_between_the_look_and_the_defer_breaks_nothing(
    conn: Connection, database: str, committed_after_s: float
) -> None:
    caller = await gated_connection(database)
    await open_building(conn, "office")
    look: list[asyncio.Task[None]] = []

    async def meddle(query: str) -> None:
        if query.startswith("SELECT 1 FROM procrastinate_jobs") and not look:
            inserted = asyncio.Event()
            look.append(asyncio.create_task(_insert_job(conn, inserted, committed_after_s)))
            await inserted.wait()

    caller.after = meddle
    async with caller:
        accepted = await note(caller, "office", "e1")
        await look[0]
        again = await note(caller, "office", "e2")

    assert (accepted.created, again.created) == (True, True)
    stored = await all_rows(conn, "SELECT event_id FROM events ORDER BY seq")
    assert [row["event_id"] for row in stored] == ["e1", "e2"]
    assert await all_rows(conn, JOBS) == [{"status": "todo", "lock": "office"}]


async def _insert_job(conn: Connection, inserted: asyncio.Event, committed_after_s: float) -> None:
    """Another process defers a drain job without the building's lock, and commits now or a little later."""
    async with conn.transaction():
        await conn.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args) "
            """VALUES ('drain', 'drain', 'office', 'office', '{"building_id": "office"}')"""
        )
        if committed_after_s:
            inserted.set()
            await asyncio.sleep(committed_after_s)
    inserted.set()


async def test_of_100_concurrent_decisions_one_is_accepted_and_acts(desk: Desk, database: str) -> None:
    await desk.open(schedule={"project": {"name": "Office"}, "deliveries": _HVAC})
    await desk.post("Inspection_Failed", item="HVAC Units", inspection_date="2026-02-11")
    question = await desk.question()

    async with several(database, 100) as callers:
        answers = await asyncio.gather(
            *(_decide(conn, question.approval_id, number) for number, conn in enumerate(callers)),
            return_exceptions=True,
        )
    await desk.run()

    refused = [answer for answer in answers if isinstance(answer, ConflictError)]
    (accepted,) = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(refused) == 99
    assert {error.extra["decision"]["event_id"] for error in refused} == {accepted.event_id}
    assert await desk.names(accepted.event_id) == ["reorder_item", "start_tracking"]
    assert len(await all_rows(desk.conn, "SELECT 1 FROM purchase_orders")) == 1
    assert len(await all_rows(desk.conn, "SELECT 1 FROM events WHERE event_type = 'Decision'")) == 1


_HVAC: list[dict[str, Any]] = [{"item": "HVAC Units", "required_by": "2026-03-01", "buffer_days": 7}]


async def _decide(conn: Connection, approval_id: str, number: int) -> approvals.AcceptedDecision:
    return await approvals.decide(
        conn,
        approval_id,
        Decision(type="approve", responder=LOCAL_PERSON),
        version=1,
        event_id=f"d{number}",
        now=SystemClock().now(),
    )


async def test_nothing_waits_for_the_engine_to_look_by_itself(database: str) -> None:
    """Entries that come at any moment of a drain, and the drains that hand on, are taken at once: the engine is told to
    look when a drain has ended, which nobody else announces, and once more after each notice."""
    slow = 60.0
    async with several(database, 2) as callers, running_worker(database, poll_interval=slow, tick_interval=30):
        await open_building(callers[0], "office")
        await open_building(callers[1], "tower")
        for each in range(150):
            await note(callers[0], "office", f"n{each}")
            if each % 3 == 0:
                await note(callers[1], "tower", f"n{each}")
                await asyncio.sleep(random.uniform(0, 0.03))
        await until_nothing_is_open(callers[0], within=15)
