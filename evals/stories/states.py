"""The truth of a building, read through the API and held against what a story says must hold."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue

from evals.playing import Player
from evals.stories.format import State

AMOUNT_KEPT = re.compile(r"received|kept|on_hand|usable|accepted")
"""Fields of a line, under any name, that may say how much of it is here."""
SENT_BACK = ("return", "returned", "return_item")
PAGE_SIZE = 500

R = TypeVar("R", bound=BaseModel)

Value = JsonValue | date | Decimal
"""What a predicate wants, or what is seen."""


class _Read(BaseModel):
    """A row as the API shows it: what is not needed here is passed over."""

    model_config = ConfigDict(extra="ignore")


class Line(_Read):
    model_config = ConfigDict(extra="allow")

    status: str
    schedule_band: str | None = None
    logistics: str | None = None
    quality: str | None = None
    required_by: date | None = None
    promised_date: date | None = None
    eta: date | None = None
    quantity: Decimal | None = None

    def holds_amount(self, amount: Decimal | None) -> bool:
        """Whether a field of its own says that this much is here."""
        extra = self.model_extra or {}
        return any(_read_number(value) == amount for name, value in extra.items() if AMOUNT_KEPT.search(name))


class OrderedLine(_Read):
    item: str | None = None
    quantity: Decimal | None = None


class Order(_Read):
    status: str
    total: Decimal | None = None
    lines: list[OrderedLine] = []


class ReceivedLot(_Read):
    quantity: Decimal | None = None


class ShownShipment(_Read):
    shipment_id: str
    item_id: str
    status: str
    quantity: Decimal | None = None
    receipts: list[ReceivedLot] | None = None


class ShownInspection(_Read):
    item_id: str | None = None
    shipment_id: str | None = None
    disposition: str | None = None
    quantity_rejected: Decimal | None = None


class ShownPage(_Read, Generic[R]):
    """A part of a list."""

    data: list[R]
    next_cursor: str | None = None


class ShownBuilding(_Read):
    status: str


@dataclass(frozen=True)
class Difference:
    """A predicate that does not hold."""

    name: str
    want: str
    seen: str


@dataclass(frozen=True)
class Truth:
    """What the building says of itself at a moment."""

    line: Line | None
    """None: there is no such line, or the state is about the building."""
    orders: list[Order]
    """The live ones of the line."""
    shipments: list[ShownShipment]
    inspections: list[ShownInspection]
    pending: list[str]
    """Kinds of the open questions about the line."""
    is_closed: bool
    line_count: int


async def read_truth(player: Player, state: State, item: str | None, pending: list[str]) -> Truth:
    """What the predicates of this state need to know, and no more."""
    reader, asked = _Reader(player), set(state.predicates)
    orders = await reader.read_all("purchase-orders", Order) if asked & {"orders", "ordered", "order_total"} else []
    shipments = await reader.read_all("shipments", ShownShipment) if asked & {"received", "in_transit"} else []
    inspections = await reader.read_all("inspections", ShownInspection) if "received" in asked else []
    building = await player.read(f"/buildings/{player.building_id}") if "closed" in asked else None
    lines = await reader.read_all("items", Line) if "lines" in asked else []
    return Truth(
        line=await reader.read_line(item),
        orders=[o for o in orders if o.status != "cancelled" and any(line.item == item for line in o.lines)],
        shipments=[shipment for shipment in shipments if shipment.item_id == item],
        inspections=[inspection for inspection in inspections if inspection.item_id == item],
        pending=pending,
        is_closed=building is not None and ShownBuilding.model_validate(building).status == "closed",
        line_count=sum(line.status != "removed" for line in lines),
    )


@dataclass(frozen=True)
class _Reader:
    player: Player

    async def read_line(self, item: str | None) -> Line | None:
        found = await self.player.read(f"/buildings/{self.player.building_id}/items/{item}") if item else None
        return None if found is None else Line.model_validate(found)

    async def read_all(self, name: str, model: type[R]) -> list[R]:
        """All rows of a list, page by page."""
        path = f"/buildings/{self.player.building_id}/{name}?limit={PAGE_SIZE}"
        rows: list[R] = []
        cursor: str | None = None
        while True:
            found = await self.player.read(path if cursor is None else f"{path}&cursor={cursor}")
            page = ShownPage[model].model_validate(found)  # type: ignore[valid-type]
            rows += page.data
            cursor = page.next_cursor
            if not cursor:
                return rows


def compare(state: State, item: str | None, truth: Truth) -> list[Difference]:
    """The predicates that do not hold; `late: true` apart, which `is_shown_late` answers."""
    differences = []
    for name in state.predicates:
        want = getattr(state, name)
        if item and truth.line is None and name != "exists":
            differences.append(Difference(name, _show(want), "no such line"))
        elif name == "late" and want:
            continue
        elif (found := PREDICATES[name](state, item or "", truth)) is not None:
            differences.append(Difference(name, _show(want), _show(found.value)))
    return differences


def is_shown_late(truth: Truth) -> bool:
    """Whether a line is still shown as late, by its band or by an open question."""
    return truth.line is not None and (truth.line.schedule_band == "conflict" or bool(truth.pending))


@dataclass(frozen=True)
class SeenInstead:
    """What is seen instead of what should be."""

    value: Value


Predicate = Callable[[State, str, Truth], SeenInstead | None]
"""None: it holds."""


def _expect(name: str, read: Callable[[str, Truth], Value]) -> Predicate:
    """A predicate that holds where what is read equals what is written."""

    def seen(state: State, item: str, truth: Truth) -> SeenInstead | None:
        found = read(item, truth)
        return None if found == getattr(state, name) else SeenInstead(found)

    return seen


def _compare_field(name: str) -> Predicate:
    return _expect(name, lambda _, truth: getattr(truth.line, name, None))


def _compare_status(state: State, _: str, truth: Truth) -> SeenInstead | None:
    seen = truth.line.status if truth.line else None
    return None if seen in state.status else SeenInstead(seen)


def _compare_eta_not(state: State, _: str, truth: Truth) -> SeenInstead | None:
    seen = truth.line.eta if truth.line else None
    return SeenInstead(seen) if seen == state.eta_not else None


def _compare_pending(state: State, _: str, truth: Truth) -> SeenInstead | None:
    wanted = state.pending
    fits = bool(truth.pending) == wanted if isinstance(wanted, bool) else bool(set(wanted) & set(truth.pending))
    return None if fits else SeenInstead([*truth.pending] or False)


def _compare_received(state: State, _: str, truth: Truth) -> SeenInstead | None:
    kept = [shipment for shipment in truth.shipments if shipment.status == "received"]
    lots = (lot.quantity or shipment.quantity for shipment in kept for lot in shipment.receipts or [])
    seen = sum((lot or Decimal(0) for lot in lots), Decimal(0))
    ids = {shipment.shipment_id for shipment in kept}
    for inspection in truth.inspections:
        if inspection.disposition in SENT_BACK and inspection.shipment_id in ids:
            seen -= inspection.quantity_rejected or Decimal(0)
    said = truth.line is not None and truth.line.holds_amount(state.received)
    return None if said or seen == state.received else SeenInstead(seen)


def _sum_ordered(item: str, truth: Truth) -> Decimal:
    whole = (truth.line.quantity if truth.line else None) or Decimal(1)
    lines = [line for order in truth.orders for line in order.lines if line.item == item]
    return sum((whole if line.quantity is None else line.quantity for line in lines), Decimal(0))


def _sum_totals(_: str, truth: Truth) -> Decimal:
    return sum((order.total or Decimal(0) for order in truth.orders), Decimal(0))


def _is_there(_: str, truth: Truth) -> bool:
    return truth.line is not None and truth.line.status != "removed"


def _count_in_transit(_: str, truth: Truth) -> int:
    return sum(shipment.status == "in_transit" for shipment in truth.shipments)


PREDICATES: dict[str, Predicate] = {
    "exists": _expect("exists", _is_there),
    "released": _expect("released", lambda _, truth: truth.line is not None and truth.line.status == "released"),
    "complete": _expect("complete", lambda _, truth: truth.line is not None and truth.line.logistics == "on_site"),
    "late": _expect("late", lambda _, truth: truth.line is not None and truth.line.schedule_band == "conflict"),
    "status": _compare_status,
    "required_by": _compare_field("required_by"),
    "promised_date": _compare_field("promised_date"),
    "eta": _compare_field("eta"),
    "eta_not": _compare_eta_not,
    "quantity": _compare_field("quantity"),
    "received": _compare_received,
    "ordered": _expect("ordered", _sum_ordered),
    "orders": _expect("orders", lambda _, truth: len(truth.orders)),
    "order_total": _expect("order_total", _sum_totals),
    "in_transit": _expect("in_transit", _count_in_transit),
    "pending": _compare_pending,
    "closed": _expect("closed", lambda _, truth: truth.is_closed),
    "lines": _expect("lines", lambda _, truth: truth.line_count),
}


def _read_number(value: JsonValue) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _show(value: Value) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
