"""A building in watch: it decides and asks as ever, shows what it would have done, and sends and orders nothing."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.actions import ACTION_NAMES, action
from domain.actions.registry import COMMITTING
from domain.approvals import LOCAL_PERSON, POLICY
from domain.buildings import Building, BuildingPatch
from domain.errors import ConflictError, ForbiddenError, InvalidError
from domain.orders import order_rows
from domain.principals import Author
from domain.procurement import Message, Milestone, OrderLine, PurchaseOrder
from domain.watch import Intentions
from storage import buildings, inbox, outbox, pages, procurement
from storage.audit import Signature
from storage.lists import MESSAGES
from storage.upkeep import enter_first_days, enter_overdue, enter_owed
from storage.watching import read_intentions
from tests.agent.desk import Desk
from tests.agent.test_effects import CASES, prepared
from tests.agent.test_learning import delegated, fail
from tools.effects import carry_out

PERSON = Author(type="human", id="pm", name="Project manager", via="key")
ORDER = "Purchase order PO-office-0001: Doors, 40, required by 2026-05-04"
MONDAY = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)
LINES: dict[str, Any] = {
    "mode": "watch",
    "schedule": {"project": {"name": "x"}, "deliveries": []},
    "items": [
        {
            "name": name,
            "vendor_id": "v",
            "quantity": 40,
            "unit_price": "900.00",
            "lead_time_days": 30,
            "required_by": "2026-05-04",
        }
        for name in ("Doors", "Windows")
    ],
    "vendors": [{"vendor_id": "v", "name": "V Ltd", "contact": "sales@v.example"}],
    "contacts": {"project_manager": "pm@example.com", "receiving": "the yard"},
    "policy": {"po_limit": "50000"},
}


async def watch(desk: Desk, **spec: Any) -> None:
    desk.clock.moment = MONDAY
    await desk.open(**{**LINES, **spec})


async def switch(desk: Desk, mode: Any, *, run: bool = True) -> Building:
    patch = BuildingPatch(mode=mode)
    changed = await buildings.change(desk.conn, desk.building_id, patch, PERSON, desk.clock.now())
    if run:
        await desk.run()
    return changed


async def tick(desk: Desk) -> None:
    now = desk.clock.now()
    await enter_overdue(desk.conn, now)
    await enter_owed(desk.conn, now)
    await enter_first_days(desk.conn, now)
    await desk.run()


async def next_morning(desk: Desk) -> None:
    """The next day at seven, when quiet hours are over."""
    desk.clock.moment = (desk.clock.moment + timedelta(days=1)).replace(hour=7, minute=0)
    await tick(desk)


async def own_orders(desk: Desk) -> list[str]:
    """Numbers of the orders that the agent has placed."""
    return [order.number for order in await desk.rows(PurchaseOrder) if not order.placed_outside]


async def next_working_morning(desk: Desk) -> None:
    """Once the first day of being live is over."""
    building = await procurement.building(desk.conn, desk.building_id)
    assert building is not None
    assert building.acts_from is not None
    desk.clock.moment = building.acts_from
    await tick(desk)


async def messages(desk: Desk, status: str | None = None) -> list[dict[str, Any]]:
    query = "SELECT * FROM outbox WHERE building_id = %s AND (%s::text IS NULL OR status = %s) ORDER BY outbox_id"
    return await (await desk.conn.execute(query, (desk.building_id, status, status))).fetchall()


async def subjects(desk: Desk, status: str) -> list[str]:
    return [row["subject"] for row in await messages(desk, status)]


async def results(desk: Desk, action: str) -> list[dict[str, Any]]:
    query = "SELECT result FROM actions WHERE building_id = %s AND action = %s ORDER BY seq, ordinal"
    return [row["result"] for row in await (await desk.conn.execute(query, (desk.building_id, action))).fetchall()]


async def intentions(desk: Desk) -> Intentions:
    building = await procurement.building(desk.conn, desk.building_id)
    assert building is not None
    return await read_intentions(desk.conn, building, desk.clock.now().date())


# What it does in watch


async def test_an_order_is_only_told_and_the_line_shows_what_it_would_have_been(desk: Desk) -> None:
    await watch(desk)
    event_id = await desk.post("Submittal_Approved", item="Doors")
    item = await desk.item("doors")
    assert item.status == "ready_to_order"
    assert (item.would_order.vendor, item.would_order.total, str(item.would_order.on)) == (
        "V Ltd",
        Decimal("36000.00"),
        "2026-02-02",
    )
    (order,) = await results(desk, "issue_purchase_order")
    assert order["would_do"]["name"] == "issue_purchase_order"
    assert order["would_do"]["order"]["total"] == "36000.00 USD"
    assert [list(one) for one in await results(desk, "start_tracking")] == [["would_do"]]
    outcome = (await desk.event(event_id))["outcome"]
    assert (outcome["actions"], outcome["would_do"]) == ([], ["issue_purchase_order", "start_tracking"])
    building = await procurement.building(desk.conn, desk.building_id)
    assert building is not None
    assert building.po_counter == 0
    assert await desk.rows(PurchaseOrder) == []
    assert await messages(desk) == []


async def test_what_it_would_order_is_told_again_only_when_it_is_another_order(desk: Desk) -> None:
    await watch(desk)
    await desk.post("Submittal_Approved", item="Doors")
    await desk.post("Submittal_Approved", item="Doors")
    await desk.post("Human_Input", item="Doors", text="the crane is booked")
    await desk.post("Submittal_Approved", item="Doors", revision=1)
    assert len(await results(desk, "issue_purchase_order")) == 1
    await desk.post("Items_Changed", items=[{"item_id": "doors", "quantity": 50}])
    assert len(await results(desk, "issue_purchase_order")) == 2
    assert (await desk.item("doors")).would_order.quantity == 50


async def test_a_persons_order_is_a_decision_and_orders_nothing(desk: Desk) -> None:
    await watch(desk, policy={"po_limit": "100"})
    await desk.post("Submittal_Approved", item="Doors")
    question = await desk.question("order_beyond_authority")
    await desk.decide(question, "approve")
    assert (await desk.item("doors")).would_order is not None
    assert await desk.rows(PurchaseOrder) == []
    assert await desk.pending() == []
    (approval,) = [row for row in await desk.rows(type(question)) if row.approval_id == question.approval_id]
    assert (approval.decision["type"], approval.decision["status"]) == ("approve", "applied")
    assert {subject.startswith("Doors: order of") for subject in await subjects(desk, "withheld")} == {True}


async def test_messages_are_on_file_and_withheld_and_say_why(desk: Desk) -> None:
    await watch(desk)
    await desk.post("Submittal_Rejected", item="Doors")
    (message,) = await messages(desk)
    assert (message["status"], message["withheld_because"]) == ("withheld", "watch")
    assert len(await desk.rows(Message)) == 1
    (shown,) = (await pages.page(desk.conn, MESSAGES, limit=10, building_id=desk.building_id)).rows
    assert shown["sent"] == {"status": "withheld", "withheld_because": "watch"}


async def test_reminders_and_escalations_are_withheld(desk: Desk) -> None:
    approvers = [{"role": "manager", "name": "M"}, {"role": "director", "name": "D"}]
    await watch(desk, policy={"po_limit": "100"}, approvers=approvers)
    await desk.post("Submittal_Approved", item="Doors")
    for _ in range(6):
        await next_morning(desk)
    assert {"Reminder", "Escalated"} <= {subject.partition(":")[0] for subject in await subjects(desk, "withheld")}
    assert await messages(desk, "queued") == []


async def test_a_chase_that_nobody_received_is_no_attempt_and_nobody_is_asked_about_it(desk: Desk) -> None:
    await watch(desk)
    await desk.post("Purchase_Order_Acknowledged", item="Doors", promised_date="2026-02-10", purchase_order="4711")
    desk.clock.moment = MONDAY + timedelta(days=9)
    for _ in range(14):
        await next_morning(desk)
    assert await desk.pending() == []
    chased = [row for row in await messages(desk) if "please report" in row["subject"]]
    assert chased
    assert {row["status"] for row in chased} == {"withheld"}
    assert len({(row["payload"]["item"], row["payload"]["text"]) for row in chased}) == len(chased)
    assert {milestone.chases for milestone in await desk.rows(Milestone)} == {0}


REPORTS: list[tuple[str, dict[str, Any]]] = [
    ("Purchase_Order_Acknowledged", {"promised_date": "2026-04-20"}),
    ("Shipment_Departed_Factory", {"date_departed": "2026-02-01", "eta": "2026-02-20"}),
    ("ETA_Changed", {"eta": "2026-04-20"}),
    ("Shipment_Arrived_Site", {"date_arrived": "2026-02-02"}),
    ("Inspection_Passed", {"inspection_date": "2026-02-02"}),
]


@pytest.mark.parametrize(("event_type", "fields"), REPORTS)
@pytest.mark.parametrize("number", [None, "4711"])
@pytest.mark.parametrize("submittal", [False, True])
async def test_an_order_placed_outside_is_taken_up_without_a_question(
    desk: Desk, event_type: str, fields: dict[str, Any], number: str | None, submittal: bool
) -> None:
    await watch(desk)
    if submittal:
        await desk.post("Submittal_Approved", item="Doors")
    named = {} if number is None else {"purchase_order": number}
    await desk.post(event_type, item="Doors", **fields, **named)
    assert await desk.pending() == []
    (order,) = await desk.rows(PurchaseOrder)
    assert (order.placed_outside, order.external_ref, order.total) == (True, number, None)
    assert order.number == (number or "outside-doors")
    item = await desk.item("doors")
    assert item.is_ordered
    assert item.round == 1
    assert item.would_order is None
    assert {milestone.kind for milestone in await desk.rows(Milestone)} == {"acknowledge", "ship", "arrive", "inspect"}
    assert await messages(desk, "queued") == []
    assert not [row for row in await messages(desk) if row["subject"].startswith("Purchase order")]
    # It is the line's order from now on, whether a report names it or not.
    await desk.post("Purchase_Order_Acknowledged", item="Doors", promised_date="2026-04-21", purchase_order="4711")
    await desk.post("ETA_Changed", item="Doors", eta="2026-04-22")
    assert [one.kind for one in await desk.pending()] == []
    assert len(await desk.rows(PurchaseOrder)) == 1


@pytest.mark.parametrize("number", ["4711", "45 00/17", "PO-office-0001", "PO.7"])
async def test_one_outside_order_may_be_of_several_lines(desk: Desk, number: str) -> None:
    await watch(desk)
    for item in ("Doors", "Windows"):
        await desk.post("Purchase_Order_Acknowledged", item=item, promised_date="2026-04-20", purchase_order=number)
    assert [order.external_ref for order in await desk.rows(PurchaseOrder)] == [number]
    assert [(await desk.item(item)).commercial for item in ("doors", "windows")] == ["acknowledged"] * 2
    assert await desk.pending() == []


async def test_an_order_that_was_taken_on_is_the_one_that_a_report_of_another_line_names(desk: Desk) -> None:
    doors, windows = LINES["items"]
    await watch(desk, items=[doors | {"state": {"orders": [{"number": "45 00/17"}]}}, windows])
    told = {"promised_date": "2026-04-20", "purchase_order": "45 00/17"}
    await desk.post("Purchase_Order_Acknowledged", item="Windows", **told)
    (order,) = await desk.rows(PurchaseOrder)
    assert order.external_ref == "45 00/17"
    assert [line.number for line in await desk.rows(OrderLine)] == [order.number] * 2


async def test_an_order_without_a_number_is_not_given_that_of_another_order(desk: Desk) -> None:
    await watch(desk)
    await desk.post("Purchase_Order_Acknowledged", item="Doors", promised_date="2026-04-20", purchase_order="4711")
    await desk.post("Purchase_Order_Acknowledged", item="Windows", promised_date="2026-04-20")
    await desk.post("Purchase_Order_Acknowledged", item="Windows", promised_date="2026-04-21", purchase_order="4711")
    orders = {order.number: order.external_ref for order in await desk.rows(PurchaseOrder)}
    assert orders == {"4711": "4711", "outside-windows": None}
    assert (await desk.question()).kind == "facts_contradict"


async def test_an_acknowledgement_that_cannot_be_true_gives_its_order_no_other_number(desk: Desk) -> None:
    await watch(desk)
    told = {"item": "Doors", "purchase_order": "4711", "external_ref": "AB-1"}
    await desk.post("Purchase_Order_Acknowledged", promised_date="2026-04-20", **told)
    await desk.post("Purchase_Order_Acknowledged", promised_date="2062-04-20", **told | {"external_ref": "AB-2"})
    assert (await desk.question()).kind == "facts_contradict"
    assert [order.external_ref for order in await desk.rows(PurchaseOrder)] == ["AB-1"]


async def test_what_cannot_be_true_of_an_outside_order_is_asked_and_not_taken_up(desk: Desk) -> None:
    await watch(desk)
    await desk.post("Shipment_Departed_Factory", item="Doors", date_departed="2026-03-01", eta="2026-02-01")
    assert (await desk.question()).kind == "facts_contradict"
    assert await desk.rows(PurchaseOrder) == []


# What each action does in watch


BINDING = {
    "issue_purchase_order",  # the vendor may hold us to it
    "reorder_item",  # a second order
    "revise_purchase_order",  # another amount is bound
    "cancel_purchase_order",  # the vendor stops, and may charge for it
    "expedite_order",  # freight or overtime is paid for
    "accept_as_is",  # gives up a claim, or takes on the vendor's terms
    "return_item",  # the vendor takes goods back, and owes others
    "start_tracking",  # of an order that was not placed nothing is expected of anybody
}
"""What a builder would call binding, or a part of it: none of it may happen in watch."""
TOLD_OR_ON_FILE = {
    *("notify_team", "request_information"),  # words, which are withheld
    *("flag_potential_issue", "schedule_inspection", "repair_item"),  # our own notes, calendar and hands
    *("change_required_by", "change_project_end", "remove_item", "hold_item", "complete_item"),  # our own log
    *("restate_event", "dismiss_event", "grant_delegation"),  # our own reading and authority
    "judge_goods_taken_on",  # our own verdict on goods that were here before
}


def test_every_action_is_either_binding_or_stays_with_us() -> None:
    assert set(ACTION_NAMES) == BINDING | TOLD_OR_ON_FILE
    assert not BINDING & TOLD_OR_ON_FILE
    assert set(COMMITTING) <= BINDING


@pytest.mark.parametrize("responder", [LOCAL_PERSON, POLICY], ids=["a person", "the agent"])
@pytest.mark.parametrize("name", ACTION_NAMES)
async def test_no_action_orders_or_sends_anything_in_watch(desk: Desk, name: str, responder: Any) -> None:
    """With an order of before on file, so that cancelling and expediting have something to act on."""
    toolbox, entry = await prepared(desk)
    await switch(desk, "watch")
    sent = {row["outbox_id"] for row in await messages(desk)}
    orders = await desk.rows(PurchaseOrder)
    made = action(name, **CASES[name])
    if name == "grant_delegation" and responder is POLICY:
        with pytest.raises(ForbiddenError):
            await carry_out(toolbox, entry, made, 0, responder)
        return
    first = await carry_out(toolbox, entry, made, 0, responder)
    assert await carry_out(toolbox, entry, made, 0, responder) == first
    assert ("would_do" in first) == (name in BINDING)
    if "would_do" in first:
        assert {key: first["would_do"][key] for key in made} == made
    assert await desk.rows(PurchaseOrder) == orders
    new = [row for row in await messages(desk) if row["outbox_id"] not in sent]
    assert {row["status"] for row in new} <= {"withheld"}
    assert await messages(desk, "queued") == []


async def test_an_order_cannot_be_numbered_in_watch_whatever_asks_for_it(desk: Desk) -> None:
    await watch(desk)
    building = await procurement.building(desk.conn, desk.building_id)
    assert building is not None
    with pytest.raises(InvalidError, match="in watch"):
        order_rows(await desk.file("doors"), building, quantity=None, today=MONDAY.date(), seq=1)


# Switching


async def test_going_to_watch_withholds_what_is_not_yet_sent_for_good(desk: Desk) -> None:
    await watch(desk, mode="live")
    await desk.post("Submittal_Approved", item="Doors")
    assert await subjects(desk, "queued") == [ORDER]
    await outbox.deliver(desk.conn, desk.clock.now(), lambda _: [outbox.Way("way", "mail", "lane")])
    now = desk.clock.now()
    (claimed,) = await outbox.claim(desk.conn, now, lease_s=1, limit=9)
    await switch(desk, "watch")
    assert await subjects(desk, "withheld") == [ORDER]
    assert await outbox.message(desk.conn, claimed.outbox_id) is None  # what is sent is read just before
    await outbox.failed(desk.conn, claimed, "busy", again_at=now)
    await switch(desk, "live")
    assert await outbox.claim(desk.conn, now + timedelta(hours=1), lease_s=1, limit=9) == []
    assert ORDER in await subjects(desk, "withheld")


async def test_an_attempt_that_was_under_way_and_succeeded_is_on_record_as_delivered(desk: Desk) -> None:
    await watch(desk, mode="live")
    await desk.post("Submittal_Approved", item="Doors")
    await outbox.deliver(desk.conn, desk.clock.now(), lambda _: [outbox.Way("way", "mail", "lane")])
    (claimed,) = await outbox.claim(desk.conn, desk.clock.now(), lease_s=1, limit=9)
    await switch(desk, "watch")
    await outbox.delivered(desk.conn, claimed, desk.clock.now())
    assert await subjects(desk, "delivered") == [ORDER]


@pytest.mark.parametrize("then", ["not tried", "under way and refused", "under way and taken"])
async def test_a_message_that_one_way_delivered_before_watch_is_not_called_withheld(desk: Desk, then: str) -> None:
    await watch(desk, mode="live")
    await desk.post("Submittal_Approved", item="Doors")
    now, two = desk.clock.now(), [outbox.Way("mail", "mail", "mail"), outbox.Way("erp", "erp", "erp")]
    await outbox.deliver(desk.conn, now, lambda _: two)
    first, second = await outbox.claim(desk.conn, now, lease_s=1, limit=2)
    await outbox.delivered(desk.conn, first, now)
    await switch(desk, "watch")
    assert await outbox.message(desk.conn, second.outbox_id) is None
    if then == "under way and refused":
        await outbox.failed(desk.conn, second, "busy", again_at=now)
    elif then == "under way and taken":
        await outbox.delivered(desk.conn, second, now)
    (message,) = await messages(desk)
    rest = None if then == "under way and taken" else "watch"
    assert (message["status"], message["withheld_because"], message["delivered_at"]) == ("delivered", rest, now)
    await switch(desk, "live")
    assert await outbox.claim(desk.conn, now + timedelta(hours=1), lease_s=1, limit=9) == []


async def test_a_dead_letter_is_not_sent_again_in_watch(desk: Desk) -> None:
    await watch(desk, mode="live")
    await desk.post("Submittal_Approved", item="Doors")
    await desk.conn.execute("UPDATE outbox SET status = 'dead'")
    await switch(desk, "watch")
    (message,) = await messages(desk)
    with pytest.raises(ConflictError, match="in watch"):
        await outbox.retry(desk.conn, message["outbox_id"], Signature(PERSON, desk.clock.now()))


async def test_what_was_withheld_is_never_sent_later(desk: Desk) -> None:
    await watch(desk)
    await desk.post("Submittal_Rejected", item="Doors")
    await switch(desk, "live")
    for _ in range(5):
        await next_morning(desk)
    await outbox.deliver(desk.conn, desk.clock.now(), lambda _: None)
    assert (await messages(desk))[0]["status"] == "withheld"


async def test_what_came_in_before_going_live_is_still_processed_in_watch(desk: Desk) -> None:
    await watch(desk, policy={"po_limit": "100"})
    await desk.post("Submittal_Approved", item="Doors")
    await desk.decide(await desk.question(), "approve", run=False)
    await switch(desk, "live")
    assert await desk.rows(PurchaseOrder) == []
    assert (await desk.question()).kind == "order_beyond_authority"


async def test_going_live_orders_nothing_by_itself_that_day_and_then_does(desk: Desk) -> None:
    await watch(desk)
    await desk.post("Submittal_Approved", item="Doors")
    await switch(desk, "live")
    assert await desk.rows(PurchaseOrder) == []
    (message,) = await messages(desk, "queued")
    assert message["recipient"] == "pm@example.com"
    assert message["subject"] == "Live from today, 1 order planned for the next working day"
    assert "Doors from V Ltd (36000.00 USD)" in message["payload"]["text"]
    assert "2026-02-03 07:00" in message["payload"]["text"]
    assert [order.item_id for order in (await intentions(desk)).orders] == ["doors"]
    await desk.post("Submittal_Approved", item="Windows")
    desk.clock.moment = MONDAY + timedelta(hours=10)
    await tick(desk)
    assert await desk.rows(PurchaseOrder) == []
    await next_morning(desk)
    assert [order.number for order in await desk.rows(PurchaseOrder)] == ["PO-office-0001", "PO-office-0002"]
    assert (await desk.item("doors")).would_order is None
    await next_morning(desk)
    assert len(await desk.rows(PurchaseOrder)) == 2


@pytest.mark.parametrize("stopped_by", ["removed", "held", "ordered outside", "back to watch"])
async def test_a_person_may_stop_what_it_would_order_in_the_morning(desk: Desk, stopped_by: str) -> None:
    await watch(desk)
    await desk.post("Submittal_Approved", item="Doors")
    await switch(desk, "live")
    if stopped_by == "removed":
        await desk.post("Items_Changed", items=[{"item_id": "doors", "removed": True}])
    elif stopped_by == "held":
        await desk.conn.execute("UPDATE items SET held_until = '2026-06-01' WHERE item_id = 'doors'")
    elif stopped_by == "ordered outside":
        await desk.post("Purchase_Order_Acknowledged", item="Doors", promised_date="2026-04-20", purchase_order="47")
    else:
        await switch(desk, "watch")
    await next_morning(desk)
    assert await own_orders(desk) == []
    assert await desk.pending() == []


NOTE = "We ordered the doors ourselves, order 4711. Do not order."


@pytest.mark.parametrize("noted", ["in watch", "before it was approved", "on the first day", "before it was announced"])
async def test_what_a_person_noted_on_a_line_is_asked_before_it_is_ordered(desk: Desk, noted: str) -> None:
    await watch(desk)
    note: dict[str, Any] = {"event_type": "Human_Input", "item": "Doors", "text": NOTE}
    if noted == "before it was approved":
        await desk.post(**note)
    if noted != "before it was announced":
        await desk.post("Submittal_Approved", item="Doors")
    if noted == "in watch":
        await desk.post(**note)
    assert await desk.pending() == []
    await switch(desk, "live")
    if noted in ("on the first day", "before it was announced"):
        await desk.post(**note)
    if noted == "before it was announced":
        await desk.post("Submittal_Approved", item="Doors")
    await next_working_morning(desk)
    assert await own_orders(desk) == []
    question = await desk.question("facts_contradict")
    assert NOTE in question.summary
    assert question.approval_id in {row["payload"].get("approval_id") for row in await messages(desk, "queued")}
    assert [[one["name"] for one in option.actions] for option in question.options] == [
        ["issue_purchase_order", "start_tracking"],
        ["hold_item"],
        ["remove_item"],
        ["hold_item"],
    ]
    await desk.decide(question, "approve")
    assert await own_orders(desk) == ["PO-office-0001"]
    assert await desk.pending() == []


async def test_each_note_is_asked_once_and_a_new_one_again(desk: Desk) -> None:
    await watch(desk)
    await desk.post("Submittal_Approved", item="Doors")
    await switch(desk, "live")
    for _ in range(2):
        await desk.post("Human_Input", item="Doors", text=NOTE)
        question = await desk.question("facts_contradict")
        await desk.decide(question, "edit", actions=[action("dismiss_event", note="wait")])
        assert await desk.pending() == []
    await next_working_morning(desk)
    assert await desk.pending() == []


async def test_an_order_that_a_note_told_of_is_taken_up_when_it_is_reported_and_ends_the_hold(desk: Desk) -> None:
    await watch(desk)
    await desk.post("Submittal_Approved", item="Doors")
    await switch(desk, "live")
    await desk.post("Human_Input", item="Doors", text=NOTE)
    question = await desk.question("facts_contradict")
    await desk.decide(question, "edit", actions=question.options[1].actions)
    assert (await desk.item("doors")).is_held
    await next_working_morning(desk)
    await desk.post("Purchase_Order_Acknowledged", item="Doors", promised_date="2026-04-20", purchase_order="4711")
    assert [order.number for order in await desk.rows(PurchaseOrder)] == ["4711"]
    assert not (await desk.item("doors")).is_held
    assert await desk.pending() == []


async def test_a_note_on_another_line_stops_no_order(desk: Desk) -> None:
    await watch(desk)
    await desk.post("Submittal_Approved", item="Doors")
    await switch(desk, "live")
    await desk.post("Human_Input", item="Windows", text="the crane is booked")
    await next_working_morning(desk)
    assert await own_orders(desk) == ["PO-office-0001"]
    assert await desk.pending() == []


async def test_an_order_that_was_never_sent_is_listed_and_nobody_is_chased_for_it(desk: Desk) -> None:
    await watch(desk, mode="live")
    await desk.post("Submittal_Approved", item="Doors")
    await switch(desk, "watch")
    desk.clock.moment = MONDAY + timedelta(days=40)
    await tick(desk)
    await switch(desk, "live")
    (message,) = await messages(desk, "queued")
    assert "never sent to the vendor, and not chased: PO-office-0001 (Doors)" in message["payload"]["text"]
    assert (await intentions(desk)).chases == []
    for _ in range(8):
        await next_morning(desk)
    assert not [subject for subject in await subjects(desk, "queued") if "please report" in subject]
    # Somebody sent it by hand: what comes next is chased as ever.
    await desk.post("Purchase_Order_Acknowledged", item="Doors", promised_date="2026-03-20")
    await next_morning(desk)
    assert [subject for subject in await subjects(desk, "queued") if "please report" in subject]


async def test_on_the_first_day_a_person_may_order(desk: Desk) -> None:
    await watch(desk, policy={"po_limit": "100"})
    await switch(desk, "live")
    await desk.post("Submittal_Approved", item="Doors")
    await desk.decide(await desk.question(), "approve")
    assert [order.number for order in await desk.rows(PurchaseOrder)] == ["PO-office-0001"]


async def test_open_questions_are_announced_once_when_it_goes_live(desk: Desk) -> None:
    approvers = [{"role": "manager", "name": "M", "contact": "m@x"}, {"role": "director", "name": "D"}]
    await watch(desk, policy={"po_limit": "100"}, approvers=approvers)
    await desk.post("Submittal_Approved", item="Doors")
    for _ in range(5):
        await next_morning(desk)
    assert (await desk.question()).escalation_level > 0
    await switch(desk, "live")
    assert (await desk.question()).escalation_level == 0
    announced = [row for row in await messages(desk, "queued") if not row["subject"].startswith("Live")]
    assert [row["recipient"] for row in announced] == ["m@x"]
    assert announced[0]["subject"].endswith("please decide")
    desk.clock.forward(hours=3)
    await tick(desk)
    assert len(await messages(desk, "queued")) == 2


async def test_an_answer_given_in_watch_is_asked_for_again_when_it_goes_live(desk: Desk) -> None:
    await watch(desk)
    await desk.post("Inspection_Failed", item="Doors", inspection_date="2026-02-02", purchase_order="4711")
    await desk.decide(await desk.question("inspection_failed"), "approve")
    assert [list(one) for one in await results(desk, "reorder_item")] == [["would_do"]]
    assert await desk.pending() == []
    await switch(desk, "live")
    question = await desk.question("inspection_failed")
    await desk.decide(question, "approve")
    assert await own_orders(desk) == ["PO-office-0001"]


async def test_a_rule_decides_in_watch_what_is_only_told_and_recommends_on_the_first_day(desk: Desk) -> None:
    await delegated(desk)
    orders = await own_orders(desk)
    await switch(desk, "watch")
    await fail(desk, "Windows")
    assert await desk.pending() == []
    assert "would_do" in (await results(desk, "reorder_item"))[-1]
    await switch(desk, "live")
    question = await desk.question("inspection_failed")
    assert question.advice is not None
    assert "first day" in str(question.advice.limit)
    await fail(desk, "Pumps")
    assert len(await desk.pending()) == 2
    assert await own_orders(desk) == orders
    await next_working_morning(desk)
    await fail(desk, "Doors")
    assert "would_do" not in (await results(desk, "reorder_item"))[-1]


async def test_twenty_overdue_lines_are_not_chased_at_once(desk: Desk) -> None:
    names = [f"Line {number:02}" for number in range(20)]
    items = [{"name": name, "vendor_id": "v", "required_by": "2026-03-01"} for name in names]
    await watch(desk, items=items)
    for name in names:
        await desk.post(
            "Purchase_Order_Acknowledged", item=name, promised_date="2026-02-10", purchase_order="4711", run=False
        )
    await desk.run()
    desk.clock.moment = datetime(2026, 3, 16, 9, 0, tzinfo=UTC)
    await tick(desk)
    await switch(desk, "live")
    assert len((await intentions(desk)).chases) == 20
    assert [row["recipient"] for row in await messages(desk, "queued")] == ["pm@example.com"]
    counts = []
    for _ in range(7):
        before = sum("please report" in subject for subject in await subjects(desk, "queued"))
        await next_morning(desk)
        counts.append(sum("please report" in subject for subject in await subjects(desk, "queued")) - before)
    assert counts == [5, 5, 5, 5, 0, 0, 0]


async def test_an_order_placed_outside_under_a_number_of_ours_is_not_overwritten_by_the_agents_own(desk: Desk) -> None:
    await watch(desk)
    await desk.post("Submittal_Approved", item="Windows")
    told = {"promised_date": "2026-04-20", "purchase_order": "PO-office-0001"}
    await desk.post("Purchase_Order_Acknowledged", item="Doors", **told)
    await switch(desk, "live")
    await next_working_morning(desk)
    outside, own = (await desk.file("doors")).order, (await desk.file("windows")).order
    assert outside is not None
    assert own is not None
    assert outside.number.startswith("outside-po-office-0001-")
    assert (outside.external_ref, own.number) == ("PO-office-0001", "PO-office-0001")


async def test_switching_is_on_record_with_before_and_after(desk: Desk) -> None:
    await watch(desk)
    waiting = await switch(desk, "live", run=False)
    assert (waiting.shown_mode, waiting.going_live) == ("watch", True)
    back = await switch(desk, "watch")
    assert (back.shown_mode, back.going_live) == ("watch", False)
    await switch(desk, "watch")
    rows = await (await desk.conn.execute("SELECT detail FROM audit ORDER BY number")).fetchall()
    assert [row["detail"]["changed"] for row in rows] == [
        {"mode": {"before": "watch", "after": "live"}},
        {"mode": {"before": "live", "after": "watch"}},
    ]
    building = await procurement.building(desk.conn, desk.building_id)
    assert building is not None
    assert building.is_watching


async def bury_going_live(desk: Desk) -> None:
    """The entry that would make it live cannot be processed, and a person is asked what now."""
    lease = await inbox.begin_drain(desk.conn, desk.building_id)
    assert lease is not None
    claimed = await inbox.claim(desk.conn, lease, desk.clock.now())
    assert claimed is not None
    assert claimed.entry.event_type == "Building_Went_Live"
    await inbox.bury(desk.conn, lease, claimed.entry, error="broken", now=desk.clock.now())
    await desk.run()


async def test_going_live_that_died_is_shown_and_sent_and_switching_again_tries_it_again(desk: Desk) -> None:
    await watch(desk)
    await desk.post("Submittal_Rejected", item="Windows")
    for _ in range(2):
        await switch(desk, "live", run=False)
        await bury_going_live(desk)
        building = await procurement.building(desk.conn, desk.building_id)
        assert building is not None
        assert (building.shown_mode, building.going_live) == ("watch", True)
        assert {one.kind for one in await desk.pending()} == {"event_failed"}
    await outbox.deliver(desk.conn, desk.clock.now(), lambda _: [outbox.Way("way", "mail", "lane")])
    assert [row["payload"]["approval_id"] for row in await messages(desk, "queued")] == [
        one.approval_id for one in await desk.pending()
    ]
    await desk.post("Submittal_Rejected", item="Doors")
    assert len(await messages(desk, "withheld")) == 2
    live = await switch(desk, "live")
    assert live.going_live
    building = await procurement.building(desk.conn, desk.building_id)
    assert building is not None
    assert (building.shown_mode, building.going_live, building.is_watching) == ("live", False, False)


async def test_switching_to_live_twice_enters_it_once(desk: Desk) -> None:
    await watch(desk)
    await switch(desk, "live", run=False)
    await switch(desk, "live", run=False)
    assert [entry.event_type for entry in await desk.entries()] == ["Building_Went_Live"]


async def test_a_building_in_watch_is_a_real_one_for_ticks_and_figures(desk: Desk) -> None:
    await watch(desk)
    await desk.post("Submittal_Rejected", item="Doors")
    row = await (await desk.conn.execute("SELECT sum(events) AS n FROM event_totals")).fetchone()
    assert row is not None
    assert row["n"] == 1
