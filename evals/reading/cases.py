"""Mails and replies with what an expert would make of them, and the building that they are about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

import yaml  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, JsonValue

from domain.plain_json import JsonObject
from domain.text import slug

NAMES = ("Elevator", "Fire Doors", "HVAC Units", "Steel Beams", "Steel Columns", "Switchgear", "Windows")
SENDER = "jo@acme.example"

Reported = dict[str, date | JsonValue]
"""An event as YAML has it: its days are days."""


class MailCase(BaseModel):
    """A mail, the events that it truly reports, and why it is for a person all the same, if it is."""

    model_config = ConfigDict(extra="forbid")

    id: str
    written: date
    sender: str = SENDER
    text: str
    reports: list[Reported]
    person: str | None = None
    held_out: bool = False
    """Written after the reader was built, and not to be tuned on."""


class ReplyCase(BaseModel):
    """A reply to a question, what it means, and what is then done: an action's name, and its day where it has one."""

    model_config = ConfigDict(extra="forbid")

    id: str
    to: str
    text: str
    means: str
    actions: list[str]
    person: str | None = None
    held_out: bool = False
    """Written after the reader was built, and not to be tuned on."""


def mails(*, held_out: bool = False) -> list[MailCase]:
    """The mails on which the reader was built, or those that were held out."""
    made = [MailCase.model_validate(case) for case in _loaded("mails.yaml")]
    return [case for case in made if case.held_out is held_out]


def replies(*, held_out: bool = False) -> list[ReplyCase]:
    """The replies on which the reader was built, or those that were held out."""
    made = [ReplyCase.model_validate(case) for case in _loaded("replies.yaml")]
    return [case for case in made if case.held_out is held_out]


def _loaded(name: str) -> list[Reported]:
    found: list[Reported] = yaml.safe_load(files("evals.reading").joinpath(name).read_text(encoding="utf-8"))
    return found


def building(building_id: str, *, with_vendors: bool = False) -> JsonObject:
    """The building of every case; the switchgear's vendor is known by address, and `with_vendors` all the others':
    without it no mail is taken in alone."""
    others = [name for name in NAMES if name != "Switchgear"] if with_vendors else []
    items: list[JsonObject] = [{"item_id": slug(name), "name": name, "vendor_id": "acme"} for name in others]
    vendors: list[JsonObject] = [{"vendor_id": "acme", "name": "Acme", "contact": SENDER}] if others else []
    return {
        "building_id": building_id,
        "name": "Reading",
        "schedule": {
            "project": {"name": "Reading"},
            "deliveries": [{"item": name, "required_by": "2026-12-01"} for name in NAMES],
        },
        "items": [
            {"item_id": "switchgear", "name": "Switchgear", "vendor_id": "volt"},
            *items,
        ],
        "vendors": [
            {"vendor_id": "volt", "name": "Volt", "contact": "orders@volt.example"},
            *vendors,
        ],
    }


REPLIED_ON = date(2026, 2, 24)
_REPORT = {"document_url": "https://docs.example/report.pdf", "document_name": "Report"}
QUESTIONS: dict[str, list[JsonObject]] = {
    "failed": [
        {"event_type": "Submittal_Approved", "item": "HVAC Units", "occurred_at": "2026-01-05T09:00:00Z", **_REPORT},
        {
            "event_type": "Shipment_Arrived_Site",
            "item": "HVAC Units",
            "date_arrived": "2026-02-20",
            "location_address": "Site",
        },
        {"event_type": "Inspection_Failed", "item": "HVAC Units", "inspection_date": "2026-02-23", **_REPORT},
    ],
    "late": [
        {"event_type": "Submittal_Approved", "item": "Steel Beams", "occurred_at": "2026-01-05T09:00:00Z", **_REPORT},
        {"event_type": "ETA_Changed", "item": "Steel Beams", "eta": "2026-12-08"},
    ],
}
"""The events that raise the question of each reply."""


@dataclass(frozen=True)
class Result:
    """How a case ended: `right`: done at once, or told, as an expert would; `confirmed`: the same after a plain yes to
    what was understood; `asked`: put to a person; `wrong`: something was carried out that should not have been."""

    id: str
    outcome: str
    read: bool
    """Whether what was read, carried out or only filled in, is what the text says."""
    detail: str


def counted(results: Sequence[Result]) -> dict[str, int]:
    made = {"cases": len(results), "read right": sum(result.read for result in results)}
    return made | {
        how: sum(result.outcome == how for result in results) for how in ("right", "confirmed", "asked", "wrong")
    }
