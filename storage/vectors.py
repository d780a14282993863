"""The table of memory's vectors: made by LangGraph's store for one embedding model, and made anew for another.

Vectors are made from texts that are kept, so nothing is lost with them: whatever has none is found by its words, and
gets one in time.
"""

from storage.connection import Connection
from storage.database import connect
from storage.long_term import DirectStore, Prepared, index_of
from storage.migrate import schema_lock

MADE_FOR = "SELECT version FROM longlead_components WHERE name = 'vectors' AND to_regclass('store_vectors') IS NOT NULL"
DROP = ("DROP TABLE IF EXISTS store_vectors", "DROP TABLE IF EXISTS vector_migrations")
MADE = """
INSERT INTO longlead_components (name, version) VALUES ('vectors', %s)
ON CONFLICT (name) DO UPDATE SET version = excluded.version, applied_at = now()"""
HAS_VECTOR = "SELECT 1 FROM pg_extension WHERE extname = 'vector'"


async def prepare_vectors(conninfo: str, model: str, dims: int, wait_s: float = 60) -> bool:
    """Make the table for this model's vectors, where it is not there. False: the database has no pgvector.

    Raises:
        MigrationError: another process has been changing the schema for longer than `wait_s` seconds.
    """
    wanted = f"{model}/{dims}"
    async with await connect(conninfo, application_name="longlead vectors") as connection:
        if await (await connection.execute(HAS_VECTOR)).fetchone() is None:
            return False
        if not await _is_made_for(connection, wanted):
            async with schema_lock(connection, wait_s):
                await _make(connection, wanted, dims)
    return True


async def _is_made_for(connection: Connection, wanted: str) -> bool:
    row = await (await connection.execute(MADE_FOR)).fetchone()
    return row is not None and row["version"] == wanted


async def _make(connection: Connection, wanted: str, dims: int) -> None:
    if await _is_made_for(connection, wanted):  # another process was faster
        return
    for statement in DROP:
        await connection.execute(statement)
    await DirectStore(connection, index=index_of(dims, Prepared())).setup()
    await connection.execute(MADE, (wanted,))
