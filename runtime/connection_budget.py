"""The connections to the database that a process opens, held against what the server allows."""

import contextlib
from dataclasses import dataclass

import psycopg
import structlog

from domain.errors import StorageError
from runtime.settings import Settings
from storage.database import connect, is_connection_limit
from storage.server_check import Room, check_server, is_behind_pooler, read_room
from storage.workers import Declared, read_declared

log = structlog.get_logger()

ENGINE_POOL = 5
"""Most connections over which the job engine fetches and ends jobs."""
LISTENERS = 2
"""One for the buildings' jobs, one for upkeep's."""
WORKER_POOL = 5
"""Most connections of a worker without an API: for the tick, deliveries, retention and its figures."""


class ConnectionsUsedUpError(StorageError):
    """The server has no room for this process. The message says what to change, with the server's figures."""


@dataclass(frozen=True)
class ConnectionBudget:
    """What one process opens."""

    slots: int
    """Buildings at once, each on a connection, opened when it is needed."""
    pool: int
    """Of the API, or of a worker's upkeep; one is open always, the others when they are needed."""
    engine: int = ENGINE_POOL + LISTENERS

    @classmethod
    def of_service(cls, settings: Settings) -> "ConnectionBudget":
        """Of `longlead serve`: API and worker."""
        return cls(settings.concurrency, settings.api_connections)

    @classmethod
    def of_worker(cls, settings: Settings) -> "ConnectionBudget":
        """Of `longlead worker`."""
        return cls(settings.concurrency, WORKER_POOL)

    @property
    def most(self) -> int:
        """All at once."""
        return self.slots + self.pool + self.engine

    @property
    def least(self) -> int:
        """What it needs to work at all: a slot, one of the pool, one of the engine's and its listeners."""
        return 1 + 1 + 1 + LISTENERS

    def __str__(self) -> str:
        return f"{self.least} to {self.most} connections ({self.slots} slots + {self.pool} + {self.engine})"


async def require_room(conninfo: str, budget: ConnectionBudget, stalled_after: float) -> None:
    """Refuse a server that cannot be used, or has too few connections left; warn where all may not fit at once.

    Raises:
        UnsuitableServerError: a replica, a server that takes no writes, or a pooler that shares sessions.
        ConnectionsUsedUpError: no room for this process.
        psycopg.OperationalError: the server cannot be reached.
    """
    try:
        async with await connect(conninfo, application_name="longlead start") as conn:
            await check_server(conn, conninfo)
            pooled = await is_behind_pooler(conn)
            room, declared = await read_room(conn), await read_declared(conn, stalled_after)
        if pooled:
            await _try_connections(conninfo, budget.least)
    except psycopg.OperationalError as error:
        if is_connection_limit(error):
            raise ConnectionsUsedUpError(_refusal(budget, " ".join(str(error).split()))) from error
        raise
    if room.left < budget.least:
        raise ConnectionsUsedUpError(_refusal(budget, f"{room}, and {room.in_use} are in use", room))
    if pooled:
        log.info(
            "a pooler in session mode is in between", pool_size=f"at least the sum of all processes; here {budget}"
        )
    if warning := describe_shortage(budget, room, declared):
        log.warning("connections may run out", warning=warning)


async def _try_connections(conninfo: str, number: int) -> None:
    """Open so many at once: a pooler does not say how many it gives."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(number):
            await stack.enter_async_context(await connect(conninfo, application_name="longlead start"))


def describe_shortage(budget: ConnectionBudget, room: Room, declared: Declared) -> str:
    """What does not fit when all processes use all that they may; empty where it does."""
    # What Longlead has open counts once: as what its processes declare, or more where some declare nothing.
    others, running = room.in_use - room.ours, max(declared.connections, room.ours)
    needed = others + running + budget.most
    if needed <= room.limit:
        return ""
    return (
        f"This process opens {budget}, the {declared.processes} Longlead processes that run up to {running}, other "
        f"programs have {others}: {needed} in all, and {room.limit} are allowed ({room}). When they are used up, "
        f"buildings wait for each other. {_advice(room, needed)}"
    )


def _refusal(budget: ConnectionBudget, reason: str, room: Room | None = None) -> str:
    needed = room.in_use + budget.most if room else 0
    return f"The database has no connections left: {reason}. This process opens {budget}. {_advice(room, needed)}"


def _advice(room: Room | None, needed: int) -> str:
    """What to change; without the server's figures where it tells none."""
    limit = "max_connections, the CONNECTION LIMIT of the user or the pool_size of a pooler"
    if room is not None:
        limit = f"{room.name} to {needed + room.reserved}"
    return (
        f"Run fewer workers, set LONGLEAD_CONCURRENCY or LONGLEAD_API_CONNECTIONS lower, or raise {limit} "
        "(docs/scale.md)."
    )
