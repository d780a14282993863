"""The buildings and events of the benchmarks: what a site's systems send about a line, from submittal to release."""

from collections.abc import Iterator

from domain.plain_json import JsonObject

Event = JsonObject

LIFE = 6
"""Events of one line's life."""


def building(building_id: str, lines: int, *, policy: JsonObject | None = None) -> JsonObject:
    """The body of `POST /buildings`, with so many lines, a vendor and prices."""
    names = [f"Line {number:03}" for number in range(lines)]
    items: list[JsonObject] = [
        {
            "item_id": f"line-{number:03}",
            "name": name,
            "vendor_id": "acme",
            "quantity": "40",
            "unit": "pcs",
            "unit_price": "125.50",
            "lead_time_days": 30,
        }
        for number, name in enumerate(names)
    ]
    deliveries: list[JsonObject] = [{"item": name, "required_by": "2026-06-15", "buffer_days": 5} for name in names]
    return {
        "building_id": building_id,
        "name": f"Building {building_id}",
        "schedule": {"project": {"name": building_id, "start_date": "2026-02-01"}, "deliveries": [*deliveries]},
        "items": [*items],
        "vendors": [{"vendor_id": "acme", "name": "Acme Supply", "contact": "orders@acme.example"}],
        "contacts": {"receiving": "receiving@site.example", "project_manager": "pm@site.example"},
        **({} if policy is None else {"policy": policy}),
    }


def life(number: int) -> list[Event]:
    """What is sent about one line: approved, departed, another ETA, a note, arrived, passed."""
    item = f"Line {number:03}"
    sent: list[Event] = [
        {
            "event_type": "Submittal_Approved",
            "document_url": "https://docs.example/submittal.pdf",
            "document_name": "Submittal",
        },
        {
            "event_type": "Shipment_Departed_Factory",
            "eta": "2026-05-20",
            "date_departed": "2026-05-01",
            "location_address": "Factory 4, Springfield",
        },
        {"event_type": "ETA_Changed", "eta": "2026-05-24", "reason": "port congestion"},
        {"event_type": "Human_Input", "text": f"{item}: the crane is booked for the morning of the delivery."},
        {"event_type": "Shipment_Arrived_Site", "date_arrived": "2026-05-24", "location_address": "Gate 2"},
        {
            "event_type": "Inspection_Passed",
            "inspection_date": "2026-05-25",
            "document_url": "https://docs.example/report.pdf",
            "document_name": "Report",
        },
    ]
    return [{**event, "item": item, "source": "bench", "event_id": f"{number}-{i}"} for i, event in enumerate(sent)]


def story(lines: int) -> list[Event]:
    """All events of a building, step by step over its lines."""
    lives = [life(number) for number in range(lines)]
    return [one[step] for step in range(LIFE) for one in lives]


def eta_changes(item: str) -> Iterator[Event]:
    """Ever new dates for a line that was shipped, all of them early enough."""
    number = 0
    while True:
        number += 1
        day = f"2026-05-{10 + number % 12:02}"
        event_id = f"eta-{item}-{number}"
        yield {"event_type": "ETA_Changed", "item": item, "eta": day, "source": "bench", "event_id": event_id}
