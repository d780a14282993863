"""Orders: what the agent releases alone, what it asks, and that nothing is ever ordered twice."""

from typing import Any

import pytest

from domain.procurement import Milestone, OrderLine, PurchaseOrder
from storage.upkeep import enter_expired_holds
from tests.agent.desk import Desk

VENDORS = [
    {"vendor_id": "acme", "name": "Acme Steel", "contact": "orders@acme.example"},
    {"vendor_id": "newco", "name": "New Co", "approved": False},
]
DELIVERY = {"item": "Panels", "required_by": "2026-04-15", "buffer_days": 5}


def line(**fields: Any) -> dict[str, Any]:
    return {
        "name": "Panels",
        "vendor_id": "acme",
        "quantity": "4",
        "unit": "pcs",
        "unit_price": "2500.50",
        "lead_time_days": 40,
        **fields,
    }


async def opened(desk: Desk, limit: str | None = "10000", **fields: Any) -> None:
    await desk.open(
        schedule={"project": {"name": "Office"}, "deliveries": [DELIVERY]},
        items=[line(**fields)],
        vendors=VENDORS,
        policy={} if limit is None else {"po_limit": limit},
        approvers=[
            {"role": "project_manager", "name": "PM", "limit": "50000"},
            {"role": "director", "name": "Director"},
        ],
    )


async def test_an_order_within_the_limit_is_issued_and_tracked(desk: Desk) -> None:
    await opened(desk, limit="10002.00")
    event = await desk.post("Submittal_Approved", item="Panels")
    assert await desk.names(event) == ["issue_purchase_order", "start_tracking"]
    (order,) = await desk.rows(PurchaseOrder)
    (row,) = await desk.rows(OrderLine)
    assert (order.number, str(order.total), order.vendor_id) == ("PO-office-0001", "10002.00", "acme")
    assert (str(row.quantity), str(row.unit_price), row.round) == ("4", "2500.50", 1)
    due = {milestone.kind: str(milestone.due_on) for milestone in await desk.rows(Milestone)}
    # Ordered on Sunday 1 February 2026: five working days to acknowledge, 40 calendar days of lead time.
    assert due == {"acknowledge": "2026-02-06", "ship": "2026-03-06", "arrive": "2026-03-13", "inspect": "2026-03-16"}


async def test_an_order_beyond_the_limit_is_asked_and_issued_once_approved(desk: Desk) -> None:
    await opened(desk)
    event = await desk.post("Submittal_Approved", item="Panels")
    assert await desk.names(event) == []
    question = await desk.question("order_beyond_authority")
    assert question.evidence["policy"] == "po_limit: 10000 USD is the most the agent orders alone"
    assert question.evidence["order"]["value"] == "10002.00 USD"
    assert question.asked_of == "project_manager"
    await desk.decide(question)
    assert await desk.names() == ["issue_purchase_order", "start_tracking"]
    assert len(await desk.rows(PurchaseOrder)) == 1


async def test_who_is_asked_depends_on_the_amount(desk: Desk) -> None:
    await opened(desk, unit_price="20000")
    await desk.post("Submittal_Approved", item="Panels")
    assert (await desk.question()).asked_of == "director"


async def test_a_repeated_approval_is_noted_and_orders_nothing(desk: Desk) -> None:
    await opened(desk, limit=None)
    await desk.post("Submittal_Approved", item="Panels")
    event = await desk.post("Submittal_Approved", item="Panels")
    assert await desk.names(event) == []
    assert "already approved" in (await desk.event(event))["outcome"]["note"]
    assert len(await desk.rows(PurchaseOrder)) == 1


async def test_a_repeated_approval_while_the_order_is_asked_asks_no_second_time(desk: Desk) -> None:
    await opened(desk)
    await desk.post("Submittal_Approved", item="Panels")
    await desk.post("Submittal_Approved", item="Panels")
    assert len(await desk.pending()) == 1


async def test_a_new_revision_after_ordering_is_a_change_order_and_asked(desk: Desk) -> None:
    await opened(desk, limit=None)
    await desk.post("Submittal_Approved", item="Panels", revision=0)
    event = await desk.post("Submittal_Approved", item="Panels", revision=1)
    assert await desk.names(event) == []
    question = await desk.question("order_beyond_authority")
    assert question.evidence["policy"] == "a change order always needs a person"
    anew = next(option for option in question.options if len(option.actions) == 2)
    await desk.decide(question, "edit", actions=anew.actions)
    orders = {order.number: order.status for order in await desk.rows(PurchaseOrder)}
    assert orders == {"PO-office-0001": "cancelled", "PO-office-0002": "issued"}
    assert (await desk.item("panels")).round == 2


async def test_an_older_revision_is_noted(desk: Desk) -> None:
    await opened(desk, limit=None)
    await desk.post("Submittal_Approved", item="Panels", revision=2)
    await desk.post("Submittal_Approved", item="Panels", revision=1)
    assert await desk.pending() == []


@pytest.mark.parametrize(
    ("fields", "missing"),
    [({"vendor_id": None}, ["vendor"]), ({"unit_price": None}, ["unit price"])],
)
async def test_a_posted_line_that_lacks_something_is_asked_and_ordered_once_complete(
    desk: Desk, fields: dict[str, Any], missing: list[str]
) -> None:
    await opened(desk, **fields)
    await desk.post("Submittal_Approved", item="Panels")
    question = await desk.question("order_incomplete")
    assert question.subject["missing"] == missing
    await desk.post("Items_Changed", items=[{"item_id": "panels", "vendor_id": "acme", "unit_price": "10.00"}])
    assert await desk.pending() == []
    assert await desk.names() == ["issue_purchase_order", "start_tracking"]


async def test_a_question_that_was_answered_is_not_asked_again_on_the_same_facts(desk: Desk) -> None:
    await opened(desk, vendor_id=None)
    await desk.post("Submittal_Approved", item="Panels")
    question = await desk.question("order_incomplete")
    await desk.decide(question, "approve")
    assert await desk.names() == ["dismiss_event"], "nobody is sent to himself"
    assert await desk.pending() == []
    await desk.post("Items_Changed", items=[{"item_id": "panels", "quantity": "5"}])
    assert (await desk.question("order_incomplete")).approval_id != question.approval_id


async def test_asking_for_a_better_price_holds_the_line_until_it_is_asked_about_again(desk: Desk) -> None:
    await opened(desk)
    await desk.post("Submittal_Approved", item="Panels")
    await desk.decide(await desk.question(), "reject")
    await desk.decide(await desk.question("order_beyond_authority"), "approve")
    assert await desk.names() == ["request_information", "hold_item"]
    assert await desk.pending() == []
    assert (await desk.item("panels")).is_held
    desk.clock.forward(days=10)
    await enter_expired_holds(desk.conn, desk.clock.now())
    await desk.run()
    await desk.decide(await desk.question("hold_expired"), "approve")
    assert (await desk.names())[-2:] == ["issue_purchase_order", "start_tracking"]
    assert await desk.pending() == []


async def test_a_price_is_not_needed_without_a_limit(desk: Desk) -> None:
    await opened(desk, limit=None, unit_price=None)
    await desk.post("Submittal_Approved", item="Panels")
    assert await desk.pending() == []
    (order,) = await desk.rows(PurchaseOrder)
    assert order.total is None


async def test_a_line_made_from_a_delivery_is_ordered_without_vendor_and_price(desk: Desk) -> None:
    await desk.open(schedule={"project": {"name": "Office"}, "deliveries": [DELIVERY]}, policy={"po_limit": "1"})
    await desk.post("Submittal_Approved", item="panels")
    assert await desk.names() == ["issue_purchase_order", "start_tracking"]


async def test_an_unapproved_vendor_and_a_foreign_currency_need_a_person(desk: Desk) -> None:
    await opened(desk, limit=None, vendor_id="newco")
    await desk.post("Submittal_Approved", item="Panels")
    assert "not approved" in (await desk.question("order_beyond_authority")).evidence["policy"]
    desk.building_id = "abroad"
    await opened(desk, currency="EUR", unit_price="1")
    await desk.post("Submittal_Approved", item="Panels")
    assert "in EUR" in (await desk.question("order_beyond_authority")).evidence["policy"]


async def test_a_rejected_submittal_is_told_with_its_order_by_date(desk: Desk) -> None:
    await opened(desk)
    event = await desk.post("Submittal_Rejected", item="Panels", reason="wrong finish")
    ((name, arguments),) = await desk.actions(event)
    assert (name, arguments["team"]) == ("notify_team", "project_manager")
    # 15 April less 40 calendar days.
    assert "2026-03-06" in arguments["message"]
    assert (await desk.item("panels")).submittal == "rejected"


async def test_an_acknowledgement_with_exceptions_is_asked(desk: Desk) -> None:
    await opened(desk, limit=None)
    await desk.post("Submittal_Approved", item="Panels")
    await desk.post(
        "Purchase_Order_Acknowledged",
        item="Panels",
        promised_date="2026-03-20",
        exceptions=[{"kind": "price", "detail": "2600 instead of 2500.50"}, "freight is extra"],
    )
    question = await desk.question("acknowledgement_exception")
    assert [one["kind"] for one in question.evidence["exceptions"]] == ["price", "other"]
    assert (await desk.item("panels")).commercial == "acknowledged"
    assert str((await desk.item("panels")).promised_date) == "2026-03-20"


async def test_an_acknowledgement_brings_the_orders_number_in_the_vendors_books(desk: Desk) -> None:
    await opened(desk, limit=None)
    await desk.post("Submittal_Approved", item="Panels")
    await desk.post("Purchase_Order_Acknowledged", item="Panels", promised_date="2026-03-20", external_ref="SO-77")
    (order,) = await desk.rows(PurchaseOrder)
    assert (order.status, order.external_ref) == ("acknowledged", "SO-77")
    await desk.post("Purchase_Order_Acknowledged", item="Panels", promised_date="2026-03-25")
    (order,) = await desk.rows(PurchaseOrder)
    assert order.external_ref == "SO-77"


async def test_an_acknowledgement_of_what_was_never_ordered_is_a_contradiction(desk: Desk) -> None:
    await opened(desk)
    await desk.post("Purchase_Order_Acknowledged", item="Panels", promised_date="2026-03-20")
    await desk.question("facts_contradict")
    assert (await desk.item("panels")).promised_date is None


async def test_an_approval_of_what_has_already_arrived_does_not_order_it(desk: Desk) -> None:
    await opened(desk, limit=None)
    await desk.post("Shipment_Arrived_Site", item="Panels", date_arrived="2026-02-02")
    await desk.post("Submittal_Approved", item="Panels")
    await desk.question("facts_contradict")
    assert await desk.rows(PurchaseOrder) == []
