"""A failed inspection: what is asked, what each answer does, and that late events do not hit the replacement."""

from typing import Any

import pytest

from domain.errors import ConflictError
from domain.procurement import Inspection, PurchaseOrder
from storage.upkeep import enter_expired_holds
from tests.agent.desk import Desk

DELIVERIES = [
    {"item": "HVAC Units", "required_by": "2026-03-01", "buffer_days": 7},
    {"item": "Doors", "required_by": "2026-05-01", "buffer_days": 7},
]


async def failed(desk: Desk, lead_time: int | None = 20, arrived: str | None = None, **fields: Any) -> Any:
    await desk.open(
        schedule={"project": {"name": "Office"}, "deliveries": DELIVERIES},
        items=[
            {
                "name": "HVAC Units",
                "vendor_id": "air",
                "quantity": "3",
                "unit_price": "900",
                "lead_time_days": lead_time,
            },
            {"name": "Doors", "vendor_id": "air", "quantity": "30", "unit_price": "100"},
        ],
        vendors=[{"vendor_id": "air", "name": "Air Ltd"}],
        approvers=[{"role": "project_manager", "name": "PM"}],
    )
    await desk.post("Submittal_Approved", item="HVAC Units")
    await desk.post("Shipment_Departed_Factory", item="HVAC Units", eta="2026-02-22", date_departed="2026-02-15")
    parts = {"quantity": arrived} if arrived else {}
    await desk.post("Shipment_Arrived_Site", item="HVAC Units", date_arrived="2026-02-20", **parts)
    await desk.post(
        "Inspection_Failed",
        item="HVAC Units",
        inspection_date="2026-02-23",
        **{"defects": ["coil leaks", "dent"], "quantity_rejected": "2", **fields},
    )
    return await desk.question("inspection_failed")


async def test_the_question_holds_everything_that_is_needed_to_answer_it(desk: Desk) -> None:
    question = await failed(desk)
    evidence = question.evidence
    assert evidence["inspection"]["defects"] == ["coil leaks", "dent"]
    assert evidence["inspection"]["quantity_rejected"] == "2"
    assert evidence["inspection"]["ncr_number"].startswith("NCR-")
    assert evidence["order"]["number"] == "PO-office-0001"
    assert evidence["order"]["vendor"] == "Air Ltd"
    assert evidence["order"]["value"] == "2700.00 USD"
    assert evidence["dates"]["required_by"] == "2026-03-01"
    assert evidence["dates"]["days_left"] == 6
    # Decided on 23 February, 20 calendar days of lead time.
    assert evidence["replacement"] == {"arrival": "2026-03-15", "days_late": 14, "if_decided_on": "2026-02-23"}
    assert [fact["event_type"] for fact in evidence["facts"]][-1] == "Inspection_Failed"
    assert "NCR" in evidence["policy"]
    titles = [option.title for option in question.options]
    assert [title.split()[0] for title in titles] == ["Replace:", "Repair", "Accept", "Return", "Hold:"]
    assert question.options[0].cost == "1800.00 USD"
    assert question.holds_item


async def test_repair_is_recommended_when_only_it_meets_the_date(desk: Desk) -> None:
    question = await failed(desk)
    assert question.recommended[0]["name"] == "reorder_item"
    desk.building_id = "later"
    await desk.open(
        schedule={"project": {"name": "x"}, "deliveries": [{"item": "Lift", "required_by": "2026-03-10"}]},
        items=[{"name": "Lift", "lead_time_days": 60, "vendor_id": "v"}],
        vendors=[{"vendor_id": "v", "name": "V"}],
    )
    await desk.post("Inspection_Failed", item="Lift", inspection_date="2026-02-23")
    question = await desk.question()
    assert question.recommended[0]["name"] == "repair_item"
    assert any("a repair would not" in assumption for assumption in question.options[0].assumptions)


async def test_approve_orders_a_replacement_and_tracks_it(desk: Desk) -> None:
    await failed(desk)
    await desk.decide(await desk.question(), "approve")
    item = await desk.item("hvac-units")
    # One of the three is good; two are on their way again.
    assert (item.round, item.commercial, item.logistics, item.quality) == (2, "ordered", "partially_received", "passed")
    assert (await desk.names())[-2:] == ["reorder_item", "start_tracking"]
    orders = await desk.rows(PurchaseOrder)
    assert [str(order.total) for order in orders] == ["2700.00", "1800.00"]
    (report,) = [i for i in await desk.rows(Inspection) if i.status == "failed"]
    assert report.disposition == "replace"


async def test_a_replacement_of_what_was_never_ordered_here_starts_afresh_too(desk: Desk) -> None:
    await desk.open(schedule={"project": {"name": "Office"}, "deliveries": DELIVERIES})
    await desk.post("Shipment_Arrived_Site", item="Doors", date_arrived="2026-02-20")
    await desk.post("Inspection_Failed", item="Doors", inspection_date="2026-02-23")
    await desk.decide(await desk.question(), "approve")
    item = await desk.item("doors")
    assert (item.round, item.status, item.logistics, item.quality) == (1, "ordered", "not_shipped", "not_inspected")


async def test_reject_offers_the_next_best_until_the_options_run_out_then_the_line_is_held(desk: Desk) -> None:
    question = await failed(desk)
    offered = []
    for _ in range(len(question.options)):
        question = await desk.question("inspection_failed")
        offered.append(question.recommended[0]["name"])
        await desk.decide(question, "reject")
    assert offered == ["reorder_item", "repair_item", "accept_as_is", "return_item", "hold_item"]
    assert await desk.pending() == []
    assert (await desk.names())[-2:] == ["hold_item", "notify_team"]
    assert (await desk.item("hvac-units")).is_held
    assert len(await desk.rows(PurchaseOrder)) == 1


async def test_edit_does_what_the_person_says_instead(desk: Desk) -> None:
    question = await failed(desk)
    wish = [
        {"name": "return_item", "arguments": {"item": "hvac-units"}},
        {"name": "remove_item", "arguments": {"item": "hvac-units", "note": "not needed any more"}},
    ]
    await desk.decide(question, "edit", actions=wish)
    assert (await desk.item("hvac-units")).removed
    assert await desk.pending() == []


async def test_the_same_report_again_is_noted(desk: Desk) -> None:
    question = await failed(desk)
    again = await desk.post("Inspection_Failed", item="HVAC Units", inspection_date="2026-02-23")
    assert (await desk.event(again))["outcome"]["approvals"] == []
    assert (await desk.question()).version == question.version


async def test_late_events_of_the_rejected_delivery_do_not_hit_its_replacement(desk: Desk) -> None:
    question = await failed(desk)
    await desk.decide(question, "approve")
    for event, fields in (
        ("Inspection_Failed", {"inspection_date": "2026-02-23"}),
        ("Shipment_Arrived_Site", {"date_arrived": "2026-02-20"}),
        ("Shipment_Departed_Factory", {"date_departed": "2026-02-15", "eta": "2026-02-22"}),
    ):
        late = await desk.post(event, item="HVAC Units", **fields)
        assert await desk.names(late) == []
    item = await desk.item("hvac-units")
    assert (item.logistics, item.quality, item.round) == ("partially_received", "passed", 2)
    assert await desk.pending() == []


async def test_the_replacement_runs_its_own_course(desk: Desk) -> None:
    question = await failed(desk)
    await desk.decide(question, "approve")
    await desk.post("Shipment_Departed_Factory", item="HVAC Units", date_departed="2026-02-24", eta="2026-02-27")
    await desk.post("Shipment_Arrived_Site", item="HVAC Units", date_arrived="2026-02-27")
    await desk.post("Inspection_Passed", item="HVAC Units", inspection_date="2026-02-28")
    assert (await desk.item("hvac-units")).status == "released"


@pytest.mark.parametrize("under_way", [True, False])
async def test_what_is_replaced_in_part_is_released_when_all_of_it_is_there(desk: Desk, under_way: bool) -> None:
    """Ten doors, six have come, two of those are rejected and ordered again: four and two are still to come."""
    await desk.open(
        schedule={"project": {"name": "Office"}, "deliveries": DELIVERIES},
        items=[{"name": "Doors", "vendor_id": "air", "quantity": "10", "unit_price": "100"}],
        vendors=[{"vendor_id": "air", "name": "Air Ltd"}],
    )
    await desk.post("Submittal_Approved", item="Doors")
    await desk.post("Shipment_Arrived_Site", item="Doors", date_arrived="2026-02-20", quantity="6", shipment_id="S1")
    four = {"quantity": "4", "shipment_id": "S2"}
    if under_way:
        await desk.post("Shipment_Departed_Factory", item="Doors", date_departed="2026-02-21", eta="2026-03-01", **four)
    rejected = {"quantity_rejected": "2", "shipment_id": "S1"}
    await desk.post("Inspection_Failed", item="Doors", inspection_date="2026-02-23", **rejected)
    await desk.decide(await desk.question("inspection_failed"), "approve")
    assert [str(line.quantity) for line in (await desk.file("doors")).order_lines] == ["10", "2"]

    await desk.post("Shipment_Arrived_Site", item="Doors", date_arrived="2026-03-01", **four)
    await desk.post("Inspection_Passed", item="Doors", inspection_date="2026-03-02", shipment_id="S2")
    assert (await desk.item("doors")).logistics == "partially_received"
    assert not (await desk.item("doors")).is_released

    await desk.post("Shipment_Arrived_Site", item="Doors", date_arrived="2026-03-05", quantity="2")
    await desk.post("Inspection_Passed", item="Doors", inspection_date="2026-03-06")
    assert (await desk.item("doors")).is_released
    assert await desk.pending() == []


async def test_a_pass_does_not_decide_what_becomes_of_what_was_rejected(desk: Desk) -> None:
    question = await failed(desk)
    await desk.post("Inspection_Passed", item="HVAC Units", inspection_date="2026-02-25")
    assert (await desk.question()).version == question.version
    assert (await desk.item("hvac-units")).status == "failed_inspection"
    repair = {"name": "repair_item", "arguments": {"item": "hvac-units", "note": "was repaired"}}
    await desk.decide(question, "edit", actions=[repair])
    await desk.post("Inspection_Passed", item="HVAC Units", inspection_date="2026-02-26")
    assert await desk.pending() == []
    assert (await desk.item("hvac-units")).status == "released"


async def test_a_pass_before_the_failure_was_of_a_latent_defect_and_answers_nothing(desk: Desk) -> None:
    await failed(desk)
    await desk.post("Inspection_Passed", item="HVAC Units", inspection_date="2026-02-21")
    assert {question.kind for question in await desk.pending()} == {"inspection_failed"}
    assert (await desk.item("hvac-units")).quality == "failed"


async def test_goods_that_arrive_while_a_question_is_open_are_received_all_the_same(desk: Desk) -> None:
    question = await failed(desk, arrived="2")
    arrived = await desk.post(
        "Shipment_Arrived_Site", item="HVAC Units", date_arrived="2026-02-24", shipment_id="spare", quantity="1"
    )
    assert await desk.names(arrived) == ["notify_team", "schedule_inspection"]
    assert len((await desk.file("hvac-units")).receipts) == 2
    await desk.decide(question, "edit", actions=[{"name": "accept_as_is", "arguments": {"item": "hvac-units"}}])
    assert (await desk.names())[-1] == "accept_as_is"


async def test_other_lines_go_on_while_one_is_held(desk: Desk) -> None:
    await failed(desk)
    event = await desk.post("Submittal_Approved", item="Doors")
    assert await desk.names(event) == ["issue_purchase_order", "start_tracking"]


async def test_an_answer_to_facts_that_have_changed_does_nothing_and_is_asked_again(desk: Desk) -> None:
    question = await failed(desk)
    desk.clock.forward(days=22)
    await desk.post("Items_Changed", items=[{"item_id": "hvac-units", "lead_time_days": 90}], run=False)
    await desk.decide(question, "approve", version=1)
    renewed = await desk.question()
    assert (renewed.approval_id, renewed.version) == (question.approval_id, 2)
    assert len(await desk.rows(PurchaseOrder)) == 1
    assert renewed.decision is None
    row = await (await desk.conn.execute("SELECT outcome FROM events ORDER BY seq DESC LIMIT 1")).fetchone()
    assert row is not None
    assert row["outcome"]["decision"] == "outdated"
    await desk.decide(renewed, "approve", version=2)
    assert len(await desk.rows(PurchaseOrder)) == 2


@pytest.mark.parametrize("version", [0, 2])
async def test_a_wrong_version_is_refused_at_the_door(desk: Desk, version: int) -> None:
    question = await failed(desk)
    with pytest.raises(ConflictError):
        await desk.decide(question, "approve", version=version)
    assert (await desk.question()).version == 1


async def test_past_answers_and_notes_are_shown_with_the_next_question(desk: Desk) -> None:
    question = await failed(desk)
    await desk.decide(question, "approve", why="the vendor replaces free of charge")
    await desk.post("Human_Input", text="The doors were wet when they came")
    await desk.post("Inspection_Failed", item="Doors", inspection_date="2026-03-02")
    evidence = (await desk.question()).evidence
    assert evidence["past_cases"][0]["decision"] == "approve"
    assert evidence["past_cases"][0]["why"] == "the vendor replaces free of charge"
    assert evidence["notes"][0]["text"] == "The doors were wet when they came"


async def test_a_hold_that_runs_out_is_asked_again(desk: Desk) -> None:
    question = await failed(desk)
    await desk.decide(question, "edit", actions=[{"name": "hold_item", "arguments": {"item": "hvac-units"}}])
    assert await desk.pending() == []
    assert await enter_expired_holds(desk.conn, desk.clock.now()) == 0
    desk.clock.forward(days=30)
    assert await enter_expired_holds(desk.conn, desk.clock.now()) == 1
    assert await enter_expired_holds(desk.conn, desk.clock.now()) == 0
    await desk.run()
    expired = await desk.question("hold_expired")
    assert expired.recommended[0]["name"] == "reorder_item"
    await desk.decide(expired, "approve")
    item = await desk.item("hvac-units")
    assert (item.round, item.is_held) == (2, False)
