"""Connections to PostgreSQL, all of one kind: the embedded server's socket or any server's URL."""

import asyncio
import json
import logging
from typing import Any

import orjson
import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool
from pydantic import JsonValue

from storage.connection import Connection, first_fault
from storage.seldom import Seldom

Pool = AsyncConnectionPool[Connection]

_CONNECT_TIMEOUT_S = 5

# A host that vanished would otherwise hold its advisory locks, or leave us waiting, for two hours. 5 + 3 * 5 = 20 s.
_WATCHED = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "connect_timeout": _CONNECT_TIMEOUT_S,
}
_CLIENT_OPTIONS: dict[str, Any] = {**_WATCHED, "autocommit": True, "row_factory": dict_row}
# The server's side of the same, also where an answer of its own is under way: it probes nobody then, and would send it
# again and again for a quarter of an hour. A client that froze with a transaction open (stopped, swapped out, paused
# with its machine) is cut off, since what it has locked would hold up everybody, the tick that takes over from it as
# well. No transaction waits for anything but its own next statement. As statements and not as startup options, which
# poolers refuse.
_SERVER_SIDE = (
    "SELECT set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '5', false), "
    "set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '20s', false), "
    "set_config('idle_in_transaction_session_timeout', '10s', false)"
)


async def connect(conninfo: str, *, application_name: str) -> Connection:
    """Open one connection: autocommit, rows as dicts, a vanished peer noticed within 20 s by both sides.

    Args:
        conninfo: a libpq connection string or URL.
        application_name: what `pg_stat_activity` shows.

    Raises:
        psycopg.OperationalError: no connection within 5 s.
    """
    connection = await Connection.connect(conninfo, application_name=application_name, **_CLIENT_OPTIONS)
    try:
        # A pooler takes a client at once, and lets its first statement wait until a session of the server is free.
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            await _configure(connection)
    except TimeoutError:
        await connection.close()
        raise psycopg.errors.ConnectionTimeout(POOLER_FULL) from None
    except BaseException:
        await connection.close()
        raise
    return connection


POOLER_FULL = f"connected, but no answer within {_CONNECT_TIMEOUT_S} s; a pooler in between has no session free"
# Servers word a refusal at the start of a connection, and give no code that the driver could hand on.
_LIMITS = (
    "too many clients already",
    "remaining connection slots are reserved",
    "too many connections for",
    "no more connections allowed",
    "max clients reached",
    "query_wait_timeout",
    POOLER_FULL,
)


def is_connection_limit(error: BaseException) -> bool:
    """Whether the server or a pooler answered, and allows no further connection."""
    return isinstance(error, psycopg.OperationalError) and any(words in str(error) for words in _LIMITS)


class _RepeatFilter(logging.Filter):
    """Lets a pool's complaint through once a minute: it tries again several times a second for each connection."""

    def __init__(self) -> None:
        super().__init__()
        self._seldom = Seldom(_REPEAT_S)

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING or not isinstance(record.args, tuple):
            return True
        return self._seldom.is_time((record.msg, *map(str, record.args)))


_REPEAT_S = 60.0
logging.getLogger("psycopg.pool").addFilter(_RepeatFilter())


def watched(conninfo: str, *, application_name: str) -> str:
    """The same connection string, for who opens connections by itself: a vanished server is noticed within 20 s."""
    return make_conninfo(conninfo, application_name=application_name, **_WATCHED)


def open_pool(conninfo: str, *, max_size: int, name: str) -> Pool:
    """A pool of the same connections, each checked before it is handed out. The caller opens it: `async with`.

    Args:
        conninfo: a libpq connection string or URL.
        max_size: most connections at once; one is kept open when idle.
        name: of the pool in logs, and the connections' application_name.
    """
    return AsyncConnectionPool(
        conninfo,
        connection_class=Connection,
        kwargs={"application_name": name, **_CLIENT_OPTIONS},
        min_size=1,
        max_size=max_size,
        name=name,
        check=AsyncConnectionPool.check_connection,
        configure=_configure,
        open=False,
    )


async def _configure(connection: Connection) -> None:
    await connection.execute(_SERVER_SIDE)


async def configure(connection: psycopg.AsyncConnection[DictRow]) -> None:
    """Make a connection that somebody else's pool opened one of ours: what it is asked is committed by itself, so that
    nothing stays locked between two messages."""
    await connection.set_autocommit(True)
    await connection.execute(_SERVER_SIDE)


def code_json_fast(connection: Connection) -> None:
    """Let JSON be encoded and decoded over this connection by orjson, a fraction of the work; what it cannot (integers
    of more than 64 bits) by the standard library, as elsewhere."""
    set_json_dumps(encode_json, connection)
    set_json_loads(_decoded, connection)


_AS_STRICT = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
"""What the standard library refuses is refused: a moment or an object is no JSON by itself."""


def encode_json(value: Any) -> bytes | str:
    """JSON, fast; what orjson cannot, by the standard library."""
    try:
        return orjson.dumps(value, option=_AS_STRICT)
    except TypeError:
        return json.dumps(value)


_AS_ZERO = bytes.maketrans(b"123456789", b"000000000")
_LONG = b"0" * 19
"""Numbers of so many digits may be too large for orjson, which would make floats of them."""


def _decoded(text: bytes | str) -> JsonValue:
    data = text.encode() if isinstance(text, str) else text
    decoded: JsonValue = json.loads(data) if _LONG in data.translate(_AS_ZERO) else orjson.loads(data)
    return decoded


def is_database_fault(error: BaseException) -> bool:
    """Whether the database is to blame and the same work may succeed later, so that it costs no attempt.

    True for lost and refused connections (no SQLSTATE, or class 08), serialization failures (40001), deadlocks
    (40P01), a server that stops or starts (57P0x), a session that it ended since its client stood still (25P03), a
    server without disk, memory or connections (class 53), one whose disk fails (58030), and one that takes no writes
    (25006). Everything else is the fault of what was asked.
    """
    if not isinstance(error, psycopg.Error):
        return False
    state = first_sqlstate(error)
    if state is None:
        return isinstance(first_fault(error), psycopg.OperationalError)
    return state.startswith(("08", "53", "57P0")) or state in ("40001", "40P01", "25P03", "25006", "58030")


def first_sqlstate(error: BaseException | None) -> str | None:
    """The SQLSTATE of what went wrong first; None where the server said nothing."""
    return first_fault(error).sqlstate if isinstance(error, psycopg.Error) else None
