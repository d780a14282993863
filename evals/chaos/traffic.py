"""What a site's systems send: lives of lines, mixed up, with repeats, contradictions, mistakes and free text.

Made from a seed alone, but for the day it is run on, from which all days are counted.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from pydantic import JsonValue

Event = dict[str, JsonValue]

SOURCES = ("docs", "logistics", "qa")
"""Every source counts its events from 1: an id is unique for its source only."""
LINES = 6
AT_ONCE = 2
"""Lines of a building whose lives are told at the same time."""
LATE_DAYS = (40, 55, 61, 75)
REQUIRED_IN = 60


def building(building_id: str, chance: Random) -> Event:
    """The body of `POST /buildings`: a limit that some orders pass, a vendor who is not approved, a line without a
    vendor."""
    items: list[Event] = [
        {
            "item_id": f"line-{number}",
            "name": f"Line {number}",
            "vendor_id": chance.choice(("acme", "acme", "acme", "newcomer")),
            "quantity": str(chance.choice((4, 4, 40))),
            "unit": "pcs",
            "unit_price": "125.50",
            "lead_time_days": 30,
        }
        for number in range(LINES)
    ]
    if chance.random() < 0.3:
        del items[-1]["vendor_id"]
    return {
        "building_id": building_id,
        "name": f"Building {building_id}",
        "schedule": _schedule(REQUIRED_IN),
        "items": [*items],
        "vendors": [
            {"vendor_id": "acme", "name": "Acme Supply", "contact": "orders@acme.example"},
            {"vendor_id": "newcomer", "name": "Newcomer", "contact": "sales@newcomer.example", "approved": False},
        ],
        "contacts": {"receiving": "receiving@site.example", "project_manager": "pm@site.example"},
        "policy": {"po_limit": "4000"},
    }


def _schedule(required_in: int) -> Event:
    deliveries: list[JsonValue] = [
        {"item": f"Line {number}", "required_by": _day(required_in + number), "buffer_days": 5}
        for number in range(LINES)
    ]
    return {"project": {"name": "Chaos", "start_date": _day(-30)}, "deliveries": deliveries}


def _day(in_days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=in_days)).date().isoformat()


def story(chance: Random, count: int) -> list[Event]:
    """So many events for one building, each with its source and event_id."""
    lives = [list(_life(chance, f"Line {number}")) for number in range(LINES)]
    told: list[Event] = []
    while len(told) < count:
        waiting = [life for life in lives if life][:AT_ONCE]
        if chance.random() < 0.2 or not waiting:
            told.append(_aside(chance, told))
        else:
            told.append(chance.choice(waiting).pop(0))
    return _signed(chance, told)


def _signed(chance: Random, told: list[Event]) -> list[Event]:
    numbers = dict.fromkeys(SOURCES, 0)
    signed: list[Event] = []
    for event in told:
        source = chance.choice(SOURCES)
        numbers[source] += 1
        signed.append({**event, "source": source, "event_id": str(numbers[source])})
    return signed


def _life(chance: Random, item: str) -> Iterator[Event]:
    """A line from its submittal to its release, maybe over a failed inspection."""
    document = {"document_url": "https://docs.example/1.pdf", "document_name": "Document"}
    if chance.random() < 0.2:
        yield {"event_type": "Submittal_Rejected", "item": item, "reason": "The finish is wrong."}
    yield {"event_type": "Submittal_Approved", "item": item, **document}
    if chance.random() < 0.5:
        exceptions: list[JsonValue] = ["The price is 3 % higher."] if chance.random() < 0.3 else []
        promised = _day(chance.choice(LATE_DAYS))
        yield {
            "event_type": "Purchase_Order_Acknowledged",
            "item": item,
            "promised_date": promised,
            "exceptions": exceptions,
        }
    yield {
        "event_type": "Shipment_Departed_Factory",
        "item": item,
        "eta": _day(chance.choice(LATE_DAYS)),
        "date_departed": _day(1),
        "location_address": "Factory 4",
    }
    for _ in range(chance.randint(0, 3)):
        yield {"event_type": "ETA_Changed", "item": item, "eta": _day(chance.choice(LATE_DAYS))}
    yield {"event_type": "Shipment_Arrived_Site", "item": item, "date_arrived": _day(30), "location_address": "Gate 2"}
    if chance.random() < 0.4:
        yield {"event_type": "Inspection_Failed", "item": item, "inspection_date": _day(31), **document}
    yield {"event_type": "Inspection_Passed", "item": item, "inspection_date": _day(32), **document}


def _aside(chance: Random, told: list[Event]) -> Event:
    """What comes in between: a note, a repeat under another id, free text, a line nobody knows, a new schedule."""
    item = f"Line {chance.randrange(LINES)}"
    kind = chance.random()
    if kind < 0.3 and told:
        return dict(chance.choice(told))
    if kind < 0.6:
        return {"event_type": "Human_Input", "text": f"{item}: the crane is booked.", "item": item}
    if kind < 0.7:
        return {"event_type": "Message_Received", "text": f"About {item}: we are running late.", "sender": "Acme"}
    if kind < 0.8:
        return {"event_type": "ETA_Changed", "item": "Line nobody knows", "eta": _day(20)}
    if kind < 0.9:
        return {"event_type": "Schedule_Revised", "schedule": _schedule(REQUIRED_IN + chance.randint(-10, 10))}
    return {"event_type": "Items_Changed", "items": [{"item_id": f"line-{chance.randrange(LINES)}", "unit": "sets"}]}


UNREADABLE: Event = {"event_type": "Inspection_Failed", "item": "Line 1"}
"""As an older version might have accepted it: what its handler needs is missing."""
