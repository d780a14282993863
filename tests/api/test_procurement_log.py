"""The procurement log and what stands behind it are shown exactly, with the event that caused each row."""

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from domain.procurement import (
    Commercial,
    Flag,
    Inspection,
    Item,
    Logistics,
    Message,
    OrderLine,
    PurchaseOrder,
    Quality,
    Receipt,
    Row,
    ScheduleVersion,
    Shipment,
    VendorRow,
)
from runtime.resources import Resources
from storage.transaction import building_transaction
from tests.api.office import APPROVED, BUILDING, EVENTS, SPEC, assert_problem, raise_approval

AT = f"/buildings/{BUILDING}"
BEAMS = Item(
    item_id="steel-beams",
    name="Steel Beams",
    category="05",
    vendor_id="mill",
    quantity=Decimal("10.500"),
    unit="t",
    unit_price=Decimal("1200"),
    currency="USD",
    lead_time_days=14,
    commercial=Commercial.ORDERED,
    logistics=Logistics.IN_TRANSIT,
    required_by=date(2026, 2, 15),
    buffer_days=5,
    eta=date(2026, 2, 10),
    schedule_band="clear",
    round=1,
    caused_seq=1,
)


async def save(resources: Resources, *saved: Row) -> None:
    async with resources.pool.connection() as conn, building_transaction(conn, BUILDING) as transaction:
        transaction.save(*saved)


async def data(client: httpx.AsyncClient, part: str, **parameters: Any) -> list[dict[str, Any]]:
    response = await client.get(f"{AT}/{part}", params=parameters)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["data"]
    return found


@pytest.fixture(autouse=True)
async def ordered(client: httpx.AsyncClient, building: dict[str, Any], resources: Resources) -> None:
    """The beams were approved, ordered and are under way."""
    await client.post(EVENTS, json=APPROVED)
    await save(
        resources,
        VendorRow(vendor_id="mill", name="Sheffield Mill"),
        BEAMS,
        PurchaseOrder(number="PO-1", vendor_id="mill", currency="USD", total=Decimal("12600"), caused_seq=1),
        OrderLine(
            number="PO-1",
            line=1,
            item_id="steel-beams",
            round=1,
            quantity=Decimal("10.5"),
            unit="t",
            unit_price=Decimal("1200.00"),
        ),
    )


async def test_a_line_shows_its_facets_dates_order_and_exact_amounts(client: httpx.AsyncClient) -> None:
    line = (await client.get(f"{AT}/items/steel-beams")).json()
    expected = {
        "name": "Steel Beams",
        "category": "05",
        "vendor_id": "mill",
        "quantity": "10.5",
        "unit": "t",
        "unit_price": "1200.00",
        "total": "12600.00",
        "currency": "USD",
        "lead_time_days": 14,
        "submittal": "pending",
        "commercial": "ordered",
        "logistics": "in_transit",
        "quality": "not_inspected",
        "status": "in_transit",
        "required_by": "2026-02-15",
        "order_by": "2026-02-01",
        "buffer_days": 5,
        "promised_date": None,
        "eta": "2026-02-10",
        "schedule_band": "clear",
        "purchase_order_number": "PO-1",
        "flags": [],
        "on_hold_by": None,
    }
    assert {field: line[field] for field in expected} == expected
    assert_problem(await client.get(f"{AT}/items/no-such"), 404, "no-such")


async def test_a_line_names_its_current_order_after_a_replacement(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    await save(
        resources,
        BEAMS.model_copy(update={"round": 2}),
        PurchaseOrder(number="PO-2", currency="USD"),
        OrderLine(number="PO-2", line=1, item_id="steel-beams", round=2),
    )
    assert (await client.get(f"{AT}/items/steel-beams")).json()["purchase_order_number"] == "PO-2"


async def test_a_line_says_which_approval_holds_it_until_the_answer_is_applied(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    async def held_by() -> str | None:
        found: str | None = (await client.get(f"{AT}/items/hvac-units")).json()["on_hold_by"]
        return found

    approval_id = await raise_approval(resources)
    assert await held_by() == approval_id
    await client.post(f"/approvals/{approval_id}/decision", json={"type": "approve"})
    assert await held_by() == approval_id
    decision = {"type": "approve", "status": "applied", "responder": {"type": "human", "id": "a", "name": "a"}}
    await raise_approval(resources, status="decided", decision=decision)
    assert await held_by() is None
    await raise_approval(resources, holds_item=False)
    assert await held_by() is None


async def test_a_line_that_a_person_put_on_hold_says_so(client: httpx.AsyncClient, resources: Resources) -> None:
    await save(resources, BEAMS.model_copy(update={"held_until": date(2026, 3, 1), "hold_note": "wait"}))
    line = (await client.get(f"{AT}/items/steel-beams")).json()
    assert (line["on_hold_by"], line["status"], line["hold_note"]) == ("hold", "on_hold", "wait")
    progress = (await client.get(AT)).json()["progress"]
    assert progress["lines"] == {"on_hold": 1, "planned": 1}
    assert progress["blocked"][0]["held_until"] == "2026-03-01"


async def test_a_line_that_was_taken_out_is_off_the_log_but_can_be_read(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    await save(resources, BEAMS.model_copy(update={"removed": True}))
    assert [line["item_id"] for line in await data(client, "items")] == ["hvac-units"]
    assert [line["item_id"] for line in await data(client, "items", removed=True)] == ["steel-beams"]
    assert (await client.get(f"{AT}/items/steel-beams")).json()["status"] == "removed"


async def test_an_order_shows_its_vendor_lines_and_cause(client: httpx.AsyncClient) -> None:
    [order] = await data(client, "purchase-orders")
    assert (order["number"], order["status"], order["revision"]) == ("PO-1", "issued", 0)
    assert (order["vendor"], order["total"], order["currency"]) == ("Sheffield Mill", "12600.00", "USD")
    assert (order["event_id"], order["event_source"], order["event_type"]) == (
        "docs-311",
        "docs",
        "Submittal_Approved",
    )
    assert order["lines"][0] == {
        "line": 1,
        "item": "steel-beams",
        "item_name": "Steel Beams",
        "round": 1,
        "quantity": "10.5",
        "unit": "t",
        "unit_price": "1200.00",
        "group": None,
        "group_total": None,
        "status": order["status"],
        "cancelled_on": None,
        "promised_date": None,
        "required_by": None,
    }


async def test_a_shipment_shows_what_of_it_arrived(client: httpx.AsyncClient, resources: Resources) -> None:
    shipment = Shipment(
        shipment_id="s1",
        item_id="steel-beams",
        round=1,
        purchase_order="PO-1",
        quantity=Decimal("4.000"),
        caused_seq=1,
    )
    receipt = Receipt(
        receipt_id="r1",
        shipment_id="s1",
        item_id="steel-beams",
        quantity=Decimal("4"),
        received_on=date(2026, 2, 10),
    )
    await save(resources, shipment, receipt)
    [shown] = await data(client, "shipments")
    assert (shown["shipment_id"], shown["quantity"], shown["event_id"]) == ("s1", "4", "docs-311")
    assert shown["receipts"][0]["received_on"] == "2026-02-10"
    assert shown["receipts"][0]["quantity"] == "4"


async def test_inspections_flags_and_messages_are_shown_with_their_cause(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    await save(
        resources,
        Inspection(inspection_id="i1", item_id="steel-beams", round=1, status="failed", defects=["bent"], caused_seq=1),
        Flag(flag_id="f1", item_id="steel-beams", band="conflict", detail="late by 3 days", raised_seq=1),
        Flag(flag_id="f0", item_id="steel-beams", band="conflict", detail="old", raised_seq=0, status="cleared"),
        Message(
            message_id="m1", item_id="steel-beams", direction="out", party="receiving", text="Coming", caused_seq=1
        ),
    )
    [inspection] = await data(client, "inspections")
    assert (inspection["status"], inspection["defects"], inspection["event_id"]) == ("failed", ["bent"], "docs-311")
    assert [flag["flag_id"] for flag in await data(client, "flags")] == ["f0", "f1"]
    [flag] = await data(client, "flags", status="open")
    assert (flag["flag_id"], flag["event_id"]) == ("f1", "docs-311")
    [message] = await data(client, "messages")
    assert (message["party"], message["text"], message["event_id"]) == ("receiving", "Coming", "docs-311")
    line = (await client.get(f"{AT}/items/steel-beams")).json()
    assert line["flags"] == [{"flag_id": "f1", "band": "conflict", "detail": "late by 3 days"}]
    shown = (await client.get(AT)).json()
    assert [flag["flag_id"] for flag in shown["open_flags"]] == ["f1"]


async def test_the_schedule_is_shown_in_the_form_it_was_posted_and_as_it_stands(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    first = await client.get(f"{AT}/schedule")
    assert first.json() == SPEC["schedule"]
    assert first.headers["etag"] == '"1"'
    changed = {**SPEC["schedule"], "deliveries": SPEC["schedule"]["deliveries"][:1]}
    await save(resources, ScheduleVersion(version=2, body=changed))
    second = await client.get(f"{AT}/schedule")
    assert second.json() == changed
    assert second.headers["etag"] == '"2"'


async def test_what_passed_inspection_is_released(client: httpx.AsyncClient, resources: Resources) -> None:
    passed = {"logistics": Logistics.ON_SITE, "quality": Quality.PASSED}
    await save(resources, BEAMS.model_copy(update=passed))
    assert (await client.get(f"{AT}/items/steel-beams")).json()["status"] == "released"
