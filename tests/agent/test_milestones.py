"""What an order owes: expected, chased once, then put to a person. Whatever is later implies what is before it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.procurement import Milestone
from storage.upkeep import enter_owed
from tests.agent.desk import Desk


async def ordered(desk: Desk, *, zone: str = "UTC", lead_time: int = 30, **fields: Any) -> None:
    """Ordered on Monday 2 February 2026: acknowledgement due on the 9th, arrival on 4 March."""
    desk.clock.moment = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)
    await desk.open(
        time_zone=zone,
        schedule={"project": {"name": "x"}, "deliveries": [{"item": "Doors", "required_by": "2026-05-01"}]},
        items=[{"name": "Doors", "vendor_id": "v", "lead_time_days": lead_time}],
        vendors=[{"vendor_id": "v", "name": "V Ltd"}],
        contacts={"receiving": "the yard"},
    )
    await desk.post("Submittal_Approved", item="Doors", **fields)


async def tick(desk: Desk) -> int:
    entered = await enter_owed(desk.conn, desk.clock.now())
    await desk.run()
    return entered


async def open_milestones(desk: Desk) -> list[str]:
    return [milestone.kind for milestone in await desk.rows(Milestone) if milestone.met_on is None]


async def test_a_missing_acknowledgement_is_chased_and_then_asked(desk: Desk) -> None:
    await ordered(desk)
    desk.clock.moment = datetime(2026, 2, 9, 9, 0, tzinfo=UTC)
    assert await tick(desk) == 0
    desk.clock.forward(days=1)
    assert await tick(desk) == 1
    assert await tick(desk) == 0
    ((_, arguments),) = [made for made in await desk.actions() if made[0] == "request_information"]
    assert arguments["to"] == "vendor"
    assert "acknowledgement of PO-office-0001 for Doors" in arguments["question"]
    assert await desk.pending() == []
    desk.clock.forward(days=3)
    assert await tick(desk) == 1
    question = await desk.question("milestone_overdue")
    assert len(question.options) >= 3
    assert not question.holds_item
    assert await tick(desk) == 0


@pytest.mark.parametrize(("hour", "entered"), [(23, 0), (5, 0), (6, 1)])
async def test_nobody_is_chased_at_night(desk: Desk, hour: int, entered: int) -> None:
    """Due on Monday, chased on Tuesday from 07:00 in Berlin on."""
    await ordered(desk, zone="Europe/Berlin")
    desk.clock.moment = datetime(2026, 2, 9 + (hour < 12), hour, tzinfo=UTC)
    assert await tick(desk) == entered


async def test_nobody_is_chased_on_a_sunday(desk: Desk) -> None:
    """The arrival is due on Saturday, 28 February: it is chased on Monday."""
    await ordered(desk, lead_time=26)
    arrival = next(m for m in await desk.rows(Milestone) if m.kind == "arrive")
    assert (str(arrival.due_on), str(arrival.chase_on)) == ("2026-02-28", "2026-03-02")


async def test_what_is_reported_is_not_chased_and_closes_the_question(desk: Desk) -> None:
    await ordered(desk)
    desk.clock.moment = datetime(2026, 2, 17, 9, 0, tzinfo=UTC)
    await tick(desk)
    desk.clock.forward(days=5)
    await tick(desk)
    await desk.question("milestone_overdue")
    await desk.post("Purchase_Order_Acknowledged", item="Doors", promised_date="2026-03-04")
    assert await desk.pending() == []
    assert await tick(desk) == 0


async def test_a_departure_implies_the_acknowledgement_and_an_inspection_all_of_it(desk: Desk) -> None:
    await ordered(desk)
    await desk.post("Shipment_Departed_Factory", item="Doors", date_departed="2026-02-20", eta="2026-03-01")
    assert await open_milestones(desk) == ["arrive", "inspect"]
    await desk.post("Shipment_Arrived_Site", item="Doors", date_arrived="2026-03-01")
    await desk.post("Inspection_Passed", item="Doors", inspection_date="2026-03-02")
    assert await open_milestones(desk) == []
    desk.clock.forward(days=400)
    assert await tick(desk) == 0


async def test_an_inspection_that_nobody_reports_is_chased_with_receiving(desk: Desk) -> None:
    await ordered(desk)
    await desk.post("Shipment_Arrived_Site", item="Doors", date_arrived="2026-03-01")
    desk.clock.moment = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
    assert await tick(desk) == 1
    assert (await desk.actions())[-1][1]["to"] == "receiving"


async def test_an_order_entered_late_has_nobody_chased_for_what_was_past_already(desk: Desk) -> None:
    desk.clock.moment = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)
    await ordered(desk, occurred_at="2025-06-02T09:00:00+00:00")
    assert {str(m.due_on) for m in await desk.rows(Milestone)} >= {"2025-06-09", "2025-07-02"}
    desk.clock.forward(days=100)
    assert await tick(desk) == 0


async def test_what_is_needed_before_it_was_ordered_has_no_day(desk: Desk) -> None:
    desk.clock.moment = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    await desk.open(schedule={"project": {"name": "x"}, "deliveries": [{"item": "Doors", "required_by": "2026-02-15"}]})
    await desk.post("Submittal_Approved", item="Doors")
    due = {m.kind: m.due_on for m in await desk.rows(Milestone)}
    assert (due["arrive"], due["ship"], due["inspect"]) == (None, None, None)


async def test_a_replacement_is_tracked_anew_and_the_old_order_owes_nothing(desk: Desk) -> None:
    await ordered(desk)
    await desk.post("Inspection_Failed", item="Doors", inspection_date="2026-02-03")
    await desk.decide(await desk.question(), "approve")
    desk.clock.moment = datetime(2026, 2, 20, 9, 0, tzinfo=UTC)
    await tick(desk)
    asked = [arguments["question"] for name, arguments in await desk.actions() if name == "request_information"]
    assert len(asked) == 1
    assert "PO-office-0002" in asked[0]


async def test_what_came_of_the_first_order_meets_nothing_of_its_replacement(desk: Desk) -> None:
    await ordered(desk)
    await desk.post("Shipment_Arrived_Site", item="Doors", date_arrived="2026-02-05", condition="damaged")
    reorder = {"name": "reorder_item", "arguments": {"item": "doors"}}
    await desk.decide(await desk.question("inspection_failed"), "edit", actions=[reorder])
    replaced = [milestone for milestone in await desk.rows(Milestone) if milestone.round == 2]
    assert len(replaced) == 4
    assert all(milestone.met_on is None for milestone in replaced)
