"""Whose fault a failure is: the database's, that of something else outside of Longlead, or Longlead's own."""

import errno
import socket
from collections.abc import Iterator

import httpx

from domain.errors import UnavailableError
from storage.database import is_database_fault

_PASSING = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN),
        *(errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.ETIMEDOUT),
    }
)
"""What an operating system says when disk, memory, files or network are short or away."""

_OUTAGES = (UnavailableError, ConnectionError, TimeoutError, socket.gaierror, MemoryError, httpx.TransportError)


def is_fault_of_database(error: BaseException) -> bool:
    """Whether the database is to blame, also where a library has worded its error differently."""
    return any(is_database_fault(cause) for cause in _causes(error))


def is_outage(error: BaseException) -> bool:
    """Whether something outside failed that may work again later: a network, a server, a disk, memory."""
    return any(_is_outage(cause) or is_database_fault(cause) for cause in _causes(error))


def _is_outage(error: BaseException) -> bool:
    if isinstance(error, _OUTAGES):
        return True
    return isinstance(error, OSError) and error.errno in _PASSING


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it was raised from."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__
