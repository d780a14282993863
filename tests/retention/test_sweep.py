"""Jobs come and go by the hundred a second; the engine's tables stay as small as they are."""

import asyncio

from runtime.clock import SystemClock
from runtime.drain import Drainer
from runtime.jobs import SWEEP_AFTER, Upkeep, make_app
from runtime.settings import Settings
from runtime.slots import SlotPool
from storage import upkeep
from storage.connection import Connection
from storage.database import connect, open_pool
from storage.queue import DRAIN_TASK
from tests.retention.archive import Archive

COME = """
INSERT INTO procrastinate_jobs (queue_name, task_name, lock, status)
SELECT 'drain', 'drain', 'site-' || number, 'doing' FROM generate_series(1, 1500) AS number"""
NOTED = "INSERT INTO procrastinate_events (job_id, type) SELECT id, 'started' FROM procrastinate_jobs"
TRIED = "UPDATE procrastinate_jobs SET attempts = attempts + 1"
GO = "DELETE FROM procrastinate_jobs"
SIZE = """
SELECT (pg_total_relation_size('procrastinate_jobs') + pg_total_relation_size('procrastinate_events'))::int AS bytes"""
SWEPT = """
SELECT sum(vacuum_count)::int AS times FROM pg_stat_user_tables
 WHERE relname IN ('procrastinate_jobs', 'procrastinate_events', 'procrastinate_periodic_defers')"""


async def _come_and_go(conn: Connection) -> int:
    """What the tables take on disk then."""
    for statement in (COME, NOTED, TRIED, GO):
        await conn.execute(statement)
    return await _number(conn, SIZE, "bytes")


async def _number(conn: Connection, query: str, name: str) -> int:
    row = await (await conn.execute(query)).fetchone()
    return 0 if row is None else int(row[name])


async def test_what_ended_jobs_leave_is_swept_up_and_the_tables_stay_small(archive: Archive) -> None:
    sizes = []
    for _ in range(8):
        sizes.append(await _come_and_go(archive.conn))
        await upkeep.sweep(archive.conn)
    assert max(sizes[2:]) < 1.2 * sizes[1]


async def test_a_worker_sweeps_after_so_many_drains(database: str) -> None:
    clock, settings = SystemClock(), Settings()
    drainer = Drainer(settings, clock, SlotPool(database, clock, 1, "sweeping"), asyncio.Event())
    async with (
        open_pool(database, max_size=2, name="sweeping") as pool,
        await connect(database, application_name="looking") as looking,
    ):
        drain = make_app(database, drainer, Upkeep(settings, clock, pool)).drains.tasks[DRAIN_TASK]
        for drained in range(2 * SWEEP_AFTER):
            assert await _number(looking, SWEPT, "times") == 3 * (drained // SWEEP_AFTER)
            await drain("no-such-site")
        assert await _number(looking, SWEPT, "times") == 3 * 2
    await drainer.slots.close()
