"""Several lines for one price: ordered whole, on one order, and every limit looks at the price of the whole."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from pydantic import ValidationError

from domain.approvals import Approval, Responder
from domain.buildings import BuildingSpec
from domain.errors import ForbiddenError, InvalidError
from domain.events import EVENT
from domain.principals import Principal
from domain.procurement import OrderLine, PurchaseOrder
from tests.agent.desk import Desk
from tests.agent.test_limits import PM, answer

STEEL = {"group": "steel", "price": "120000"}
BOT = Principal(Responder(type="ai_agent", id="bot", name="Bot"), "key", frozenset({"approver"}))


def line(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "category": "05", "vendor_id": "v", "quantity": "10", "unit": "t", "lump_sum": STEEL} | fields


LINES = [line("Beams"), line("Columns"), line("Bolts", quantity="400", unit="pcs")]
VENDORS = [
    {"vendor_id": "v", "name": "Vendor", "contact": "orders@v.example"},
    {"vendor_id": "w", "name": "Other", "contact": "orders@w.example"},
]


async def open_site(desk: Desk, *lines: dict[str, Any], **spec: Any) -> None:
    await desk.open(items=list(lines or LINES), vendors=VENDORS, **spec)


async def approve(desk: Desk, *names: str) -> None:
    for name in names:
        await desk.post("Submittal_Approved", item=name, revision=0)


async def order_all(desk: Desk, **spec: Any) -> PurchaseOrder:
    await open_site(desk, **spec)
    await approve(desk, "Beams", "Columns", "Bolts")
    return await the_order(desk)


async def the_order(desk: Desk) -> PurchaseOrder:
    (order,) = await desk.rows(PurchaseOrder)
    assert isinstance(order, PurchaseOrder)
    return order


async def choose(desk: Desk, asked: Approval, title: str) -> None:
    actions = next(option.actions for option in asked.options if option.title == title)
    await desk.decide(asked, "edit", actions=actions)


async def sent_to(desk: Desk) -> list[str]:
    cursor = await desk.conn.execute("SELECT recipient, subject FROM outbox WHERE subject LIKE 'Purchase order %%'")
    return [f"{row['recipient']}: {row['subject']}" for row in await cursor.fetchall()]


# ---- how it is stated


@pytest.mark.parametrize(
    ("other", "both"),
    [
        ({"lump_sum": {"group": "steel", "price": "100000"}}, ("120000", "100000")),
        ({"vendor_id": "w"}, ("vendor v", "w")),
        ({"currency": "EUR"}, ("USD", "EUR")),
        ({"unit_price": "5"}, ("unit_price", "lump_sum")),
    ],
)
def test_lines_of_a_group_have_one_price_vendor_and_currency(other: dict[str, Any], both: tuple[str, str]) -> None:
    lines = [line("Beams", currency="USD"), line("Columns", currency="USD") | other]
    body = {"building_id": "b", "name": "B", "schedule": {"project": {"name": "B"}}, "vendors": VENDORS, "items": lines}
    with pytest.raises(ValidationError) as refused:
        BuildingSpec.model_validate(body)
    assert all(word in str(refused.value) for word in both)
    with pytest.raises(ValidationError) as refused:
        EVENT.validate_python({"event_type": "Items_Changed", "items": lines})
    assert all(word in str(refused.value) for word in both)


async def test_another_price_on_one_line_is_the_whole_groups_until_it_is_ordered(desk: Desk) -> None:
    await open_site(desk)
    await desk.post("Items_Changed", items=[{"item_id": "bolts", "lump_sum": STEEL | {"price": "90000"}}])
    assert {(await desk.item(one)).group_total for one in ("beams", "columns", "bolts")} == {Decimal(90000)}


async def test_a_line_joins_a_group_at_its_price_or_is_refused_with_both_shown(desk: Desk) -> None:
    await open_site(desk)
    await desk.post("Items_Changed", items=[line("Purlins") | {"lump_sum": STEEL | {"price": "1"}}])
    asked = await desk.question("event_unclear")
    assert "120000" in asked.summary
    assert "Purlins has 1" in asked.summary
    await desk.decide(asked, "edit", actions=[{"name": "dismiss_event", "arguments": {}}])
    await desk.post("Items_Changed", items=[line("Purlins") | {"vendor_id": None}])
    joined = await desk.item("purlins")
    assert (joined.group, joined.group_total, joined.vendor_id) == ("steel", Decimal(120000), "v")


# ---- how it is ordered


@pytest.mark.parametrize("names", list(permutations(["Beams", "Columns", "Bolts"])))
async def test_it_is_asked_about_once_while_not_all_is_ready_and_ordered_once_when_all_is(
    desk: Desk, names: tuple[str, str, str]
) -> None:
    await open_site(desk)
    first, second, third = names
    await approve(desk, first)
    asked = await desk.question("order_beyond_authority")
    assert all(f"{one} (planned)" in asked.summary for one in (second, third))
    assert await desk.rows(PurchaseOrder) == []
    await approve(desk, second)
    assert len(await desk.pending()) == 1
    await approve(desk, third)
    assert await desk.pending() == []
    order = await the_order(desk)
    lines = await desk.rows(OrderLine)
    assert (order.total, order.revision) == (Decimal(120000), 0)
    assert {one.item_id for one in lines} == {"beams", "columns", "bolts"}
    assert {(one.number, one.group, one.group_total, one.unit_price) for one in lines} == {
        (order.number, "steel", Decimal(120000), None)
    }
    for name in names:
        file = await desk.file(name.lower())
        assert file.item.commercial == "ordered"
        assert {milestone.kind for milestone in file.milestones} == {"acknowledge", "ship", "arrive", "inspect"}
    assert len(await sent_to(desk)) == 1


async def test_a_person_orders_the_whole_early_and_the_second_line_adds_nothing(desk: Desk) -> None:
    await open_site(desk)
    await approve(desk, "Bolts")
    await choose(desk, await desk.question(), "Issue the purchase order")
    assert (await the_order(desk)).total == Decimal(120000)
    await approve(desk, "Beams", "Columns")
    assert ((await the_order(desk)).total, (await the_order(desk)).revision) == (Decimal(120000), 0)
    assert await desk.pending() == []


async def test_a_vendor_given_to_one_line_is_the_groups(desk: Desk) -> None:
    await open_site(desk, *(one | {"vendor_id": None} for one in LINES))
    await approve(desk, "Beams", "Columns", "Bolts")
    asked = await desk.question("order_incomplete")
    fill_in = {"name": "complete_item", "arguments": {"item": asked.item_id, "vendor_id": "w"}}
    await desk.decide(asked, "edit", actions=[fill_in])
    if await desk.pending():
        await choose(desk, await desk.question(), "Issue the purchase order")
    assert (await the_order(desk)).vendor_id == "w"
    assert len(await desk.rows(OrderLine)) == 3


# ---- authority: the whole price, never a share and never nothing


@pytest.mark.parametrize("limit", ["119999", "40000", "1"])
async def test_the_agent_orders_no_part_of_it_beyond_its_limit(desk: Desk, limit: str) -> None:
    await open_site(desk, line("Bolts", quantity="1"), LINES[0], policy={"po_limit": limit})
    await approve(desk, "Bolts", "Beams")
    asked = await desk.question("order_beyond_authority")
    assert asked.amount == "120000"
    await desk.post("Items_Changed", items=[{"item_id": "beams", "removed": True}])
    assert (await desk.question("order_beyond_authority")).amount == "120000"
    assert await desk.rows(PurchaseOrder) == []


CHAIN = {
    "policy": {"po_limit": "5000"},
    "approvers": [
        {"role": "project_manager", "name": "Paul", "limit": "50000"},
        {"role": "director", "name": "Dora", "limit": "120000"},
    ],
    "contacts": {"project_manager": "pm@site.example"},
}


@pytest.mark.parametrize(
    "actions",
    [
        [("issue_purchase_order", {"item": "bolts"})],
        [("issue_purchase_order", {"item": "bolts", "quantity": "1"})],
        [("reorder_item", {"item": "bolts", "quantity": "1"})],
        [("cancel_purchase_order", {"item": "beams"}), ("issue_purchase_order", {"item": "beams"})],
        [("issue_purchase_order", {"item": "beams"}), ("issue_purchase_order", {"item": "bolts"})],
    ],
)
async def test_nobody_orders_a_line_of_it_with_less_than_the_whole_price_as_limit(
    desk: Desk, actions: list[tuple[str, dict[str, Any]]]
) -> None:
    await open_site(desk, **CHAIN)
    await approve(desk, "Beams", "Columns", "Bolts")
    asked = await desk.question("order_beyond_authority")
    plain = [{"name": name, "arguments": arguments} for name, arguments in actions]
    for who in (PM, BOT):
        with pytest.raises(ForbiddenError):
            await answer(desk, who, asked, *plain)


async def test_the_whole_price_counts_once_for_all_lines_that_an_answer_orders(desk: Desk) -> None:
    await open_site(desk, **CHAIN)
    await approve(desk, "Beams", "Columns", "Bolts")
    asked = await desk.question("order_beyond_authority")
    assert asked.amount == "120000"
    each = [{"name": "issue_purchase_order", "arguments": {"item": one}} for one in ("beams", "columns", "bolts")]
    await answer(desk, Principal(PM.responder, "key", frozenset({"approver"}), approver="director"), asked, *each)
    assert (await the_order(desk)).total == Decimal(120000)


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": "11"},
        {"lump_sum": STEEL | {"price": "130000"}},
        {"quantity": "11", "lump_sum": STEEL | {"price": "130000"}},
    ],
)
async def test_a_change_order_on_one_line_is_a_matter_of_the_whole_price(desk: Desk, change: dict[str, Any]) -> None:
    await order_all(desk)
    await desk.post("Items_Changed", items=[{"item_id": "beams", **change}])
    asked = await desk.question("change_order")
    price = Decimal(change.get("lump_sum", STEEL)["price"])
    assert Decimal(asked.amount or 0) == max(price, Decimal(120000))
    await choose(desk, asked, "Revise the order")
    order = await the_order(desk)
    assert (order.total, order.revision) == (price, 1)
    assert {one.group_total for one in await desk.rows(OrderLine)} == {price}
    assert {(await desk.item(one)).group_total for one in ("beams", "columns", "bolts")} == {price}
    assert await desk.pending() == []


async def test_the_price_of_what_is_ordered_is_not_changed_on_a_line_beside_it(desk: Desk) -> None:
    await order_all(desk)
    await desk.post("Items_Changed", items=[line("Purlins")])
    assert "cannot join the lump sum" in (await desk.question("event_unclear")).summary
    assert [item.group for item in [await desk.item("beams")]] == ["steel"]


# ---- cancelling, receiving, showing


async def test_a_cancelled_line_leaves_the_order_and_its_price_as_they_are(desk: Desk) -> None:
    number = (await order_all(desk)).number
    await desk.post("Items_Changed", items=[{"item_id": "bolts", "removed": True}])
    await choose(desk, await desk.question("change_order"), "Cancel the order and take the line out")
    order = await the_order(desk)
    assert (order.status, order.total, order.revision) == ("issued", Decimal(120000), 1)
    by_item = {one.item_id: one for one in await desk.rows(OrderLine)}
    assert (by_item["bolts"].status, by_item["beams"].status) == ("cancelled", "issued")
    assert (await desk.item("beams")).commercial == "ordered"
    assert (await desk.item("bolts")).commercial == "cancelled"
    assert any(f"{number} revision 1" in told and "2 lines" in told for told in await sent_to(desk))


async def test_an_order_is_received_when_all_of_its_lines_are(desk: Desk) -> None:
    await order_all(desk)
    seen = []
    for day, name in enumerate(("Beams", "Columns", "Bolts"), 10):
        await desk.post("Purchase_Order_Acknowledged", item=name, promised_date="2026-02-20")
        seen.append((await the_order(desk)).status)
        await desk.post("Shipment_Arrived_Site", item=name, date_arrived=f"2026-02-{day}")
        seen.append((await the_order(desk)).status)
    assert seen == ["issued"] + ["partially_received"] * 4 + ["received"]


async def test_another_vendor_cancels_the_whole_and_is_the_whole_groups(desk: Desk) -> None:
    await order_all(desk)
    await desk.post("Items_Changed", items=[{"item_id": "beams", "vendor_id": "w"}])
    await choose(desk, await desk.question("change_order"), "Cancel the order and change the line")
    assert {(await desk.item(one)).vendor_id for one in ("beams", "columns", "bolts")} == {"w"}
    assert next(order.status for order in await desk.rows(PurchaseOrder)) == "cancelled"


async def test_a_replacement_of_one_line_costs_what_nobody_knows_yet(desk: Desk) -> None:
    await order_all(desk)
    await desk.post("Shipment_Arrived_Site", item="Bolts", date_arrived="2026-02-10")
    await desk.post("Inspection_Failed", item="Bolts", inspection_date="2026-02-11")
    asked = await desk.question("inspection_failed")
    assert asked.amount == "120000"
    await choose(desk, asked, "Replace: order a replacement")
    first, again = await desk.rows(PurchaseOrder)
    assert (first.total, again.total) == (Decimal(120000), None)


# ---- bought elsewhere, and ordered again


async def test_a_group_that_was_taken_on_with_an_order_is_not_bought_twice(desk: Desk) -> None:
    bought = {"submittal": {"verdict": "approved"}, "orders": [{"number": "45"}]}
    await open_site(desk, line("Beams", state=bought), line("Columns"))
    await approve(desk, "Columns")
    await choose(desk, await desk.question(), "Issue the purchase order")
    order, lines = await the_order(desk), await desk.rows(OrderLine)
    assert (order.number, order.total, order.revision) == ("45", Decimal(120000), 1)
    assert {(one.item_id, one.group, one.group_total, one.unit_price) for one in lines} == {
        ("beams", "steel", Decimal(120000), None),
        ("columns", "steel", Decimal(120000), None),
    }


async def test_two_lines_of_a_group_on_one_order_elsewhere_cost_the_whole_price_once(desk: Desk) -> None:
    bought = {"orders": [{"number": "45"}]}
    await open_site(desk, line("Beams", state=bought), line("Columns", state=bought))
    assert (await the_order(desk)).total == Decimal(120000)


async def test_a_line_of_a_group_that_a_vendor_tells_of_keeps_its_lump_sum(desk: Desk) -> None:
    await open_site(desk, line("Beams"), line("Columns"), mode="watch")
    await desk.post("Purchase_Order_Acknowledged", item="Beams", purchase_order="45", promised_date="2026-03-01")
    (told,) = await desk.rows(OrderLine)
    assert (told.number, told.group, told.group_total, told.unit_price) == ("45", "steel", Decimal(120000), None)


async def test_a_price_of_its_own_is_refused_on_the_order_of_a_line_of_a_group(desk: Desk) -> None:
    with pytest.raises(InvalidError, match="no price of its own"):
        await open_site(desk, line("Beams", state={"orders": [{"number": "45", "unit_price": "5"}]}))


@pytest.mark.parametrize(("named", "ordered"), [({}, 160), ({"quantity": "50"}, 50)])
async def test_the_cancelled_rest_of_a_line_of_a_group_is_ordered_on_an_order_of_its_own(
    desk: Desk, named: dict[str, str], ordered: int
) -> None:
    first = (await order_all(desk)).number
    await desk.post("Shipment_Arrived_Site", item="Bolts", date_arrived="2026-02-10", quantity="240", complete=False)
    await desk.post("Inspection_Failed", item="Bolts", inspection_date="2026-02-11", quantity_rejected="1")
    again = {"item": "bolts", **named}
    actions = [
        {"name": "accept_as_is", "arguments": {"item": "bolts"}},
        {"name": "cancel_purchase_order", "arguments": {"item": "bolts"}},
        {"name": "issue_purchase_order", "arguments": again},
    ]
    await desk.decide(await desk.question(), "edit", actions=actions)
    lines = [one for one in await desk.rows(OrderLine) if one.item_id == "bolts"]
    assert {(one.number == first, one.quantity) for one in lines} == {(True, Decimal(400)), (False, Decimal(ordered))}
    assert len(lines) == 2


async def test_a_group_is_not_ordered_at_once_because_its_last_line_is_taken_on_as_approved(desk: Desk) -> None:
    """What was told of a running project has gaps: a person may know that it was ordered elsewhere."""
    await open_site(desk)
    await approve(desk, "Beams", "Columns")
    wait = {"name": "notify_team", "arguments": {"team": "site", "message": "Wait for the bolts"}}
    await desk.decide(await desk.question("order_beyond_authority"), "edit", actions=[wait])
    approved = {"item_id": "bolts", "state": {"submittal": {"verdict": "approved"}}}
    await desk.post("Items_Changed", items=[approved])
    assert (await desk.item("bolts")).submittal == "approved"
    assert await desk.rows(PurchaseOrder) == []
