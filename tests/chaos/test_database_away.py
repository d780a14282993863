"""PostgreSQL goes and comes back: callers are told to try again, and everything goes on by itself."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from structlog.testing import capture_logs

from evals.chaos.database import Database
from evals.chaos.database import database as server_in
from runtime.clock import SystemClock
from runtime.resources import Resources
from runtime.service import supervise
from runtime.settings import Settings
from storage.database import connect, is_database_fault, open_pool
from storage.migrate import migrate
from tests.api.office import APPROVED, BUILDING, EVENTS, SPEC, assert_problem
from tests.api.served import serving
from tests.durability.crew import SHORT, all_rows, note, open_building, until_nothing_is_open


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Callers of the test do not wait long for the database; what is logged meanwhile is not printed."""
    monkeypatch.setattr("api.held.CONNECTION_TIMEOUT_S", 0.5)
    monkeypatch.setattr("api.health._TIMEOUT_S", 0.5)
    with capture_logs():
        yield


@pytest.fixture
async def postgres(open_tmp_path: Path) -> AsyncIterator[Database]:
    with server_in(open_tmp_path) as running:
        await migrate(running.conninfo)
        yield running


@asynccontextmanager
async def _supervised_worker(conninfo: str) -> AsyncIterator[None]:
    stop = asyncio.Event()
    settings = Settings(database_url=conninfo, **SHORT)
    async with open_pool(conninfo, max_size=5, name="worker") as pool:
        running = asyncio.create_task(supervise(Resources(settings, conninfo, pool, SystemClock()), stop))
        try:
            yield
        finally:
            stop.set()
            await running


@pytest.mark.slow
async def test_while_postgres_is_away_callers_are_told_so_and_afterwards_everything_goes_on(postgres: Database) -> None:
    with serving(postgres.conninfo) as api:
        async with _supervised_worker(postgres.conninfo), httpx.AsyncClient(base_url=api.url, timeout=30) as client:
            assert (await client.post("/buildings", json=SPEC)).status_code == 201
            await _until_ready(client)
            assert (await client.post(EVENTS, json={**APPROVED, "event_id": "before"})).status_code == 202

            restarting = asyncio.create_task(postgres.restart(immediate=True, away_s=3))
            await _until_told(client)
            refused = await client.post(EVENTS, json={**APPROVED, "event_id": "meanwhile"})
            assert_problem(refused, 503, "Try again in")
            assert int(refused.headers["retry-after"]) > 0
            assert (await client.get("/healthz")).status_code == 200
            await restarting

            await _until_ready(client)
            assert (await client.post(EVENTS, json={**APPROVED, "event_id": "meanwhile"})).status_code == 202
            async with await connect(postgres.conninfo, application_name="caller") as conn:
                await until_nothing_is_open(conn, within=30)
                told = await all_rows(conn, "SELECT event_id, seq, status, failures FROM events ORDER BY seq")
                changed = await all_rows(conn, "SELECT last_seq FROM buildings WHERE building_id = %s", BUILDING)
    assert told == [
        {"event_id": "before", "seq": 1, "status": "done", "failures": 0},
        {"event_id": "meanwhile", "seq": 2, "status": "done", "failures": 0},
    ]
    assert changed == [{"last_seq": 2}], "nothing of the refused request was stored"


async def _until_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(40):
        while (await client.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.1)


async def _until_told(client: httpx.AsyncClient) -> None:
    """Until the service says that the database is what is missing."""
    async with asyncio.timeout(20):
        while True:
            problem: dict[str, Any] = (await client.get("/readyz")).json()
            if problem.get("missing") == ["database"]:
                return
            await asyncio.sleep(0.05)


FATAL = """
CREATE FUNCTION fatal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
CREATE TRIGGER fatal BEFORE INSERT ON procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION fatal()"""


async def test_a_connection_that_is_lost_while_the_building_is_woken_is_the_databases_fault(database: str) -> None:
    """The engine words its errors anew; the caller must still be told to try again, and nothing be half written."""
    async with await connect(database, application_name="operator") as conn:
        await open_building(conn, "office")
        await conn.execute(FATAL)
        async with await connect(database, application_name="caller") as caller:
            with pytest.raises(psycopg.OperationalError) as caught:
                await note(caller, "office", "e1")
        assert is_database_fault(caught.value)
        await conn.execute("DROP TRIGGER fatal ON procrastinate_jobs")
        assert await all_rows(conn, "SELECT 1 FROM events") == []
        assert (await note(conn, "office", "e1")).created
