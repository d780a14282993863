"""The stories that are cut off. Together they have every type of entry and every effect (test_boundaries.py)."""

import json
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb

from domain.approvals import LOCAL_PERSON
from domain.buildings import BuildingPatch, Vendor
from domain.errors import ConflictError
from domain.principals import Author
from storage import buildings, inbox, teaching, vendors
from storage.retry import retry
from tests.durability.stage import RestartedDesk, Step, Story
from tools.models import Completion, ModelAbstained, ModelRequest
from tools.prompts import Budgets

REQUIRED = "2026-04-15"


def post(event_type: str, **fields: Any) -> Step:
    return lambda desk: desk.post(event_type, **fields)


def take_back(**fields: Any) -> Step:
    """The event that the desk posted first was wrong."""
    return lambda desk: desk.post("Event_Voided", named={"source": "test", "event_id": "e1"}, **fields)


def answer(kind: str, how: str = "approve", *, item: str | None = None, actions: list[Any] | None = None) -> Step:
    """Answer the open question of that kind (about that line)."""

    async def answered(desk: RestartedDesk) -> None:
        found = [one for one in await desk.pending() if one.kind == kind and item in (None, one.item_id)]
        assert len(found) == 1, [(one.kind, one.item_id) for one in await desk.pending()]
        await desk.decide(found[0], how, actions=actions)

    return answered


def at(moment: datetime) -> Step:
    """The clock has moved on, and the tick enters what has become due."""

    async def ticked(desk: RestartedDesk) -> None:
        desk.clock.moment = moment
        await desk.tick()

    return ticked


def do(name: str, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": arguments}


def lines(*items: str) -> dict[str, Any]:
    deliveries = [{"item": item, "required_by": REQUIRED, "buffer_days": 5} for item in items]
    return {"schedule": {"project": {"name": "Office", "end_date": "2026-06-30"}, "deliveries": deliveries}}


QUESTIONS = Story(
    lines("Steel Beams", "HVAC Units", "Electrical Panels", "Flooring Materials"),
    (
        post("Submittal_Approved", item="Steel Beams"),
        post("Inspection_Failed", item="HVAC Units", inspection_date="2026-02-11"),
        post("Human_Input", text="The crane for the units is booked.", item="HVAC Units"),
        post("Inspection_Failed", item="Electrical Panels", inspection_date="2026-02-12"),
        answer("inspection_failed", item="electrical-panels"),
        post("Human_Input", text="The lift is out of order."),
        answer("inspection_failed", "reject", item="hvac-units"),
        answer("inspection_failed", item="hvac-units"),
        post("Submittal_Approved", item="Flooring Materials"),
    ),
    studio=True,
)
"""Two questions open, the newer one answered first, a refusal asked again, and somebody editing the thread in Studio
after every step. Simpler rules of going on than graph/thread.py's were wrong here."""

DELIVERY = Story(
    lines("Doors"),
    (
        post("Submittal_Rejected", item="Doors"),
        post("Submittal_Approved", item="Doors", revision=1),
        post("Purchase_Order_Acknowledged", item="Doors", promised_date="2026-04-01", exceptions=["5 % dearer"]),
        answer("acknowledgement_exception", "edit", actions=[do("accept_as_is", item="doors", note="agreed")]),
        post("Shipment_Departed_Factory", item="Doors", eta="2026-04-20"),
        answer(
            "schedule_conflict",
            "edit",
            actions=[
                do("expedite_order", item="doors", method="air freight"),
                do("change_required_by", item="doors", required_by="2026-04-30"),
                do("change_project_end", end_date="2026-07-15"),
            ],
        ),
        post("ETA_Changed", item="Doors", eta="2026-04-12"),
        post("Shipment_Arrived_Site", item="Doors", date_arrived="2026-04-12"),
        post("Inspection_Passed", item="Doors", inspection_date="2026-04-13"),
        post("Building_Closed"),
    ),
)
"""One line from its submittal to the closing of the building."""

NONCONFORMANCE = Story(
    lines("Doors", "Glass", "Tiles"),
    (
        post("Shipment_Arrived_Site", item="Doors", date_arrived="2026-02-10"),
        post("Inspection_Failed", item="Doors", inspection_date="2026-02-11"),
        answer(
            "inspection_failed",
            "edit",
            actions=[do("repair_item", item="doors"), do("schedule_inspection", item="doors", on="2026-02-20")],
        ),
        post("Inspection_Failed", item="Doors", inspection_date="2026-02-20"),
        answer("inspection_failed", "edit", actions=[do("return_item", item="doors"), do("remove_item", item="doors")]),
        post("Submittal_Approved", item="Glass"),
        post("Inspection_Failed", item="Glass", inspection_date="2026-02-11"),
        answer("inspection_failed", "edit", actions=[do("cancel_purchase_order", item="glass")]),
        post("Inspection_Failed", item="Tiles", inspection_date="2026-02-11"),
        answer("inspection_failed", "edit", actions=[do("accept_as_is", item="tiles")]),
    ),
)
"""What failed: repaired and inspected again, returned and removed, its order cancelled, used as it is."""

_EVENT = {"event_type": "ETA_Changed", "item": "Doors", "eta": "2026-04-01"}

UNCLEAR = Story(
    lines("Doors", "Glass"),
    (
        post("Message_Received", text="Your doors come on the first of April.", sender="vendor@acme.example"),
        answer("event_unclear", "edit", actions=[do("restate_event", event=_EVENT)]),
        post("Submittal_Approved", item="Dors"),
        answer("item_unknown"),
        post(
            "Items_Changed",
            items=[{"name": "Lift", "required_by": "2026-05-01"}, {"item_id": "glass", "unit": "m2"}]
            + [{"item_id": "nowhere"}],
        ),
        answer("event_unclear", "edit", actions=[do("dismiss_event", note="a slip")]),
        post(
            "Schedule_Revised",
            schedule={"project": {"name": "Office"}, "deliveries": [{"item": "Doors", "required_by": "2026-04-02"}]},
        ),
        post("Human_Input", text="The doors may wait."),
        take_back(reason="Sent for the wrong building."),
    ),
)
"""What nobody could read or place at first, and changes of the log as a whole."""


async def _unreadable(desk: RestartedDesk) -> None:
    """An entry as an older program might have accepted it: its handler misses fields, and it dies."""

    async def accepted() -> None:
        body = {"event_type": "Inspection_Failed", "item": "Doors"}
        await inbox.accept(
            desk.conn,
            desk.building_id,
            source="test",
            event_id="bad",
            event_type="Inspection_Failed",
            body=body,
            now=desk.clock.now(),
        )

    await desk.surely(accepted)
    await desk.run()


async def _dead(desk: RestartedDesk) -> None:
    """Tried again after its pause, it is given up."""
    desk.clock.forward(seconds=1)
    await desk.run()
    assert (await desk.event("bad"))["status"] == "dead"


async def _mended_and_retried(desk: RestartedDesk) -> None:
    """The program was mended, and somebody retries what died."""

    async def retried() -> None:
        report = {"inspection_date": "2026-02-11", "document_url": "https://docs.example/7.pdf", "document_name": "7"}
        query = "UPDATE events SET body = body || %s WHERE building_id = %s AND event_id = 'bad'"
        await desk.conn.execute(query, (Jsonb(report), desk.building_id))
        try:
            await retry(desk.conn, desk.building_id, "bad", None)
        except ConflictError:
            assert (await desk.event("bad"))["status"] != "dead"

    await desk.surely(retried)
    await desk.run()


CLOCKS = Story(
    {
        **lines("Doors"),
        "approvers": [
            {"role": "project_manager", "name": "PM", "limit": "5000"},
            {"role": "director", "name": "Director"},
        ],
    },
    (
        post("Submittal_Approved", item="Doors"),
        at(datetime(2026, 2, 10, 9, tzinfo=UTC)),
        at(datetime(2026, 2, 16, 9, tzinfo=UTC)),
        answer("milestone_overdue", "edit", actions=[do("hold_item", item="doors", until="2026-02-17")]),
        at(datetime(2026, 2, 17, 9, tzinfo=UTC)),
        at(datetime(2026, 2, 17, 14, tzinfo=UTC)),
        at(datetime(2026, 2, 20, 9, tzinfo=UTC)),
        answer(
            "hold_expired", "edit", actions=[do("request_information", item="doors", to="vendor", question="When?")]
        ),
        _unreadable,
        _dead,
        _mended_and_retried,
    ),
)
"""What falls due: a milestone chased and asked about, a hold, a reminder, an escalation; and an event that dies."""


async def _overruled(desk: RestartedDesk) -> None:
    """A person takes back what a rule decided alone, and is asked what is to become of it."""

    async def accepted() -> None:
        decided = await teaching.decision_to_overrule(desk.conn, f"{desk.building_id}-r2", None)
        await inbox.accept(
            desk.conn,
            desk.building_id,
            source="longlead.overruled",
            event_id=f"r2:{decided['seq']}",
            event_type="Rule_Overruled",
            body={
                "rule_id": "r2",
                "decided_seq": decided["seq"],
                "actions": [],
                "why": "Not this one.",
                "responder": LOCAL_PERSON.model_dump(),
            },
            now=desk.clock.now(),
        )

    await desk.surely(accepted)
    await desk.run()


LEARNING = Story(
    {**lines("Doors", "Glass", "Tiles"), "policy": {"rule_autonomy_after": 2}},
    (
        post("Inspection_Failed", item="Doors", inspection_date="2026-02-11"),
        answer("inspection_failed"),
        post("Inspection_Failed", item="Glass", inspection_date="2026-02-12"),
        answer("inspection_failed"),
        answer("delegation_request"),
        post("Inspection_Failed", item="Tiles", inspection_date="2026-02-13"),
        _overruled,
    ),
)
"""A rule is learned, confirmed, delegated to, decides alone, and is overruled."""

_ETA = "The Doors will now arrive on 12 March 2026."
_READ: dict[str, dict[str, Any]] = {
    "MailReading": {
        "reports": [
            {
                "quote": _ETA,
                "event_type": "ETA_Changed",
                "item": "Doors",
                "day_words": "12 March 2026",
                "day": "2026-03-12",
                "departed_words": None,
                "departed": None,
                "exceptions": [],
                "confidence": 0.95,
            }
        ]
    },
    "ReplyReading": {"meaning": "approve", "wishes": [], "topics": [], "confidence": 0.95},
    "Wishes": {"lines": ["The team talks of the crane."]},
}


class _Reader:
    """A model that reads what is in these stories, and abstains from everything else."""

    tiers = ("reader",)

    async def complete(self, request: ModelRequest[Any]) -> Completion:
        read = _READ.get(request.output.__name__)
        if read is None:
            raise ModelAbstained("refused")
        return Completion(json.dumps(read), "reader", 100, 10)


def reply(kind: str, text: str) -> Step:
    """Answer the open question of that kind in free words."""

    async def replied(desk: RestartedDesk) -> None:
        (asked,) = [one for one in await desk.pending() if one.kind == kind]
        await desk.decide(asked, "respond", why=text)

    return replied


READ = Story(
    {
        **lines("Doors"),
        "items": [{"name": "Doors", "vendor_id": "acme"}],
        "vendors": [{"vendor_id": "acme", "name": "Acme", "contact": "vendor@acme.example"}],
    },
    (
        post("Message_Received", text=_ETA, sender="vendor@acme.example"),
        post("Inspection_Failed", item="Doors", inspection_date="2026-03-13"),
        reply("inspection_failed", "That is fine with me, please go on as you say."),
        answer("inspection_failed"),
        post("Human_Input", text="The crane stands in the yard. " * 120),
        post("Human_Input", text="The crane stands in the street. " * 120),
    ),
    models=_Reader(),
    budgets=Budgets(600),
)
"""What a model reads: a mail, a reply in free words that is then confirmed; and the messages that it makes shorter."""


class _Adviser:
    """A model that recommends the first way out, whatever is asked."""

    tiers = ("adviser",)

    async def complete(self, request: ModelRequest[Any]) -> Completion:
        if request.output.__name__ != "Choice":
            raise ModelAbstained("refused")
        choice = {"option": 1, "actions": [], "why": "It costs the least time.", "confidence": 0.9}
        return Completion(json.dumps(choice), "adviser", 100, 10)


ADVISED = Story(
    lines("Doors", "Glass"),
    (
        post("Submittal_Approved", item="Doors"),
        post("Submittal_Approved", item="Glass"),
        post("Inspection_Failed", item="Doors", inspection_date="2026-02-11"),
        post("ETA_Changed", item="Doors", eta="2026-04-20"),
        answer("inspection_failed", "edit", actions=[do("return_item", item="doors", note="sent back")]),
        post("Shipment_Departed_Factory", item="Glass", eta="2026-04-20"),
        answer("schedule_conflict", "reject", item="glass"),
        answer("schedule_conflict", item="glass"),
    ),
    models=_Adviser(),
)
"""A model recommends, also in the second look that a run takes at a line after its question was answered."""


def change_building(**fields: Any) -> Step:
    """A person changes the building: its mode, its policy."""

    async def patched(desk: RestartedDesk) -> None:
        patch, by = BuildingPatch(**fields), Author(**LOCAL_PERSON.model_dump(), via="local")

        async def changed() -> None:
            await buildings.change(desk.conn, desk.building_id, patch, by, desk.clock.now())

        await desk.surely(changed)
        await desk.run()

    return patched


WATCH = Story(
    {**lines("Doors", "Glass"), "mode": "watch"},
    (
        post("Submittal_Approved", item="Doors"),
        post("Purchase_Order_Acknowledged", item="Glass", promised_date="2026-03-01", purchase_order="4711"),
        post("Inspection_Failed", item="Glass", inspection_date="2026-02-11"),
        change_building(mode="live"),
        change_building(policy={"tolerances": {"pcs": "0.01"}}),
        at(datetime(2026, 2, 3, 9, tzinfo=UTC)),
        answer("inspection_failed"),
        change_building(mode="watch"),
        post("ETA_Changed", item="Doors", eta="2026-04-20"),
    ),
)
"""A building in watch with an order placed outside and an open question goes live, begins to order, and goes back."""


def vendor(added: dict[str, Any]) -> Step:
    """A person adds a vendor."""

    async def put(desk: RestartedDesk) -> None:
        by = Author(**LOCAL_PERSON.model_dump(), via="local")

        async def changed() -> None:
            await vendors.add(desk.conn, desk.building_id, Vendor.model_validate(added), by, desk.clock.now())

        await desk.surely(changed)
        await desk.run()

    return put


COMPLETED = Story(
    {**lines("Doors"), "items": [{"name": "Doors", "quantity": "4"}], "policy": {"po_limit": "5000"}},
    (
        post("Submittal_Approved", item="Doors"),
        vendor({"vendor_id": "kent", "name": "Kent"}),
        answer(
            "order_incomplete", "edit", actions=[do("complete_item", item="doors", vendor_id="kent", unit_price="350")]
        ),
        post("Items_Changed", items=[{"item_id": "doors", "quantity": "6"}]),
        answer("change_order"),
        post("Items_Changed", vendors=[{"vendor_id": "kent", "approved": False}]),
    ),
)
"""A line lacks its vendor; one is added, and the answer completes the line, which is ordered; more of it is needed, and
its order is revised; the vendor is barred."""

TAKEN_ON = Story(
    {
        **lines("Doors", "Lamps"),
        "items": [
            {
                "name": name,
                "quantity": "4",
                "state": {"orders": [{"number": "4711", "shipments": [{"quantity": "4", "status": "received"}]}]},
            }
            for name in ("Doors", "Lamps")
        ],
    },
    (
        post("Inspection_Failed", item="Lamps", inspection_date="2026-02-02", ncr_number="NCR-1"),
        answer("goods_taken_on"),
        post("Items_Changed", items=[{"name": "Pumps", "state": {"orders": [{"number": "4712", "quantity": "7"}]}}]),
    ),
)
"""A building is taken on with goods in its yard: some fail before the rest is accepted, and a line comes later."""

STORIES = {
    "questions": QUESTIONS,
    "delivery": DELIVERY,
    "nonconformance": NONCONFORMANCE,
    "unclear": UNCLEAR,
    "clocks": CLOCKS,
    "read": READ,
    "learning": LEARNING,
    "advised": ADVISED,
    "watch": WATCH,
    "completed": COMPLETED,
    "taken_on": TAKEN_ON,
}
