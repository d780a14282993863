"""After the order, the log changes only together with it: a change order is asked, and its answer revises the order."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.approvals import Approval
from domain.procurement import OrderLine, PurchaseOrder, ScheduleVersion
from tests.agent.desk import Desk

LINE: dict[str, Any] = {
    "item_id": "pumps",
    "name": "Pumps",
    "vendor_id": "v",
    "quantity": "10",
    "unit": "pcs",
    "unit_price": "100",
    "lead_time_days": 20,
    "required_by": "2026-06-01",
    "buffer_days": 5,
}
VENDORS = [
    {"vendor_id": "v", "name": "Vendor", "contacts": {"orders": "orders@v.example"}},
    {"vendor_id": "w", "name": "Other", "contact": "w@w.example"},
]


async def ordered(desk: Desk, **spec: Any) -> None:
    await desk.open(items=[LINE], vendors=VENDORS, **spec)
    await desk.post("Submittal_Approved", item="Pumps", revision=0)
    assert (await desk.item("pumps")).commercial == "ordered"


async def change(desk: Desk, **fields: Any) -> str:
    return await desk.post("Items_Changed", items=[{"item_id": "pumps", **fields}])


async def orders(desk: Desk) -> dict[str, PurchaseOrder]:
    return {order.number: order for order in await desk.rows(PurchaseOrder)}


async def choose(desk: Desk, title: str, kind: str = "change_order") -> Approval:
    question = await desk.question(kind)
    actions = next(option.actions for option in question.options if option.title == title)
    await desk.decide(question, "edit", actions=actions)
    return question


@pytest.mark.parametrize(
    ("wanted", "total"),
    [
        ({"quantity": "20"}, Decimal(2000)),
        ({"quantity": "4"}, Decimal(400)),
        ({"unit_price": "120"}, Decimal(1200)),
        ({"quantity": "12", "unit_price": "90"}, Decimal(1080)),
    ],
)
async def test_another_quantity_or_price_waits_for_the_order_to_be_revised(
    desk: Desk, wanted: dict[str, str], total: Decimal
) -> None:
    await ordered(desk)
    await change(desk, **wanted)
    line = await desk.item("pumps")
    assert (line.quantity, line.unit_price) == (Decimal(10), Decimal(100))
    await choose(desk, "Revise the order")
    order = (await orders(desk))["PO-office-0001"]
    assert (order.revision, order.total) == (1, total)
    line, (row,) = await desk.item("pumps"), await desk.rows(OrderLine)
    assert (line.quantity, line.unit_price) == (row.quantity, row.unit_price)
    assert {name: str(getattr(line, name)) for name in wanted} == wanted


async def test_the_vendor_gets_the_revised_order_where_it_takes_orders(desk: Desk) -> None:
    await ordered(desk)
    await change(desk, quantity="20")
    await choose(desk, "Revise the order")
    cursor = await desk.conn.execute("SELECT recipient, subject FROM outbox WHERE subject LIKE '%revision 1%'")
    (sent,) = await cursor.fetchall()
    assert sent["recipient"] == "orders@v.example"
    assert sent["subject"].startswith("Purchase order PO-office-0001 revision 1: Pumps, 20 pcs")


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"vendor_id": "w"}, "issued"),
        ({"unit": "sets"}, None),
        ({"currency": "EUR"}, None),
    ],
)
async def test_another_vendor_unit_or_currency_cannot_be_revised_and_offers_to_order_again(
    desk: Desk, wanted: dict[str, str], status: str | None
) -> None:
    await ordered(desk)
    await change(desk, **wanted)
    ((field, value),) = wanted.items()
    assert getattr(await desk.item("pumps"), field) != value
    await choose(desk, "Cancel the order and change the line")
    assert getattr(await desk.item("pumps"), field) == value
    placed = [order.status for order in (await orders(desk)).values()]
    assert placed == ["cancelled", *([status] if status else [])]


async def test_the_order_and_the_old_value_may_be_kept_and_the_same_wish_is_not_asked_again(desk: Desk) -> None:
    await ordered(desk)
    await change(desk, quantity="20")
    await choose(desk, "Keep the order and the old value")
    assert (await desk.item("pumps")).quantity == 10
    await change(desk, quantity="20")
    assert await desk.pending() == []
    await change(desk, quantity="21")
    assert (await desk.question()).kind == "change_order"


async def test_a_change_that_is_taken_back_takes_its_question_back(desk: Desk) -> None:
    await ordered(desk)
    await change(desk, quantity="20", unit_price="90")
    await change(desk, quantity="10")
    assert "quantity" not in (await desk.question("change_order")).summary
    await change(desk, unit_price="100")
    assert await desk.pending() == []


async def test_what_is_missing_may_be_ordered_separately(desk: Desk) -> None:
    await ordered(desk)
    await change(desk, quantity="14")
    await choose(desk, "Order the difference separately")
    assert [line.quantity for line in await desk.rows(OrderLine)] == [10, 4]
    assert (await desk.item("pumps")).quantity == 14
    assert [question.kind for question in await desk.pending()] == []


async def test_a_revision_below_what_has_arrived_is_not_offered(desk: Desk) -> None:
    await ordered(desk)
    await desk.post("Shipment_Arrived_Site", item="Pumps", date_arrived="2026-03-01", quantity="6")
    await change(desk, quantity="5")
    question = await desk.question("change_order")
    assert "Revise the order" not in [option.title for option in question.options]


async def test_a_hold_on_a_change_order_says_what_waits(desk: Desk) -> None:
    await ordered(desk)
    await change(desk, quantity="20")
    await choose(desk, "Hold: do nothing for now")
    assert "its quantity 10 is to be 20" in (await desk.item("pumps")).hold_note


@pytest.mark.parametrize("arrived", [None, "4", "10"])
async def test_a_line_that_is_ordered_is_not_taken_out_without_a_word(desk: Desk, arrived: str | None) -> None:
    await ordered(desk)
    if arrived is not None:
        await desk.post("Shipment_Arrived_Site", item="Pumps", date_arrived="2026-03-01", quantity=arrived)
    await change(desk, removed=True)
    question = await desk.question("change_order")
    assert not (await desk.item("pumps")).removed
    titles = [option.title for option in question.options]
    away = "Take the line out" if arrived == "10" else "Cancel the order and take the line out"
    keep = "Keep the order and the line"
    assert titles[:2] == ([away, keep] if arrived is None else [keep, away])
    await choose(desk, away)
    assert (await desk.item("pumps")).removed
    assert (await orders(desk))["PO-office-0001"].status == "cancelled" or arrived == "10"


async def test_a_line_wanted_again_with_other_values_is_not_removed(desk: Desk) -> None:
    await ordered(desk)
    await change(desk, removed=True)
    await change(desk, name="Pumps", quantity="12")
    question = await desk.question("change_order")
    assert (question.subject["removal"], question.subject["wanted"]) == (False, {"quantity": "12"})


async def test_a_line_that_was_never_ordered_is_taken_out_at_once_and_comes_back_as_its_own(desk: Desk) -> None:
    await desk.open(items=[LINE], vendors=VENDORS)
    await change(desk, removed=True)
    await desk.post("Items_Changed", items=[{"name": "Pumps", "quantity": "3", "vendor_id": "v", "unit_price": "1"}])
    assert [(one.item_id, one.removed) for one in (await desk.item("pumps"), await desk.item("pumps-2"))] == [
        ("pumps", True),
        ("pumps-2", False),
    ]
    await desk.post("Submittal_Approved", item="Pumps")
    assert (await desk.item("pumps-2")).commercial == "ordered"


@pytest.mark.parametrize("news", ["another vendor", "another revision"])
async def test_after_a_cancellation_something_new_leads_to_an_order(desk: Desk, news: str) -> None:
    await ordered(desk)
    await desk.post(
        "Purchase_Order_Acknowledged", item="Pumps", promised_date="2026-03-20", exceptions=["cannot deliver"]
    )
    await choose(desk, "Cancel the order", "acknowledgement_exception")
    assert len(await orders(desk)) == 1
    await change(desk, lead_time_days=25)
    assert len(await orders(desk)) == 1, "nothing new speaks against the cancellation"
    if news == "another vendor":
        await change(desk, vendor_id="w")
    else:
        await desk.post("Submittal_Approved", item="Pumps", revision=1)
    assert [order.status for order in (await orders(desk)).values()] == ["cancelled", "issued"]


async def test_accepted_terms_in_numbers_revise_the_order_and_those_in_words_are_named(desk: Desk) -> None:
    await ordered(desk)
    exceptions = [{"kind": "price", "detail": "dearer", "unit_price": "110"}, {"kind": "other", "detail": "no frames"}]
    await desk.post("Purchase_Order_Acknowledged", item="Pumps", promised_date="2026-03-20", exceptions=exceptions)
    question = await desk.question("acknowledgement_exception")
    accept = next(option for option in question.options if option.title == "Accept the vendor's terms")
    assert accept.assumptions[0].endswith("does not say what is agreed on: other")
    await choose(desk, "Accept the vendor's terms", "acknowledgement_exception")
    order = (await orders(desk))["PO-office-0001"]
    assert (order.revision, order.total) == (1, Decimal(1100))


async def schedule(desk: Desk) -> list[dict[str, Any]]:
    versions = await desk.rows(ScheduleVersion)
    found: list[dict[str, Any]] = max(versions, key=lambda one: one.version).body["deliveries"]
    return found


async def test_the_required_day_has_one_home_whoever_changes_it(desk: Desk) -> None:
    await desk.open(items=[LINE], vendors=VENDORS)
    await change(desk, required_by="2026-04-01")
    assert [one["required_by"] for one in await schedule(desk)] == ["2026-04-01"]
    await change(desk, name="Booster pumps", buffer_days=2)
    assert await schedule(desk) == [{"item": "Booster pumps", "required_by": "2026-04-01", "buffer_days": 2}]
    revised = {"project": {"name": "x"}, "deliveries": [{"item": "pumps", "required_by": "2026-05-01"}]}
    await desk.post("Schedule_Revised", schedule=revised)
    line = await desk.item("pumps")
    assert (line.required_by, line.buffer_days, [need.required_by for need in line.needs]) == (
        date(2026, 5, 1),
        0,
        [date(2026, 5, 1)],
    )
    await change(desk, required_by=None)
    assert (await schedule(desk), (await desk.item("pumps")).required_by) == ([], None)


async def test_an_answer_moves_the_day_of_its_own_line_only(desk: Desk) -> None:
    """The second line's name is like the id of the first."""
    await desk.open(items=[{"name": "\u00c5ngstr\u00f6m", "required_by": "2026-04-01"}])
    await desk.post("Items_Changed", items=[{"name": "Angstrom", "required_by": "2026-05-01"}])
    first, second = await schedule(desk)
    assert (first["required_by"], second["required_by"]) == ("2026-04-01", "2026-05-01")
    wish = {"name": "change_required_by", "arguments": {"item": "angstrom", "required_by": "2026-06-01"}}
    await desk.post("Message_Received", text="Which day now?")
    await desk.decide(await desk.question(), "edit", actions=[wish])
    assert [one["required_by"] for one in await schedule(desk)] == ["2026-06-01", "2026-05-01"]
    days = [(await desk.item(one)).required_by for one in ("angstrom", "angstrom-2")]
    assert days == [date(2026, 6, 1), date(2026, 5, 1)]


async def test_an_older_schedule_is_on_file_and_changes_nothing(desk: Desk) -> None:
    await desk.open(items=[LINE], vendors=VENDORS)

    def dated(day: str) -> dict[str, Any]:
        return {"project": {"name": "x"}, "deliveries": [{"item": "Pumps", "required_by": day}]}

    await desk.post("Schedule_Revised", schedule=dated("2026-05-01"), data_date="2026-02-10")
    late = await desk.post("Schedule_Revised", schedule=dated("2026-03-01"), data_date="2026-02-03")
    assert (await desk.item("pumps")).required_by == date(2026, 5, 1)
    assert [one["required_by"] for one in await schedule(desk)] == ["2026-05-01"]
    assert "changes nothing" in (await desk.event(late))["outcome"]["note"]


async def test_quantities_of_deliveries_that_no_longer_add_up_are_asked_about(desk: Desk) -> None:
    parts = [
        {"item": "Pumps", "required_by": "2026-04-01", "quantity": "4"},
        {"item": "pumps", "required_by": "2026-05-01", "quantity": "6"},
    ]
    await desk.open(items=[LINE], vendors=VENDORS, schedule={"project": {"name": "x"}, "deliveries": parts})
    assert [str(need.quantity) for need in (await desk.item("pumps")).needs] == ["4", "6"]
    await change(desk, quantity="12")
    assert "add up to 10" in (await desk.question("event_unclear")).summary


@pytest.mark.parametrize("quantities", [(None, None), ("4", None), ("4", "7")])
async def test_several_deliveries_of_one_line_need_quantities_that_add_up(
    desk: Desk, quantities: tuple[str | None, str | None]
) -> None:
    parts = [
        {"item": name, "required_by": "2026-04-01", **({} if quantity is None else {"quantity": quantity})}
        for name, quantity in zip(("Pumps", "p-1"), quantities, strict=True)
    ]
    with pytest.raises(ValueError, match="Pumps"):
        await desk.open(
            items=[{**LINE, "item_id": "p-1"}],
            vendors=VENDORS,
            schedule={"project": {"name": "x"}, "deliveries": parts},
        )


async def test_less_than_the_other_orders_have_is_no_revision_of_this_one_and_kills_nothing(desk: Desk) -> None:
    """Ten ordered, eight rejected and ordered again; then one is enough: the second order cannot be revised to -1."""
    await ordered(desk)
    await desk.post("Shipment_Arrived_Site", item="Pumps", quantity="10", date_arrived="2026-03-01")
    await desk.post(
        "Inspection_Failed", item="Pumps", inspection_date="2026-03-02", quantity_rejected="8", ncr_number="N1"
    )
    question = await desk.question("inspection_failed")
    again = [{"name": "reorder_item", "arguments": {"item": "pumps", "quantity": "8", "reason": "bent"}}]
    await desk.decide(question, "edit", actions=again)
    event = await change(desk, quantity="1")
    assert (await desk.event(event))["status"] == "done"
    question = await desk.question("change_order")
    assert "Revise the order" not in [option.title for option in question.options]
    assert question.options[0].title == "Cancel the order and change the line"
