"""Vendors change while lines wait: questions are asked as of now, an answer completes a line."""

from typing import Any

import pytest

from domain.approvals import LOCAL_PERSON
from domain.buildings import Vendor
from domain.principals import Author
from domain.procurement import Flag, Message, PurchaseOrder, VendorRow
from storage import vendors
from tests.agent.desk import Desk

BY = Author(**LOCAL_PERSON.model_dump(), via="local")
ACME = {"vendor_id": "acme", "name": "Acme", "contact": "orders@acme.example"}
PANELS = {"name": "Panels", "category": "26", "quantity": "10", "unit": "pcs", "required_by": "2026-06-01"}


async def opened(desk: Desk, *known: dict[str, Any], limit: str | None = "5000", **line: Any) -> None:
    policy = {} if limit is None else {"po_limit": limit}
    await desk.open(items=[{**PANELS, **line}], vendors=list(known), policy=policy)
    await desk.post("Submittal_Approved", item="Panels")


async def add(desk: Desk, **vendor: Any) -> None:
    await vendors.add(desk.conn, desk.building_id, Vendor.model_validate(vendor), BY, desk.clock.now())
    await desk.run()


async def change(desk: Desk, vendor_id: str, **changed: Any) -> None:
    await vendors.change(desk.conn, desk.building_id, vendor_id, changed, BY, desk.clock.now())
    await desk.run()


def complete(**arguments: Any) -> list[dict[str, Any]]:
    return [{"name": "complete_item", "arguments": {"item": "panels", **arguments}}]


@pytest.mark.parametrize(
    ("limit", "given", "ordered"),
    [
        ("5000", {"vendor_id": "acme", "unit_price": "120"}, True),
        ("5000", {"vendor_id": "acme", "unit_price": "900"}, False),
        (None, {"vendor_id": "acme"}, True),
        (None, {"vendor_id": "newco"}, False),
        ("5000", {"vendor_id": "acme", "unit_price": "900", "quantity": "5"}, True),
    ],
)
async def test_an_answer_with_vendor_and_price_is_followed_by_the_order_or_by_the_question_of_authority(
    desk: Desk, limit: str | None, given: dict[str, Any], ordered: bool
) -> None:
    newco = {"vendor_id": "newco", "name": "Newco", "approved": False}
    await opened(desk, ACME, newco, limit=limit)
    await desk.decide(await desk.question("order_incomplete"), "edit", actions=complete(**given))
    assert (await desk.item("panels")).vendor_id == given["vendor_id"]
    if ordered:
        assert await desk.names() == ["complete_item", "issue_purchase_order", "start_tracking"]
        (order,) = await desk.rows(PurchaseOrder)
        assert order.vendor_id == given["vendor_id"]
        assert await desk.pending() == []
    else:
        await desk.question("order_beyond_authority")
        assert await desk.rows(PurchaseOrder) == []


async def test_a_vendor_without_a_price_leaves_the_price_to_be_asked(desk: Desk) -> None:
    await opened(desk, ACME)
    await desk.decide(await desk.question(), "edit", actions=complete(vendor_id="acme"))
    assert (await desk.question("order_incomplete")).subject["missing"] == ["unit price"]
    await desk.decide(await desk.question(), "edit", actions=complete(unit_price="100"))
    assert len(await desk.rows(PurchaseOrder)) == 1


async def test_the_vendors_offered_are_approved_and_those_first_that_supplied_the_category(desk: Desk) -> None:
    known = [{"vendor_id": one, "name": one.title()} for one in ("a", "b", "c", "z")]
    barred = {"vendor_id": "aa", "name": "Barred", "approved": False}
    await desk.open(
        vendors=[*known, barred],
        items=[{**PANELS, "unit_price": "100"}, {**PANELS, "name": "Switchgear", "vendor_id": "z"}],
    )
    await desk.post("Submittal_Approved", item="Switchgear")
    await desk.post("Submittal_Approved", item="Panels")
    question = await desk.question("order_incomplete")
    offers = [option for option in question.options if option.actions[0]["name"] == "complete_item"]
    assert [offer.title for offer in offers] == [f"Order from {name} at the price on file" for name in ("Z", "A", "B")]
    await desk.decide(question, "edit", actions=offers[0].actions)
    assert [order.vendor_id for order in await desk.rows(PurchaseOrder)] == ["z", "z"]


async def test_a_vendor_that_is_added_meanwhile_is_offered_in_the_questions_next_version(desk: Desk) -> None:
    await opened(desk, unit_price="100")
    before = await desk.question("order_incomplete")
    assert "Acme" not in str(before.options)
    await add(desk, **ACME)
    renewed = await desk.question("order_incomplete")
    assert (renewed.approval_id, renewed.version) == (before.approval_id, 2)
    assert "Order from Acme at the price on file" in [option.title for option in renewed.options]
    await change(desk, "acme", approved=False)
    assert "Acme" not in str((await desk.question()).options)


async def test_the_order_follows_when_the_vendor_that_a_question_waits_for_is_approved(desk: Desk) -> None:
    await opened(desk, {**ACME, "approved": False}, vendor_id="acme", unit_price="100")
    await desk.question("order_beyond_authority")
    await change(desk, "acme", approved=True)
    assert await desk.pending() == []
    assert len(await desk.rows(PurchaseOrder)) == 1


async def test_a_change_that_nothing_waits_for_is_no_entry(desk: Desk) -> None:
    await opened(desk, ACME, vendor_id="acme", unit_price="100")
    before = len(await desk.entries())
    await change(desk, "acme", name="Acme Ltd")
    await add(desk, vendor_id="b", name="B")
    assert len(await desk.entries()) == before


async def test_a_barred_vendors_open_orders_are_flagged_and_asked_about_once(desk: Desk) -> None:
    await opened(desk, ACME, vendor_id="acme", unit_price="100")
    await change(desk, "acme", approved=False)
    (flag,) = await desk.rows(Flag)
    assert (flag.item_id, flag.status, "PO-office-0001" in flag.detail) == ("panels", "open", True)
    told = [one for one in await desk.rows(Message) if "may no longer be ordered from" in one.text]
    assert (len(told), told[0].party, "PO-office-0001 (Panels)" in told[0].text) == (1, "project_manager", True)
    await change(desk, "acme", approved=False)
    await desk.post("ETA_Changed", item="Panels", eta="2026-05-01")
    assert len([one for one in await desk.rows(Message) if "may no longer be ordered from" in one.text]) == 1
    (order,) = await desk.rows(PurchaseOrder)
    assert order.status == "issued", "nothing is cancelled without a person"
    await change(desk, "acme", approved=True)
    assert [flag.status for flag in await desk.rows(Flag)] == ["cleared"]


async def test_an_event_brings_vendors_and_the_lines_that_name_them(desk: Desk) -> None:
    await opened(desk, {**ACME, "approved": False}, limit="5000")
    await desk.post(
        "Items_Changed",
        vendors=[
            {"vendor_id": "acme", "approved": True, "contacts": {"logistics": "l@acme.example"}},
            {"name": "Mill Road", "contact": "orders@mill.example"},
        ],
        items=[{"item_id": "panels", "vendor_id": "mill-road", "unit_price": "100"}],
    )
    by_id = {vendor.vendor_id: vendor for vendor in await desk.rows(VendorRow)}
    assert by_id["mill-road"] == VendorRow(vendor_id="mill-road", name="Mill Road", contact="orders@mill.example")
    assert (by_id["acme"].approved, by_id["acme"].contact) == (True, "orders@acme.example")
    assert by_id["acme"].contacts.logistics == "l@acme.example"
    assert [order.vendor_id for order in await desk.rows(PurchaseOrder)] == ["mill-road"]
    audit = await (await desk.conn.execute("SELECT what, subject, by FROM audit ORDER BY number")).fetchall()
    done = [(one["what"], one["subject"]) for one in audit]
    assert done == [("vendor_changed", "acme"), ("vendor_added", "mill-road")]
    assert all(one["by"]["name"] == "test" for one in audit)


async def test_vendors_alone_renew_the_questions_that_wait_for_them(desk: Desk) -> None:
    await opened(desk, unit_price="100")
    event = await desk.post("Items_Changed", vendors=[{"vendor_id": "acme", "name": "Acme"}])
    assert "Order from Acme at the price on file" in str((await desk.question()).options)
    assert "1 vendor" in (await desk.event(event))["outcome"]["note"]


async def test_what_cannot_be_done_to_a_vendor_is_asked_and_the_rest_is_done(desk: Desk) -> None:
    await desk.open(vendors=[ACME, {**ACME, "vendor_id": "acme-2"}])
    await desk.post(
        "Items_Changed",
        vendors=[{"vendor_id": "nobody", "approved": False}, {"name": "ACME", "approved": False}, {"name": "Kent"}],
    )
    asked = [approval.summary for approval in await desk.pending()]
    assert any("the vendor nobody is new and has no name" in summary for summary in asked)
    assert any("may be any of the vendors acme, acme-2" in summary for summary in asked)
    assert {vendor.vendor_id: vendor.approved for vendor in await desk.rows(VendorRow)} == {
        "acme": True,
        "acme-2": True,
        "kent": True,
    }


async def test_a_line_that_is_ordered_meanwhile_is_not_completed(desk: Desk) -> None:
    await opened(desk, ACME, vendor_id="acme", unit_price="100")
    await desk.post("Inspection_Failed", item="Panels", inspection_date="2026-02-01")
    await desk.decide((await desk.pending())[0], "edit", actions=complete(unit_price="1"))
    assert (await desk.item("panels")).unit_price == 100
