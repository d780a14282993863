"""What a line's goods amount to: lots, nonconformances, order lines, and the facts that are not counted."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from domain.lines.lots import COMING, NOTHING, RECEIVED, WITHOUT_VERDICT, Lot, LotState

Reason = Literal[
    "departed_after_arrival",
    "nothing_left_to_ship",
    "nothing_left_to_arrive",
    "nothing_to_inspect",
    "more_rejected_than_there",
    "unknown_ncr",
    "more_decided_than_rejected",
    "unknown_order",
    "cancelled_order",
    "told_twice",
    "unknown_shipment",
    "eta_before_departure",
]
"""Why a fact is not counted."""


@dataclass(frozen=True)
class Doubt:
    """A fact that is not counted until what it contradicts has changed, or a person has spoken."""

    fact: str
    reason: Reason
    day: date | None = None
    """The day that it contradicts."""
    quantity: Decimal | None = None
    """How much there was."""
    order: str | None = None
    """The order that speaks against it."""


@dataclass(frozen=True)
class OrderLine:
    """What must add up: the lots of an order line are what was ordered, what came beyond it, and what the vendor owes
    again for goods that went back."""

    number: str
    ordered: Decimal
    placed_on: date | None = None
    over: Decimal = NOTHING
    owed_again: Decimal = NOTHING
    is_cancelled: bool = False
    is_adopted: bool = False
    """It was placed elsewhere: what happened before we knew of it is unknown."""
    is_undated: bool = False
    """Nobody knows the day on which it was placed: nothing is computed from `placed_on`."""

    @property
    def all_lots(self) -> Decimal:
        return self.ordered + self.over + self.owed_again


@dataclass(frozen=True)
class Nonconformance:
    """Rejected goods (NCR): how much, how much of it nobody has decided about, and what was decided."""

    ncr: str
    quantity: Decimal
    undecided: Decimal
    handlings: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.undecided > 0


@dataclass
class Delivery:
    """A shipment as its reports tell it: what left, and what of it arrived."""

    name: str
    """What its lots are named by: its id, else the key of the first report."""
    order: str
    departed_on: date | None = None
    is_undated: bool = False
    """It left by `departed_on`, nobody knows when."""
    arrivals: list["Arrival"] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    """Keys of all reports of it."""


@dataclass(frozen=True)
class Arrival:
    """A part of a shipment that reached the site; `quantity` is what it moved there."""

    fact: str
    day: date
    quantity: Decimal


@dataclass(frozen=True)
class Verdict:
    """An inspection that counted: the shipments whose goods it judged; the NCR that it raised, where it failed."""

    fact: str
    """Key of its first report."""
    reports: tuple[str, ...]
    """Keys of all its reports, the newest saying last."""
    passed: bool
    day: date
    order: str
    shipments: tuple[str, ...]
    quantity: Decimal | None
    """How much it rejected, or accepted."""
    ncr: str | None
    is_on_arrival: bool = False
    """It was seen on arrival, not by an inspection."""


@dataclass(frozen=True)
class Account:
    """The whole truth about a line's goods, in the unit of the line."""

    needed: Decimal
    missing_allowed: Decimal
    """How much may be missing for the line to count as complete."""
    lots: tuple[Lot, ...] = ()
    orders: tuple[OrderLine, ...] = ()
    ncrs: tuple[Nonconformance, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    shipment_ids: dict[str, frozenset[str]] = field(default_factory=dict)
    """All ids of a shipment, by the one that its lots have."""
    ncr_names: dict[str, str] = field(default_factory=dict, compare=False)
    """Other names of nonconformances: keys of further reports, and what was noted before they got a number."""
    deliveries: tuple[Delivery, ...] = field(default=(), compare=False)
    verdicts: tuple[Verdict, ...] = field(default=(), compare=False)

    def quantity(self, *states: LotState) -> Decimal:
        """How much is in these states."""
        return sum((lot.quantity for lot in self.lots if lot.state in states), NOTHING)

    @property
    def has_open_part(self) -> bool:
        """Whether a part came whose size nobody has said."""
        return any(lot.is_unknown for lot in self.lots)

    @property
    def is_complete(self) -> bool:
        """Whether all that is needed is on site and was not sent back."""
        return not self.has_open_part and self.quantity(*RECEIVED) >= self.needed - self.missing_allowed

    @property
    def is_released(self) -> bool:
        """Whether nothing is left to do: enough is accepted, all on site has its verdict, every NCR its disposition."""
        accepted = self.quantity(LotState.ACCEPTED)
        return (
            not self.has_open_part
            and accepted > 0
            and accepted >= self.needed - self.missing_allowed
            and not self.quantity(*WITHOUT_VERDICT)
            and not any(ncr.is_open for ncr in self.ncrs)
            and not any(self._is_owed(order) for order in self.orders)
        )

    def _is_owed(self, order: OrderLine) -> bool:
        """Whether something that went back is still to come again on this order."""
        lots = (lot.quantity for lot in self.lots if lot.order == order.number and lot.state in COMING)
        return order.owed_again > 0 and sum(lots, NOTHING) > self.missing_allowed
