"""What the lines of a building were taken on with when it was created, told from its first rows as it was posted."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from domain.taking_on import SOURCE
from evals.history import History

Row = dict[str, Any]

_HANDLED = {"accept": "use_as_is", "repair": "repair", "return": "return", "scrap": "scrap"}


def states_of(history: History) -> dict[str, Row]:
    """By line: its `state` in the body of `POST /buildings`."""
    orders = {row["number"]: row for row in history.first("purchase_orders")}
    lines: dict[str, list[Row]] = defaultdict(list)
    for row in history.first("purchase_order_lines"):
        lines[row["item_id"]].append(row)
    facts: dict[str, list[Row]] = defaultdict(list)
    for row in history.first("facts"):
        if row["source"] == SOURCE:
            facts[row["item_id"]].append(row)
    taken = [row["item_id"] for row in history.first("items") if row.get("taken_on")]
    return {item_id: _state(lines[item_id], orders, facts[item_id]) for item_id in dict.fromkeys(taken)}


def _state(lines: list[Row], orders: dict[str, Row], facts: list[Row]) -> Row:
    verdict = next((fact for fact in facts if fact["kind"] == "submitted"), None)
    # A line may be saved more than once: the last image of each order line counts.
    last = {(line["number"], line["line"]): line for line in lines}
    told = [_order(line, orders[line["number"]], facts) for line in last.values()]
    return _known({"submittal": verdict and _submittal(verdict), "orders": told or None})


def _submittal(fact: Row) -> Row:
    details = fact["details"]
    verdict = "approved" if details["is_approved"] else "rejected"
    return _known({"verdict": verdict, "revision": details["revision"], "on": _day(fact)})


def _order(line: Row, order: Row, facts: list[Row]) -> Row:
    own = [fact for fact in facts if fact["event_id"].startswith(f"{line['number']}:")]
    promise = next((fact for fact in own if fact["event_id"].endswith(":promise")), None)
    shipments = _shipments(line["number"], own)
    came = sum((Decimal(one["quantity"]) for one in shipments if one.get("quantity")), Decimal(0))
    over = came - Decimal(line["quantity"]) if line["quantity"] else Decimal(0)
    return _known(
        {
            "number": order["external_ref"],
            "vendor_id": order["vendor_id"],
            "ordered_on": order["issued_on"],
            "quantity": line["quantity"],
            "over": f"{over.normalize():f}" if over > 0 else None,
            "unit_price": line["unit_price"],
            "currency": order["currency"],
            "acknowledged_on": order["acknowledged_on"],
            "promised_on": promise and promise["day"],
            "said_on": promise and _said_on(promise),
            "cancelled": order["status"] == "cancelled" or None,
            "shipments": shipments or None,
        }
    )


def _shipments(number: str, facts: list[Row]) -> list[Row]:
    """The shipments of an order, in their places: the names of their facts tell."""
    by_place: dict[int, dict[str, Row]] = defaultdict(dict)
    for fact in facts:
        place, _, kind = fact["event_id"].removeprefix(f"{number}:").partition(":")
        if kind:
            by_place[int(place)][kind] = fact
    return [_shipment(by_place[place]) for place in sorted(by_place)]


def _shipment(told: dict[str, Row]) -> Row:
    departed, arrived, eta = told.get("departed"), told.get("arrived"), told.get("eta")
    accepted, rejected, decided = told.get("accepted"), told.get("rejected"), told.get("decided")
    first = next(iter(told.values()))
    moved = arrived or departed or first
    verdict = accepted or rejected
    return _known(
        {
            "shipment_id": moved["shipment_id"],
            "quantity": moved["quantity"],
            "status": "received" if arrived else "in_transit" if departed else "expected",
            "departed_on": departed and _day(departed),
            "eta": departed["details"]["eta"] if departed else eta and eta["day"],
            "arrived_on": arrived and _day(arrived),
            "accepted": accepted and accepted["quantity"],
            "rejected": rejected and rejected["quantity"],
            "ncr_number": rejected and rejected["details"]["ncr_number"],
            "disposition": _HANDLED[decided["details"]["handling"]] if decided else None,
            "inspected_on": verdict and _day(verdict),
            "place": "storage" if arrived and arrived["details"]["is_off_site"] else None,
        }
    )


def _day(fact: Row) -> str | None:
    """The day on which it happened; None: nobody knows."""
    return None if fact["details"]["is_undated"] else fact["day"]


def _said_on(fact: Row) -> str | None:
    said_on = str(fact["said_at"])[:10]
    return None if said_on.startswith("0001") else said_on


def _known(given: Row) -> Row:
    return {name: value for name, value in given.items() if value is not None}
