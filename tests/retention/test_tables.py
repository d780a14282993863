"""Ended jobs, delivered messages and workers that are gone are deleted; what happened never is; one worker does it."""

import asyncio
from datetime import UTC, datetime, timedelta

from runtime.jobs import Upkeep
from runtime.settings import Settings
from storage.buildings import thread_id
from storage.database import connect, open_pool
from storage.retention import Policy, Pruning, prune_all, prune_when_due
from tests.retention.archive import LATER, LATEST_ONLY, Archive
from tests.retention.test_threads import play

JOBS = """
INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES
    ('drain', 'old', 'failed'), ('drain', 'aborted', 'aborted'), ('drain', 'new', 'failed'),
    ('drain', 'waiting', 'todo'), ('drain', 'at work', 'doing')"""
ENDED = """
INSERT INTO procrastinate_events (job_id, type, at)
SELECT id, 'failed', now() - make_interval(days => CASE task_name WHEN 'new' THEN 1 ELSE 30 END)
  FROM procrastinate_jobs"""
MESSAGES = """
INSERT INTO outbox (building_id, key, channel, recipient, subject, payload, status, created_at, delivered_at, routed_at)
SELECT %s, status || days, 'log', 'pm', 'Hello', '{}', status, now(),
       CASE status WHEN 'logged' THEN NULL ELSE now() - make_interval(days => days) END,
       now() - make_interval(days => days)
  FROM unnest(ARRAY['delivered', 'logged', 'queued', 'dead', 'withheld']) AS status, unnest(ARRAY[1, 30]) AS days"""
EVERY = timedelta(hours=1)


async def names(archive: Archive, query: str) -> list[str]:
    rows = await (await archive.conn.execute(query)).fetchall()
    return sorted(str(next(iter(row.values()))) for row in rows)


async def test_only_what_ended_long_ago_is_deleted(archive: Archive) -> None:
    desk = archive.desk("office")
    await desk.open()
    await archive.conn.execute("DELETE FROM procrastinate_jobs")
    await archive.conn.execute(JOBS)
    await archive.conn.execute(ENDED)
    await archive.conn.execute(MESSAGES, ("office",))
    await archive.conn.execute(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()), (now() - interval '9 d')"
    )
    now = LATER - timedelta(days=365)
    pruning = Pruning(archive.conn, Policy(finished_days=7), now)
    assert await pruning.tables()
    assert await names(archive, "SELECT task_name FROM procrastinate_jobs") == ["at work", "new", "waiting"]
    assert await names(archive, "SELECT key FROM outbox WHERE status = 'delivered'") == ["delivered1"]
    assert await names(archive, "SELECT key FROM outbox WHERE status = 'logged'") == ["logged1"]
    assert await names(archive, "SELECT count(*) FROM outbox") == ["8"]
    assert {table: rows for table, (rows, _) in pruning.pruned.deleted.items()} == {
        "procrastinate_jobs": 2,
        "procrastinate_events": 2,
        "outbox": 2,
        "procrastinate_workers": 1,
    }
    assert all(size > 0 for _, size in pruning.pruned.deleted.values())


async def test_what_happened_is_never_deleted(archive: Archive) -> None:
    desk = archive.desk("office")
    await play(archive, desk, pruned=False)
    before = await archive.rows(desk)
    pruned = await prune_all(archive.conn, LATEST_ONLY, LATER)
    assert {"checkpoints", "checkpoint_blobs", "checkpoint_writes"} <= pruned.deleted.keys()
    after = await archive.rows(desk)
    for table in ("events", "changes", "actions", "decisions", "approvals", "items", "purchase_orders"):
        assert after[table] == before[table] != []


async def test_of_many_workers_one_prunes_and_the_next_time_is_an_hour_later(archive: Archive) -> None:
    await play(archive, archive.desk("office"), pruned=False)

    async def look() -> int | None:
        async with await connect(archive.conninfo, application_name="worker") as conn:
            pruned = await prune_when_due(conn, LATEST_ONLY, LATER, every=EVERY, seconds=60)
        return None if pruned is None else pruned.rows

    found = sorted(await asyncio.gather(*(look() for _ in range(5))), key=lambda rows: rows or 0)
    assert found[:4] == [None] * 4
    assert found[4] is not None
    assert found[4] > 0
    assert await look() is None
    again = await prune_when_due(archive.conn, LATEST_ONLY, LATER + EVERY, every=EVERY, seconds=60)
    assert again is not None
    assert again.threads == 0, "nothing has grown since"


async def test_a_pass_looks_only_at_what_has_grown_or_grown_old(archive: Archive) -> None:
    sleeper, worker = archive.desk("sleeper"), archive.desk("worker")
    for desk in (sleeper, worker):
        await play(archive, desk, pruned=False)
    policy, now = Policy(events=2, days=30), datetime.now(UTC) + timedelta(hours=1)

    async def look(hours: int) -> list[str]:
        await archive.conn.execute("UPDATE upkeep SET due_at = '-infinity'")
        pruning = Pruning(archive.conn, policy, now + timedelta(hours=hours))
        found = await pruning.candidates("")
        assert await prune_when_due(archive.conn, policy, pruning.now, every=EVERY, seconds=60) is not None
        return found

    both = sorted(thread_id(desk.building_id) for desk in (sleeper, worker))
    assert await look(0) == both, "never looked at"
    assert await look(1) == []
    await worker.post("Human_Input", text="The crane is here.")
    assert await look(2) == [thread_id("worker")], "grown"
    assert await look(24 * 4) == both, "kept for its youth, and now a tenth of the days older"
    assert await look(24 * 40) == both, "old"
    assert await look(24 * 80) == [], "nothing is left that could grow old"
    for desk in (sleeper, worker):
        assert len({entry.seq for entry in await archive.history(desk)}) == 3, "two events, and what they began from"


async def test_buildings_with_no_more_than_is_kept_are_never_looked_at(archive: Archive) -> None:
    desk = archive.desk("office")
    await play(archive, desk, pruned=False)
    pruning = Pruning(archive.conn, Policy(events=200, days=1), LATER)
    assert await pruning.candidates("") == [thread_id("office")], "what Studio left behind long ago"
    assert await pruning.thread(thread_id("office"))
    assert await pruning.candidates("") == []


async def test_a_pass_that_its_time_ended_goes_on_at_the_next_call(archive: Archive) -> None:
    for number in range(3):
        await play(archive, archive.desk(f"house-{number}"), pruned=False)
    passes = 0
    await archive.conn.execute("UPDATE upkeep SET due_at = '-infinity'")
    while await prune_when_due(archive.conn, LATEST_ONLY, LATER, every=EVERY, seconds=0.02) is not None:
        passes += 1
        assert passes < 200
    for desk in archive.desks:
        assert {entry.seq for entry in await archive.history(desk)} <= {10, 11}, "its last events only"
        await archive.assert_whole(desk)


async def test_the_workers_job_prunes_by_the_settings(archive: Archive, database: str) -> None:
    desk = archive.desk("office")
    await play(archive, desk, pruned=False)
    before = await archive.count("checkpoints", desk)
    desk.clock.moment = LATER
    async with open_pool(database, max_size=2, name="upkeep") as pool:
        await Upkeep(Settings(retention_events=2), desk.clock, pool).prune()
    assert await archive.count("checkpoints", desk) < before
