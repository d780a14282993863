"""A database gets to the state that the code expects once, however many processes ask for it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from psycopg import sql

from storage.connection import Connection
from storage.database import connect
from storage.migrate import (
    LOCK_KEY,
    DatabaseNewerError,
    MigrationError,
    migrate,
    pending,
    read_migrations,
    schema_lock,
)

FILES = [migration.name for migration in read_migrations()]
OWN = [*FILES, "adopted lines"]


@asynccontextmanager
async def connected(conninfo: str) -> AsyncIterator[Connection]:
    async with await connect(conninfo, application_name="test") as connection:
        yield connection


async def scalars(conninfo: str, query: str) -> list[object]:
    async with connected(conninfo) as connection:
        return [next(iter(row.values())) for row in await (await connection.execute(query)).fetchall()]


async def test_an_empty_database_gets_everything_and_a_second_time_nothing(empty_database: str) -> None:
    assert await pending(empty_database) == ["procrastinate", "langgraph", *OWN]
    report = await migrate(empty_database)
    assert list(report.applied) == ["procrastinate", "langgraph", *OWN]
    assert not report.already_current
    assert await pending(empty_database) == []
    assert (await migrate(empty_database)).already_current


async def test_every_file_is_recorded_with_its_digest(database: str) -> None:
    found = await scalars(database, "SELECT name || sha256 FROM longlead_migrations ORDER BY number")
    assert found == [migration.name + migration.sha256 for migration in read_migrations()]
    assert found


async def test_the_job_engine_and_the_checkpoint_tables_are_there(database: str) -> None:
    wanted = ["procrastinate_jobs", "checkpoints", "checkpoint_blobs", "checkpoint_writes", "store"]
    names = sql.SQL(", ").join(map(sql.Literal, wanted)).as_string()
    assert await scalars(database, f"SELECT count(to_regclass(n)) FROM unnest(ARRAY[{names}]) AS n") == [len(wanted)]


# Plain indexes whose columns another one of the same table begins with.
REPEATED = """
SELECT short.indexrelid::regclass::text FROM pg_index short JOIN pg_index long USING (indrelid)
  JOIN pg_class c ON c.oid = indrelid
 WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'procrastinate%'
   AND short.indexrelid <> long.indexrelid AND NOT short.indisunique AND short.indpred IS NULL AND long.indpred IS NULL
   AND short.indexprs IS NULL AND long.indexprs IS NULL AND short.indclass[0] = long.indclass[0]
   AND starts_with(long.indkey::text, short.indkey::text || ' ')"""

# Columns of tables that grow with every event, of which PostgreSQL looks at more than a twentieth of its usual sample.
WIDE_SAMPLES = """
SELECT attrelid::regclass || '.' || attname FROM pg_attribute
 WHERE attrelid = ANY (ARRAY['checkpoints', 'checkpoint_blobs', 'checkpoint_writes', 'checkpoints_live', 'changes',
                             'actions', 'events', 'decisions']::regclass[])
   AND attnum > 0 AND NOT attisdropped AND coalesce(attstattarget, -1) NOT BETWEEN 0 AND 5
   AND (attrelid <> 'checkpoints_live'::regclass OR attname NOT IN ('thread_id', 'checkpoint_ns', 'checkpoint_id'))"""


async def test_no_index_only_repeats_how_another_one_begins(database: str) -> None:
    assert await scalars(database, REPEATED) == []
    async with connected(database) as connection:
        await connection.execute("CREATE INDEX checkpoints_again ON checkpoints (thread_id)")
    assert await scalars(database, REPEATED) == ["checkpoints_again"]


async def test_a_look_at_a_table_that_grows_is_short(database: str) -> None:
    assert await scalars(database, WIDE_SAMPLES) == []


@pytest.mark.slow
async def test_four_processes_at_once_apply_everything_once(empty_database: str) -> None:
    code = (
        "import asyncio, sys; from storage.migrate import migrate; "
        "print(len(asyncio.run(migrate(sys.argv[1])).applied))"
    )
    children = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, empty_database, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(4)
    ]
    ends = [await child.communicate() for child in children]
    assert [child.returncode for child in children] == [0] * 4, ends
    counts = sorted(int(out) for out, _ in ends)
    # One applied all of them; the others waited, and found all or nothing to do.
    assert counts[-1] == 2 + len(OWN)
    assert sum(counts) == counts[-1]


async def test_the_same_on_a_server_over_tcp_by_a_plain_user(external_database: str) -> None:
    report = await migrate(external_database, vector=True)
    assert list(report.applied) == ["procrastinate", "langgraph", *OWN]
    assert not report.vector
    assert "administrator" in report.vector_reason
    assert (await migrate(external_database)).already_current


async def test_pgvector_is_created_only_when_asked_for(empty_database: str) -> None:
    report = await migrate(empty_database)
    assert not report.vector
    assert report.vector_reason
    report = await migrate(empty_database, vector=True)
    assert report.vector, report.vector_reason
    assert await scalars(empty_database, "SELECT '[1,2]'::vector <-> '[1,3]'::vector") == [1.0]


async def test_a_file_that_was_changed_after_it_was_applied_is_an_error(database: str) -> None:
    async with connected(database) as connection:
        await connection.execute("UPDATE longlead_migrations SET sha256 = 'another' WHERE number = 1")
    with pytest.raises(MigrationError, match=rf"{OWN[0]} was changed"):
        await migrate(database)


async def test_a_database_that_is_newer_than_the_code_is_an_error_that_says_so(database: str) -> None:
    async with connected(database) as connection:
        await connection.execute("INSERT INTO longlead_migrations VALUES (9999, '9999_future', '')")
    with pytest.raises(DatabaseNewerError, match="newer than the code"):
        await pending(database)


async def test_checkpoint_tables_that_are_newer_than_the_library_are_an_error(database: str) -> None:
    async with connected(database) as connection:
        await connection.execute("INSERT INTO checkpoint_migrations VALUES (999)")
    with pytest.raises(DatabaseNewerError, match="langgraph-checkpoint-postgres"):
        await migrate(database)


async def test_another_version_of_the_job_engine_is_an_error(database: str) -> None:
    async with connected(database) as connection:
        await connection.execute("UPDATE longlead_components SET version = '03.00.00_01_old'")
    with pytest.raises(MigrationError, match=r"schema 03\.00\.00_01_old, but"):
        await migrate(database)


async def test_somebody_elses_job_engine_is_left_alone(empty_database: str) -> None:
    async with connected(empty_database) as connection:
        await connection.execute("CREATE TABLE procrastinate_jobs ()")
    with pytest.raises(MigrationError, match="a database of its own"):
        await migrate(empty_database)


async def test_a_failing_file_leaves_nothing_of_itself_and_can_be_run_again(empty_database: str) -> None:
    async with connected(empty_database) as connection:
        await connection.execute("CREATE TABLE outbox (in_the_way int)")
    with pytest.raises(psycopg.errors.DuplicateTable):
        await migrate(empty_database)
    assert await pending(empty_database) == OWN
    assert await scalars(empty_database, "SELECT to_regclass('buildings')") == [None]
    async with connected(empty_database) as connection:
        await connection.execute("DROP TABLE outbox")
    assert list((await migrate(empty_database)).applied) == OWN


async def test_an_index_that_was_cut_off_while_it_was_built_is_built_again(database: str) -> None:
    async with connected(database) as connection:
        await connection.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'store_prefix_idx'::regclass"
        )
        await connection.execute("DELETE FROM store_migrations WHERE v >= 1")
    assert (await migrate(database)).applied == ("langgraph",)
    query = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'store_prefix_idx'::regclass"
    assert await scalars(database, query) == [True]


async def test_waiting_for_another_process_ends_with_its_name(empty_database: str) -> None:
    async with connected(empty_database) as holder:
        await holder.execute("SET application_name = 'a slow one'")
        await holder.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        with pytest.raises(MigrationError, match="a slow one"):
            await migrate(empty_database, wait_s=0.3)
        waiting = asyncio.create_task(migrate(empty_database))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await holder.execute("SELECT pg_advisory_unlock(%s)", (LOCK_KEY,))
        assert not (await waiting).already_current


async def test_the_lock_is_given_back_when_the_work_fails(empty_database: str) -> None:
    async with connected(empty_database) as one, connected(empty_database) as other:
        with pytest.raises(ValueError, match="on purpose"):
            async with schema_lock(one, wait_s=1):
                raise ValueError("on purpose")
        async with schema_lock(other, wait_s=0):
            pass
