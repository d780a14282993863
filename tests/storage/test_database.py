"""Connections are alike over the socket and over TCP, and only the database's own faults count as such."""

import asyncio
import logging
import socket
from datetime import UTC, datetime

import psycopg
import psycopg_pool
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from domain.buildings import BuildingSpec
from storage import buildings
from storage.connection import Connection, first_fault
from storage.database import configure, connect, is_database_fault, open_pool
from storage.transaction import building_transaction


async def setting(connection: Connection, name: str) -> str:
    row = await (await connection.execute("SELECT current_setting(%s) AS value", (name,))).fetchone()
    assert row is not None
    return str(row["value"])


async def test_a_connection_commits_at_once_and_gives_rows_as_dicts(database: str) -> None:
    async with await connect(database, application_name="a test") as connection:
        assert connection.autocommit
        assert await setting(connection, "application_name") == "a test"
        await connection.execute("CREATE TABLE kept ()")
    async with await connect(database, application_name="a test") as connection:
        cursor = await connection.execute("SELECT to_regclass('kept')::text AS name")
        assert await cursor.fetchone() == {"name": "kept"}


async def test_both_sides_of_a_tcp_connection_notice_a_vanished_peer(external_server: str) -> None:
    async with await connect(external_server, application_name="test") as connection:
        for name, value in (("idle", "5"), ("interval", "5"), ("count", "3")):
            assert await setting(connection, f"tcp_keepalives_{name}") == value
        assert await setting(connection, "tcp_user_timeout") == "20000", "no probes while an answer is under way"
        mine = {option.keyword.decode(): option.val for option in connection.pgconn.info}
        assert mine["keepalives_idle"] == mine["keepalives_interval"] == b"5"
        assert mine["keepalives_count"] == b"3"


async def test_a_pool_replaces_a_connection_that_the_server_ended(database: str) -> None:
    async with open_pool(database, max_size=1, name="test pool") as pool:
        async with pool.connection() as connection:
            ended = connection.info.backend_pid
        async with await connect(database, application_name="test") as other:
            await other.execute("SELECT pg_terminate_backend(%s)", (ended,))
        async with pool.connection() as connection:
            assert connection.info.backend_pid != ended
            assert connection.autocommit
            assert await setting(connection, "application_name") == "test pool"


async def test_who_freezes_with_a_transaction_open_is_cut_off_and_the_others_go_on(database: str) -> None:
    async with await connect(database, application_name="test") as other:
        await other.execute("CREATE TABLE kept AS SELECT 1 AS id")
        async with await connect(database, application_name="frozen") as frozen:
            assert await setting(frozen, "idle_in_transaction_session_timeout") == "10s"
            await frozen.execute("SET idle_in_transaction_session_timeout = '200ms'")
            await frozen.execute("BEGIN")
            await frozen.execute("SELECT * FROM kept FOR UPDATE")
            await asyncio.wait_for(other.execute("UPDATE kept SET id = 2"), 10)
            assert await fault_of(frozen, "SELECT 1")
            assert frozen.broken


async def test_a_pool_of_somebody_elses_keeps_nothing_locked_between_two_messages(database: str) -> None:
    async with (
        psycopg_pool.AsyncConnectionPool(database, min_size=1, configure=configure, open=False) as pool,
        pool.connection() as connection,
    ):
        await connection.execute("SELECT 1")
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        row = await (await connection.execute("SHOW idle_in_transaction_session_timeout")).fetchone()
        assert row == ("10s",)


async def fault_of(connection: Connection, statement: str) -> bool:
    with pytest.raises(psycopg.Error) as caught:
        await connection.execute(statement)
    return is_database_fault(caught.value)


async def raising(code: str, database: str) -> bool:
    async with await connect(database, application_name="test") as connection:
        return await fault_of(connection, f"DO $$ BEGIN RAISE SQLSTATE '{code}'; END $$")


FAULTS = ["40001", "40P01", "57P01", "57P02", "57P03", "57P05", "08006", "08P01", "25P03"]
NO_ROOM = ["53000", "53100", "53200", "53300", "53400", "58030", "25006"]
"""Disk, memory or connections are short, or it takes no writes: none of it is wrong with what was asked."""


@pytest.mark.parametrize("code", FAULTS + NO_ROOM)
async def test_a_failing_server_is_the_databases_fault(database: str, code: str) -> None:
    assert await raising(code, database)


@pytest.mark.parametrize("code", ["23505", "22P02", "42P01", "57014", "55P03", "40002", "25P02", "XX000", "P0001"])
async def test_what_was_asked_wrongly_is_not_the_databases_fault(database: str, code: str) -> None:
    assert not await raising(code, database)


async def test_a_terminated_backend_is_the_databases_fault_then_and_afterwards(database: str) -> None:
    connection = await connect(database, application_name="test")
    try:
        assert await fault_of(connection, "SELECT pg_terminate_backend(pg_backend_pid())")
        assert await fault_of(connection, "SELECT 1")
    finally:
        await connection.close()


async def test_a_server_that_is_not_there_is_the_databases_fault(database: str) -> None:
    with socket.socket() as taken:  # bound and not listening: refuses, and nobody else can take it
        taken.bind(("127.0.0.1", 0))
        nowhere = make_conninfo(database, host="127.0.0.1", port=taken.getsockname()[1])
        with pytest.raises(psycopg.OperationalError) as caught:
            await connect(nowhere, application_name="test")
    assert is_database_fault(caught.value)


async def test_an_exhausted_pool_is_the_databases_fault(database: str) -> None:
    async with open_pool(database, max_size=1, name="test") as pool, pool.connection():
        with pytest.raises(psycopg_pool.PoolTimeout) as caught:
            await pool.getconn(timeout=0.01)
    assert is_database_fault(caught.value)


@pytest.mark.slow
async def test_a_silent_host_is_given_up_after_the_connect_timeout(external_server: str) -> None:
    """A listener that never answers, as behind a firewall that drops packets."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        parts = {**conninfo_to_dict(external_server), "port": silent.getsockname()[1], "connect_timeout": 60}
        began = asyncio.get_running_loop().time()
        with pytest.raises(psycopg.OperationalError) as caught:
            await connect(make_conninfo("", **parts), application_name="test")
        assert asyncio.get_running_loop().time() - began < 8
        assert is_database_fault(caught.value)


@pytest.mark.parametrize("error", [ValueError("no"), psycopg.InterfaceError("no"), psycopg.DataError("no")])
def test_other_errors_are_not_the_databases_fault(error: Exception) -> None:
    assert not is_database_fault(error)


async def test_a_statement_that_fails_on_its_way_with_the_commit_is_told_as_what_it_is(database: str) -> None:
    """The statements behind it are skipped, and in which order the two are told is a matter of time: it is always the
    first that counts, or an event's own fault would be taken for the database's and never cost an attempt."""
    async with await connect(database, application_name="a test") as connection:
        spec = {"building_id": "office", "name": "Office", "schedule": {"project": {"name": "Office"}}}
        await buildings.create(connection, BuildingSpec.model_validate(spec), datetime(2026, 2, 1, tzinfo=UTC))
        for skipped in range(50):
            with pytest.raises(psycopg.errors.DivisionByZero) as failed:
                await divided_by_zero(connection, skipped)
            assert not is_database_fault(failed.value)
        async with building_transaction(connection, "office") as transaction:
            assert transaction.building.name == "Office"


async def divided_by_zero(connection: Connection, skipped: int) -> None:
    async with building_transaction(connection, "office") as transaction:
        transaction.also("SELECT 1 / 0 FROM generate_series(1, %s)", (skipped + 1,))
        for _ in range(skipped):
            transaction.also("SELECT 1", ())


def test_what_was_skipped_after_a_failure_is_traced_to_it() -> None:
    first, told = psycopg.errors.UniqueViolation("twice"), psycopg.errors.PipelineAborted("pipeline aborted")
    assert is_database_fault(told), "alone it is a lost connection"
    told.__context__ = first
    assert first_fault(told) is first
    assert not is_database_fault(told)


async def test_a_pool_that_cannot_connect_says_so_once_and_not_at_every_try(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("psycopg.pool")
    with caplog.at_level(logging.WARNING, "psycopg.pool"):
        for _ in range(20):
            logger.warning("error connecting in %r: %s", "some pool", "too many clients already")
        logger.warning("error connecting in %r: %s", "some pool", "the server is starting up")
    assert [record.args for record in caplog.records] == [
        ("some pool", "too many clients already"),
        ("some pool", "the server is starting up"),
    ]
