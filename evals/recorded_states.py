"""What the lines of a building were taken on with when it was created, told from its first rows as it was posted."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from pydantic import JsonValue

from domain.plain_json import JsonObject
from domain.procurement import FactRow, Item, OrderLine, PurchaseOrder
from domain.taking_on import SOURCE, UNTOLD
from evals.history import History
from evals.on_file import ImageKind

_ORDERS, _ORDER_LINES, _FACTS, _ITEMS = map(
    ImageKind[JsonObject], ("purchase_orders", "purchase_order_lines", "facts", "items")
)
_HANDLED = {"accept": "use_as_is", "repair": "repair", "return": "return", "scrap": "scrap"}
Plain = str | date | Decimal | bool | int | list[JsonValue] | JsonObject | None


def states_of(history: History) -> dict[str, JsonObject]:
    """By line: its `state` in the body of `POST /buildings`."""
    orders = {row.number: row for row in map(PurchaseOrder.model_validate, history.first(_ORDERS))}
    lines: dict[str, dict[tuple[str, int], OrderLine]] = defaultdict(dict)
    for line in map(OrderLine.model_validate, history.first(_ORDER_LINES)):
        lines[line.item_id][line.number, line.line] = line  # of a line that was saved again, the last image counts
    facts: dict[str, list[FactRow]] = defaultdict(list)
    for fact in map(FactRow.model_validate, history.first(_FACTS)):
        if fact.source == SOURCE:
            facts[fact.item_id].append(fact)
    items = map(Item.model_validate, history.first(_ITEMS))
    taken = dict.fromkeys(item.item_id for item in items if item.taken_on is not None)
    return {item_id: _state([*lines[item_id].values()], orders, facts[item_id]) for item_id in taken}


def _state(lines: Sequence[OrderLine], orders: Mapping[str, PurchaseOrder], facts: Sequence[FactRow]) -> JsonObject:
    verdict = next((fact for fact in facts if fact.kind == "submitted"), None)
    told: list[JsonValue] = [_order(line, orders[line.number], facts) for line in lines]
    return _known(submittal=None if verdict is None else _submittal(verdict), orders=told or None)


def _submittal(fact: FactRow) -> JsonObject:
    verdict = "approved" if fact.details.is_approved else "rejected"
    return _known(verdict=verdict, revision=fact.details.revision, on=_day(fact))


def _order(line: OrderLine, order: PurchaseOrder, facts: Sequence[FactRow]) -> JsonObject:
    own = [fact for fact in facts if fact.event_id.startswith(f"{line.number}:")]
    promise = next((fact for fact in own if fact.event_id.endswith(":promise")), None)
    shipments = _shipments(line.number, own)
    came = sum((Decimal(str(one["quantity"])) for one in shipments if "quantity" in one), Decimal(0))
    over = Decimal(0) if line.quantity is None else came - line.quantity
    return _known(
        number=order.external_ref,
        vendor_id=order.vendor_id,
        ordered_on=order.issued_on,
        quantity=line.quantity,
        over=over if over > 0 else None,
        unit_price=line.unit_price,
        currency=order.currency,
        acknowledged_on=order.acknowledged_on,
        promised_on=None if promise is None else promise.day,
        said_on=None if promise is None or promise.said_at == UNTOLD else promise.said_at.date(),
        cancelled=order.status == "cancelled" or None,
        shipments=[*shipments] or None,
    )


def _shipments(number: str, facts: Sequence[FactRow]) -> list[JsonObject]:
    """The shipments of an order, in their places: the names of their facts tell."""
    by_place: dict[int, dict[str, FactRow]] = defaultdict(dict)
    for fact in facts:
        place, _, kind = fact.event_id.removeprefix(f"{number}:").partition(":")
        if kind:
            by_place[int(place)][kind] = fact
    return [_shipment(by_place[place]) for place in sorted(by_place)]


def _shipment(told: Mapping[str, FactRow]) -> JsonObject:
    departed, arrived, eta = told.get("departed"), told.get("arrived"), told.get("eta")
    accepted, rejected, decided = told.get("accepted"), told.get("rejected"), told.get("decided")
    moved = arrived or departed or next(iter(told.values()))
    verdict = accepted or rejected
    return _known(
        shipment_id=moved.shipment_id,
        quantity=moved.quantity,
        status="received" if arrived else "in_transit" if departed else "expected",
        departed_on=_day(departed),
        eta=departed.details.eta if departed else eta.day if eta else None,
        arrived_on=_day(arrived),
        accepted=accepted.quantity if accepted else None,
        rejected=rejected.quantity if rejected else None,
        ncr_number=rejected.details.ncr_number if rejected else None,
        disposition=_HANDLED[decided.details.handling] if decided and decided.details.handling else None,
        inspected_on=_day(verdict),
        place="storage" if arrived and arrived.details.is_off_site else None,
    )


def _day(fact: FactRow | None) -> date | None:
    """The day on which it happened; None: nobody knows."""
    return None if fact is None or fact.details.is_undated else fact.day


def _known(**given: Plain) -> JsonObject:
    """What is known, in JSON's types."""
    return {name: _plain(value) for name, value in given.items() if value is not None}


def _plain(value: Plain) -> JsonValue:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, date) else value
