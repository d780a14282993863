"""A fork is the building as it was: its tables, its counters, its questions, and the run that was under way."""

import pytest

from domain.errors import ConflictError, InvalidError, NotFoundError
from domain.procurement import PurchaseOrder
from storage import forks, retry
from storage.audit import Signature
from storage.buildings import thread_id
from storage.forks import REBUILT
from storage.retention import Policy, Pruning
from storage.upkeep import enter_expired_holds, enter_overdue, enter_owed, wake_forgotten
from tests.agent.desk import Desk
from tests.forks.past import (
    WHO,
    checkpoints_of,
    desk_of,
    digest_of,
    every_byte,
    everything,
    fork_of,
    rows_of,
    watched,
)
from tests.histories.record import LATER
from tests.histories.stories import opened, the_whole_of_it, two_questions


async def test_before_every_event_the_tables_are_what_they_were(desk: Desk) -> None:
    story = watched(desk)
    await the_whole_of_it(story)
    await story.look()
    assert len(story.seen) > 15
    for seq, (rows, _) in story.seen.items():
        made = await fork_of(story, before_event=seq)
        assert await rows_of(story.conn, made.fork_id) == rows, f"before event {seq}"


async def test_at_every_checkpoint_the_run_goes_on_to_what_really_came_of_it(desk: Desk) -> None:
    story = watched(desk)
    await two_questions(story)
    await story.decide(await story.question("order_beyond_authority"))
    await story.decide(await story.question("inspection_failed"), "reject")
    await story.look()
    for seq in (1, 4, 5, 6):
        rows, _ = story.seen[seq + 1]
        _, moment = story.seen[seq]
        for number, checkpoint_id in enumerate(await checkpoints_of(story, seq)):
            made = await fork_of(story, checkpoint_id=checkpoint_id)
            await desk_of(story, made, moment).run()
            assert await rows_of(story.conn, made.fork_id) == rows, f"event {seq}, step {number}"


async def test_a_fork_goes_its_own_way_and_the_building_stays_as_it_is(desk: Desk) -> None:
    await two_questions(desk)
    asked = await desk.question("order_beyond_authority")
    await desk.decide(asked, "approve")
    before = await digest_of(desk.conn, desk.building_id)
    made = await fork_of(desk, before_event=5)
    here = desk_of(desk, made)
    again = await here.question("order_beyond_authority")
    assert (again.key, again.approval_id) == (asked.key, f"{made.fork_id}-2-0")
    hold = {"name": "hold_item", "arguments": {"item": "electrical-panels", "note": "wait"}}
    decided = await here.decide(again, "edit", actions=[hold])
    assert decided.seq == 5, "the fork's numbers go on from there"
    await here.post("Submittal_Approved", item="HVAC Units")
    assert (await here.item("electrical-panels")).commercial == "unordered"
    assert [order.number for order in await here.rows(PurchaseOrder)] == ["PO-office-0001", "PO-office-0002"]
    assert await digest_of(desk.conn, desk.building_id) == before


async def test_nothing_of_a_fork_leaves_longlead_and_nothing_in_it_falls_due(desk: Desk) -> None:
    await two_questions(desk)
    made = await fork_of(desk)
    here = desk_of(desk, made)
    await here.post("Submittal_Approved", item="HVAC Units")
    hold = {"name": "hold_item", "arguments": {"item": "steel-beams", "until": "2026-02-09"}}
    await here.decide(await here.question("inspection_failed"), "edit", actions=[hold])
    cursor = await desk.conn.execute("SELECT DISTINCT status FROM outbox WHERE building_id = %s", (made.fork_id,))
    assert [row["status"] for row in await cursor.fetchall()] == ["withheld"]
    desk.clock.forward(days=60)
    for enter in (enter_expired_holds, enter_overdue, enter_owed):
        await enter(desk.conn, desk.clock.now())
    cursor = await desk.conn.execute("SELECT count(*) AS n FROM events WHERE building_id = %s", (made.fork_id,))
    row = await cursor.fetchone()
    assert row is not None
    assert row["n"] == 6


async def test_an_answer_that_waits_behind_other_events_is_no_answer_yet(desk: Desk) -> None:
    await two_questions(desk)
    note = await desk.post("Human_Input", text="Before the answer is reached.", run=False)
    await desk.decide(await desk.question("inspection_failed"), run=False)
    await desk.run()
    made = await fork_of(desk, before_event=(await desk.event(note))["seq"])
    here = desk_of(desk, made)
    assert (await here.question("inspection_failed")).decision is None
    await here.decide(await here.question("inspection_failed"), "reject")


async def test_a_dead_event_that_was_tried_again_later_is_dead_in_between(desk: Desk) -> None:
    await opened(desk)
    dying = await desk.post("Submittal_Approved", item="Steel Beams", run=False)
    await desk.conn.execute("UPDATE events SET body = body - 'document_url' WHERE event_id = %s", (dying,))
    for _ in range(3):
        await desk.run()
        desk.clock.forward(seconds=1)
    note = await desk.post("Human_Input", text="Meanwhile.")
    await desk.conn.execute(
        """UPDATE events SET body = body || '{"document_url": "https://docs.example/x"}' WHERE event_id = %s""",
        (dying,),
    )
    await retry.retry(desk.conn, desk.building_id, dying, None)
    await desk.run()
    assert (await desk.item("steel-beams")).is_ordered

    last = (await desk.event(note))["seq"]
    for point in (last, 1):
        here = desk_of(desk, await fork_of(desk, before_event=point))
        assert not (await here.item("steel-beams")).is_ordered
        event = await (
            await desk.conn.execute(
                "SELECT status, generation FROM events WHERE building_id = %s AND seq = 1", (here.building_id,)
            )
        ).fetchone()
        assert event == {"status": "dead", "generation": 0}
        await retry.retry(desk.conn, here.building_id, dying, None)
        await here.run()
        assert (await here.item("steel-beams")).is_ordered
    here = desk_of(desk, await fork_of(desk, before_event=1))
    assert {event["seq"] for event in await _events(here)} == {1, 2, 3}, "what it found when it was tried again"


async def test_a_dead_event_that_waits_to_be_tried_again_is_dead_at_an_earlier_checkpoint(desk: Desk) -> None:
    await opened(desk)
    dying = await desk.post("Submittal_Approved", item="Steel Beams", run=False)
    await desk.conn.execute("UPDATE events SET body = body - 'document_url' WHERE event_id = %s", (dying,))
    for _ in range(3):
        await desk.run()
        desk.clock.forward(seconds=1)
    note = await desk.post("Human_Input", text="Meanwhile.")
    at = (await checkpoints_of(desk, (await desk.event(note))["seq"]))[-1]
    await retry.retry(desk.conn, desk.building_id, dying, None)
    for point in ({"checkpoint_id": at}, {"before_event": 1}):
        here = desk_of(desk, await fork_of(desk, **point))
        event = await here.event(dying)
        assert (event["status"], event["generation"]) == ("dead", 0), point


async def _events(desk: Desk) -> list[dict[str, object]]:
    cursor = await desk.conn.execute("SELECT * FROM events WHERE building_id = %s", (desk.building_id,))
    return await cursor.fetchall()


async def test_where_the_checkpoint_was_pruned_the_tables_are_exact_and_it_is_said(desk: Desk) -> None:
    story = watched(desk)
    await two_questions(story)
    await story.post("Human_Input", text="One more.")
    await Pruning(desk.conn, Policy(events=1, days=1), LATER).thread(thread_id(desk.building_id))
    made = await fork_of(story, before_event=3)
    found = await forks.find(desk.conn, desk.building_id, made.fork_id)
    assert not found.exact
    assert "no longer kept" in found.note
    assert await rows_of(desk.conn, made.fork_id) == story.seen[3][0]
    here = desk_of(story, made)
    await here.decide(await here.question("order_beyond_authority"), "approve")
    assert (await here.item("electrical-panels")).is_ordered


async def test_a_fork_can_be_forked_from_where_it_begins(desk: Desk) -> None:
    await two_questions(desk)
    first = await fork_of(desk, before_event=3)
    here = desk_of(desk, first)
    await here.decide(await here.question("order_beyond_authority"), "approve")
    desk.building_id = first.fork_id
    second = await fork_of(desk, before_event=3)
    assert second.fork_id.startswith("office-fork-")
    there = desk_of(desk, second)
    await there.decide(await there.question("order_beyond_authority"), "reject")
    assert not (await there.item("electrical-panels")).is_ordered
    with pytest.raises(InvalidError, match="fork 'office'"):
        await fork_of(desk, before_event=2)
    with pytest.raises(ConflictError, match=second.fork_id):
        await forks.delete(desk.conn, "office", first.fork_id)


async def test_what_cannot_be_forked_is_said(desk: Desk) -> None:
    await two_questions(desk)
    with pytest.raises(NotFoundError, match="its last one is 4"):
        await fork_of(desk, before_event=9)
    with pytest.raises(NotFoundError, match="no checkpoint"):
        await fork_of(desk, checkpoint_id="nowhere")
    await desk.post("Human_Input", text="Not yet processed.", run=False)
    with pytest.raises(ConflictError, match="still to be processed"):
        await fork_of(desk, before_event=6)
    assert (await fork_of(desk)).moment.last_seq == 4


async def test_a_thousand_forks_leave_the_building_byte_identical_and_deleted_leave_nothing(desk: Desk) -> None:
    await two_questions(desk)
    await desk.decide(await desk.question("order_beyond_authority"), "approve")
    await desk.decide(await desk.question("inspection_failed"), "approve")  # settled, so there is a memory of it
    middle = (await checkpoints_of(desk, 5))[2]
    before, counted = await digest_of(desk.conn, desk.building_id), await every_byte(desk.conn)
    rows = await everything(desk.conn)
    made = []
    for number in range(1000):
        point = [{"before_event": 1 + number % 6}, {"checkpoint_id": middle}][number % 10 == 0]
        made.append(await fork_of(desk, **point))
    here = desk_of(desk, made[5])
    await here.decide(await here.question("inspection_failed"), "approve")
    await desk_of(desk, made[0]).run()
    grown = await everything(desk.conn)
    for table in ("store", "procrastinate_jobs", "checkpoints", "outbox", "forks", *REBUILT & {"items", "approvals"}):
        assert grown[table] > rows[table], table
    await desk_of(desk, made[4]).post("Human_Input", text="Only here.")
    assert await digest_of(desk.conn, desk.building_id) == before
    for one in made:
        assert await forks.delete(desk.conn, desk.building_id, one.fork_id, Signature(WHO, desk.clock.now()))
    assert await every_byte(desk.conn) == counted
    assert await everything(desk.conn) == rows
    assert await digest_of(desk.conn, desk.building_id) == before
    cursor = await desk.conn.execute(
        "SELECT what, subject FROM audit WHERE building_id = %s AND what LIKE 'fork%%' AND by ->> 'id' = %s "
        "ORDER BY number",
        (desk.building_id, WHO.id),
    )
    told = [(row["what"], row["subject"]) for row in await cursor.fetchall()]
    assert told == [(what, one.fork_id) for what in ("fork_made", "fork_deleted") for one in made]


async def test_a_fork_that_a_worker_is_running_is_left_alone(desk: Desk) -> None:
    await two_questions(desk)
    made = await fork_of(desk)
    async with desk.drainer.slots.slot() as slot:
        await slot.conn.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (made.thread_id,))
        assert not await forks.delete(desk.conn, desk.building_id, made.fork_id)
        await slot.conn.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (made.thread_id,))
    assert await forks.delete(desk.conn, desk.building_id, made.fork_id)
    with pytest.raises(NotFoundError):
        await forks.delete(desk.conn, desk.building_id, made.fork_id)


async def test_every_table_of_a_building_is_either_rebuilt_copied_or_begun_empty(desk: Desk) -> None:
    """A new table with a building's id fails here until somebody has decided what a fork gets of it, and has made
    sure that its rows go with the fork."""
    cursor = await desk.conn.execute(
        "SELECT c.table_name AS name, EXISTS (SELECT 1 FROM information_schema.referential_constraints r "
        "  JOIN information_schema.key_column_usage k USING (constraint_schema, constraint_name) "
        "  JOIN information_schema.constraint_column_usage u USING (constraint_schema, constraint_name) "
        " WHERE k.table_name = c.table_name AND r.delete_rule = 'CASCADE' "
        "   AND u.table_name IN ('buildings', 'outbox')) AS goes_along "
        "FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name) "
        "WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.column_name = 'building_id'"
    )
    tables = {row["name"]: row["goes_along"] for row in await cursor.fetchall()}
    tables.pop("buildings")
    assert set(tables) == forks.REBUILT | forks.COPIED | forks.EMPTY
    assert {name for name, goes_along in tables.items() if not goes_along} == set(forks.UNREFERENCED) | forks.KEPT
    cursor = await desk.conn.execute(
        "SELECT DISTINCT table_name AS name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND column_name = 'thread_id' AND table_name <> 'buildings'"
    )
    assert {row["name"] for row in await cursor.fetchall()} == set(forks.OF_THREAD)


async def test_the_run_that_was_under_way_is_woken_and_a_replay_is_not(desk: Desk) -> None:
    await two_questions(desk)
    made = await fork_of(desk, checkpoint_id=(await checkpoints_of(desk, 4))[1])
    jobs = "SELECT lock FROM procrastinate_jobs WHERE lock = %s AND status = 'todo'"
    assert await (await desk.conn.execute(jobs, (made.fork_id,))).fetchone()
    await desk.conn.execute("DELETE FROM procrastinate_jobs WHERE lock = %s", (made.fork_id,))
    await forks.set_mode(desk.conn, [made.fork_id], "replay")
    assert await wake_forgotten(desk.conn, desk.clock.now()) == []
    await forks.set_mode(desk.conn, [made.fork_id], "sandbox")
    assert await wake_forgotten(desk.conn, desk.clock.now()) == [made.fork_id]
