"""A worker's life: told to stop, killed while it works, and a successor that takes over."""

import signal
import time

import pytest
from psycopg.pq import TransactionStatus

from runtime.listening import QuietConnector
from storage.connection import Connection
from tests.durability.crew import (
    SHORT,
    all_rows,
    note,
    open_building,
    running_worker,
    until,
    until_nothing_is_open,
    worker_of,
    worker_process,
)

BUILDINGS = [f"house-{number}" for number in range(4)]
SOME_DONE = "SELECT count(*) >= %s FROM events WHERE status = 'done'"
ENTRIES = "SELECT status, count(*) AS n, max(attempts) AS attempts FROM events GROUP BY 1"


async def _post_notes(conn: Connection, number: int) -> None:
    for building_id in BUILDINGS:
        await open_building(conn, building_id)
        for each in range(number):
            await note(conn, building_id, f"n{each}")


@pytest.mark.slow
async def test_a_worker_that_is_told_to_stop_finishes_what_is_in_hand_and_hands_the_rest_back(
    conn: Connection, database: str
) -> None:
    await _post_notes(conn, 30)
    with worker_process(database) as process:
        await until(conn, SOME_DONE, 20)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    entries = {row["status"]: row for row in await all_rows(conn, ENTRIES)}
    assert set(entries) == {"done", "queued"}, "nothing was left in the middle"
    assert entries["queued"]["attempts"] == 0
    jobs = await all_rows(conn, "SELECT lock, status FROM procrastinate_jobs WHERE queue_name = 'drain'")
    assert {job["status"] for job in jobs} == {"todo"}, "it is handed back at once, nobody has to find it"

    async with running_worker(database, tick_interval=30):
        await until_nothing_is_open(conn, within=60)
    assert await all_rows(conn, ENTRIES) == [{"status": "done", "n": 120, "attempts": 1}]


@pytest.mark.slow
async def test_what_a_killed_worker_had_in_hand_is_taken_over_within_the_lease(conn: Connection, database: str) -> None:
    await _post_notes(conn, 15)
    with worker_process(database) as process:
        await until(conn, SOME_DONE, 5)
        process.kill()
        process.wait()
    killed = time.monotonic()
    stuck = {row["lock"] for row in await all_rows(conn, "SELECT lock FROM procrastinate_jobs WHERE status = 'doing'")}
    assert stuck & set(BUILDINGS)
    done = (await all_rows(conn, "SELECT count(*) AS n FROM events WHERE status = 'done'"))[0]["n"]

    async with running_worker(database):
        await until(conn, SOME_DONE, done + 4)
        assert time.monotonic() - killed < SHORT["stalled_after"] + 2 * SHORT["tick_interval"] + 3
        await until_nothing_is_open(conn)
    assert await all_rows(conn, "SELECT seq FROM events WHERE status <> 'done' OR failures > 0 OR attempts > 2") == []
    assert len(await all_rows(conn, "SELECT 1 FROM messages")) == 60


@pytest.mark.parametrize("pruned", [False, True])
async def test_recovery_goes_on_after_a_worker_died_in_the_very_tick(
    conn: Connection, database: str, pruned: bool
) -> None:
    """The tick that recovers from dead workers must not itself wait for one."""
    await open_building(conn, "office")
    await note(conn, "office", "n1")
    (dead,) = await all_rows(
        conn, "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 h') RETURNING id"
    )
    worker_id = None if pruned else dead["id"]
    await conn.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", (worker_id,))
    await conn.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, status, worker_id) "
        "VALUES ('upkeep', 'tick', 'tick', 'tick', '{\"timestamp\": 0}', 'doing', %s)",
        (worker_id,),
    )
    async with running_worker(database):
        await until_nothing_is_open(conn, within=8)


async def test_the_engine_has_nothing_locked_between_two_messages(database: str) -> None:
    """Frozen there (stopped, swapped out), a worker would hold up every other one's tick, which is to take over."""
    async with worker_of(database) as worker:
        connector = worker.app.drains.connector
        assert isinstance(connector, QuietConnector)
        async with connector.pool.connection() as connection:
            await connection.execute("SELECT * FROM procrastinate_workers FOR UPDATE")
            assert connection.info.transaction_status == TransactionStatus.IDLE
