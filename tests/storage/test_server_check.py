"""A server that Longlead cannot work on is refused at the start, in a sentence that says what to change."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from runtime.connection_budget import ConnectionBudget, ConnectionsUsedUpError, require_room
from runtime.settings import Settings
from storage.account import server_account
from storage.binaries import binaries_for
from storage.cluster import Cluster
from storage.database import connect, is_connection_limit
from storage.migrate import migrate
from storage.placement import SHELTER
from storage.server_check import UnsuitableServerError
from tests.conftest import HURRIED
from tests.durability.crew import note, open_building, running_worker, until_nothing_is_open
from tests.few import Few
from tests.poolers import needs_pgbouncer, pooler

SMALL = ConnectionBudget(slots=5, pool=3)
SHARING = [
    pytest.param({"pool_mode": "transaction"}, id="transaction"),
    pytest.param({"pool_mode": "statement"}, id="statement"),
    pytest.param({"pool_mode": "transaction", "server_round_robin": 1}, id="in a circle"),
    pytest.param({"pool_mode": "transaction", "default_pool_size": 1}, id="one session for all"),
]


async def check(conninfo: str, budget: ConnectionBudget = SMALL) -> None:
    await require_room(conninfo, budget, stalled_after=30)


async def test_a_server_of_ones_own_is_taken(external_database: str) -> None:
    await check(external_database)


@needs_pgbouncer
@pytest.mark.parametrize("settings", SHARING)
@pytest.mark.parametrize("busy", [0, 3], ids=["alone", "among others"])
async def test_a_pooler_that_shares_sessions_is_refused(
    external_database: str, open_tmp_path: Path, settings: dict[str, str | int], busy: int
) -> None:
    with pooler(open_tmp_path, external_database, **settings) as pooled:
        async with _traffic(pooled, busy):
            with pytest.raises(UnsuitableServerError, match="Set its pool_mode to session"):
                await check(pooled)


@asynccontextmanager
async def _traffic(conninfo: str, clients: int) -> AsyncIterator[None]:
    """Clients that ask something all the time."""

    async def ask() -> None:
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True, prepare_threshold=None) as conn:
            while True:
                await conn.execute("SELECT 1")

    asking = [asyncio.create_task(ask()) for _ in range(clients)]
    try:
        yield
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


@needs_pgbouncer
async def test_workers_run_behind_a_pooler_in_session_mode(external_database: str, open_tmp_path: Path) -> None:
    with pooler(open_tmp_path, external_database, pool_mode="session", default_pool_size=30) as pooled:
        await check(pooled)
        await migrate(pooled)
        async with await connect(pooled, application_name="caller") as conn, running_worker(pooled):
            for building in ("office", "tower"):
                await open_building(conn, building)
                await note(conn, building, "n1")
            await until_nothing_is_open(conn)


@needs_pgbouncer
@pytest.mark.parametrize("limit", [{"default_pool_size": 3, "query_wait_timeout": 1}, {"max_client_conn": 3}], ids=str)
async def test_a_pooler_with_too_few_sessions_is_refused(
    external_database: str, open_tmp_path: Path, limit: dict[str, str | int]
) -> None:
    with (
        pooler(open_tmp_path, external_database, pool_mode="session", **limit) as pooled,
        pytest.raises(ConnectionsUsedUpError) as refused,
    ):
        await check(pooled)
    assert "pool_size of a pooler" in refused.value.detail
    assert "5 to 15 connections" in refused.value.detail


@pytest.fixture(scope="module")
def replica(open_session_path: Path) -> Iterator[str]:
    """A server that waits for what a primary sends, and can be read meanwhile."""
    home = open_session_path / "replica"
    home.mkdir(mode=0o755)
    settings = {**HURRIED, "wal_level": "replica"}
    cluster = _cluster(home)
    cluster.create()
    cluster.bring_up(settings, timeout_s=60)
    cluster.stop()
    (cluster.data / "standby.signal").touch()
    cluster = _cluster(home)
    cluster.bring_up(settings, timeout_s=60)
    try:
        yield cluster.conninfo("postgres")
    finally:
        cluster.stop()


def _cluster(home: Path) -> Cluster:
    """A server's files in that folder, with a new folder for its socket."""
    account, sockets = server_account(home / "cluster"), Path(tempfile.mkdtemp(prefix="longlead-replica-"))
    if account:
        account.own(sockets)
    return Cluster(home / "cluster", sockets, home / "server.log", binaries_for(account, SHELTER), account)


async def test_a_read_replica_is_refused(replica: str) -> None:
    with pytest.raises(UnsuitableServerError, match=r"read replica.*point LONGLEAD_DATABASE_URL"):
        await check(replica)


async def test_of_several_servers_the_one_that_takes_writes_is_used(replica: str, external_database: str) -> None:
    """libpq's own way of finding the primary after a failover."""
    first, then = (psycopg.conninfo.conninfo_to_dict(each) for each in (replica, external_database))
    both = make_conninfo(
        external_database, host=f"{first['host']},{then['host']}", port=f"{first['port']},{then['port']}"
    )
    await check(make_conninfo(both, target_session_attrs="read-write"))


async def test_a_database_that_takes_no_writes_is_refused(external_database: str) -> None:
    with pytest.raises(UnsuitableServerError, match="default_transaction_read_only is on"):
        await check(make_conninfo(external_database, options="-c default_transaction_read_only=on"))


@pytest.mark.parametrize(("whose", "limit"), [("the role", 7), ("the database", 8)])
async def test_no_room_is_said_with_the_figures_of_the_server_and_what_to_change(
    few: Few, whose: str, limit: int
) -> None:
    """In the database the owner has a connection as well."""
    await few.limit(whose, limit)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(await connect(few.conninfo, application_name="other"))
        with pytest.raises(ConnectionsUsedUpError) as refused:
            await check(few.conninfo)
    said = refused.value.detail
    for words in (
        "CONNECTION LIMIT",
        f"is {limit}, and {limit - 4} are in use",
        "5 to 15 connections (5 slots + 3 + 7)",
    ):
        assert words in said
    assert f"to {limit + 11} (docs" in said
    assert "LONGLEAD_CONCURRENCY" in said
    assert "fewer workers" in said


async def test_a_server_that_is_full_says_what_to_change_too(few: Few) -> None:
    await few.limit("the role", 2)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(await connect(few.conninfo, application_name="other"))
        with pytest.raises(ConnectionsUsedUpError, match=r"too many connections.*LONGLEAD_CONCURRENCY"):
            await check(few.conninfo)


@pytest.mark.parametrize(
    "words",
    [
        "FATAL:  sorry, too many clients already",
        "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
        "FATAL:  remaining connection slots are reserved for non-replication superuser connections",
        'FATAL:  too many connections for role "site"',
        'FATAL:  too many connections for database "site"',
        "FATAL:  no more connections allowed (max_client_conn)",
        "FATAL:  query_wait_timeout",
    ],
)
def test_every_way_of_saying_that_there_are_too_many_connections_is_understood(words: str) -> None:
    assert is_connection_limit(psycopg.OperationalError(f"connection failed: {words}"))
    assert not is_connection_limit(psycopg.OperationalError("connection refused"))


def test_the_documented_sum_is_what_a_process_may_open() -> None:
    settings = Settings(concurrency=20, api_connections=10)
    assert ConnectionBudget.of_service(settings).most == 37
    assert ConnectionBudget.of_worker(settings).most == 32
