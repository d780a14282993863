"""Which need is covered on which day: needs by day beside supply by arrival, matched by quantity."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.lines.account import Account
from domain.lines.lots import Lot, LotState
from domain.lines.statements import Expected

_HERE = frozenset({LotState.ON_SITE, LotState.ACCEPTED})
"""What counts as supply on the day on which it came. Rejected goods are none until somebody decides."""

ReadyOn = Callable[[Lot], date | None]
"""The day on which goods that are in repair are inspected again; None: nobody has said one."""


@dataclass(frozen=True)
class Need:
    """The site needs a quantity on a day; None: no day is known."""

    quantity: Decimal
    required_by: date | None
    buffer_days: int = 0


@dataclass(frozen=True)
class Covered:
    """A need, and the day on which all of it is there; None: nothing is on its way for a part of it, or nobody knows
    when it comes."""

    need: Need
    on: date | None
    uncovered: Decimal
    """The part for which nothing was ordered."""
    known_on: date | None = None
    """The last day that is known of any part of it."""
    late: Decimal = Decimal(0)
    """How much of it comes after the required day, as far as days are known."""

    @property
    def days_late(self) -> int | None:
        """Calendar days after the required day, 0 where it is in time; None where a day is not known."""
        if self.on is None or self.need.required_by is None:
            return None
        return max(0, (self.on - self.need.required_by).days)


Supply = tuple[date | None, Decimal]
"""The day on which a quantity is there; None: nobody knows."""


def cover_needs(needs: Sequence[Need], account: Account, expected: Iterable[Expected]) -> list[Covered]:
    """Match needs by day with the supply of an account."""
    supply = [*supply_here(account), *((part.on, part.quantity) for part in expected)]
    return match_needs(needs, supply, account.missing_allowed)


LONG_HERE = date.min
"""The day of goods that came before they were known of, nobody knows when: they are here, and late for nothing."""


def supply_here(account: Account, ready_on: ReadyOn = lambda _lot: None) -> list[Supply]:
    """What is on site and was not rejected, by the day on which it came; and what is in repair, by the day on which it
    is inspected again: until then it covers nothing."""
    repaired = (lot for lot in account.lots if lot.state == LotState.IN_REPAIR)
    return [
        *((_came_on(lot), lot.quantity) for lot in account.lots if _is_here(lot)),
        *((ready_on(lot), lot.quantity) for lot in repaired),
    ]


def _came_on(lot: Lot) -> date | None:
    return LONG_HERE if lot.is_undated else lot.arrived_on or lot.since


def match_needs(needs: Sequence[Need], supply: Iterable[Supply], missing_allowed: Decimal) -> list[Covered]:
    """Match needs by day with supply by arrival. Supply without a day comes last.

    Args:
        missing_allowed: how much of a need may be missing for it to count as covered.
    """
    waiting = sorted(supply, key=lambda part: part[0] or date.max)
    covered: list[Covered] = []
    for need in sorted(needs, key=lambda need: need.required_by or date.max):
        left, day, has_day, late = need.quantity, None, True, Decimal(0)
        while left > missing_allowed and waiting:
            on, quantity = waiting.pop(0)
            taken = min(left, quantity)
            left -= taken
            has_day = has_day and on is not None
            day = max(day, on) if day and on else day or on
            if on is not None and need.required_by is not None and on > need.required_by:
                late += taken
            if quantity > taken:
                waiting.insert(0, (on, quantity - taken))
        uncovered = left if left > missing_allowed else Decimal(0)
        covered.append(Covered(need, None if uncovered or not has_day else day, uncovered, day, late))
    return covered


def _is_here(lot: Lot) -> bool:
    return lot.state in _HERE and not lot.is_unknown
