"""Any number of workers: each takes as much as it may, and hung work stops neither recovery nor the others."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import runtime.drain
from storage.connection import Connection
from storage.database import connect
from storage.workers import Declared, list_processes, read_declared
from tests.durability.crew import (
    ROOT,
    SHORT,
    all_rows,
    note,
    open_building,
    running_worker,
    until,
    until_nothing_is_open,
    worker_process,
)
from tests.few import Few

LONGLEAD = str(Path(sys.executable).with_name("longlead"))
SITES = [f"site-{number:02}" for number in range(6)]
AT_WORK = "SELECT count(*) = %s FROM procrastinate_jobs WHERE queue_name = 'drain' AND status = 'doing'"
WORKERS = "SELECT count(*) = %s FROM procrastinate_workers w WHERE EXISTS (" + (
    "SELECT 1 FROM procrastinate_jobs j WHERE j.worker_id = w.id AND j.status = 'doing' AND j.queue_name = 'drain')"
)


@pytest.fixture
async def conn(database: str) -> AsyncIterator[Connection]:
    async with await connect(database, application_name="caller") as opened:
        yield opened


@pytest.mark.slow
async def test_workers_run_no_more_buildings_at_once_than_they_are_told_and_the_status_shows_them(
    conn: Connection, database: str
) -> None:
    for site in SITES:
        await open_building(conn, site)
        await note(conn, site, "n1")
    async with _held(database, SITES):
        with (
            _longlead(database, "worker", "--concurrency", "2") as two,
            _longlead(database, "worker", "-c", "1") as one,
        ):
            await until(conn, WORKERS, 2, within=40)
            await until(conn, AT_WORK, 3)
            await asyncio.sleep(3 * SHORT["poll_interval"])
            await until(conn, AT_WORK, 3)
            told = await asyncio.to_thread(_status, database)
    processes = {row["pid"]: row for row in told["worker_processes"]}
    assert {pid: (row["slots_in_use"], row["slots"]) for pid, row in processes.items()} == {
        two.pid: (2, 2),
        one.pid: (1, 1),
    }
    assert {row["host"] for row in processes.values()} == {socket.gethostname()}
    assert {row["version"] for row in processes.values()} == {version("longlead")}
    assert {row["pid"] for row in told["at_work"] if row["task"] == "drain"} == {two.pid, one.pid}
    assert told["workers"] == 4, "each has one for its buildings and one to keep house"
    assert len({row["building_id"] for row in told["at_work"] if row["task"] == "drain"}) == 3
    assert sum(row["waiting"] for row in told["most_waiting"]) == len(SITES)
    assert told["oldest_waiting"] is not None
    assert told["dead_letters"] == []


@pytest.mark.slow
async def test_20_hung_model_calls_stop_neither_recovery_nor_other_workers(
    conn: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung = [f"hung-{number:02}" for number in range(20)]
    for site in [*hung, "orphan"]:
        await open_building(conn, site)
    for site in hung:
        await note(conn, site, "n1")
    goes_on, advance = asyncio.Event(), runtime.drain.advance

    async def hangs(*arguments: Any) -> dict[str, Any]:
        await goes_on.wait()
        return await advance(*arguments)

    monkeypatch.setattr(runtime.drain, "advance", hangs)
    async with running_worker(database, concurrency=20):
        await until(conn, AT_WORK, 20)
        await note(conn, "orphan", "n1")
        await conn.execute(
            "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 h') "
            "RETURNING id) UPDATE procrastinate_jobs SET status = 'doing', worker_id = dead.id FROM dead "
            "WHERE lock = 'orphan'"
        )
        woken = "SELECT status = 'todo' FROM procrastinate_jobs WHERE lock = 'orphan'"
        await until(conn, woken, within=10)
        assert await all_rows(conn, "SELECT 1 FROM events WHERE status = 'done'") == []
        with worker_process(database):
            done = "SELECT status = 'done' FROM events WHERE building_id = 'orphan'"
            await until(conn, done, within=20)
            await until(conn, AT_WORK, 20)
            goes_on.set()
            await until_nothing_is_open(conn)
    assert await all_rows(conn, "SELECT 1 FROM events WHERE attempts > 1") == []


@pytest.mark.slow
async def test_work_that_hangs_beyond_the_grace_is_taken_over_after_sigterm(conn: Connection, database: str) -> None:
    await open_building(conn, "office")
    await note(conn, "office", "n1")
    async with _held(database, ["office"]):
        with worker_process(database) as process:
            await until(conn, AT_WORK, 1, within=40)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, 20) == 0
    async with running_worker(database):
        await until_nothing_is_open(conn)
    (entry,) = await all_rows(conn, "SELECT status, failures FROM events")
    assert entry == {"status": "done", "failures": 0}


async def test_a_worker_that_is_gone_is_gone_from_the_status_with_its_host(conn: Connection, database: str) -> None:
    async with running_worker(database, concurrency=7):
        await until(conn, "SELECT count(*) = 2 FROM workers")
        (process,) = await list_processes(conn)
        assert (process.pid, process.slots, process.slots_open) == (os.getpid(), 7, 1)
        assert await read_declared(conn, 30) == Declared(connections=19, processes=1), "7 slots, 5 of the pool, 7"
    assert await list_processes(conn) == []
    assert await all_rows(conn, "SELECT 1 FROM workers") == []


async def test_a_worker_of_a_version_that_did_not_say_its_host_is_shown_too(conn: Connection) -> None:
    await conn.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
    (process,) = await list_processes(conn)
    assert (process.host, process.slots_in_use) == (None, 0)


@pytest.mark.slow
async def test_one_worker_too_many_ends_with_a_sentence_that_says_what_to_change(few: Few) -> None:
    await few.limit("the role", 4)
    environment = {**os.environ, "LONGLEAD_DATABASE_URL": few.conninfo}
    process = await asyncio.create_subprocess_exec(
        LONGLEAD, "worker", env=environment, stderr=asyncio.subprocess.PIPE, cwd=ROOT
    )
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert b"Traceback" not in said
    for words in (b"is 4, and 0 are in use", b"5 to 32 connections", b"fewer workers", b"LONGLEAD_CONCURRENCY"):
        assert words in said


@asynccontextmanager
async def _held(database: str, sites: list[str]) -> AsyncIterator[None]:
    """While this is open, drains of these buildings hang: somebody else holds their rows."""
    async with await connect(database, application_name="holder") as holder, holder.transaction():
        await holder.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        await holder.execute("SELECT 1 FROM buildings WHERE building_id = ANY(%s) FOR UPDATE", (sites,))
        yield


@contextmanager
def _longlead(database: str, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`longlead` as a process of its own, killed at the end."""
    short = {f"LONGLEAD_{name.upper()}": str(value) for name, value in SHORT.items() if name != "concurrency"}
    environment = {**os.environ, **short, "LONGLEAD_DATABASE_URL": database}
    with subprocess.Popen([LONGLEAD, *arguments], cwd=ROOT, env=environment, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _status(database: str) -> dict[str, Any]:
    environment = {**os.environ, "LONGLEAD_DATABASE_URL": database}
    said = subprocess.run([LONGLEAD, "status", "--json"], env=environment, capture_output=True, check=True)
    told: dict[str, Any] = json.loads(said.stdout)
    return told
