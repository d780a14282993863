"""A database for one run of scenarios: on a fresh embedded server, or beside the one that is configured."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from runtime.settings import Settings
from storage.embedded import EmbeddedServer
from storage.migrate import migrate

# What is thrown away afterwards need not survive a power failure.
HURRIED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@contextmanager
def scratch_server(settings: Settings) -> Iterator[str]:
    """The conninfo of the configured server, or of a fresh embedded one that is gone at the end."""
    if not settings.embedded:
        yield settings.database_url
        return
    folder = Path(tempfile.mkdtemp(prefix="longlead-evals-")).resolve()
    folder.chmod(0o711)  # as root, the server runs as another user, who has to pass through
    try:
        with EmbeddedServer(folder / "server", _extra_settings=HURRIED) as server:
            yield server.conninfo
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def scratch_database(conninfo: str) -> AsyncIterator[str]:
    """A new database with Longlead's tables on this server, gone at the end. Whatever else is there is not touched."""
    plain = f"longlead_evals_{uuid4().hex[:12]}"
    name = sql.Identifier(plain)
    await _execute(conninfo, sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
    try:
        made = make_conninfo(conninfo, dbname=plain)
        await migrate(made)
        yield made
    finally:
        await _execute(conninfo, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


async def _execute(conninfo: str, statement: sql.Composed) -> None:
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
        await conn.execute(statement)
