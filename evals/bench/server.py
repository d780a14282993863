"""A PostgreSQL of its own for a run: the embedded server with its durable settings, in a temporary folder."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict
from uuid import uuid4

import psutil  # type: ignore[import-untyped]
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from storage.embedded import EmbeddedServer
from storage.migrate import migrate

COUNTER = "pg_stat_statements"
"""Counts statements; switched on only while it is asked to, since counting costs time."""

# What begins and ends transactions and pipelines is no statement of ours.
STATEMENTS = """
SELECT query, calls, total_exec_time FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
 WHERE d.datname = current_database() AND query !~* '^(begin|commit|rollback|savepoint|release|deallocate)'
 ORDER BY calls DESC"""

# Numbers of transactions are given to those only that write, savepoints included.
WRITTEN = (
    "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS transactions, "
    "pg_current_wal_lsn() - '0/0'::pg_lsn AS bytes"
)


@dataclass(frozen=True)
class Bench:
    """The running server."""

    conninfo: str

    @asynccontextmanager
    async def database(self) -> AsyncIterator[str]:
        """The conninfo of a fresh, migrated database, gone at the end."""
        name = f"bench_{uuid4().hex[:12]}"
        await self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        conninfo = make_conninfo(self.conninfo, dbname=name)
        try:
            await migrate(conninfo)
            async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
                await conn.execute(f"CREATE EXTENSION IF NOT EXISTS {COUNTER}")
            yield conninfo
        finally:
            await self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    async def count(self, on: bool) -> None:
        """Switch the counting of statements on, from zero, or off."""
        await self._execute(
            sql.SQL("ALTER SYSTEM SET {} = {}").format(
                sql.Identifier(COUNTER, "track"), sql.Literal("top" if on else "none")
            )
        )
        await self._execute(sql.SQL("SELECT pg_reload_conf()"))
        if on:
            await self._execute(sql.SQL(f"CREATE EXTENSION IF NOT EXISTS {COUNTER}"))
            await self._execute(sql.SQL(f"SELECT {COUNTER}_reset()"))

    async def cpu_seconds(self) -> float:
        """What the server has used so far, with all of its processes."""
        async with await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True) as conn:
            return cpu_of_tree(psutil.Process(conn.info.backend_pid).parent())

    async def _execute(self, statement: sql.SQL | sql.Composed) -> None:
        async with await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True) as conn:
            await conn.execute(statement)


@contextmanager
def server() -> Iterator[Bench]:
    """Boot the server; stop it and remove its files at the end."""
    folder = Path(tempfile.mkdtemp(prefix="longlead-bench-")).resolve()
    folder.chmod(0o755)  # as root, the server runs as another user, who has to pass through
    try:
        with EmbeddedServer(folder / "server", _extra_settings={"shared_preload_libraries": COUNTER}) as embedded:
            yield Bench(embedded.conninfo)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cpu_of_tree(process: psutil.Process) -> float:
    """CPU seconds of a process and its children, living and ended."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        try:
            used = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += used.user + used.system
        if one == process:
            total += getattr(used, "children_user", 0.0) + getattr(used, "children_system", 0.0)
    return total


class WrittenLog(TypedDict):
    """What a whole server has written."""

    transactions: int
    bytes: int


class Counted(TypedDict):
    """A statement, and how often it ran."""

    query: str
    calls: int
    ms: float
    """All of its runs together."""


async def written(conninfo: str) -> WrittenLog:
    """How many transactions have written so far, and how many bytes of log: of the whole server."""
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
        row = await (await conn.execute(WRITTEN)).fetchone()
    return {"transactions": 0, "bytes": 0} if row is None else {"transactions": int(row[0]), "bytes": int(row[1])}


async def statements(conninfo: str) -> list[Counted]:
    """What ran since the counting began, the most frequent first."""
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
        rows = await (await conn.execute(STATEMENTS)).fetchall()
    return [{"query": " ".join(query.split())[:160], "calls": calls, "ms": ms} for query, calls, ms in rows]
