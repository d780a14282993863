"""Brings a database to the state that this version of the code expects.

In this order: the job engine's schema, LangGraph's tables, pgvector when asked for, then our numbered files in
`storage/migrations`, each in a transaction of its own, and what people are told of lines of before facts were kept.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import LiteralString

import psycopg
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.store.postgres.aio import AsyncPostgresStore
from procrastinate.schema import SchemaManager

from domain.errors import StorageError
from storage import adopted_lines
from storage.connection import Connection
from storage.database import connect
from storage.server_version import SERVER_VERSION, check_server_version

LOCK_KEY = 0x6C6F6E676C656164
"""Advisory lock (the bytes of "longlead") of whoever changes the schema or restores a backup."""

_FILE_NAME = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
_PAUSE_S = 0.1
_OWN_TABLES = """
CREATE TABLE IF NOT EXISTS longlead_migrations (
    number int PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS longlead_components (
    name text PRIMARY KEY,
    version text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
"""
# CREATE INDEX CONCURRENTLY that was cut off leaves an invalid index, which IF NOT EXISTS then takes for a good one.
_INVALID_INDEXES = """
SELECT format('DROP INDEX %s', indexrelid::regclass) AS statement FROM pg_index
WHERE NOT indisvalid AND indrelid = ANY (ARRAY[to_regclass('checkpoints'), to_regclass('checkpoint_blobs'),
                                               to_regclass('checkpoint_writes'), to_regclass('store')]::oid[])
"""
_LOCK_HOLDER = """
SELECT activity.pid, activity.application_name FROM pg_locks JOIN pg_stat_activity AS activity USING (pid)
WHERE locktype = 'advisory' AND granted AND ((classid::bigint << 32) | objid::bigint) = %s LIMIT 1
"""


class MigrationError(StorageError):
    """The database cannot be brought to this version's state. The message says what stands in the way."""


class DatabaseNewerError(MigrationError):
    """The database was migrated by a newer version. Update this installation."""


@dataclass(frozen=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Digest of the text, whatever the line ends are."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True)
class MigrationReport:
    """What `migrate` did."""

    applied: tuple[str, ...]
    """Names of the steps taken, in order."""
    vector: bool
    """Whether the database has pgvector."""
    vector_reason: str

    @property
    def already_current(self) -> bool:
        """Whether there was nothing to do."""
        return not self.applied


def read_migrations() -> tuple[Migration, ...]:
    """The numbered files that come with this version, in order; MigrationError for two of one number."""
    found: dict[int, Migration] = {}
    for entry in files("storage.migrations").iterdir():
        match = _FILE_NAME.fullmatch(entry.name)
        if match is None:
            continue
        number = int(match[1])
        if number in found:
            raise MigrationError(f"{entry.name} and {found[number].name}.sql have the same number. Renumber one.")
        text = entry.read_text(encoding="utf-8").replace("\r\n", "\n")
        found[number] = Migration(number, Path(entry.name).stem, text)
    return tuple(found[number] for number in sorted(found))


async def migrate(conninfo: str, *, vector: bool = False, wait_s: float = 60) -> MigrationReport:
    """Apply what is missing. Safe to call from any number of processes at once: one does it, the others wait.

    Args:
        conninfo: a libpq connection string or URL; its user must be allowed to create tables.
        vector: create pgvector as well. That it cannot be had is reported, and no error.
        wait_s: seconds to wait for another process that migrates.

    Raises:
        ServerTooOldError: the server is older than Longlead supports.
        DatabaseNewerError: the database is ahead of this version.
        MigrationError: an applied file was changed, a component has another version, or the wait was too long.
        psycopg.Error: a file's SQL fails; that file is rolled back, the ones before it stay.
    """
    async with await connect(conninfo, application_name="longlead migrate") as connection:
        await _check_server(connection)
        if not await _pending(connection) and (not vector or await _has_vector(connection)):
            return MigrationReport((), *await _vector_state(connection))
        async with schema_lock(connection, wait_s):
            return await _apply(connection, vector)


async def pending(conninfo: str) -> list[str]:
    """Names of the steps that `migrate` would take, in order; raises as `migrate` does. Changes nothing."""
    async with await connect(conninfo, application_name="longlead migrate") as connection:
        await _check_server(connection)
        return await _pending(connection)


async def _check_server(connection: Connection) -> None:
    row = await (await connection.execute(SERVER_VERSION)).fetchone()
    if row is not None:
        check_server_version(row["number"])


@asynccontextmanager
async def schema_lock(connection: Connection, wait_s: float) -> AsyncIterator[None]:
    """Hold the lock of whoever changes the schema; MigrationError after `wait_s` seconds of waiting.

    It is polled: CREATE INDEX CONCURRENTLY waits for every open snapshot, also that of a statement which blocks on
    this very lock.
    """
    deadline = time.monotonic() + wait_s
    while not await _try_lock(connection):
        if time.monotonic() > deadline:
            raise MigrationError(
                f"{await _lock_holder(connection)} has been changing this database's schema for over {wait_s:.0f} s. "
                "Wait for it and try again; if it is stuck, end it with pg_terminate_backend."
            )
        await asyncio.sleep(_PAUSE_S)
    try:
        yield
    finally:
        if not connection.closed:
            await connection.execute("SELECT pg_advisory_unlock(%s)", (LOCK_KEY,))


async def _try_lock(connection: Connection) -> bool:
    row = await (await connection.execute("SELECT pg_try_advisory_lock(%s) AS got", (LOCK_KEY,))).fetchone()
    return bool(row and row["got"])


async def _lock_holder(connection: Connection) -> str:
    row = await (await connection.execute(_LOCK_HOLDER, (LOCK_KEY,))).fetchone()
    return f"Server process {row['pid']} ({row['application_name']})" if row else "Another process"


async def _apply(connection: Connection, vector: bool) -> MigrationReport:
    todo = await _pending(connection)
    await connection.execute(_OWN_TABLES)
    if "procrastinate" in todo:
        await _create_procrastinate(connection)
    if "langgraph" in todo:
        await _set_up_langgraph(connection)
    reason = await _create_vector(connection) if vector else None
    for migration in read_migrations():
        if migration.name in todo:
            await _run_file(connection, migration)
    if adopted_lines.COMPONENT in todo:
        await adopted_lines.tell_of_released(connection)
    has, why = await _vector_state(connection)
    return MigrationReport(tuple(todo), has, reason or why)


async def _pending(connection: Connection) -> list[str]:
    """Check what is there; the names of the missing steps."""
    present = await _present_tables(connection)
    todo = []
    if await _lacks_procrastinate(connection, present):
        todo.append("procrastinate")
    if await _lacks_langgraph(connection, present):
        todo.append("langgraph")
    todo += await _lacking_files(connection, present)
    return [*todo, *await _lacks_telling(connection, present)]


async def _lacks_telling(connection: Connection, present: set[str]) -> list[str]:
    """Whether people have yet to be told of lines that stay released by a verdict of before facts were kept."""
    name = adopted_lines.COMPONENT
    known = await _component_version(connection, name) if "longlead_components" in present else None
    return [name] if known is None else []


async def _present_tables(connection: Connection) -> set[str]:
    cursor = await connection.execute(
        "SELECT name FROM unnest(ARRAY['longlead_migrations', 'longlead_components', 'checkpoint_migrations', "
        "'store_migrations', 'procrastinate_jobs']) AS name WHERE to_regclass(name) IS NOT NULL"
    )
    return {row["name"] for row in await cursor.fetchall()}


def _procrastinate_version() -> str:
    """The engine's newest migration file: its package version also moves when the schema does not."""
    return max(path.stem for path in Path(SchemaManager.get_migrations_path()).glob("*.sql"))


async def _lacks_procrastinate(connection: Connection, present: set[str]) -> bool:
    found = await _component_version(connection, "procrastinate") if "longlead_components" in present else None
    expected = _procrastinate_version()
    if found is None and "procrastinate_jobs" in present:
        raise MigrationError(
            "The database already has Procrastinate's tables, not made by Longlead. Give it a database of its own."
        )
    if found is not None and found != expected:
        raise MigrationError(
            f"The database has Procrastinate's schema {found}, but this installation expects {expected}. Install the "
            f"pinned version of procrastinate; or apply its migrations after {found} with psql, from "
            f"{SchemaManager.get_migrations_path()}, and then run: UPDATE longlead_components SET version = "
            f"'{expected}' WHERE name = 'procrastinate'."
        )
    return found is None


async def _component_version(connection: Connection, name: str) -> str | None:
    cursor = await connection.execute("SELECT version FROM longlead_components WHERE name = %s", (name,))
    row = await cursor.fetchone()
    return str(row["version"]) if row else None


async def _create_procrastinate(connection: Connection) -> None:
    async with connection.transaction():
        await connection.execute(SchemaManager.get_schema())
        await connection.execute(
            "INSERT INTO longlead_components (name, version) VALUES ('procrastinate', %s)",
            (_procrastinate_version(),),
        )


async def _lacks_langgraph(connection: Connection, present: set[str]) -> bool:
    lacks = False
    for table, known in (
        ("checkpoint_migrations", len(AsyncPostgresSaver.MIGRATIONS)),
        ("store_migrations", len(AsyncPostgresStore.MIGRATIONS)),
    ):
        applied = await _langgraph_version(connection, table) if table in present else 0
        if applied > known:
            raise DatabaseNewerError(
                f"{table} is at step {applied}, but the installed langgraph-checkpoint-postgres knows {known}. Install "
                "the version of Longlead that migrated this database, or a newer one."
            )
        lacks = lacks or applied < known
    return lacks


async def _langgraph_version(connection: Connection, table: LiteralString) -> int:
    row = await (await connection.execute(f"SELECT coalesce(max(v) + 1, 0) AS steps FROM {table}")).fetchone()
    return int(row["steps"]) if row else 0


async def _set_up_langgraph(connection: Connection) -> None:
    for row in await (await connection.execute(_INVALID_INDEXES)).fetchall():
        await connection.execute(row["statement"])
    await AsyncPostgresSaver(connection).setup()
    await AsyncPostgresStore(connection).setup()


async def _lacking_files(connection: Connection, present: set[str]) -> list[str]:
    migrations = {migration.number: migration for migration in read_migrations()}
    applied = await _applied_files(connection) if "longlead_migrations" in present else {}
    for number, (name, sha256) in applied.items():
        if number not in migrations:
            raise DatabaseNewerError(
                f"The database has migration {name}, which this version of Longlead does not know: the database is "
                "newer than the code. Update Longlead."
            )
        if migrations[number].sha256 != sha256:
            raise MigrationError(
                f"Migration {name} was changed after it had been applied to this database. Bring the file back as it "
                "was, and put the change into a new one with the next number."
            )
    return [migration.name for number, migration in migrations.items() if number not in applied]


async def _applied_files(connection: Connection) -> dict[int, tuple[str, str]]:
    cursor = await connection.execute("SELECT number, name, sha256 FROM longlead_migrations ORDER BY number")
    return {row["number"]: (row["name"], row["sha256"]) for row in await cursor.fetchall()}


async def _run_file(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO longlead_migrations (number, name, sha256) VALUES (%s, %s, %s)",
            (migration.number, migration.name, migration.sha256),
        )


async def _create_vector(connection: Connection) -> str | None:
    """Create pgvector; the reason when it cannot be had."""
    try:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except psycopg.errors.InsufficientPrivilege:
        return "the database's user may not create extensions; have an administrator run CREATE EXTENSION vector"
    except (psycopg.errors.FeatureNotSupported, psycopg.errors.UndefinedFile):
        return "the database server has no pgvector; install it there to have vector search"
    return None


async def _has_vector(connection: Connection) -> bool:
    cursor = await connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'vector'")
    return await cursor.fetchone() is not None


async def _vector_state(connection: Connection) -> tuple[bool, str]:
    if await _has_vector(connection):
        return True, "pgvector is installed in this database"
    return False, "pgvector was not asked for"
