"""Several things of one kind on one line: each has a question of its own, and none touches another."""

from typing import Any

from domain.procurement import Inspection, PurchaseOrder
from tests.agent.desk import Desk


async def arrived(desk: Desk) -> None:
    """Ten pumps on site, in two trucks."""
    await desk.open(
        items=[{"name": "Pumps", "vendor_id": "v", "quantity": "10", "unit": "pcs", "unit_price": "50"}],
        vendors=[{"vendor_id": "v", "name": "Vendor"}],
        approvers=[{"role": "project_manager", "name": "PM"}],
    )
    await desk.post("Submittal_Approved", item="Pumps")
    for shipment, quantity in (("S1", "6"), ("S2", "4")):
        about = {"item": "Pumps", "shipment_id": shipment, "quantity": quantity}
        await desk.post("Shipment_Departed_Factory", eta="2026-02-20", date_departed="2026-02-15", **about)
        await desk.post("Shipment_Arrived_Site", date_arrived="2026-02-20", **about)


async def reject(desk: Desk, shipment: str, quantity: str, document: str, **more: Any) -> None:
    await desk.post(
        "Inspection_Failed",
        item="Pumps",
        inspection_date="2026-02-23",
        shipment_id=shipment,
        quantity_rejected=quantity,
        document_name=document,
        document_url="https://files.example.com/ncr",
        **more,
    )


async def ncrs(desk: Desk) -> dict[str, str | None]:
    """Dispositions by NCR number."""
    rows = [row for row in await desk.rows(Inspection) if row.status == "failed"]
    return {row.ncr_number: row.disposition for row in rows}


async def both_failed(desk: Desk) -> tuple[Any, Any]:
    await arrived(desk)
    await reject(desk, "S1", "3", "one.pdf", ncr_number="NCR-1")
    await reject(desk, "S2", "2", "two.pdf", ncr_number="NCR-2")
    first, second = sorted(await desk.pending(), key=lambda one: one.matter)
    return first, second


async def test_each_ncr_of_a_line_is_asked_about_with_its_own_quantity(desk: Desk) -> None:
    first, second = await both_failed(desk)
    assert [(one.matter, one.version) for one in (first, second)] == [("NCR-1", 1), ("NCR-2", 1)]
    assert [one.evidence["inspection"]["quantity_rejected"] for one in (first, second)] == ["3", "2"]
    quantities = [one.recommended[0]["arguments"]["quantity"] for one in (first, second)]
    assert quantities == ["3", "2"]
    assert "NCR-2, 2 pcs" in second.summary


async def test_an_answer_about_one_ncr_neither_closes_nor_changes_nor_answers_the_other(desk: Desk) -> None:
    first, second = await both_failed(desk)
    await desk.decide(first)
    left = await desk.question()
    assert left == second
    assert await ncrs(desk) == {"NCR-1": "replace", "NCR-2": None}
    await desk.decide(left)
    assert await desk.pending() == []
    assert await ncrs(desk) == {"NCR-1": "replace", "NCR-2": "replace"}
    orders = await desk.rows(PurchaseOrder)
    assert [order.total for order in sorted(orders, key=lambda one: one.number)][1:] == [150, 100]


async def test_any_disposition_is_of_the_ncr_that_was_asked_about_whichever_is_answered_first(desk: Desk) -> None:
    first, second = await both_failed(desk)
    accept = {"name": "accept_as_is", "arguments": {"item": "pumps", "note": "fine"}}
    await desk.decide(second, "edit", actions=[accept])
    assert await ncrs(desk) == {"NCR-1": None, "NCR-2": "use_as_is"}
    assert (await desk.item("pumps")).status == "failed_inspection"
    assert (await desk.question()) == first
    await desk.decide(first, "edit", actions=[{"name": "return_item", "arguments": {"item": "pumps", "note": "back"}}])
    assert await ncrs(desk) == {"NCR-1": "return", "NCR-2": "use_as_is"}


async def test_a_refusal_offers_the_next_way_out_for_the_same_ncr(desk: Desk) -> None:
    first, second = await both_failed(desk)
    await desk.decide(first, "reject")
    again, untouched = sorted(await desk.pending(), key=lambda one: one.matter)
    assert (again.matter, again.refused, untouched) == ("NCR-1", 1, second)


async def test_two_reports_without_a_number_are_two_ncrs(desk: Desk) -> None:
    await arrived(desk)
    await reject(desk, "S1", "3", "one.pdf")
    await reject(desk, "S2", "2", "two.pdf")
    assert len({one.matter for one in await desk.pending()}) == 2


async def test_the_same_ncr_told_by_another_document_is_not_asked_twice(desk: Desk) -> None:
    await arrived(desk)
    await reject(desk, "S1", "3", "one.pdf", ncr_number="NCR-17")
    await reject(desk, "S1", "3", "one rev B.pdf", ncr_number="NCR-17")
    assert (await desk.question()).matter == "NCR-17"
    await desk.decide(await desk.question())
    assert await desk.pending() == []
    assert (await ncrs(desk)) == {"NCR-17": "replace"}
    assert len(await desk.rows(PurchaseOrder)) == 2


async def test_a_pass_of_one_truck_leaves_the_question_about_another(desk: Desk) -> None:
    await arrived(desk)
    await reject(desk, "S1", "6", "one.pdf")
    question = await desk.question()
    await desk.post("Inspection_Passed", item="Pumps", inspection_date="2026-02-24", shipment_id="S2")
    assert await desk.question() == question
    assert (await desk.item("pumps")).status != "released"


async def test_a_question_of_an_earlier_version_is_not_asked_again_and_its_answer_holds(desk: Desk) -> None:
    await arrived(desk)
    await reject(desk, "S1", "3", "one.pdf", ncr_number="NCR-1")
    earlier = await as_an_earlier_version_asked(desk)
    await reject(desk, "S2", "2", "two.pdf", ncr_number="NCR-2")
    await reject(desk, "S1", "3", "one rev B.pdf", ncr_number="NCR-1")
    first, second = sorted(await desk.pending(), key=lambda one: one.approval_id)
    assert first.approval_id == earlier.approval_id
    assert second.matter == "NCR-2"
    await desk.decide(first)
    assert (await desk.question()).approval_id == second.approval_id


async def test_an_answer_that_an_earlier_version_accepted_is_applied(desk: Desk) -> None:
    await arrived(desk)
    await reject(desk, "S1", "3", "one.pdf", ncr_number="NCR-1")
    earlier = await as_an_earlier_version_asked(desk)
    await desk.decide(earlier)
    assert await desk.pending() == []
    assert await ncrs(desk) == {"NCR-1": "replace"}


async def as_an_earlier_version_asked(desk: Desk) -> Any:
    """The pending question without its matter, with the fingerprint that it had then."""
    from domain.approvals import fingerprint
    from domain.procurement import LineFile
    from storage.transaction import building_transaction

    question, file = await desk.question(), await desk.file("pumps")
    assert isinstance(file, LineFile)
    item = file.item
    failed = [(i.inspection_id, i.defects, i.quantity_rejected) for i in file.inspections if i.status == "failed"]
    facts = [
        item.round,
        failed,
        item.required_by,
        item.quantity,
        item.unit_price,
        item.vendor_id,
        item.lead_time_days,
    ]
    earlier = question.model_copy(update={"matter": "", "fingerprint": fingerprint(["inspection_failed", facts])})
    async with building_transaction(desk.conn, desk.building_id, question.raised_seq) as transaction:
        transaction.save(earlier)
    return earlier


async def test_exceptions_to_two_orders_of_a_line_are_two_questions(desk: Desk) -> None:
    await arrived(desk)
    order = (await desk.rows(PurchaseOrder))[0].number
    await desk.post(
        "Purchase_Order_Acknowledged",
        item="Pumps",
        purchase_order=order,
        promised_date="2026-03-10",
        exceptions=["10 % more"],
    )
    question = await desk.question("acknowledgement_exception")
    assert question.matter == order
