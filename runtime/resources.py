"""What a process holds while it runs: settings, clock, database. Opened once, closed in order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import structlog
from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from runtime.clock import Clock, SystemClock
from runtime.settings import Settings
from storage.database import open_pool
from storage.embedded import EmbeddedServer
from storage.migrate import migrate

log = structlog.get_logger()


@dataclass
class Resources:
    """What the API and the worker are built from."""

    settings: Settings
    conninfo: str
    pool: AsyncConnectionPool[AsyncConnection[DictRow]]
    clock: Clock = field(default_factory=SystemClock)


@asynccontextmanager
async def open_resources(
    settings: Settings, *, name: str, clock: Clock | None = None, migrated: bool = True
) -> AsyncIterator[Resources]:
    """Start or join the embedded server (or use the external one), migrate, open the pool; close all at the end."""
    async with database(settings) as conninfo:
        if migrated:
            await migrate(conninfo)
        async with open_pool(conninfo, max_size=settings.api_connections, name=name) as pool:
            yield Resources(settings, conninfo, pool, clock or SystemClock())


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[str]:
    """The conninfo to use: the external server's, or that of the embedded one, held while this is open."""
    if not settings.embedded:
        yield settings.database_url
        return
    server = EmbeddedServer(settings.data_dir)
    conninfo = await anyio.to_thread.run_sync(server.start)
    if not server.vector:
        log.warning("vector search is off", reason=server.vector_reason)
    try:
        yield conninfo
    finally:
        await anyio.to_thread.run_sync(server.stop)
