"""The largest and worst bodies that are let in: for every type of event, in every field."""

import json
import unicodedata
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from domain.events import EVENT_MODELS, EVENT_TYPES, MAX_BODY_BYTES
from domain.text import MAX_FOLDED

LINES = 5_000
KINDS: dict[str, type[BaseModel]] = {
    str(get_args(model.model_fields["event_type"].annotation)[0]): model for model in EVENT_MODELS
}
"""The model of each type of event."""

WORST = {
    "backslashes": 'password="' + "\\" * 20_000,
    "names of lines": "deliveries of the steel beam 7 of the steel beam 77 " * 400,
    "dates": "12.3. 4.5. 1/2/26 next monday not from 3rd of may " * 400,
    "hyphens": "a-" * 10_000,
    "spaces": "from" + " " * 19_900 + "1",
    "line ends": "from:\n" * 3_000,
    "digits": "from " + "1" * 19_900,
    "letters that grow": "\ufdfa" * 6_000,
    "sentences": "no. " * 5_000,
    "identifiers": "PO-.NCR-1-" * 2_000,
    "addresses": "http://a:b@c www.a.b. " * 900,
}
"""Texts on which some piece of the service once was slow, or could be; each is cut to what its field takes."""


def short_when_folded(name: str) -> str:
    """As much of a name as the door takes: some letters become eighteen."""
    while len(unicodedata.normalize("NFKC", name)) > MAX_FOLDED:
        name = name[: len(name) * 2 // 3]
    return name


def assert_every_type_is_known() -> None:
    assert set(KINDS) == set(EVENT_TYPES)


def building(lines: int = LINES) -> dict[str, Any]:
    """The largest building: lines, deliveries that all want the same id, and vendors."""
    return {
        "building_id": "tower",
        "name": "Tower",
        "schedule": {
            "project": {"name": "Tower", "start_date": "2026-02-01"},
            "deliveries": [
                {"item": "Same Name" + "!" * (number % 150 + 1) + "?" * (number // 150), "required_by": "2026-05-01"}
                for number in range(lines)
            ],
        },
        "items": [
            {
                "item_id": f"steel-beam-{number}",
                "name": f"Steel Beam {number} " + "long " * 20,
                "vendor_id": f"v{number % 2000}",
                "quantity": "12.5",
                "unit": "t",
                "unit_price": "1200.50",
                "lead_time_days": 30,
                "required_by": "2026-05-01",
                "buffer_days": 5,
            }
            for number in range(lines)
        ],
        "vendors": [
            {"vendor_id": f"v{number}", "name": f"Vendor {number}", "contact": "x" * 60} for number in range(2000)
        ],
    }


def events() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every type of event, with each of the worst texts in each field that takes text; and the largest lists."""
    for event_type in EVENT_TYPES:
        for name, text in WORST.items() if takes_words(event_type) else [("a small one", "x")]:
            yield f"{event_type}, {name}", _filled(event_type, text)
    yield (
        "Items_Changed, the most lines",
        {
            "event_type": "Items_Changed",
            "items": [{"item_id": f"steel-beam-{n}", "quantity": "2"} for n in range(1000)],
        },
    )
    yield (
        "Items_Changed, the most new lines",
        {
            "event_type": "Items_Changed",
            "items": [{"name": f"new line {n}"} for n in range(1000)],
        },
    )
    yield (
        "Items_Changed, the most that cannot be",
        {
            "event_type": "Items_Changed",
            "items": [{"item_id": f"nobody-{n}", "removed": True} for n in range(1000)],
        },
    )
    yield (
        "Schedule_Revised, the most deliveries",
        {
            "event_type": "Schedule_Revised",
            "schedule": {
                "project": {"name": "Tower"},
                "deliveries": [{"item": f"steel-beam-{n}", "required_by": "2026-04-01"} for n in range(850)],
            },
        },
    )
    yield (
        "Schedule_Revised, the most new deliveries",
        {
            "event_type": "Schedule_Revised",
            "schedule": {
                "project": {"name": "Tower"},
                "deliveries": [{"item": "x" + "!" * n, "required_by": "2026-04-01"} for n in range(199)],
            },
        },
    )
    yield (
        "Purchase_Order_Acknowledged, the most exceptions",
        {
            "event_type": "Purchase_Order_Acknowledged",
            "item": "steel-beam-7",
            "promised_date": "2076-12-31",
            "exceptions": [{"kind": "price", "detail": "e" * 900} for _ in range(50)],
        },
    )


def takes_words(event_type: str) -> bool:
    """Whether a field of it takes a long text."""
    return any(_longest(field) >= 1_000 for field in KINDS[event_type].model_json_schema()["properties"].values())


def _filled(event_type: str, text: str) -> dict[str, Any]:
    """The event with the text in every field that takes text, as much of it as the body may hold."""
    schema = KINDS[event_type].model_json_schema()
    fields = schema["properties"]
    takes_text = [name for name, field in fields.items() if _longest(field) >= 1_000]
    share = (MAX_BODY_BYTES - 8_000) // max(1, len(takes_text))
    while len(json.dumps(text[:share]).encode()) > (MAX_BODY_BYTES - 8_000) // max(1, len(takes_text)):
        share = share * 2 // 3
    body: dict[str, Any] = {"event_type": event_type}
    for name, field in fields.items():
        longest = min(_longest(field), share)
        if name in ("event_type", "event_id", "source", "occurred_at", "quantity", "purchase_order"):
            continue
        if longest:
            value = (text[:longest].strip() or "x")[:longest]
            body[name] = short_when_folded(value) if longest <= 200 else value
        elif name in _VALUES:
            body[name] = _VALUES[name]
    if event_type in ("Items_Changed", "Schedule_Revised"):
        body |= {key: _VALUES[key] for key in ("items", "schedule") if key in fields}
    if event_type == "Event_Voided":
        body |= {"source": "gate", "event_id": "e1"}
    if "item" in fields and event_type != "Human_Input":
        body["item"] = "steel-beam-7" if len(text) % 2 else body["item"]
    return body


_VALUES: dict[str, Any] = {
    "items": [{"item_id": "steel-beam-9", "quantity": "3"}],
    "schedule": {"project": {"name": "Tower"}, "deliveries": [{"item": "steel-beam-9", "required_by": "2026-04-01"}]},
    **dict.fromkeys(("eta", "promised_date", "date_arrived", "inspection_date"), "2026-06-01"),
    "date_departed": "2026-03-01",
}


def _longest(field: dict[str, Any]) -> int:
    """Characters that a field of text takes; 0 where it takes none."""
    ways = field.get("anyOf", [field])
    return max((way.get("maxLength", 0) for way in ways if way.get("type") == "string"), default=0)
