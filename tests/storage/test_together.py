"""Statements that go together are one message and one transaction, and come to what they would one by one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.adapt import Dumper

from storage.connection import MOST_KEPT, Connection
from storage.database import connect, is_database_fault


@pytest.fixture
async def conn(database: str) -> AsyncIterator[Connection]:
    async with await connect(database, application_name="test") as connection:
        await connection.execute("CREATE TABLE kept (id int PRIMARY KEY, text text)")
        yield connection


async def ids(conn: Connection) -> list[int]:
    return [row["id"] for row in await (await conn.execute("SELECT id FROM kept ORDER BY id")).fetchall()]


async def test_each_statement_gives_its_rows_in_order(conn: Connection) -> None:
    added, found, none, number = await conn.together(
        [
            ("INSERT INTO kept VALUES (%s, %s), (%s, %s)", (1, "a", 2, "b")),
            ("SELECT id, text FROM kept ORDER BY id", None),
            ("SELECT id FROM kept WHERE id > %(above)s", {"above": 2}),
            ("SELECT count(*) AS number FROM kept", None),
        ]
    )
    assert (added, none) == ([], [])
    assert found == [{"id": 1, "text": "a"}, {"id": 2, "text": "b"}]
    assert number == [{"number": 2}]
    assert await conn.together([]) == []


async def test_outside_of_a_transaction_all_are_there_or_none(conn: Connection) -> None:
    await conn.together([("INSERT INTO kept VALUES (1, 'a')", None)])
    with pytest.raises(psycopg.errors.UniqueViolation):
        await conn.together([("INSERT INTO kept VALUES (2, 'b')", None), ("INSERT INTO kept VALUES (1, 'c')", None)])
    assert await ids(conn) == [1]


async def test_a_failed_statement_is_told_and_what_came_after_it_was_skipped(conn: Connection) -> None:
    insert = "INSERT INTO kept VALUES (%s, 'x')"
    with pytest.raises(psycopg.errors.DivisionByZero) as failed:
        await conn.together([(insert, (1,)), ("SELECT 1 / %s", (0,)), (insert, (2,)), (insert, (3,))])
    assert not is_database_fault(failed.value)
    assert await conn.together([(insert, (4,)), ("SELECT id FROM kept", None)]) == [[], [{"id": 4}]]


async def test_within_a_transaction_it_is_left_to_whoever_began_it(conn: Connection) -> None:
    await conn.together([("BEGIN", None), ("INSERT INTO kept VALUES (1, 'a')", None)])
    await conn.together([("INSERT INTO kept VALUES (2, 'b')", None)])
    await conn.rollback()
    assert await ids(conn) == []
    await conn.together([("BEGIN", None), ("INSERT INTO kept VALUES (3, 'c')", None), ("COMMIT", None)])
    await conn.rollback()
    assert await ids(conn) == [3]


async def test_a_commit_that_undoes_is_an_error(conn: Connection) -> None:
    await conn.together([("BEGIN", None), ("INSERT INTO kept VALUES (1, 'a')", None)])
    with pytest.raises(psycopg.errors.DivisionByZero):
        await conn.execute("SELECT 1 / 0")
    with pytest.raises(psycopg.errors.InFailedSqlTransaction, match="undone"):
        await conn.together([("COMMIT", None)])
    assert await ids(conn) == []


async def test_nothing_is_sent_before_the_last_statement_is_there(database: str, conn: Connection) -> None:
    """The driver's own pipeline would have taken the lock by the time the second statement's parameter is written: so
    this fails where a new driver no longer lets the sending be put off."""

    class Looking:
        held: bool | None = None

    class LookingDumper(Dumper):
        def dump(self, obj: Any) -> bytes:
            with psycopg.connect(database, autocommit=True) as other:
                other.execute("SELECT pg_sleep(0.1)")
                query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = %s"
                row = other.execute(query, (conn.info.backend_pid,)).fetchone()
                obj.held = bool(row and row[0])
            return b"seen"

    conn.adapters.register_dumper(Looking, LookingDumper)
    looking = Looking()
    await conn.together([("SELECT pg_advisory_lock(7)", None), ("SELECT %s::text AS text", (looking,))])
    assert looking.held is False


async def test_more_than_fits_into_the_socket_goes_both_ways(conn: Connection) -> None:
    large = "x" * 6_000_000
    async with asyncio.timeout(30):
        found = await conn.together([("SELECT %s::text AS text", (large + str(number),)) for number in range(4)])
    assert [rows[0]["text"][6_000_000:] for rows in found] == ["0", "1", "2", "3"]


async def test_whoever_stops_waiting_leaves_a_connection_that_can_be_used(conn: Connection) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await conn.together([("INSERT INTO kept VALUES (1, 'a')", None), ("SELECT pg_sleep(30)", None)])
    assert not conn.broken
    assert await conn.together([("SELECT 1 AS one", None)]) == [[{"one": 1}]]
    assert await ids(conn) == []


async def test_a_lost_connection_is_the_databases_fault(database: str, conn: Connection) -> None:
    async with await connect(database, application_name="other") as other:
        await other.execute("SELECT pg_terminate_backend(%s)", (conn.info.backend_pid,))
    with pytest.raises(psycopg.OperationalError) as lost:
        await conn.together([("SELECT 1", None), ("SELECT 2", None)])
    assert is_database_fault(lost.value)
    assert conn.broken


async def test_calls_at_once_wait_for_each_other(conn: Connection) -> None:
    async def pair(number: int) -> list[list[dict[str, Any]]]:
        return await conn.together([("SELECT %s AS a", (number,)), ("SELECT %s AS b, pg_sleep(0.01)", (number,))])

    found = await asyncio.gather(*(pair(number) for number in range(10)))
    assert [(first[0]["a"], second[0]["b"]) for first, second in found] == [(n, n) for n in range(10)]


async def test_within_a_pipeline_it_is_refused(conn: Connection) -> None:
    async with conn.pipeline():
        with pytest.raises(psycopg.ProgrammingError, match="within a pipeline"):
            await conn.together([("SELECT 1", None)])


async def test_a_statement_is_read_anew_each_time(conn: Connection) -> None:
    """Its cursor is kept: what it knows of the rows before must not be taken for what comes now."""
    conn.prepare_threshold = None
    query = "SELECT * FROM kept"
    await conn.together([("INSERT INTO kept VALUES (1, '7')", None), (query, None)])
    await conn.execute("ALTER TABLE kept ALTER text TYPE int USING text::int, ADD more bool DEFAULT true")
    assert await conn.together([(query, None)]) == [[{"id": 1, "text": 7, "more": True}]]


async def test_cursors_of_queries_that_never_come_again_are_not_kept_for_ever(conn: Connection) -> None:
    for number in range(3 * MOST_KEPT // 2):
        await conn.together([(f"SELECT {number}", None)])
    assert len(conn._kept) <= MOST_KEPT + 1


VALUES = st.one_of(
    st.none(),
    st.integers(-(2**62), 2**62),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    st.booleans(),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(st.tuples(st.sampled_from(["SELECT %s AS v", "SELECT %s AS v, 1 AS one"]), VALUES), max_size=6))
async def test_they_come_to_what_they_would_one_by_one(conn: Connection, asked: list[tuple[str, Any]]) -> None:
    statements = [(query, (value,)) for query, value in asked]
    one_by_one = [await (await conn.execute(*statement)).fetchall() for statement in statements]
    assert await conn.together(statements) == one_by_one
