"""What happens to the buildings whose histories are recorded and replayed."""

from datetime import UTC, datetime
from typing import Any

from domain.buildings import BuildingPatch
from domain.principals import Author
from storage import buildings, inbox
from storage.upkeep import enter_expired_holds, enter_overdue, enter_owed
from tests.agent.desk import Desk

OPENING: dict[str, Any] = {
    "time_zone": "Europe/London",
    "schedule": {
        "project": {"name": "Office"},
        "deliveries": [
            {"item": "Steel Beams", "required_by": "2026-03-15", "buffer_days": 5},
            {"item": "HVAC Units", "required_by": "2026-03-20", "buffer_days": 7},
            {"item": "Electrical Panels", "required_by": "2026-04-15", "buffer_days": 5},
            {"item": "Doors", "required_by": "2026-05-01"},
        ],
    },
    "vendors": [
        {"vendor_id": "mill", "name": "Mill Road Steel"},
        {"vendor_id": "air", "name": "Northern Air"},
        {"vendor_id": "gear", "name": "Harbour Switchgear"},
    ],
    "items": [
        {"name": "Steel Beams", "vendor_id": "mill", "quantity": "18", "unit": "t", "unit_price": "2850"}
        | {"lead_time_days": 20},
        {"name": "HVAC Units", "vendor_id": "air", "quantity": "4", "unit": "pcs", "unit_price": "9800"}
        | {"lead_time_days": 20},
        {"name": "Electrical Panels", "vendor_id": "gear", "quantity": "6", "unit": "pcs", "unit_price": "12400"}
        | {"lead_time_days": 20},
    ],
    "contacts": {"receiving": "receiving@office.example", "project_manager": "pm@office.example"},
    "approvers": [
        {"role": "project_manager", "name": "Project manager", "contact": "pm@office.example", "limit": "100000"},
        {"role": "director", "name": "Director", "contact": "director@office.example"},
    ],
    "policy": {"po_limit": "60000"},
}

BEGUN = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)
"""A Monday."""


async def opened(desk: Desk) -> Desk:
    desk.clock.moment = BEGUN
    await desk.open(**OPENING)
    return desk


async def two_questions(desk: Desk) -> None:
    """An order that is beyond the agent's authority, and a failed inspection: both wait for a person."""
    await opened(desk)
    await desk.post("Submittal_Approved", item="Steel Beams")
    await desk.post("Submittal_Approved", item="Electrical Panels")
    desk.clock.forward(days=1)
    await desk.post("Shipment_Arrived_Site", item="Steel Beams", date_arrived="2026-02-03")
    await desk.post("Inspection_Failed", item="Steel Beams", inspection_date="2026-02-03", quantity_rejected="4")


async def the_whole_of_it(desk: Desk) -> None:
    """Orders, repeats, a refusal, an edit, a dead event, reminders, a hold, a changed policy: nothing is left open."""
    await two_questions(desk)
    post, clock = desk.post, desk.clock
    await post("Submittal_Approved", item="Steel Beams")  # a repeat
    clock.forward(days=2)
    await tick(desk)  # nobody has answered: reminded, and moved up
    await desk.decide(await desk.question("order_beyond_authority"), "approve", why="Within the budget.")
    await desk.decide(await desk.question("inspection_failed"), "reject", why="Not that one.")
    hold = {"name": "hold_item", "arguments": {"item": "steel-beams", "until": "2026-02-09", "note": "vendor comes"}}
    await desk.decide(await desk.question("inspection_failed"), "edit", actions=[hold])
    await _die(desk)
    await desk.decide(await desk.question("event_failed"), "approve")
    await post("Submittal_Approved", item="Steel Beam")
    await desk.decide(await desk.question("item_unknown"), "approve")
    clock.moment = datetime(2026, 2, 10, 10, 0, tzinfo=UTC)
    await tick(desk)  # the hold is over
    await desk.decide(await desk.question("hold_expired"), "approve")
    while pending := await desk.pending():
        await desk.decide(pending[0], "approve")
    who = Author(type="human", id="it", name="Administrator")
    patch = BuildingPatch(policy={"po_limit": "20000"})
    await buildings.change(desk.conn, desk.building_id, patch, who, desk.clock.now())
    clock.forward(days=1)
    await post("Submittal_Approved", item="HVAC Units")
    await desk.decide(await desk.question("order_beyond_authority"), "approve")
    await post("Human_Input", text="The crane for the HVAC Units is booked.")
    departed = {"item": "HVAC Units", "date_departed": "2026-02-13"}
    await post("Shipment_Departed_Factory", **departed, eta="2026-03-16", run=False)
    await post("ETA_Changed", item="HVAC Units", eta="2026-03-25")
    await desk.decide(await desk.question("schedule_conflict"), "approve")
    clock.moment = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
    await tick(desk)  # milestones that nobody reported
    while pending := await desk.pending():
        await desk.decide(pending[0], "approve")


async def parts_of_lines(desk: Desk) -> None:
    """Lines of which parts are under way, rejected, replaced and released; two questions are open."""
    await opened(desk)
    post, clock = desk.post, desk.clock
    for line in ("Steel Beams", "HVAC Units", "Electrical Panels"):
        await post("Submittal_Approved", item=line)
    await desk.decide(await desk.question("order_beyond_authority"), "approve")
    clock.forward(days=1)
    await post("Purchase_Order_Acknowledged", item="Steel Beams", promised_date="2026-02-25")
    await post("Shipment_Arrived_Site", item="Steel Beams", date_arrived="2026-02-03", shipment_id="S1", quantity="10")
    await post("Shipment_Departed_Factory", item="Steel Beams", date_departed="2026-02-03", eta="2026-02-10")
    failed = {"item": "Steel Beams", "inspection_date": "2026-02-03", "quantity_rejected": "4", "ncr_number": "NCR-7"}
    await post("Inspection_Failed", **failed, shipment_id="S1")
    await desk.decide(await desk.question("inspection_failed"), "approve")
    await post("Shipment_Arrived_Site", item="HVAC Units", date_arrived="2026-02-03")
    await post("Inspection_Passed", item="HVAC Units", inspection_date="2026-02-03")
    await post("Shipment_Departed_Factory", item="Electrical Panels", date_departed="2026-02-03", eta="2026-04-20")
    await post("Shipment_Arrived_Site", item="Electrical Panels", date_arrived="2026-02-03", quantity="2")
    await post("Inspection_Failed", item="Electrical Panels", inspection_date="2026-02-03", quantity_rejected="1")


async def tick(desk: Desk) -> None:
    """What is due enters the inbox, and is processed."""
    for enter in (enter_expired_holds, enter_overdue, enter_owed):
        await enter(desk.conn, desk.clock.now())
    await desk.run()


async def _die(desk: Desk) -> None:
    """An entry as an older program might have accepted it: its handler misses fields, each time."""
    body = {"event_type": "Inspection_Failed", "item": "HVAC Units"}
    about = {"source": "test", "event_id": "bad", "event_type": body["event_type"], "body": body}
    await inbox.accept(desk.conn, desk.building_id, **about, now=desk.clock.now())
    for _ in range(desk.drainer.settings.event_attempts):
        desk.clock.forward(seconds=1)
        await desk.run()
