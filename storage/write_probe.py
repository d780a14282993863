"""Whether the database takes writes, found out by one that leaves nothing behind."""

from storage.connection import Connection
from storage.server_check import find_why_read_only

# Rows that do not fit into this little memory are written to a temporary file of the data folder's disk, beside the
# tables: a full disk refuses it. A row written and rolled back would prove nothing, since it finds room in a page that
# is there already. The log of writes (WAL) needs no probe: a server that cannot write it goes down.
_LITTLE_MEMORY = "SELECT set_config('work_mem', '64kB', true), set_config('temp_tablespaces', '', true)"
_MEGABYTE = "SELECT count(*) FROM unnest(array_fill(repeat('x', 1000), ARRAY[1000]))"


class ReadOnlyError(Exception):
    """The database is read-only: a standby, after a failover, or set so by its operator."""


async def try_write(conn: Connection) -> None:
    """Write a megabyte beside the tables and drop it: some milliseconds.

    Raises:
        ReadOnlyError: the database takes no writes.
        psycopg.Error: the write failed; of class 53 where the disk is full.
    """
    async with conn.transaction():
        if why := await find_why_read_only(conn):
            raise ReadOnlyError(why)
        await conn.execute(_LITTLE_MEMORY)
        await conn.execute(_MEGABYTE)
