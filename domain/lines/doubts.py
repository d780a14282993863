"""What on file contradicts each other, in words, and as the question that is put about it."""

from datetime import date
from typing import Any

from domain.lines.account import Doubt
from domain.lines.facts import Arrived, Departed, Fact, Inspected, Stated
from domain.lines.gate import Impossibility, correct_day, nearest_after
from domain.lines.projection import account_of, is_untold
from domain.lines.stored import read_row
from domain.outside import shown_name
from domain.plain_json import JsonObject
from domain.procurement import FactRow, Item, LineFile

_EVENTS = {
    "departed": "Shipment_Departed_Factory",
    "arrived": "Shipment_Arrived_Site",
    "inspected": "Inspection_Passed",
    "stated": "ETA_Changed",
}


def doubts_of(file: LineFile) -> list[Doubt]:
    """What on file contradicts each other now."""
    return list(account_of(file).doubts)


def doubt_subject(file: LineFile, fact: Fact, doubt: Doubt, event: JsonObject | None = None) -> JsonObject:
    """What is asked about a doubted fact, whichever report made it doubtful. `event`: the fact as it came, where it
    has just come in."""
    row = next((row for row in file.facts if row.key == doubt.fact), None)
    event = event or (retell(row, file) if row is not None else None)
    known: JsonObject = {
        "arrived": [str(receipt.received_on) for receipt in file.receipts if not receipt.is_voided],
        "orders": [order.number for order in file.orders],
    }
    subject: JsonObject = {
        "detail": doubt_detail(file.item, fact, doubt),
        "known": known,
        "doubt": doubt.reason,
        **({"event": event} if event else {}),
        "fact": doubt.fact,
        "matter": doubt.fact,
    }
    if doubt.reason == "eta_before_departure" and doubt.day is not None and event:
        slip = Impossibility(doubt.reason, fact.day, nearest_after(fact.day, doubt.day))
        subject |= {"known": {"day": str(slip.day), "departed": str(doubt.day)}, **corrected(event, fact, slip)}
    return subject


def corrected(event: JsonObject, fact: Fact, slip: Impossibility) -> JsonObject:
    """The event with the day that was probably meant, as a question offers it; empty where no year makes it true."""
    meant = correct_day(fact, slip)
    if meant is None or slip.probably is None:
        return {}
    days = _days_of(fact), _days_of(meant)
    moved = {name: day.isoformat() for name, day in days[1].items() if day != days[0][name] and name in event}
    return {"corrected": {**event, **moved}, "probably": str(slip.probably)}


def _days_of(fact: Fact) -> dict[str, date]:
    """The days of a fact by the names that events give them."""
    if isinstance(fact, Departed):
        return {"date_departed": fact.day, **({"eta": fact.eta} if fact.eta else {})}
    if isinstance(fact, Stated):
        return {"promised_date" if fact.kind == "promise" else "eta": fact.day}
    return {"date_arrived" if isinstance(fact, Arrived) else "inspection_date": fact.day}


def retell(row: FactRow, file: LineFile) -> JsonObject | None:
    """The event that tells a fact, from what is kept of it; None of what no event tells."""
    if row.kind not in _EVENTS:
        return None
    details, fact = row.details, read_row(row)
    shown = next((one.shipment_id for one in file.shipments if one.fact and one.fact == row.shipment_id), None)
    told: dict[str, Any] = {
        "event_type": _EVENTS[row.kind],
        "item": file.item.name,
        "occurred_at": None if is_untold(fact) else row.said_at.isoformat(),
        "purchase_order": row.order,
        "shipment_id": shown or row.shipment_id,
        "quantity": _plain(row.quantity),
        **{name: day.isoformat() for name, day in _days_of(fact).items()},
    }
    if row.kind == "stated" and details.kind == "promise":
        told["event_type"] = "Purchase_Order_Acknowledged"
    elif row.kind == "departed":
        told |= {"location_address": details.origin or "-"}
    elif row.kind == "arrived":
        told |= {
            "location_address": details.place or "-",
            "complete": details.is_complete,
            "serials": details.serials or None,
            "place": "storage" if details.is_off_site else None,
            "quantity_damaged": _plain(details.damaged),
            "condition": details.condition,
        }
    elif row.kind == "inspected":
        told |= {"document_url": details.document_url or "-", "document_name": details.document or "-"}
        if not details.passed:
            told |= {
                "event_type": "Inspection_Failed",
                "defects": details.defects or None,
                "quantity_rejected": _plain(details.rejected),
                "ncr_number": details.ncr_number,
            }
    return {name: value for name, value in told.items() if value is not None}


def _plain(quantity: Any) -> str | None:
    return None if quantity is None else f"{quantity.normalize():f}"


def doubt_detail(item: Item, fact: Fact, doubt: Doubt) -> str:
    """One line: what was reported, and what it contradicts."""
    unit = shown_name(item.unit or "units")
    quantity = "" if fact.quantity is None else f"{fact.quantity.normalize():f} {unit} "
    reported = f"{item.shown}: {quantity}reported as {what_happened(fact)} on {fact.day}"
    there = "" if doubt.quantity is None else f"{doubt.quantity.normalize():f} {unit}"
    return {
        "departed_after_arrival": f"{item.shown}: {quantity}arrived on {doubt.day}, before it departed on {fact.day}",
        "nothing_left_to_ship": f"{reported}, but nothing of it is left to leave",
        "nothing_left_to_arrive": f"{reported}, but all of it had arrived before",
        "nothing_to_inspect": f"{reported}, before it arrived on {doubt.day}"
        if doubt.day
        else f"{reported}, but nothing of it had arrived by then",
        "unknown_shipment": f"{item.shown}: expected on {fact.day} with shipment {shown_name(fact.shipment_id or '')}, "
        "of which nobody has reported anything",
        "more_rejected_than_there": f"{reported} with more rejected than the {there} that were there",
        "unknown_ncr": f"{item.shown}: a decision about a nonconformance that is not on file",
        "more_decided_than_rejected": f"{item.shown}: a decision about more than the {there} that were rejected",
        "unknown_order": f"{reported} of {shown_name(fact.order or 'an order')}, which is not an order of this line",
        "cancelled_order": f"{reported}, but {shown_name(fact.order or doubt.order or 'its order')} is cancelled",
        "told_twice": f"{reported}, which may be the one that was reported before",
        "eta_before_departure": f"{item.shown}: expected on {fact.day}, before it departed on {doubt.day}",
    }[doubt.reason]


_IMPOSSIBLE = {
    "in_the_future": "{what} on {day}, a day that is still to come",
    "too_long_ago": "{what} on {day}, which is years ago",
    "too_far_ahead": "expected on {day}, which is years ahead",
    "eta_before_departure": "expected on {day}, before it departed",
    "eta_long_past": "expected on {day}, which was long past when it was said",
}


def impossible_detail(item: Item, fact: Fact, found: Impossibility) -> str:
    """One line: what was reported, and why it cannot be true by its own days."""
    return f"{item.shown}: {_IMPOSSIBLE[found.reason].format(what=what_happened(fact), day=found.day)}"


def what_happened(fact: Fact) -> str:
    """What a fact tells, in a word."""
    if isinstance(fact, Departed):
        return "departed"
    if isinstance(fact, Arrived):
        return "arrived"
    return "inspected" if isinstance(fact, Inspected) else "reported"
