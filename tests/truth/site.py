"""A building under test, driven over REST: reports come in, the agent runs, and the log is read back."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx

from runtime.drain import Drainer
from tests.agent.desk import FixedClock

BUILDING = "site"
ORDERED_ON = "2026-02-02"
OWN_DAYS = ("date_departed", "date_arrived", "inspection_date", "occurred_at")
"""Fields from which the day of a report is taken, where a test does not say when it was received."""
PAPERS: dict[str, dict[str, str]] = {
    "Submittal_Approved": {"document_url": "/papers/1", "document_name": "Submittal"},
    "Inspection_Passed": {"document_url": "/papers/2", "document_name": "Report"},
    "Inspection_Failed": {"document_url": "/papers/3", "document_name": "Report"},
    "Shipment_Departed_Factory": {"location_address": "The factory"},
    "Shipment_Arrived_Site": {"location_address": "The gate"},
}

Found = dict[str, Any]


@dataclass
class Site:
    """One building with one vendor's line in it, unless a test adds others. Days are written as ISO dates."""

    client: httpx.AsyncClient
    drainer: Drainer
    clock: FixedClock
    item_id: str = "pumps"
    _sent: int = 0
    _items: list[Found] = field(default_factory=list)

    async def open(self, quantity: str | None = "12", need: str = "2026-06-01", **more: Any) -> None:
        """Open the building and order its line; `needs` are deliveries of the schedule with quantities."""
        needs = more.pop("needs", [(None, need)])
        policy = more.pop("policy", {})
        is_ordered = more.pop("is_ordered", True)
        line = {"item_id": "pumps", "name": "Pumps", "vendor_id": "kent", "unit": "pcs", "unit_price": "100"}
        line |= {"lead_time_days": 20, **({"quantity": quantity} if quantity else {}), **more}
        deliveries = [
            {"item": "Pumps", "required_by": day, "buffer_days": 5, **({"quantity": part} if part else {})}
            for part, day in needs
        ]
        made = await self.client.post(
            "/buildings",
            json={
                "building_id": BUILDING,
                "name": "Site",
                "time_zone": "UTC",
                "currency": "USD",
                "schedule": {"project": {"name": "Site"}, "deliveries": deliveries},
                "vendors": [
                    {"vendor_id": "kent", "name": "Kent", "contact": "orders@kent.example"},
                    {"vendor_id": "york", "name": "York", "contact": "orders@york.example"},
                ],
                "items": [line],
                "policy": policy,
            },
        )
        assert made.status_code == 201, made.text
        if is_ordered:
            await self.approve()

    # -- what is reported ----------------------------------------------------------------------------------------
    async def post(self, event_type: str, **fields: Any) -> httpx.Response:
        """Send an event; `received` is the day it comes in, the event's own day when absent."""
        received = fields.pop("received", None) or max(
            (fields[name] for name in OWN_DAYS if name in fields), default=""
        )
        if received:
            noon = datetime.fromisoformat(received[:10]).replace(hour=12, tzinfo=UTC)
            self.clock.moment = max(self.clock.moment, noon)
        self._sent += 1
        body = {"event_type": event_type, **PAPERS.get(event_type, {})}
        if event_type not in ("Items_Changed", "Schedule_Revised", "Building_Closed", "Event_Voided"):
            body["item"] = "Pumps"
        if event_type != "Event_Voided":
            body |= {"event_id": f"e-{self._sent}", "source": "yard"}
        answer = await self.client.post(f"/buildings/{BUILDING}/events", json={**body, **fields})
        await self.drainer.drain(BUILDING)
        return answer

    async def say(self, event_type: str, **fields: Any) -> Found:
        """Send an event that must be taken; the event with what became of it."""
        answer = await self.post(event_type, **fields)
        assert answer.status_code in (200, 202), answer.text
        event = answer.json()
        found = await self._get(
            f"/buildings/{BUILDING}/events/{event['event_id']}", source=fields.get("source", "yard")
        )
        assert found["status"] == "done", found
        return found

    async def approve(self, on: str = ORDERED_ON, **more: Any) -> Found:
        return await self.say("Submittal_Approved", occurred_at=f"{on}T10:00:00", **more)

    async def depart(self, on: str, eta: str, quantity: str | None = None, **more: Any) -> Found:
        return await self.say("Shipment_Departed_Factory", date_departed=on, eta=eta, **_sized(quantity), **more)

    async def arrive(self, on: str, quantity: str | None = None, **more: Any) -> Found:
        return await self.say("Shipment_Arrived_Site", date_arrived=on, **_sized(quantity), **more)

    async def passes(self, on: str, quantity: str | None = None, **more: Any) -> Found:
        return await self.say("Inspection_Passed", inspection_date=on, **_sized(quantity), **more)

    async def fails(self, on: str, rejected: str | None = None, **more: Any) -> Found:
        given = {"quantity_rejected": rejected} if rejected else {}
        return await self.say("Inspection_Failed", inspection_date=on, **given, **more)

    async def expect(self, eta: str, said: str, **more: Any) -> Found:
        return await self.say("ETA_Changed", eta=eta, occurred_at=f"{said}T09:00:00", **more)

    async def promise(self, day: str, said: str, **more: Any) -> Found:
        return await self.say("Purchase_Order_Acknowledged", promised_date=day, occurred_at=f"{said}T09:00:00", **more)

    async def void(self, event: Found, **more: Any) -> Found:
        return await self.say(
            "Event_Voided", event_id=event["event_id"], source=event["source"], reason="Entered by mistake.", **more
        )

    # -- what people answer --------------------------------------------------------------------------------------
    async def answer(self, kind: str, *actions: tuple[str, Found], about: str = "", on: str | None = None) -> None:
        """Answer the one question of this kind (about this NCR, order or event) with actions; none: as recommended."""
        question = await self.question(kind, about=about)
        made = [{"name": name, "arguments": {"item": "pumps", **arguments}} for name, arguments in actions]
        body: Found = {"type": "edit", "actions": made} if made else {"type": "approve"}
        if on:
            body["occurred_at"] = f"{on}T12:00:00"
            self.clock.moment = max(self.clock.moment, datetime.fromisoformat(f"{on}T12:00:00+00:00"))
        await self._decide(question, body)

    async def choose(self, kind: str, word: str) -> Found:
        """Answer the question with the option that has this word in its title or actions; the option."""
        question = await self.question(kind)
        options = [option for option in question["options"] if word in f"{option['title']} {option['actions']}"]
        assert options, [option["title"] for option in question["options"]]
        await self._decide(question, {"type": "edit", "actions": options[0]["actions"]})
        found: Found = options[0]
        return found

    async def _decide(self, question: Found, body: Found) -> None:
        path = f"/approvals/{question['approval_id']}"
        said = await self.client.post(f"{path}/decision", json=body)
        assert said.status_code in (200, 202), said.text
        await self.drainer.drain(BUILDING)
        decision = (await self._get(path))["decision"]
        assert decision is not None
        assert decision["status"] == "applied", decision

    # -- what is on file -----------------------------------------------------------------------------------------
    async def item(self) -> Found:
        return await self._get(f"/buildings/{BUILDING}/items/{self.item_id}")

    async def status(self) -> str:
        return str((await self.item())["status"])

    async def quantities(self, *names: str) -> dict[str, Decimal]:
        """Those of the line's quantities."""
        found = (await self.item())["quantities"]
        return {name: Decimal(found[name]) for name in names}

    async def lots(self) -> list[Found]:
        return await self.rows(f"items/{self.item_id}/lots")

    async def states(self) -> dict[str, Decimal]:
        """How much of the line is in which state; what is nowhere is left out."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for lot in await self.lots():
            sums[lot["state"]] += Decimal(lot["quantity"] or 0)
        return {state: total for state, total in sums.items() if total}

    async def ncrs(self) -> dict[str, Found]:
        return {ncr["ncr_number"]: ncr for ncr in await self.rows(f"items/{self.item_id}/ncrs")}

    async def statements(self, kind: str) -> list[Found]:
        """Promises or ETAs, by when they were said."""
        found = [one for one in await self.rows(f"items/{self.item_id}/statements") if one["kind"] == kind]
        return sorted(found, key=lambda one: str(one["said_at"]))

    async def current(self, kind: str) -> list[str]:
        """The days that count now."""
        return [one["day"] for one in await self.statements(kind) if one["current"]]

    async def orders(self) -> list[Found]:
        return await self.rows("purchase-orders")

    async def order_statuses(self) -> list[str]:
        return [order["status"] for order in await self.orders()]

    async def flags(self) -> list[Found]:
        return [flag for flag in await self.rows("flags") if flag["status"] == "open"]

    async def told(self, *words: str) -> bool:
        """Whether one message that went out, one flag or one open question has all these words."""
        texts = [message["text"] for message in await self.rows("messages") if message["direction"] == "out"]
        texts += [str(flag) for flag in await self.flags()]
        texts += [f"{question['summary']} {question['evidence']}" for question in await self.questions()]
        return any(all(word.lower() in text.lower() for word in words) for text in texts)

    async def questions(self, *kinds: str) -> list[Found]:
        found = await self._get("/approvals", status="pending", building_id=BUILDING)
        return [one for one in _rows_of(found) if not kinds or one["kind"] in kinds]

    async def question(self, kind: str, *, about: str = "") -> Found:
        """The one pending question of this kind that is about this matter."""
        found = [one for one in await self.questions(kind) if is_about(one, about)]
        assert len(found) == 1, [(one["kind"], one["summary"]) for one in await self.questions()]
        return found[0]

    async def rows(self, path: str) -> list[Found]:
        return _rows_of(await self._get(f"/buildings/{BUILDING}/{path}"))

    async def _get(self, path: str, **query: str) -> Any:
        answer = await self.client.get(path, params=query)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()


def is_about(question: Found, matter: str) -> bool:
    """Whether a question names this NCR, order or event as what it is about."""
    return not matter or question.get("matter") == matter or matter in question["summary"]


def amounts(**given: str | int) -> dict[str, Decimal]:
    """Quantities by state, as `states` returns them."""
    return {name: Decimal(amount) for name, amount in given.items()}


def _sized(quantity: str | None) -> Found:
    return {} if quantity is None else {"quantity": quantity}


def _rows_of(found: Any) -> list[Found]:
    if isinstance(found, list):
        return found
    rows: list[Found] = next(value for value in found.values() if isinstance(value, list))
    return rows
