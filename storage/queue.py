"""Waking a building: one drain job in the job engine, deferred on the caller's own transaction."""

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

from storage.connection import Connection

DRAIN_TASK = "drain"
DRAIN_QUEUE = "drain"

# Never opened: it only words the engine's statements for the connection that it is handed.
_WORDING = App(connector=PsycopgConnector())

WAITING = "SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo'"


async def wake(conn: Connection, building_id: str) -> bool:
    """Defer a drain job for the building, unless one is already waiting. True if one was deferred.

    The caller holds the building's row in an open transaction: so a drain that is just ending either sees the
    caller's entry or has left the queue before this looks. The savepoint keeps the caller's transaction alive
    should a waiting job appear all the same (the engine's queueing lock is a unique index).

    Raises:
        psycopg.Error: as of any other statement; the engine's own wording of it would hide whose fault it was.
    """
    if await (await conn.execute(WAITING, (building_id,))).fetchone():
        return False
    job = _WORDING.configure_task(
        DRAIN_TASK, queue=DRAIN_QUEUE, lock=building_id, queueing_lock=building_id, connection=conn
    )
    try:
        async with conn.transaction():
            await job.defer_async(building_id=building_id)
    except AlreadyEnqueued:
        return False
    except ConnectorException as error:
        if isinstance(error.__cause__, psycopg.Error):
            raise error.__cause__ from error
        raise
    return True
