"""A building of several hundred events, made by rule: the same troubles in each of its four quarters.

In every quarter the same number of lines fails its inspection, comes late, is acknowledged with exceptions, is beyond
the agent's authority, and is reported under a name that no line has. So whatever falls from quarter to quarter does
not fall because less goes wrong.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import zip_longest

from pydantic import JsonValue

from domain.actions import action
from domain.approvals import Option
from domain.plain_json import JsonObject, PlainAction, restated_event

QUARTERS = 4
LINES = 14
"""New lines in each quarter."""
START = date(2026, 1, 5)
PO_LIMIT = "20000"

KINDS = (
    ("Air Handling Unit", "23", "air", 4000),
    ("Switchgear", "26", "volt", 5000),
    ("Door Set", "08", "joinery", 900),
    ("Steel Frame", "05", "mill", 6000),
)
"""What is built in: name, category, vendor, price of one. Four pieces of each are ordered."""

FAILED, LATE, EXCEPTIONS, DEAR, MISNAMED = (0, 5, 10, 13), (3, 4, 11), (1, 6), (7,), (9,)
"""Which lines of a quarter have which trouble, by their number in it."""

TROUBLES = len(FAILED) + len(LATE) + len(EXCEPTIONS) + len(DEAR) + len(MISNAMED)
"""What somebody must decide on in each quarter: so many questions there would be if nothing was learned."""

Fields = dict[str, JsonValue | date]


@dataclass(frozen=True)
class Posted:
    """One event of the story."""

    line: "Line"
    event_type: str
    fields: JsonObject = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """One line of the story, with what befalls it."""

    quarter: int
    number: int

    @property
    def kind(self) -> tuple[str, str, str, int]:
        return KINDS[self.number % len(KINDS)]

    @property
    def name(self) -> str:
        return f"{self.kind[0]} {self.quarter + 1}.{self.number + 1}"

    @property
    def required_by(self) -> date:
        return START + timedelta(days=91 * self.quarter + 85)

    @property
    def price(self) -> int:
        return self.kind[3] * (2 if self.number in DEAR else 1)

    def spec(self) -> JsonObject:
        _, category, vendor, _ = self.kind
        return {
            "name": self.name,
            "category": category,
            "vendor_id": vendor,
            "quantity": "4",
            "unit_price": str(self.price if self.number in DEAR else min(self.price, 5000)),
            "lead_time_days": 30,
        }

    def events(self) -> Iterator[Posted]:
        """What is reported of the line, in order."""
        start = START + timedelta(days=91 * self.quarter + self.number)
        report = {"document_url": "https://docs.example/r.pdf", "document_name": "Report"}
        submittal = {"document_url": "https://docs.example/s.pdf", "document_name": "Submittal"}
        yield self._of("Submittal_Approved", **submittal)
        exceptions: list[JsonValue] = ["5 % dearer than ordered"] if self.number in EXCEPTIONS else []
        promised = self.required_by - timedelta(days=14)
        yield self._of("Purchase_Order_Acknowledged", promised_date=promised, exceptions=exceptions)
        sent: Fields = {"date_departed": start + timedelta(days=40), "location_address": "Factory"}
        yield self._of("Shipment_Departed_Factory", eta=promised, **sent)
        if self.number in LATE:
            eta = self.required_by + timedelta(days=3 + self.quarter)
            yield self._of("ETA_Changed", eta=eta, reason="carrier is late")
        arrived: Fields = {"date_arrived": start + timedelta(days=60), "location_address": "Site"}
        named: Fields = {"item": self._nickname} if self.number in MISNAMED else {}
        yield self._of("Shipment_Arrived_Site", **arrived, **named)
        day = start + timedelta(days=61)
        if self.number not in FAILED:
            yield self._of("Inspection_Passed", inspection_date=day, **report)
            return
        yield self._of("Inspection_Failed", inspection_date=day, defects=["damaged"], **report)
        if self.kind[1] != "08":
            yield self._of("Shipment_Arrived_Site", date_arrived=day + timedelta(days=20), location_address="Site")
        yield self._of("Inspection_Passed", inspection_date=day + timedelta(days=21), **report)

    @property
    def _nickname(self) -> str:
        """What the carrier calls it."""
        return f"lot {self.quarter + 1}{self.number + 1} {self.kind[0].split()[-1]}"

    def _of(self, event_type: str, **fields: JsonValue | date) -> Posted:
        plain: JsonObject = {
            key: value.isoformat() if isinstance(value, date) else value for key, value in fields.items()
        }
        return Posted(self, event_type, {"item": self.name, **plain})


def lines() -> list[Line]:
    return [Line(quarter, number) for quarter in range(QUARTERS) for number in range(LINES)]


def opening() -> JsonObject:
    """The building as it is posted, without its id."""
    deliveries: list[JsonValue] = [
        {"item": line.name, "required_by": line.required_by.isoformat(), "buffer_days": 5} for line in lines()
    ]
    return {
        "name": "A long building",
        "schedule": {"project": {"name": "A long building"}, "deliveries": deliveries},
        "items": [line.spec() for line in lines()],
        "vendors": [{"vendor_id": kind[2], "name": kind[2].title()} for kind in KINDS],
        "approvers": [{"role": "project_manager", "name": "Project manager"}],
        "policy": {"po_limit": PO_LIMIT},
    }


def events() -> Iterator[Posted]:
    """All events: quarter by quarter, the lines of a quarter side by side."""
    for quarter in range(QUARTERS):
        side_by_side = zip_longest(*(line.events() for line in lines() if line.quarter == quarter))
        yield from (event for row in side_by_side for event in row if event is not None)


def answer(kind: str, options: Sequence[Option], line: Line) -> list[PlainAction]:
    """What the project manager wants done: the same in the same case, whatever is recommended."""
    if kind == "item_unknown":
        event = restated_event(options[0].actions[0]) or {}
        return [action("restate_event", event={**event, "item": line.name})]
    wanted = {
        "inspection_failed": "repair_item" if line.kind[1] == "08" else "reorder_item",
        "schedule_conflict": "expedite_order",
        "acknowledgement_exception": "accept_as_is",
        "order_beyond_authority": "issue_purchase_order",
        "delegation_request": "grant_delegation",
    }[kind]
    return next(option.actions for option in options if option.actions[0]["name"] == wanted)
