"""Lots: quantities of a line that move together, each in one state."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

NOTHING = Decimal(0)


class LotState(StrEnum):
    """Where goods are, and what was found about them."""

    ORDERED = "ordered"
    IN_TRANSIT = "in_transit"
    ON_SITE = "on_site"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    IN_REPAIR = "in_repair"
    RETURNED = "returned"
    SCRAPPED = "scrapped"
    CANCELLED = "cancelled"


COMING = frozenset({LotState.ORDERED, LotState.IN_TRANSIT})
RECEIVED = frozenset({LotState.ON_SITE, LotState.ACCEPTED, LotState.REJECTED, LotState.IN_REPAIR})
"""What is on site and was not sent back."""
WITHOUT_VERDICT = frozenset({LotState.ON_SITE, LotState.IN_REPAIR})


@dataclass(frozen=True)
class Lot:
    """A quantity of one order line in one state; `since` is the day on which it came there."""

    order: str
    quantity: Decimal
    state: LotState
    shipment: str | None = None
    ncr: str | None = None
    since: date | None = None
    arrived_on: date | None = None
    """The day on which it came on site, where it has."""
    is_over: bool = False
    """It is beyond what was ordered."""
    is_unknown: bool = False
    """A part whose size nobody has said: its quantity is 0 here, and the line stays open until more is known."""
    is_by_disposition: bool = False
    """It was accepted as it is by a person, not by a passed inspection."""
    is_undated: bool = False
    """Nobody knows the day on which it came: `arrived_on` is the last on which it can have."""

    @property
    def known_arrival(self) -> date | None:
        """The day on which it came on site; None: it has not, or nobody knows the day."""
        return None if self.is_undated else self.arrived_on


@dataclass(frozen=True)
class Where:
    """Which lots are meant; what is None does not matter."""

    states: frozenset[LotState]
    order: str | None = None
    shipment: str | None = None
    ncr: str | None = None
    until: date | None = None
    """Only lots that came into their state on this day or before."""

    def fits(self, lot: Lot) -> bool:
        return (
            lot.state in self.states
            and self.order in (None, lot.order)
            and self.shipment in (None, lot.shipment)
            and self.ncr in (None, lot.ncr)
            and (self.until is None or lot.since is None or lot.is_undated or lot.since <= self.until)
        )


@dataclass(frozen=True)
class Change:
    """What becomes of the lots that are moved; what is None stays."""

    state: LotState
    since: date
    shipment: str | None = None
    ncr: str | None = None
    is_by_disposition: bool = False
    leaves_shipment: bool = False
    """It is of no shipment any more."""
    is_undated: bool = False
    """Nobody knows the day on which it happened."""

    def apply(self, lot: Lot) -> Lot:
        arrives = self.state == LotState.ON_SITE and lot.arrived_on is None
        return replace(
            lot,
            arrived_on=self.since if arrives else lot.arrived_on,
            state=self.state,
            since=self.since,
            shipment=None if self.leaves_shipment else self.shipment or lot.shipment,
            ncr=self.ncr or lot.ncr,
            is_by_disposition=self.is_by_disposition,
            is_undated=self.is_undated if arrives else lot.is_undated,
        )


class Stock:
    """The lots of a line while facts are applied to them. Quantities move; nothing is lost and nothing is made."""

    def __init__(self) -> None:
        self.lots: list[Lot] = []

    def add(self, lot: Lot) -> None:
        self.lots.append(lot)

    def total(self, where: Where) -> Decimal:
        return sum((lot.quantity for lot in self.lots if where.fits(lot)), NOTHING)

    def find(self, where: Where) -> list[Lot]:
        return [lot for lot in self.lots if where.fits(lot)]

    def move(self, where: Where, change: Change, most: Decimal | None = None) -> Decimal:
        """Change up to `most` (None: all) of the lots that are meant, and split the one of which a part is left.

        Returns how much was moved.
        """
        moved, lots = NOTHING, list[Lot]()
        for lot in self.lots:
            room = lot.quantity if most is None else most - moved
            if not where.fits(lot) or (room <= 0 and not lot.is_unknown):
                lots.append(lot)
                continue
            part = min(lot.quantity, room)
            lots.append(change.apply(replace(lot, quantity=part)))
            if part < lot.quantity:
                lots.append(replace(lot, quantity=lot.quantity - part))
            moved += part
        self.lots = lots
        return moved

    def close_unknown_parts(self, order: str) -> None:
        """All of an order is there: parts of unknown size are within what is counted."""
        self.lots = [lot for lot in self.lots if not (lot.is_unknown and lot.order == order)]


def merge_lots(lots: Iterable[Lot]) -> tuple[Lot, ...]:
    """Join lots that differ in nothing but their quantity, in an order that does not depend on their history."""
    sums: dict[Lot, Decimal] = {}
    for lot in lots:
        alike = replace(lot, quantity=NOTHING)
        sums[alike] = sums.get(alike, NOTHING) + lot.quantity
    merged = [replace(lot, quantity=quantity) for lot, quantity in sums.items() if quantity or lot.is_unknown]
    return tuple(sorted(merged, key=_sort_key))


def _sort_key(lot: Lot) -> tuple[str, ...]:
    day = lot.since.isoformat() if lot.since else ""
    came = lot.arrived_on.isoformat() if lot.arrived_on else ""
    return (
        lot.order,
        lot.state,
        lot.shipment or "",
        lot.ncr or "",
        day,
        came,
        str(lot.is_over),
        str(lot.is_by_disposition),
        str(lot.is_undated),
    )
