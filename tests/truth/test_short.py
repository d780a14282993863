"""Goods that are not usable, and goods that nobody delivers any more, cover no need."""

from tests.truth.site import Site, amounts


async def test_goods_in_repair_cover_a_need_from_the_day_on_which_they_are_inspected_again(site: Site) -> None:
    await site.open("12", need="2026-04-01")
    await site.arrive("2026-03-10", "12", shipment_id="T1")
    await site.fails("2026-03-11", ncr_number="NCR-1")
    await site.answer("inspection_failed", ("repair_item", {}), on="2026-03-12")
    assert [need["covered_on"] for need in (await site.item())["needs"]] == [None]
    await site.fails("2026-03-13", ncr_number="NCR-2")
    await site.answer("inspection_failed", ("repair_item", {}), ("schedule_inspection", {"on": "2026-03-20"}))
    assert [need["covered_on"] for need in (await site.item())["needs"]] == ["2026-03-20"]


async def test_goods_that_are_owed_again_are_not_expected_on_the_day_of_those_that_went_back(site: Site) -> None:
    await site.open("12", need="2026-04-01")
    await site.promise("2026-03-10", "2026-02-05")
    await site.arrive("2026-03-10", "12", shipment_id="T1")
    await site.fails("2026-03-11", ncr_number="NCR-1")
    await site.answer("inspection_failed", ("return_item", {"then": "owed"}), on="2026-03-12")
    assert [need["covered_on"] for need in (await site.item())["needs"]] == ["2026-04-01"]  # 20 days of lead time
    await site.promise("2026-03-25", "2026-03-13")
    assert [need["covered_on"] for need in (await site.item())["needs"]] == ["2026-03-25"]


async def test_the_rest_of_a_cancelled_order_is_ready_to_be_ordered(site: Site) -> None:
    await site.open("10", need="2026-03-20")
    await site.arrive("2026-03-10", "6", shipment_id="T1")
    await site.passes("2026-03-11")
    await site.expect("2026-04-20", "2026-03-12")
    await site.answer("schedule_conflict", ("cancel_purchase_order", {"reason": "too late"}))
    assert await site.status() == "ready_to_order"
    await site.expect("2026-04-21", "2027-03-13")
    await site.answer("facts_contradict", ("issue_purchase_order", {}))
    assert await site.states() == amounts(accepted=6, cancelled=4, ordered=4)
    assert await site.status() != "ready_to_order"


async def test_an_eta_told_again_without_its_shipment_moves_nothing_else(site: Site) -> None:
    """Six left and are expected on the 20th, says the carrier; the ERP repeats it and names no shipment."""
    await site.open("10", need="2026-06-01")
    await site.depart("2026-03-01", "2026-03-15", "6", shipment_id="T1")
    await site.expect("2026-03-20", "2026-03-02", shipment_id="T1", source="carrier")
    before = await site.lots()
    event = await site.expect("2026-03-20", "2026-03-03", source="erp")
    assert [lot["expected_on"] for lot in await site.lots()] == [lot["expected_on"] for lot in before]
    fact = next(one for one in await site.rows("items/pumps/facts") if one["event_id"] == event["event_id"])
    assert fact["effect"] == "told_again"


async def test_accepting_a_slip_moves_the_late_need_and_no_other(site: Site) -> None:
    await site.open("10", needs=[("4", "2026-03-20"), ("3", "2026-04-01"), ("3", "2026-06-01")])
    await site.arrive("2026-03-10", "4", shipment_id="T1")
    await site.expect("2026-04-10", "2026-03-12")
    chosen = await site.choose("schedule_conflict", "Accept the slip")
    assert "of 3 pcs on 2026-04-01" in chosen["title"]
    needs = (await site.item())["needs"]
    assert [(need["required_by"], need["quantity"]) for need in needs] == [
        ("2026-03-20", "4"),
        ("2026-04-15", "3"),
        ("2026-06-01", "3"),
    ]
