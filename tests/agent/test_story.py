"""The story of five lines, from submittal to release, with two failed inspections answered by a person."""

from tests.agent.desk import Desk

DELIVERIES = [
    {"item": "Steel Beams", "required_by": "2026-02-15", "buffer_days": 5},
    {"item": "HVAC Units", "required_by": "2026-03-01", "buffer_days": 7},
]


async def test_a_line_goes_from_submittal_to_release_by_itself(desk: Desk) -> None:
    await desk.open(schedule={"project": {"name": "Office"}, "deliveries": DELIVERIES})
    approved = await desk.post("Submittal_Approved", item="Steel Beams")
    departed = await desk.post("Shipment_Departed_Factory", item="Steel Beams", eta="2026-02-10")
    arrived = await desk.post("Shipment_Arrived_Site", item="Steel Beams", date_arrived="2026-02-10")
    passed = await desk.post("Inspection_Passed", item="Steel Beams", inspection_date="2026-02-11")

    assert await desk.names(approved) == ["issue_purchase_order", "start_tracking"]
    assert await desk.names(departed) == []
    assert await desk.names(arrived) == ["notify_team", "schedule_inspection"]
    assert await desk.names(passed) == []
    assert await desk.pending() == []
    item = await desk.item("steel-beams")
    assert (item.status, item.schedule_band) == ("released", "clear")
    for event_id in (approved, departed, arrived, passed):
        assert (await desk.event(event_id))["status"] == "done"


async def test_two_failures_are_answered_the_second_first(desk: Desk) -> None:
    await desk.open(schedule={"project": {"name": "Office"}, "deliveries": DELIVERIES})
    for item in ("Steel Beams", "HVAC Units"):
        await desk.post("Submittal_Approved", item=item)
        await desk.post("Shipment_Arrived_Site", item=item, date_arrived="2026-02-10")
        await desk.post("Inspection_Failed", item=item, inspection_date="2026-02-11")
    steel, hvac = await desk.pending()
    assert (steel.item_id, hvac.item_id) == ("steel-beams", "hvac-units")

    await desk.decide(hvac, "approve")
    assert [approval.item_id for approval in await desk.pending()] == ["steel-beams"]
    assert (await desk.item("hvac-units")).round == 2
    await desk.decide(steel, "edit", actions=[{"name": "accept_as_is", "arguments": {"item": "steel-beams"}}])
    assert (await desk.item("steel-beams")).quality == "accepted_as_is"
    assert await desk.pending() == []
