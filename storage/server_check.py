"""Whether a server can be Longlead's: it takes writes, gives sessions of one's own, and has room for connections."""

from dataclasses import dataclass

import psycopg

from domain.errors import StorageError
from storage.connection import Connection
from storage.database import connect

_WRITABLE = "SELECT pg_is_in_recovery() AS replica, current_setting('transaction_read_only') = 'on' AS read_only"
_BACKEND = "SELECT pg_backend_pid() AS pid"
# Names of roles and programs are shown to everybody; what kind of process it is only to some.
_ROOM = """
SELECT current_setting('max_connections')::int AS max_connections,
       current_setting('superuser_reserved_connections')::int
       + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
       r.rolsuper AS superuser, r.rolconnlimit AS role_limit, d.datconnlimit AS database_limit, a.*
  FROM (SELECT count(*)::int AS in_use,
               count(*) FILTER (WHERE usename = session_user)::int AS of_role,
               count(*) FILTER (WHERE datname = current_database())::int AS of_database,
               count(*) FILTER (WHERE datname = current_database() AND application_name LIKE 'longlead %')::int AS ours
          FROM pg_stat_activity WHERE datid IS NOT NULL AND usesysid IS NOT NULL
           AND pid <> pg_backend_pid() AND coalesce(backend_type, 'client backend') = 'client backend') a,
       pg_roles r, pg_database d
 WHERE r.rolname = session_user AND d.datname = current_database()"""

NOT_PRIMARY = (
    "The database is a read replica: it takes no writes. The API and the workers need the primary; point "
    "LONGLEAD_DATABASE_URL there. A replica serves reports by SQL (docs/scale.md)."
)
READ_ONLY = (
    "The database takes no writes: default_transaction_read_only is on for this server, database or role. Switch it "
    "off, or name a role that may write in LONGLEAD_DATABASE_URL."
)
SHARED_SESSIONS = (
    "Between Longlead and PostgreSQL is a pooler that lends sessions for a transaction or a statement: locks, notices "
    "and prepared statements do not survive that, and two workers would run one building. Set its pool_mode to session "
    "for this database, or point LONGLEAD_DATABASE_URL at the server itself (docs/scale.md)."
)


class UnsuitableServerError(StorageError):
    """The server cannot be used. The message says why, and what to change."""


@dataclass(frozen=True)
class Room:
    """The tightest of the limits on connections that hold for this role, and what is in use of it."""

    name: str
    """What sets the limit."""
    limit: int
    """Connections that all together may have."""
    reserved: int
    """Further ones, which only administrators may have."""
    in_use: int
    ours: int
    """Those of `in_use` that are Longlead's."""

    @property
    def left(self) -> int:
        """Connections that can be opened now."""
        return max(0, self.limit - self.in_use)

    def __str__(self) -> str:
        kept = f", {self.reserved} of them reserved" if self.reserved else ""
        return f"{self.name} is {self.limit + self.reserved}{kept}"


async def check_server(conn: Connection, conninfo: str) -> None:
    """Refuse a server that Longlead cannot work on.

    Args:
        conn: a connection to it.
        conninfo: to open another one.

    Raises:
        UnsuitableServerError: it is a replica, takes no writes, or is behind a pooler that shares sessions.
    """
    if why := await find_why_read_only(conn):
        raise UnsuitableServerError(why)
    if await is_behind_pooler(conn) and await _shares_sessions(conn, conninfo):
        raise UnsuitableServerError(SHARED_SESSIONS)


async def find_why_read_only(conn: Connection) -> str | None:
    """Why the database takes no writes, and what to change; None where it takes them."""
    row = await (await conn.execute(_WRITABLE)).fetchone()
    if row and row["replica"]:
        return NOT_PRIMARY
    return READ_ONLY if row and row["read_only"] else None


async def is_behind_pooler(conn: Connection) -> bool:
    """Whether the server's process is another than the one that the connection was told of at its start."""
    return await _backend(conn) != conn.info.backend_pid


async def _shares_sessions(one: Connection, conninfo: str) -> bool:
    """Whether two connections that are open at once meet the same session, or one meets several.

    In turns of different length: a pooler that hands its sessions out in a circle would otherwise give each of the
    two the same one every time.
    """
    async with await connect(conninfo, application_name="longlead start") as other:
        met: dict[Connection, set[int]] = {one: set(), other: set()}
        for conn in (one, other, one, one, other, other, one, other):
            try:
                met[conn].add(await _backend(conn))
            except (psycopg.errors.DuplicatePreparedStatement, psycopg.errors.InvalidSqlStatementName):
                return True
    return any(len(pids) > 1 for pids in met.values()) or bool(met[one] & met[other])


async def _backend(conn: Connection) -> int:
    row = await (await conn.execute(_BACKEND, prepare=False)).fetchone()
    return int(row["pid"]) if row else 0


async def read_room(conn: Connection) -> Room:
    """How many connections this role may have in this database, and how many are in use, this one not counted."""
    row = await (await conn.execute(_ROOM)).fetchone() or {}
    reserved = 0 if row["superuser"] else row["reserved"]
    usable, ours = row["max_connections"] - reserved, row["ours"]
    rooms = [Room("max_connections", usable, reserved, row["in_use"], ours)]
    for limit, in_use, whose in (
        (row["role_limit"], row["of_role"], "database's user"),
        (row["database_limit"], row["of_database"], "database"),
    ):
        if limit >= 0 and not row["superuser"]:
            rooms.append(Room(f"the CONNECTION LIMIT of the {whose}", limit, 0, in_use, ours))
    return min(rooms, key=lambda room: room.left)
