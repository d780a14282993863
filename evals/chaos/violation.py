"""What the checker finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """A rule that was broken, and where."""

    rule: str
    what: str
