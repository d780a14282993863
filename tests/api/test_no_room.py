"""A full disk and a database without writes: told as what they are, nothing is lost, and it goes on by itself."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from runtime import database_state
from runtime.clock import SystemClock
from runtime.resources import Resources
from runtime.service import supervise
from runtime.settings import Settings
from storage.account import server_account
from storage.database import connect, open_pool
from storage.embedded import EmbeddedServer
from tests.api.office import APPROVED, BUILDING, EVENTS, SPEC, assert_problem
from tests.api.test_service import WORKER
from tests.conftest import TEMPLATE
from tests.durability.crew import SHORT, all_rows, until_nothing_is_open

REFUSED = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE 'no room' USING ERRCODE = '{code}'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()"""
NO_WRITES = {
    "53100": "disk is full",
    "25006": "read-only",
    "53200": "out of memory",
    "53300": "no connection free",
    "58030": "cannot be reached",
}


@pytest.mark.parametrize(("code", "said"), NO_WRITES.items())
async def test_an_event_that_cannot_be_stored_is_refused_with_the_reason_and_the_time_to_try_again(
    client: httpx.AsyncClient, resources: Resources, code: str, said: str
) -> None:
    await client.post("/buildings", json=SPEC)
    async with resources.pool.connection() as conn:
        await conn.execute(REFUSED.format(code=code, table="events").encode())
    response = await client.post(EVENTS, json=APPROVED)
    assert_problem(response, 503, said)
    assert response.headers["retry-after"] == "5"
    async with resources.pool.connection() as conn:
        await conn.execute("DROP TRIGGER refuse ON events")
    assert (await client.post(EVENTS, json=APPROVED)).status_code == 202


async def test_a_database_that_takes_no_writes_is_not_ready(client: httpx.AsyncClient, resources: Resources) -> None:
    await all_rows_of(resources, WORKER.format(1))
    assert (await client.get("/readyz")).status_code == 200
    name = conninfo_to_dict(resources.conninfo)["dbname"]
    await all_rows_of(resources, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    async with open_pool(resources.conninfo, max_size=2, name="after the failover") as pool:
        resources.pool, opened = pool, resources.pool
        await asyncio.sleep(database_state.FRESH_S)
        problem = assert_problem(await client.get("/readyz"), 503, "takes no writes")
        resources.pool = opened
    assert problem["missing"] == ["database"]


async def all_rows_of(resources: Resources, query: str) -> None:
    async with resources.pool.connection() as conn:
        await conn.execute(query.encode())


@contextmanager
def little_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of its own in memory, where this may be mounted."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=777", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no disk of a test's own can be mounted here: that needs root on Linux")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> Path:
    """Take all the room that there is."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            return ballast
    raise AssertionError("the disk was never full")


@pytest.fixture
async def on_little_disk(server: EmbeddedServer, open_tmp_path: Path) -> AsyncIterator[tuple[str, Path]]:
    """A database whose tables are on a small disk, and that disk. The log of writes is elsewhere."""
    with little_disk(open_tmp_path / "disk", 64) as disk:
        tables = disk / "tables"
        account = server_account(tables)
        tables.mkdir()
        if account:
            account.own(tables)
        async with await psycopg.AsyncConnection.connect(server.conninfo, autocommit=True) as conn:
            await conn.execute(sql.SQL("CREATE TABLESPACE little LOCATION {}").format(sql.Literal(str(tables))))
            await conn.execute(f"CREATE DATABASE on_little_disk TEMPLATE {TEMPLATE} TABLESPACE little")
            try:
                yield make_conninfo(server.conninfo, dbname="on_little_disk"), disk
            finally:
                await conn.execute("DROP DATABASE on_little_disk WITH (FORCE)")
                await conn.execute("DROP TABLESPACE little")


@pytest.mark.skipif(not Path("/proc/self/mounts").exists(), reason="needs Linux")
async def test_on_a_disk_that_is_really_full_nothing_is_lost_and_all_goes_on_when_there_is_room(
    on_little_disk: tuple[str, Path],
) -> None:
    conninfo, disk = on_little_disk
    async with serving_on(conninfo) as client, await connect(conninfo, application_name="operator") as operator:
        assert (await client.post("/buildings", json=SPEC)).status_code == 201
        async with supervised_worker(conninfo, event_attempts=1, event_crashes=1):
            await until_ready(client)
            ballast = fill(disk)
            assert "full" in await until_missing(client, "disk")
            accepted = await post_until_refused(client)
            await asyncio.sleep(1)  # the worker meets the full disk more often than an event may crash
            ballast.unlink()
            await until_ready(client)
            assert (await client.post(EVENTS, json=note("after"))).status_code == 202
            await until_nothing_is_open(operator, within=40)
        ended = await all_rows(operator, "SELECT event_id, status FROM events WHERE building_id = %s", BUILDING)
    statuses = {row["event_id"]: row["status"] for row in ended}
    assert {name: statuses.get(name) for name in [*accepted, "after"]} == dict.fromkeys([*accepted, "after"], "done")


@asynccontextmanager
async def supervised_worker(conninfo: str, **changed: int) -> AsyncIterator[None]:
    """A worker that is opened again when the database was at fault, as the service does it."""
    stop, settings = asyncio.Event(), Settings(database_url=conninfo, **{**SHORT, **changed})
    async with open_pool(conninfo, max_size=5, name="worker") as pool:
        running = asyncio.create_task(supervise(Resources(settings, conninfo, pool, SystemClock()), stop))
        try:
            yield
        finally:
            stop.set()
            await running


@asynccontextmanager
async def serving_on(conninfo: str) -> AsyncIterator[httpx.AsyncClient]:
    """The API on that database."""
    from api.app import create_app
    from tests.api.office import LOCAL

    async with open_pool(conninfo, max_size=5, name="api") as pool:
        app = create_app(Resources(Settings(database_url=conninfo), conninfo, pool, SystemClock()))
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url=LOCAL, timeout=30) as client:
            yield client


def note(event_id: str) -> dict[str, str]:
    """Words that take room even when they are compressed."""
    return {"event_type": "Human_Input", "event_id": event_id, "source": "test", "text": os.urandom(4000).hex()}


async def post_until_refused(client: httpx.AsyncClient) -> list[str]:
    """Post events until the full disk refuses one as it should; those that were accepted before."""
    accepted = []
    for number in range(500):
        response = await client.post(EVENTS, json=note(f"e{number}"))
        if response.status_code != 202:
            assert_problem(response, 503, "disk is full")
            assert int(response.headers["retry-after"]) > 0
            return accepted
        accepted.append(f"e{number}")
    raise AssertionError("nothing was refused")


async def until_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(40):
        while (await client.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.1)


async def until_missing(client: httpx.AsyncClient, what: str) -> str:
    """Wait until the service says what is missing; its words."""
    async with asyncio.timeout(20):
        while True:
            problem = (await client.get("/readyz")).json()
            if problem.get("missing") == [what]:
                return str(problem["detail"])
            await asyncio.sleep(0.1)


def test_the_full_disk_of_the_embedded_database_is_told_with_its_free_bytes(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, server: EmbeddedServer
) -> None:
    resources.server = server
    monkeypatch.setattr(EmbeddedServer, "free_bytes", lambda _: 4096)
    fault = database_state.describe_fault(resources, psycopg.OperationalError("server closed the connection"))
    assert (fault.missing, "4,096 bytes are free" in fault.detail) == ("disk", True)


@pytest.mark.parametrize(("free", "is_warned"), [(100 * 1024**2, True), (10 * 1024**3, False)])
async def test_a_disk_that_is_nearly_full_is_a_warning_and_no_refusal(
    client: httpx.AsyncClient,
    resources: Resources,
    monkeypatch: pytest.MonkeyPatch,
    server: EmbeddedServer,
    free: int,
    is_warned: bool,
) -> None:
    await all_rows_of(resources, WORKER.format(1))
    resources.server = server
    monkeypatch.setattr(EmbeddedServer, "free_bytes", lambda _: free)
    ready = await client.get("/readyz")
    assert (ready.status_code, "nearly full" in ready.json().get("warning", "")) == (200, is_warned)
