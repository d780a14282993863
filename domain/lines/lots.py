"""Lots: quantities of a line that move together, each in one state."""

from bisect import bisect, insort
from collections import defaultdict
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
            and (self.until is None or lot.since is None or lot.since <= self.until)
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
        )


class Stock:
    """The lots of a line while facts are applied to them. Quantities move; nothing is lost and nothing is made.

    Lots are found by their shipment or state, without looking at all of them: a line may come in hundreds of parts.
    """

    def __init__(self) -> None:
        self._lots: dict[int, Lot] = {}
        """By place; a lot that is split off stands behind the one that it was of."""
        self._places: list[int] = []
        """Sorted."""
        self._in_state: dict[LotState, set[int]] = defaultdict(set)
        self._of_shipment: dict[str | None, set[int]] = defaultdict(set)

    @property
    def lots(self) -> list[Lot]:
        return [self._lots[place] for place in self._places]

    @lots.setter
    def lots(self, lots: Iterable[Lot]) -> None:
        kept = list(lots)
        self._lots, self._places = {}, []
        self._in_state, self._of_shipment = defaultdict(set), defaultdict(set)
        for lot in kept:
            self.add(lot)

    def add(self, lot: Lot) -> None:
        self._put(self._places[-1] + _GAP if self._places else 0, lot)

    def total(self, where: Where) -> Decimal:
        return sum((lot.quantity for lot in self.find(where)), NOTHING)

    def find(self, where: Where) -> list[Lot]:
        return [self._lots[place] for place in self._find(where)]

    def move(self, where: Where, change: Change, most: Decimal | None = None) -> Decimal:
        """Change up to `most` (None: all) of the lots that are meant, and split the one of which a part is left.

        Returns how much was moved.
        """
        moved, rest = NOTHING, None
        for place in self._find(where):
            lot = self._lots[place]
            room = lot.quantity if most is None else most - moved
            if room <= 0 and not lot.is_unknown:
                continue
            part = min(lot.quantity, room)
            self._change(place, change.apply(replace(lot, quantity=part)))
            if part < lot.quantity:  # of one lot only: then there is no room left
                rest = place, replace(lot, quantity=lot.quantity - part)
            moved += part
        if rest is not None:
            self._put_behind(*rest)
        return moved

    def close_unknown_parts(self, order: str) -> None:
        """All of an order is there: parts of unknown size are within what is counted."""
        self.lots = [lot for lot in self.lots if not (lot.is_unknown and lot.order == order)]

    def _find(self, where: Where) -> list[int]:
        """The places of the lots that are meant, in their order."""
        if where.shipment is not None:
            near = self._of_shipment.get(where.shipment, set())
        else:
            near = set[int]().union(*(self._in_state[state] for state in where.states))
        return sorted(place for place in near if where.fits(self._lots[place]))

    def _put(self, place: int, lot: Lot) -> None:
        insort(self._places, place)
        self._lots[place] = lot
        self._in_state[lot.state].add(place)
        self._of_shipment[lot.shipment].add(place)

    def _change(self, place: int, lot: Lot) -> None:
        was, self._lots[place] = self._lots[place], lot
        self._in_state[was.state].discard(place)
        self._in_state[lot.state].add(place)
        self._of_shipment[was.shipment].discard(place)
        self._of_shipment[lot.shipment].add(place)

    def _put_behind(self, place: int, lot: Lot) -> None:
        number = bisect(self._places, place)
        if number == len(self._places):
            self.add(lot)
            return
        between = (place + self._places[number]) // 2
        if between > place:
            self._put(between, lot)
            return
        lots = self.lots
        self.lots = [*lots[:number], lot, *lots[number:]]  # with room between their places again


_GAP = 1 << 32
"""Between the places of two lots that are added one after the other: lots that are split off come between them."""


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
    )
