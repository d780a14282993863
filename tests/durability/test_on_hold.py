"""A question holds its line only: everything else goes on, and what waited happens when it is answered."""

from typing import Any

from domain.procurement import Receipt
from tests.agent.desk import Desk

OTHERS = [f"Line {number}" for number in range(1, 11)]
SPEC: dict[str, Any] = {
    "schedule": {
        "project": {"name": "Office"},
        "deliveries": [
            {"item": item, "required_by": "2026-04-15", "buffer_days": 5} for item in ("HVAC Units", *OTHERS)
        ],
    },
    "items": [{"item_id": "hvac-units", "name": "HVAC Units", "quantity": 10, "unit": "pcs"}],
}


async def test_20_events_for_other_lines_are_done_while_a_question_is_open(desk: Desk) -> None:
    await desk.open(**SPEC)
    await desk.post("Inspection_Failed", item="HVAC Units", inspection_date="2026-02-11")
    question = await desk.question()
    posted = []
    for item in OTHERS:
        posted.append(await desk.post("Submittal_Approved", item=item))
        posted.append(await desk.post("Shipment_Arrived_Site", item=item, date_arrived="2026-03-02"))

    assert len(posted) == 20
    assert {(await desk.event(event_id))["status"] for event_id in posted} == {"done"}
    for ordered, arrived in zip(posted[::2], posted[1::2], strict=True):
        assert await desk.names(ordered) == ["issue_purchase_order", "start_tracking"]
        assert await desk.names(arrived) == ["notify_team", "schedule_inspection"]
    assert await desk.question() == question


async def test_what_arrives_while_a_question_is_open_is_received_and_inspected_all_the_same(desk: Desk) -> None:
    await desk.open(**SPEC)
    first = {"shipment_id": "S1", "quantity": 6}
    await desk.post("Shipment_Arrived_Site", item="HVAC Units", date_arrived="2026-02-09", **first)
    await desk.post("Inspection_Failed", item="HVAC Units", inspection_date="2026-02-11", shipment_id="S1")
    second = {"shipment_id": "S2", "quantity": 4}
    held = await desk.post("Shipment_Arrived_Site", item="HVAC Units", date_arrived="2026-02-12", **second)

    assert (await desk.event(held))["status"] == "done"
    assert [(receipt.shipment_id, receipt.quantity) for receipt in await desk.rows(Receipt)] == [("S1", 6), ("S2", 4)]
    assert (await desk.item("hvac-units")).logistics == "on_site"
    assert await desk.names(held) == ["notify_team", "schedule_inspection"]

    as_is = [{"name": "accept_as_is", "arguments": {"item": "hvac-units"}}]
    answered = await desk.decide(await desk.question(), "edit", actions=as_is)
    assert await desk.names(answered.event_id) == ["accept_as_is"]
    planned = [i for i in (await desk.file("hvac-units")).inspections if i.status == "scheduled"]
    assert [(i.shipment_id, str(i.scheduled_on)) for i in planned] == [("S2", "2026-02-13")]


async def test_a_line_stays_on_hold_until_its_answer_has_been_applied(desk: Desk) -> None:
    """What came in before the answer, and is processed before it is applied, is received, and the answer stands."""
    await desk.open(**SPEC)
    await desk.post("Shipment_Arrived_Site", item="HVAC Units", date_arrived="2026-02-09", shipment_id="S1", quantity=6)
    await desk.post("Inspection_Failed", item="HVAC Units", inspection_date="2026-02-11", shipment_id="S1")
    late = {"shipment_id": "S2", "quantity": 4, "date_arrived": "2026-02-12"}
    between = await desk.post("Shipment_Arrived_Site", item="HVAC Units", run=False, **late)
    answered = await desk.decide(await desk.question(), run=False)
    await desk.run()

    assert await desk.names(between) == ["notify_team", "schedule_inspection"]
    event = await desk.event(answered.event_id)
    assert event["status"] == "done"
