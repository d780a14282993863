"""What a process holds while it runs: settings, clock, database. Opened once, closed in order."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import structlog

from domain.errors import StorageError
from runtime.clock import Clock, SystemClock
from runtime.connection_budget import ConnectionBudget, require_room
from runtime.settings import Settings
from storage.database import Pool, open_pool
from storage.embedded import EmbeddedServer
from storage.migrate import migrate

log = structlog.get_logger()

LOOK_AFTER_DATABASE_S = 1.0


@dataclass
class Resources:
    """What the API and the worker are built from."""

    settings: Settings
    conninfo: str
    pool: Pool
    clock: Clock = field(default_factory=SystemClock)
    server: EmbeddedServer | None = None
    """The embedded server, where one is used."""
    excuses: Counter[str] = field(default_factory=Counter)
    """What its drains keep for each other, since a worker is opened again when the database was away."""
    turns: asyncio.Semaphore = field(init=False)
    """Requests that use the pool at once: one connection is left for questions about the service's health."""

    def __post_init__(self) -> None:
        self.turns = asyncio.Semaphore(max(1, self.pool.max_size - 1))

    async def keep_database(self) -> None:
        """Start the embedded server again whenever it dies; an external one is its operator's to start. Never ends."""
        while self.server is not None:
            await asyncio.sleep(LOOK_AFTER_DATABASE_S)
            try:
                if self.server.is_gone():
                    await anyio.to_thread.run_sync(self.server.ensure_running)
            except (StorageError, OSError) as error:  # OSError: the disk is full, or gone
                log.error("the embedded database does not start", error=str(error))


@asynccontextmanager
async def open_resources(
    settings: Settings,
    *,
    name: str,
    clock: Clock | None = None,
    migrated: bool = True,
    budget: ConnectionBudget | None = None,
) -> AsyncIterator[Resources]:
    """Start or join the embedded server (or use the external one), migrate, open the pool; close all at the end.

    Args:
        settings: of the process.
        name: of the pool's connections.
        clock: the machine's, if none is given.
        migrated: bring the schema up to date.
        budget: the connections of a process that runs on; the server is checked for them first.

    Raises:
        StorageError: the server cannot be used, or has no room for the process.
    """
    async with embedded(settings) as server:
        conninfo = settings.database_url if server is None else server.conninfo
        if budget is not None:
            await require_room(conninfo, budget, settings.stalled_after)
        if migrated:
            await _migrate(conninfo, server)
        size = settings.api_connections if budget is None else budget.pool
        async with open_pool(conninfo, max_size=size, name=name) as pool:
            yield Resources(settings, conninfo, pool, clock or SystemClock(), server)


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[str]:
    """The conninfo to use: the external server's, or that of the embedded one, held while this is open."""
    async with embedded(settings) as server:
        yield settings.database_url if server is None else server.conninfo


@asynccontextmanager
async def embedded(settings: Settings) -> AsyncIterator[EmbeddedServer | None]:
    """The embedded server, started or joined; None where the settings name an external one."""
    if not settings.embedded:
        yield None
        return
    server = EmbeddedServer(settings.data_dir)
    await anyio.to_thread.run_sync(server.start)
    try:
        yield server
    finally:
        await anyio.to_thread.run_sync(server.stop)


async def _migrate(conninfo: str, server: EmbeddedServer | None) -> None:
    """Bring the schema up to date. Where vectors cannot be had, that is said, and everything else goes on."""
    report = await migrate(conninfo, vector=server is None or server.vector)
    if server is not None and not server.vector:
        log.warning("vector search is off", reason=server.vector_reason)
    elif not report.vector:
        log.warning("vector search is off", reason=report.vector_reason)
