"""A thread may be pruned at any moment, and the building goes on as if it had not been."""

import time
from datetime import UTC, datetime, timedelta

from graph.history import state_at
from storage.buildings import thread_id
from storage.database import connect
from storage.retention import Policy, Pruning, first_id_at
from tests.agent.desk import Desk
from tests.retention.archive import LATER, LATEST_ONLY, Archive

DELIVERIES = [
    {"item": "Steel Beams", "required_by": "2026-02-15", "buffer_days": 5},
    {"item": "HVAC Units", "required_by": "2026-03-01", "buffer_days": 7},
]
SCHEDULE = {"project": {"name": "Office"}, "deliveries": DELIVERIES}


async def play(archive: Archive, desk: Desk, *, pruned: bool) -> None:
    """Two questions are open at once, the newer is answered first, the other refused and answered again; pruned
    after every entry, and between an entry's arrival and its run, with edits in Studio on the way."""

    async def between() -> None:
        if pruned:
            await archive.prune(desk)
            await archive.assert_whole(desk)
            assert not [entry for entry in await archive.history(desk) if not entry.live]

    async def post(event_type: str, **fields: str) -> None:
        await desk.post(event_type, run=False, **fields)
        await between()
        await desk.run()
        await archive.edit(desk)
        await between()

    async def answer(item: str, kind: str) -> None:
        (question,) = [question for question in await desk.pending() if question.item_id == item]
        await desk.decide(question, kind, run=False)
        await between()
        await desk.run()
        await between()

    await desk.open(schedule=SCHEDULE)
    for item in ("Steel Beams", "HVAC Units"):
        await post("Submittal_Approved", item=item)
        await post("Shipment_Arrived_Site", item=item, date_arrived="2026-02-10")
        await post("Inspection_Failed", item=item, inspection_date="2026-02-11")
    assert len(await desk.pending()) == 2
    await post("Human_Input", text="The lift is out of order.")
    await answer("hvac-units", "approve")
    await answer("steel-beams", "reject")
    await post("Human_Input", text="The lift works again.")
    await answer("steel-beams", "approve")
    assert await desk.pending() == []


async def test_a_story_pruned_after_every_step_ends_as_one_that_never_was(archive: Archive) -> None:
    whole, pruned = archive.desk("whole"), archive.desk("shrunk")
    await play(archive, whole, pruned=False)
    await play(archive, pruned, pruned=True)
    assert await archive.rows(pruned) == await archive.rows(whole)
    assert await archive.count("checkpoints", pruned) < 20 < await archive.count("checkpoints", whole)


async def test_what_is_kept_is_as_it_was(archive: Archive) -> None:
    desk = archive.desk("office")
    await play(archive, desk, pruned=False)
    before, history = await archive.states(desk), await archive.history(desk)
    await archive.prune(desk, Policy(events=3, days=1))
    after, left = await archive.states(desk), await archive.history(desk)
    assert {entry.seq for entry in left} == {history[0].seq - n for n in range(4)}  # type: ignore[operator]
    assert after == {checkpoint_id: before[checkpoint_id] for checkpoint_id in after}
    assert left[:-1] == [entry for entry in history if entry.checkpoint_id in after][:-1]
    assert left[-1].seq == history[0].seq - 3, "the state that the oldest kept event began from"  # type: ignore[operator]
    await archive.assert_whole(desk)
    assert await archive.unnamed_blobs(desk) == 0


async def test_what_is_young_is_kept_however_many_events_there_were(archive: Archive) -> None:
    desk = archive.desk("office")
    await play(archive, desk, pruned=False)
    pruned = await archive.prune(desk, Policy(events=1, days=1), datetime.now(UTC))
    assert pruned.deleted == {}
    assert (await archive.prune(desk, Policy(events=1000, days=1))).deleted.keys() <= {
        "checkpoints",
        "checkpoint_blobs",
        "checkpoint_writes",
    }
    assert all(entry.live for entry in await archive.history(desk)), "Studio's go by their age alone"


async def test_edits_in_studio_keep_what_they_name_and_go_when_they_are_old(archive: Archive) -> None:
    desk = archive.desk("office")
    await desk.open(schedule=SCHEDULE)
    await desk.post("Submittal_Approved", item="Steel Beams")
    old = (await archive.history(desk))[2].checkpoint_id
    for number in range(4):
        await desk.post("Human_Input", text=f"Note {number}.")
    fork = await archive.edit(desk, old)
    shown = await state_at(archive.conn, thread_id(desk.building_id), fork)
    # The line is old, the edit is young: its id is of the far future.
    far = first_id_at(LATER)
    for table in ("checkpoints", "checkpoint_writes"):
        await archive.conn.execute(f"UPDATE {table} SET checkpoint_id = %s WHERE checkpoint_id = %s", (far, fork))
    await archive.prune(desk)
    assert await state_at(archive.conn, thread_id(desk.building_id), old) is None
    assert await state_at(archive.conn, thread_id(desk.building_id), far) == shown
    await archive.assert_whole(desk)

    await archive.prune(desk, now=LATER + timedelta(days=365))
    assert await state_at(archive.conn, thread_id(desk.building_id), far) is None
    assert await archive.unnamed_blobs(desk) == 0
    await desk.post("Human_Input", text="And on it goes.")


async def test_a_thread_of_five_thousand_events_shrinks_to_what_is_bounded(archive: Archive) -> None:
    desk = archive.desk("office")
    await desk.open(schedule=SCHEDULE)
    await desk.post("Inspection_Failed", item="HVAC Units", inspection_date="2026-02-11")
    await archive.add_past(desk, 5_000, datetime.now(UTC) - timedelta(days=100))
    assert await archive.count("checkpoints", desk) > 30_000
    begun = time.monotonic()
    pruned = await archive.prune(desk, Policy(), datetime.now(UTC))
    print(f"{pruned.deleted} in {time.monotonic() - begun:.2f} s")
    # 200 events of six steps, the state before them, and what the values of a channel live on by.
    assert await archive.count("checkpoints", desk) < 200 * 6 + 20
    assert await archive.count("checkpoint_writes", desk) < 200 * 6 * 5
    assert await archive.count("checkpoint_blobs", desk) < 200 * 6 * 6
    await archive.assert_whole(desk)
    again = await archive.prune(desk, Policy(), datetime.now(UTC))
    assert again.rows == 0

    await desk.decide(await desk.question())
    assert await desk.pending() == []
    await desk.post("Human_Input", text="And on it goes.")


async def test_a_running_thread_is_left_alone(archive: Archive) -> None:
    desk = archive.desk("office")
    await play(archive, desk, pruned=False)
    before = await archive.count("checkpoints", desk)
    async with await connect(archive.conninfo, application_name="worker") as worker, archive.running(desk, worker):
        pruned = await archive.prune(desk)
        assert (pruned.skipped, pruned.rows) == (1, 0)
        assert await archive.count("checkpoints", desk) == before
    assert (await archive.prune(desk)).rows > 0


async def test_it_ends_at_its_time_and_goes_on_from_there(archive: Archive) -> None:
    desk = archive.desk("office")
    await play(archive, desk, pruned=False)
    over = Pruning(archive.conn, LATEST_ONLY, LATER, stop_at=0)
    assert [thread async for thread in over.threads()] == []
    assert over.pruned.rows == 0
    bites = await archive.prune(desk, batch=3)
    assert (bites.skipped, (await archive.prune(desk)).rows) == (0, 0)
    await archive.assert_whole(desk)
    assert await archive.unnamed_blobs(desk) == 0


async def test_an_id_of_a_moment_parts_the_ids_before_and_after_it(archive: Archive) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    desk = archive.desk("office")
    await desk.open(schedule=SCHEDULE)
    await desk.post("Human_Input", text="Note.")
    after = datetime.now(UTC) + timedelta(seconds=1)
    ids = [entry.checkpoint_id for entry in await archive.history(desk)]
    assert all(first_id_at(before) < checkpoint_id < first_id_at(after) for checkpoint_id in ids)
