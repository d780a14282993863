"""Jobs come and go by the hundred a second; the engine's tables stay as small as they are."""

from datetime import UTC, datetime

from storage import upkeep
from storage.database import Connection
from tests.retention.archive import Archive

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
COME = """
INSERT INTO procrastinate_jobs (queue_name, task_name, lock, status)
SELECT 'drain', 'drain', 'site-' || number, 'doing' FROM generate_series(1, 1500) AS number"""
NOTED = "INSERT INTO procrastinate_events (job_id, type) SELECT id, 'started' FROM procrastinate_jobs"
TRIED = "UPDATE procrastinate_jobs SET attempts = attempts + 1"
GO = "DELETE FROM procrastinate_jobs"
SIZE = """
SELECT (pg_total_relation_size('procrastinate_jobs') + pg_total_relation_size('procrastinate_events'))::int AS bytes"""


async def _come_and_go(conn: Connection) -> int:
    """What the tables take on disk then."""
    for statement in (COME, NOTED, TRIED, GO, "SELECT pg_stat_force_next_flush()", "SELECT 1"):
        await conn.execute(statement)
    row = await (await conn.execute(SIZE)).fetchone()
    return 0 if row is None else int(row["bytes"])


async def test_what_ended_jobs_leave_is_swept_up_and_the_tables_stay_small(archive: Archive) -> None:
    conn = archive.conn
    assert not (await upkeep.waiting(conn, NOW)).sweeping
    sizes = []
    for _ in range(8):
        sizes.append(await _come_and_go(conn))
        assert (await upkeep.waiting(conn, NOW)).sweeping
        await upkeep.sweep(conn)
        await conn.execute("SELECT pg_stat_force_next_flush()")
        assert not (await upkeep.waiting(conn, NOW)).sweeping
    assert max(sizes[2:]) < 1.2 * sizes[1]
