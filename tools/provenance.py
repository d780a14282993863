"""Whose words a part of a prompt is, whom its answer may reach, and what may therefore stand beside what.

Where an answer may lead to something that leaves the house, words from outside never stand beside what the vendor that
it may go to must not know: notes and decisions of the team, and anything of other vendors. Whoever writes into a prompt
could have them told to himself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Origin:
    """Where a text comes from.

    `team`: people of the house. `vendor`: about one vendor, and with `is_written` in its own words. `outside`: written
    by anybody. `mixed`: words from outside and of the house in one, or nobody knows.
    """

    kind: Literal["ours", "team", "vendor", "outside", "mixed"]
    vendor_id: str | None = None
    is_written: bool = False

    @property
    def is_foreign(self) -> bool:
        """Whether it may hold words that somebody outside has chosen."""
        return self.kind in ("outside", "mixed") or self.is_written

    def is_secret_to(self, vendor_id: str | None) -> bool:
        """Whether this vendor must not know it; None: any vendor."""
        return self.kind in ("team", "mixed") or (self.kind == "vendor" and self.vendor_id != vendor_id)


OURS = Origin("ours")
TEAM = Origin("team")
OUTSIDE = Origin("outside")
MIXED = Origin("mixed")


def about(vendor_id: str | None) -> Origin:
    """What we know of a vendor or its lines; of no vendor it is ours."""
    return OURS if vendor_id is None else Origin("vendor", vendor_id)


def written_by(vendor_id: str) -> Origin:
    """A vendor's own words."""
    return Origin("vendor", vendor_id, is_written=True)


@dataclass(frozen=True)
class Audience:
    """Whom an answer may reach. `leaves_house`: it may lead to a message to a vendor, `vendor_id` where it is known."""

    leaves_house: bool
    vendor_id: str | None = None


HOUSE = Audience(leaves_house=False)
"""Nobody outside: what comes of the answer is held against the text itself, or only read by the team."""


def to_vendor(vendor_id: str | None) -> Audience:
    return Audience(leaves_house=True, vendor_id=vendor_id)


def is_apart(origins: Iterable[Origin], audience: Audience) -> bool:
    """Whether texts of these origins may stand in one prompt."""
    held = list(origins)
    if not audience.leaves_house or not any(origin.is_foreign for origin in held):
        return True
    return not any(origin.is_secret_to(audience.vendor_id) for origin in held)
