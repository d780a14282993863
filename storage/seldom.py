"""What is worth saying or trying only now and then."""

import time
from collections.abc import Hashable


class Seldom:
    """Lets one of each kind through, and no other of that kind for so many seconds."""

    def __init__(self, quiet_s: float) -> None:
        self.quiet_s = quiet_s
        self._quiet_until: dict[Hashable, float] = {}

    def is_time(self, kind: Hashable = None) -> bool:
        """Whether this one is let through; if so, the next ones of its kind are not for a while."""
        if self.is_quiet(kind):
            return False
        self.keep_quiet(kind)
        return True

    def is_quiet(self, kind: Hashable = None) -> bool:
        """Whether none of this kind is let through now."""
        return time.monotonic() < self._quiet_until.get(kind, 0.0)

    def keep_quiet(self, kind: Hashable = None) -> None:
        """Let none of this kind through for a while from now on."""
        now = time.monotonic()
        ahead = {known: until for known, until in self._quiet_until.items() if now < until}
        self._quiet_until = {**ahead, kind: now + self.quiet_s}
