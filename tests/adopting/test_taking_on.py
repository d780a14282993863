"""My building is half bought: I post my log with what I know, and Longlead goes on from there."""

from decimal import Decimal
from typing import Any

import pytest

from tests.adopting.half_bought import HalfBought, line, order

BOTH = pytest.mark.parametrize("later", [False, True], ids=["at creation", "later"])


@BOTH
async def test_a_line_comes_with_its_order_and_nothing_is_ordered_again(half: HalfBought, later: bool) -> None:
    """Ordered under 4711 in January, promised for the tenth of April: so it stands, and no vendor hears of it."""
    told = order(
        ordered_on="2026-01-12", quantity="100", unit_price="10", promised_on="2026-04-10", said_on="2026-01-20"
    )
    state = {"submittal": {"verdict": "approved", "revision": 2, "on": "2026-01-09"}, "orders": [told]}
    await half.open(line(state=state), later=later)
    item = await half.item()
    assert item["status"] == "acknowledged"
    assert (item["purchase_order_number"], item["promised_date"]) == ("4711", "2026-04-10")
    assert (item["ordered_on"], item["acknowledged_on"]) == ("2026-01-12", "2026-01-20")
    assert item["schedule_band"] == "clear"
    assert await half.quantities() == {"ordered": Decimal(100)}
    found = (await half.orders())["4711"]
    assert (found["total"], found["external_ref"], found["status"]) == ("1000.00", "4711", "acknowledged")
    assert found["placed_outside"]
    assert await half.actions() == ["notify_team"]
    assert {message["party"] for message in await half.messages()} == {"project_manager"}
    assert await half.questions() == []


@BOTH
async def test_goods_that_came_in_parts_stand_where_they_are(half: HalfBought, later: bool) -> None:
    """Forty came and are good, five of ten are broken, twenty are on the road, the rest has not left."""
    shipments = [
        {"shipment_id": "L1", "quantity": "40", "departed_on": "2026-02-02", "arrived_on": "2026-02-05",
         "accepted": "40", "inspected_on": "2026-02-06"},
        {"shipment_id": "L2", "quantity": "10", "arrived_on": "2026-02-10", "accepted": "5", "rejected": "5",
         "ncr_number": "NCR-3", "inspected_on": "2026-02-11"},
        {"shipment_id": "L3", "quantity": "20", "departed_on": "2026-02-27", "eta": "2026-03-09"},
    ]  # fmt: skip
    await half.open(line(state={"orders": [order("4711", *shipments, ordered_on="2026-01-12")]}), later=later)
    assert await half.quantities() == {
        "accepted": Decimal(45), "rejected": Decimal(5), "in_transit": Decimal(20), "ordered": Decimal(30)
    }  # fmt: skip
    item = await half.item()
    assert (item["status"], item["eta"]) == ("failed_inspection", "2026-03-09")
    assert await half.questions() == ["inspection_failed"]


@BOTH
async def test_a_log_with_gaps_is_taken_as_it_is(half: HalfBought, later: bool) -> None:
    """I know the number and that seventy came; neither the day of the order, nor when they came, nor how."""
    await half.open(line(state={"orders": [order("4711", {"quantity": "70", "status": "received"})]}), later=later)
    assert await half.quantities() == {"on_site": Decimal(70), "ordered": Decimal(30)}
    item = await half.item()
    assert (item["status"], item["ordered_on"]) == ("partially_received", None)
    assert item["needs"][0]["covered_on"] is None
    assert item["needs"][0]["days_late"] is None
    arrived = next(fact for fact in await half.facts() if fact["kind"] == "arrived")
    assert (arrived["day"], arrived["said_at"], arrived["adopted"]) == (None, None, True)
    assert await half.questions() == ["goods_taken_on"]


async def test_goods_that_came_nobody_knows_when_are_late_for_nothing(half: HalfBought) -> None:
    """They were needed in February and are here. Whether they came in time, nobody can tell any more."""
    await half.open(line(required_by="2026-02-02", state={"orders": [order("4711", {"accepted": "100"})]}), later=False)
    item = await half.item()
    assert (item["status"], item["schedule_band"]) == ("released", "clear")
    assert item["needs"][0]["days_late"] is None
    assert await half.site.flags() == []


async def test_one_order_has_lines_of_several_items(half: HalfBought) -> None:
    await half.open(
        line("pumps", state={"orders": [order("4711", ordered_on="2026-01-12")]}),
        line("valves", quantity="7", unit_price="3", state={"orders": [order("4711")]}),
    )
    orders = await half.orders()
    assert list(orders) == ["4711"]
    assert orders["4711"]["total"] == "1021.00"
    assert sorted((one["item"], one["quantity"]) for one in orders["4711"]["lines"]) == [
        ("pumps", "100"),
        ("valves", "7"),
    ]


async def test_what_the_order_says_fills_the_line(half: HalfBought) -> None:
    given = line(quantity=None)
    del given["vendor_id"], given["unit_price"]
    told = order(quantity="60", unit_price="12.50", currency="EUR", vendor_id="york")
    await half.open(given | {"state": {"orders": [told]}})
    item = await half.item()
    assert (item["vendor_id"], item["unit_price"], item["currency"], item["quantity"]) == ("york", "12.50", "EUR", "60")


@pytest.mark.parametrize(
    ("state", "field"),
    [
        ({"orders": [order("1", {"quantity": "110", "status": "received"}, quantity="100")]}, "orders.0"),
        ({"orders": [order("1", {"quantity": "110", "status": "received"})]}, "orders.0.shipments"),
        ({"orders": [order("1", {"quantity": "10", "rejected": "11"})]}, "orders.0.shipments.0"),
        ({"orders": [order("1", {"quantity": "10", "accepted": "6", "rejected": "5"})]}, "orders.0.shipments.0"),
        ({"orders": [order("1", {"quantity": "-4"})]}, "orders.0.shipments.0.quantity"),
        ({"orders": [order("1", {"quantity": "4", "arrived_on": "2026-03-20"})]}, "orders.0.shipments.0.arrived_on"),
        ({"orders": [order("1", ordered_on="2062-01-12")]}, "orders.0.ordered_on"),
        ({"orders": [order("1", vendor_id="nobody")]}, "orders.0.vendor_id"),
        ({"orders": [order("1"), order("2")]}, "state"),
        ({"orders": [order("1", {"arrived_on": "2026-02-01", "departed_on": "2026-02-03"})]}, "shipments.0"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_field(half: HalfBought, state: Any, field: str) -> None:
    named = await half.refused(line("doors"), line(state=state))
    assert named.startswith("items.1.state")
    assert field in named
    assert (await half.site.client.get("/buildings/site")).status_code == 404


async def test_more_than_ordered_is_taken_where_it_is_said(half: HalfBought) -> None:
    told = order("4711", {"quantity": "110", "arrived_on": "2026-02-02", "accepted": "110"}, over="10")
    await half.open(line(state={"orders": [told]}))
    assert await half.quantities() == {"accepted": Decimal(110)}
    assert (await half.item())["status"] == "released"


async def test_later_what_cannot_be_is_told_and_nothing_of_it_is_taken(half: HalfBought) -> None:
    await half.open(line(), later=False)
    state = {"orders": [order("1", {"quantity": "4", "arrived_on": "2026-03-20"})]}
    await half.change({"item_id": "pumps", "state": state})
    assert (await half.item())["status"] == "planned"
    question = await half.site.question("event_unclear")
    assert "orders 0 shipments 0 arrived_on: 2026-03-20 is still to come" in question["summary"]
