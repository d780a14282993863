"""A building goes live after watch: what people read before, in the message and after is the same; and who is asked."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.actions import action
from domain.buildings import BuildingPatch
from domain.procurement import PurchaseOrder
from domain.watch import Intentions
from storage import buildings
from tests.agent.desk import Desk
from tests.agent.test_watch import (
    MONDAY,
    PERSON,
    intentions,
    messages,
    next_morning,
    next_working_morning,
    switch,
    watch,
)

HELD_BACK: dict[str, dict[str, Any]] = {
    "the vendor is asked": action("request_information", item="doors", to="vendor", question="When can you deliver?"),
    "a team is asked": action("request_information", item="doors", to="receiving", question="Is there room?"),
    "a team is told": action("notify_team", team="receiving", message="Keep it apart.", item="doors"),
    "a team is told of no line": action("notify_team", team="receiving", message="Keep it apart."),
}
HOLD = action("hold_item", item="doors", until="2026-06-01", note="waiting for the vendor")


async def change(desk: Desk, **fields: Any) -> None:
    patch = BuildingPatch.model_validate(fields)
    await buildings.change(desk.conn, desk.building_id, patch, PERSON, desk.clock.now())


async def told_of_questions(desk: Desk) -> list[dict[str, Any]]:
    """The messages that ask somebody, and are sent."""
    return [row for row in await messages(desk, "queued") if "approval_id" in row["payload"]]


# What it would do


async def nothing_happened(desk: Desk) -> None:
    await watch(desk)


async def an_order_is_told(desk: Desk) -> None:
    await watch(desk)
    await desk.post("Submittal_Approved", item="Doors")


async def an_order_is_another_by_now(desk: Desk) -> None:
    await an_order_is_told(desk)
    await desk.conn.execute("UPDATE items SET quantity = 41 WHERE item_id = 'doors'")


async def a_person_ordered_beyond_the_agents_authority(desk: Desk) -> None:
    await watch(desk, policy={"po_limit": "100"})
    await desk.post("Submittal_Approved", item="Doors")
    await desk.decide(await desk.question(), "approve")


async def the_limit_is_lowered_below_an_order_that_was_told(desk: Desk) -> None:
    await an_order_is_told(desk)
    await change(desk, policy={"po_limit": "100"})


async def the_limit_is_raised_after_a_person_was_asked(desk: Desk) -> None:
    await watch(desk, policy={"po_limit": "100"})
    await desk.post("Submittal_Approved", item="Doors")
    await change(desk, policy={"po_limit": "50000"})


async def the_limit_is_raised_after_a_person_answered(desk: Desk) -> None:
    await a_person_ordered_beyond_the_agents_authority(desk)
    await change(desk, policy={"po_limit": "50000"})


async def a_line_is_put_on_hold(desk: Desk) -> None:
    await an_order_is_told(desk)
    await desk.conn.execute("UPDATE items SET held_until = '2026-06-01' WHERE item_id = 'doors'")


async def a_line_is_taken_out(desk: Desk) -> None:
    await an_order_is_told(desk)
    await desk.post("Items_Changed", items=[{"item_id": "doors", "removed": True}])


async def outside_orders_are_late(desk: Desk) -> None:
    await watch(desk)
    for item in ("Doors", "Windows"):
        await desk.post("Purchase_Order_Acknowledged", item=item, promised_date="2026-02-10", purchase_order="4711")
    desk.clock.moment = MONDAY + timedelta(days=21)


async def an_outside_order_has_arrived_and_nobody_inspected_it(desk: Desk) -> None:
    await outside_orders_are_late(desk)
    await desk.post("Shipment_Arrived_Site", item="Doors", date_arrived="2026-02-20")


async def a_person_is_asked_since_chasing_came_to_nothing(desk: Desk) -> None:
    """Ordered live and never shipped; in watch the later milestones have become late, too."""
    await watch(desk, mode="live")
    await desk.post("Submittal_Approved", item="Doors")
    await desk.post("Purchase_Order_Acknowledged", item="Doors", promised_date="2026-03-05")
    while not await desk.pending():
        await next_morning(desk)
    await switch(desk, "watch")
    desk.clock.forward(days=40)


async def a_person_answered_in_watch_that_the_vendor_is_asked(desk: Desk) -> None:
    await a_person_is_asked_since_chasing_came_to_nothing(desk)
    question = await desk.question("milestone_overdue")
    await desk.decide(question, "edit", actions=[HELD_BACK["the vendor is asked"]])
    assert await desk.pending() == []


async def a_person_answered_a_line_that_is_to_be_ordered(desk: Desk) -> None:
    """The conflict is asked again, so nothing is ordered before it is answered."""
    await watch(desk)
    await desk.post("Submittal_Approved", item="Doors")
    await desk.conn.execute("UPDATE items SET schedule_band = 'conflict', eta = '2026-06-01' WHERE item_id = 'doors'")
    await desk.post("Human_Input", item="Doors", text="how late is it?")
    question = await desk.question("schedule_conflict")
    await desk.decide(question, "edit", actions=[HELD_BACK["the vendor is asked"]])


Position = Callable[[Desk], Awaitable[None]]
POSITIONS: dict[Position, tuple[set[str], set[tuple[str, str]]]] = {
    nothing_happened: (set(), set()),
    an_order_is_told: ({"Doors"}, set()),
    an_order_is_another_by_now: ({"Doors"}, set()),
    a_person_ordered_beyond_the_agents_authority: (set(), set()),
    the_limit_is_lowered_below_an_order_that_was_told: (set(), set()),
    the_limit_is_raised_after_a_person_was_asked: ({"Doors"}, set()),
    the_limit_is_raised_after_a_person_answered: ({"Doors"}, set()),
    a_line_is_put_on_hold: (set(), set()),
    a_line_is_taken_out: (set(), set()),
    outside_orders_are_late: (set(), {("Doors", "inspect"), ("Windows", "inspect")}),
    an_outside_order_has_arrived_and_nobody_inspected_it: (set(), {("Doors", "inspect"), ("Windows", "inspect")}),
    a_person_is_asked_since_chasing_came_to_nothing: (set(), set()),
    a_person_answered_in_watch_that_the_vendor_is_asked: (set(), set()),
    a_person_answered_a_line_that_is_to_be_ordered: (set(), set()),
}
"""Where a building in watch may stand, with the lines that it would order and what it would chase for."""


def said_of(told: Intentions) -> str:
    """What the message says of them, up to twenty."""
    orders = [
        f"{one.item} from {one.vendor or 'a vendor that is not on file'} "
        f"({'no price known' if one.total is None else f'{one.total:.2f} {one.currency}'})"
        for one in told.orders
    ]
    chases = [f"{one.item} ({one.milestone}, due on {one.due_on}) on {one.on}" for one in told.chases]
    listed = ["; ".join(found) if found else "nothing" for found in (orders, chases)]
    return f"it orders by itself: {listed[0]}. It chases: {listed[1]}. To stop"


@pytest.mark.parametrize("position", POSITIONS, ids=lambda position: position.__name__)
async def test_what_it_would_do_is_what_it_says_when_it_goes_live_and_what_it_then_does(
    desk: Desk, position: Position
) -> None:
    await position(desk)
    orders, chases = POSITIONS[position]
    before = await intentions(desk)
    assert {one.item for one in before.orders} == orders
    assert {(one.item, one.milestone) for one in before.chases} == chases
    await switch(desk, "live")
    (message,) = [row for row in await messages(desk, "queued") if row["subject"].startswith("Live")]
    assert said_of(before) in message["payload"]["text"]
    assert await intentions(desk) == before
    placed = {order.number for order in await desk.rows(PurchaseOrder)}
    await next_working_morning(desk)
    assert len({order.number for order in await desk.rows(PurchaseOrder)} - placed) == len(orders)
    sent = await messages(desk, "queued")
    assert {(one.item, one.milestone) for one in before.chases} == {
        (row["payload"]["item"].title(), "inspect") for row in sent if "please report" in row["subject"]
    }


# Who is asked


@pytest.mark.parametrize("and_hold", [False, True], ids=["alone", "and the line is put on hold"])
@pytest.mark.parametrize("said", HELD_BACK.values(), ids=HELD_BACK)
async def test_a_request_that_an_answer_made_in_watch_counts_as_not_asked_when_it_goes_live(
    desk: Desk, said: dict[str, Any], and_hold: bool
) -> None:
    await watch(desk)
    await desk.post("Inspection_Failed", item="Doors", inspection_date="2026-02-02", purchase_order="4711")
    question = await desk.question("inspection_failed")
    await desk.decide(question, "edit", actions=[said, HOLD] if and_hold else [said])
    assert await desk.pending() == []
    assert await messages(desk, "queued") == []
    await switch(desk, "live")
    again = await desk.question("inspection_failed")
    assert [row["payload"]["approval_id"] for row in await told_of_questions(desk)] == [again.approval_id]
    await desk.decide(again, "edit", actions=[said])
    assert await desk.pending() == []
    assert not (await desk.item("doors")).is_held
    assert len(await messages(desk, "queued")) == 3


async def test_a_request_that_was_sent_before_watch_is_not_put_again(desk: Desk) -> None:
    await watch(desk, mode="live")
    await desk.post("Submittal_Approved", item="Doors")
    await desk.post("Inspection_Failed", item="Doors", inspection_date="2026-02-02")
    question = await desk.question("inspection_failed")
    await desk.decide(question, "edit", actions=[HELD_BACK["the vendor is asked"], HOLD])
    await switch(desk, "watch")
    await switch(desk, "live")
    assert await desk.pending() == []
    assert (await desk.item("doors")).is_held


# How it is told


async def asked_beyond_authority(desk: Desk, mode: str) -> None:
    await watch(desk, policy={"po_limit": "100"}, mode=mode)
    await desk.post("Submittal_Approved", item="Doors")


@pytest.mark.parametrize("changes", ["nothing", "the facts", "the limit", "both"])
async def test_a_question_of_which_nobody_was_told_is_put_as_a_new_one(desk: Desk, changes: str) -> None:
    await asked_beyond_authority(desk, "watch")
    if changes in ("the facts", "both"):
        await desk.post("Items_Changed", items=[{"item_id": "doors", "quantity": 50}])
    if changes in ("the limit", "both"):
        await change(desk, policy={"po_limit": "200"})
    for _ in range(5):
        await next_morning(desk)
    await switch(desk, "live")
    (told,) = await told_of_questions(desk)
    assert "Changed" not in told["subject"] + told["payload"]["text"]
    assert "instead of" not in told["payload"]["text"]
    assert told["subject"].endswith("please decide")
    assert "changed" not in (await desk.question()).evidence
    await desk.post("Items_Changed", items=[{"item_id": "doors", "quantity": 60}])
    told = (await told_of_questions(desk))[-1]
    assert told["subject"].startswith("Changed: ")
    was = 50 if changes in ("the facts", "both") else 40
    assert f"quantity 60 instead of {was}" in told["payload"]["text"]


@pytest.mark.parametrize("reminded", [False, True], ids=["", "and is brought to mind in watch"])
async def test_who_was_told_of_a_question_before_watch_is_told_what_has_changed_since(
    desk: Desk, reminded: bool
) -> None:
    await asked_beyond_authority(desk, "live")
    await switch(desk, "watch")
    await desk.post("Items_Changed", items=[{"item_id": "doors", "quantity": 50}])
    await desk.post("Items_Changed", items=[{"item_id": "doors", "quantity": 60}])
    for _ in range(5 if reminded else 0):
        await next_morning(desk)
    await switch(desk, "live")
    (told,) = await told_of_questions(desk)
    assert told["subject"].startswith("Changed: ")
    assert "quantity 60 instead of 40" in told["payload"]["text"]
