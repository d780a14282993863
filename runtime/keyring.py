"""Who calls: the configured keys by digest, read again when their file changes."""

import asyncio
import hmac
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio.to_thread
import structlog

from domain.errors import UnauthorizedError
from domain.principals import Principal
from runtime.clock import Clock, SystemClock
from runtime.keys import ApiKey, digest_of, read_key_file, warn_about

log = structlog.get_logger()

LOOK_EVERY_S = 1.0
SETTLED_AFTER_S = 2.0
"""A file changed within the last seconds may change again without a new time: its content is read again."""

_Signature = tuple[int, int, int, int]


class Keyring:
    """The configured keys. A comparison takes the same time whatever was sent."""

    def __init__(
        self,
        keys: Sequence[ApiKey],
        *,
        clock: Clock | None = None,
        file: Path | None = None,
        on_change: Callable[[list[ApiKey]], None] = lambda _: None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._file, self._on_change = file, on_change
        self._seen: _Signature | None = None
        self._looked_at = 0.0
        self._looking = asyncio.Lock()
        self.problem: str | None = None
        """Why the keys in use are not those of the file; None while they are."""
        self._hold(list(keys))

    def __bool__(self) -> bool:
        return bool(self._keys)

    def caller(self, key: str) -> Principal | None:
        """Who has this key; None when nobody has, or it has expired."""
        found = self._find(key)
        return None if found is None or found.is_expired(self._clock.now()) else found.principal

    def identify(self, key: str) -> Principal:
        """Who has this key.

        Raises:
            UnauthorizedError: nobody has, or it has expired.
        """
        found = self._find(key)
        if found is None:
            raise UnauthorizedError("This key is not known here. Check LONGLEAD_API_KEYS of the service.")
        if found.is_expired(self._clock.now()):
            raise UnauthorizedError(
                f"This key of {found.id} expired at {found.expires_at:%Y-%m-%d %H:%M} UTC. Use the one that replaced "
                "it, or ask the administrator for a new one."
            )
        return found.principal

    def holders(self, caller_id: str) -> list[Principal]:
        """The callers of that id whose keys are good now: one for each secret."""
        now = self._clock.now()
        return [key.principal for key in self._keys if key.id == caller_id and not key.is_expired(now)]

    async def refresh(self) -> None:
        """Read the file again if it has changed. Looks at it at most once a second, and never in the event loop."""
        if self._file is None or self._looking.locked() or time.monotonic() < self._looked_at + LOOK_EVERY_S:
            return
        async with self._looking:
            await self._look(self._file)
            self._looked_at = time.monotonic()

    async def _look(self, file: Path) -> None:
        try:
            read = await anyio.to_thread.run_sync(_read_if_changed, file, self._seen)
        except (OSError, ValueError) as error:
            problem = f"{error}"
            if problem != self.problem:
                log.error("the keys could not be read again; those read before still hold", error=problem)
            self._seen, self.problem = None, problem
            return
        self.problem = None
        if read is None:
            return
        self._seen, keys = read
        if keys != self._keys:
            self._hold(keys)
            self._on_change(keys)
            log.info("keys read again", keys=len(keys), warnings=warn_about(keys, self._clock.now()))

    def _hold(self, keys: list[ApiKey]) -> None:
        self._keys = keys
        self._digests = [(key.digest, key) for key in keys]

    def _find(self, key: str) -> ApiKey | None:
        digest, found = digest_of(key), None
        for known, holder in self._digests:
            if hmac.compare_digest(known, digest):
                found = holder
        return found


def _read_if_changed(file: Path, seen: _Signature | None) -> tuple[_Signature | None, list[ApiKey]] | None:
    """The file's signature and keys; None where it is the one that was seen."""
    stat = file.stat()
    signature = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)
    if signature == seen:
        return None
    settled = time.time() - max(stat.st_mtime, stat.st_ctime) > SETTLED_AFTER_S
    return signature if settled else None, read_key_file(file)
