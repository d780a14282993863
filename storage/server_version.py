"""Which PostgreSQL servers Longlead runs on."""

from typing import Final, LiteralString

from domain.errors import StorageError

MIN_SERVER_MAJOR: Final = 14
"""Oldest major version that the suite has passed on. Docs name it, and every start checks it."""

SERVER_VERSION: Final[LiteralString] = "SELECT current_setting('server_version_num')::int AS number"
"""Asked of the server itself: what a pooler tells at the connection's start may be its own choice."""


class ServerTooOldError(StorageError):
    """The server is older than Longlead supports. Upgrade it, or use the embedded one."""


def check_server_version(number: int) -> None:
    """Refuse a server that is too old.

    Args:
        number: the server's `server_version_num`, such as 130023.

    Raises:
        ServerTooOldError: its major version is below MIN_SERVER_MAJOR.
    """
    major = number // 10_000
    if major < MIN_SERVER_MAJOR:
        raise ServerTooOldError(
            f"PostgreSQL {major} is too old: Longlead needs {MIN_SERVER_MAJOR} or newer. Upgrade the server, or unset "
            "LONGLEAD_DATABASE_URL to use the one that comes with Longlead."
        )
