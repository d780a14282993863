"""How the database is, in words for operators: what is wrong with it, and how much room its disk has."""

import time
from dataclasses import dataclass, field

import psycopg

from domain.errors import StorageError
from runtime.resources import Resources
from storage.database import first_sqlstate
from storage.write_probe import ReadOnlyError, try_write

MIN_FREE_BYTES = 16 * 1024**2
"""Room of one more file of PostgreSQL's log of writes: without it the server may go down at any moment."""
LOW_FREE_BYTES = 500 * 1024**2
FRESH_S = 1.0
"""Seconds for which a write that succeeded is not tried again: anybody may ask."""

_DISK_FULL, _READ_ONLY = "53100", "25006"
_IN_WORDS = {
    _DISK_FULL: "The database's disk is full: nothing can be stored. Make room on it; everything goes on by itself.",
    _READ_ONLY: "The database takes no writes: it is read-only, as a standby is. Everything goes on by itself when it "
    "takes them again, or when LONGLEAD_DATABASE_URL names the server that does.",
    "53200": "The database is out of memory.",
    "53300": "The database has no connection free.",
    "53400": "The database has reached one of its configured limits.",
}


@dataclass(frozen=True)
class Fault:
    """Why the database cannot do its work. `missing` is what `/readyz` calls it: database, or disk."""

    detail: str
    missing: str = "database"


def describe_fault(resources: Resources, error: BaseException | None) -> Fault:
    """What an error of the database means. A full disk is named also where it has taken the server down."""
    full = find_full_disk(resources)
    if full is not None:
        return full
    state = _READ_ONLY if isinstance(error, ReadOnlyError) else first_sqlstate(error)
    detail = _IN_WORDS.get(state or "")
    if detail is None:
        return Fault("The database cannot be reached.")
    return Fault(detail, "disk" if state == _DISK_FULL else "database")


def find_full_disk(resources: Resources) -> Fault | None:
    """The full disk of the embedded database; None where it has room, and of a server elsewhere."""
    free = free_bytes(resources)
    if free is None or free >= MIN_FREE_BYTES:
        return None
    folder = resources.settings.data_dir.absolute()
    return Fault(
        f"The disk of the database is full: {free:,} bytes are free in {folder}, and {MIN_FREE_BYTES:,} are needed. "
        "Make room on it; everything goes on by itself.",
        "disk",
    )


def free_bytes(resources: Resources) -> int | None:
    """Bytes free on the disk of the embedded database; None of a server elsewhere."""
    try:
        return None if resources.server is None else resources.server.free_bytes()
    except (StorageError, OSError):  # its folder is gone: that is told by whoever connects
        return None


def warn_of_low_disk(resources: Resources) -> str | None:
    """What to say while the disk of the embedded database is nearly full."""
    free = free_bytes(resources)
    if free is None or free >= LOW_FREE_BYTES:
        return None
    return f"The disk of the database is nearly full: {free // 1024**2} MB are free in {resources.settings.data_dir}."


@dataclass
class WriteProbe:
    """Tries writes, at most once a second."""

    resources: Resources
    _good_until: float = field(default=0.0, init=False)

    async def find_fault(self, timeout_s: float) -> Fault | None:
        """What keeps the database from taking writes; None when it takes them."""
        full = find_full_disk(self.resources)
        if full is not None:
            return full
        try:
            async with self.resources.pool.connection(timeout=timeout_s) as conn:
                if time.monotonic() >= self._good_until:
                    await try_write(conn)
                    self._good_until = time.monotonic() + FRESH_S
        except (psycopg.Error, ReadOnlyError) as error:
            return describe_fault(self.resources, error)
        return None
