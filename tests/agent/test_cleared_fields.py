"""A field of a line that is cleared with Items_Changed is empty, and the agent goes on from there."""

from decimal import Decimal
from typing import Any

import pytest

from domain.events import CLEARABLE
from domain.procurement import Flag
from tests.agent.desk import Desk

LINE: dict[str, Any] = {
    "item_id": "doors",
    "name": "Doors",
    "category": "08",
    "vendor_id": "kent",
    "quantity": "10",
    "unit": "pcs",
    "unit_price": "350",
    "currency": "EUR",
    "lead_time_days": 20,
    "required_by": "2026-04-01",
    "buffer_days": 5,
}
EMPTY: dict[str, Any] = {"currency": "USD", "buffer_days": 0}
"""What a cleared field is, where it is not nothing."""


async def opened(desk: Desk, **line: Any) -> Desk:
    await desk.open(items=[{**LINE, **line}], vendors=[{"vendor_id": "kent", "name": "Kent Doors"}])
    return desk


async def change(desk: Desk, **fields: Any) -> str:
    return await desk.post("Items_Changed", items=[{"item_id": "doors", **fields}])


@pytest.mark.parametrize("way", ["null", "named"])
async def test_each_field_that_may_be_cleared_is_empty_and_all_others_stay(desk: Desk, way: str) -> None:
    await opened(desk)
    kept = set(CLEARABLE) - {"lump_sum"}
    expected = (await desk.item("doors")).model_dump(include=kept)
    for field in CLEARABLE:
        await change(desk, **({field: None} if way == "null" else {"clear": [field]}))
        expected |= {field: EMPTY.get(field)} if field in kept else {}
        assert (await desk.item("doors")).model_dump(include=kept) == expected


async def test_a_field_that_is_absent_stays_beside_one_that_is_cleared(desk: Desk) -> None:
    await opened(desk)
    await change(desk, vendor_id=None, unit_price="400")
    line = await desk.item("doors")
    assert (line.vendor_id, line.unit_price, line.quantity) == (None, Decimal(400), Decimal(10))


async def test_a_new_line_with_nulls_is_a_line_without_these_fields(desk: Desk) -> None:
    await opened(desk)
    await desk.post("Items_Changed", items=[{"name": "Gates", "vendor_id": None, "currency": None}])
    line = await desk.item("gates")
    assert (line.vendor_id, line.currency) == (None, "USD")


async def test_an_order_waits_for_a_person_once_its_vendor_is_cleared(desk: Desk) -> None:
    await opened(desk)
    await change(desk, vendor_id=None)
    await desk.post("Submittal_Approved", item="Doors")
    assert (await desk.question()).kind == "order_incomplete"
    assert not (await desk.item("doors")).is_ordered


async def test_a_question_on_a_late_line_is_closed_once_no_day_is_required_any_more(desk: Desk) -> None:
    await opened(desk, currency="USD")
    await desk.post("Submittal_Approved", item="Doors")
    await desk.post("ETA_Changed", item="Doors", eta="2026-04-10")
    assert (await desk.question()).kind == "schedule_conflict"
    await change(desk, required_by=None)
    line = await desk.item("doors")
    assert (line.required_by, line.schedule_band, line.told_band) == (None, None, None)
    assert await desk.pending() == []
    assert [flag.status for flag in await desk.rows(Flag)] == ["cleared"]


async def test_a_line_that_is_ordered_keeps_its_order_as_it_was_issued(desk: Desk) -> None:
    await opened(desk, currency="USD")
    await desk.post("Submittal_Approved", item="Doors")
    await change(desk, unit_price=None, vendor_id=None)
    file = await desk.file("doors")
    assert (file.item.unit_price, file.order.total, file.order.vendor_id) == (None, Decimal(3500), "kent")
    assert await desk.names() == ["issue_purchase_order", "start_tracking"]
