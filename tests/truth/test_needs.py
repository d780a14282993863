"""What is needed when, and which delivery covers it: a part in time says nothing of the rest."""

from decimal import Decimal

import pytest

from tests.truth.site import Site

TWO_FLOORS = [("5", "2026-04-06"), ("9", "2026-05-04")]


async def test_two_deliveries_of_the_schedule_are_two_needs(site: Site) -> None:
    """Five for the first floor, nine for the second."""
    await site.open("14", needs=TWO_FLOORS)
    needs = (await site.item())["needs"]
    assert [(Decimal(need["quantity"]), need["required_by"]) for need in needs] == [
        (Decimal(5), "2026-04-06"),
        (Decimal(9), "2026-05-04"),
    ]
    assert await site.quantities("needed") == {"needed": Decimal(14)}


async def test_deliveries_that_do_not_add_up_to_the_line_are_refused(site: Site) -> None:
    """Five and nine are not twelve."""
    with pytest.raises(AssertionError, match="quantity") as refused:
        await site.open("12", needs=TWO_FLOORS)
    assert "not a known field" not in str(refused.value)


async def test_the_first_floor_is_covered_and_the_second_is_late(site: Site) -> None:
    """Five come on the 1st of April, nine on the 20th of May, sixteen days after I need them."""
    await site.open("14", needs=TWO_FLOORS)
    await site.depart("2026-03-02", "2026-03-30", "5", shipment_id="T1")
    await site.depart("2026-03-03", "2026-05-20", "9", shipment_id="T2")
    first, second = (await site.item())["needs"]
    assert (first["covered_on"], second["covered_on"]) == ("2026-03-30", "2026-05-20")
    assert (first["days_late"] or 0) <= 0
    assert second["days_late"] == 16
    question = await site.question("schedule_conflict")
    assert "9 of 14" in question["summary"]
    assert "16" in question["summary"]


async def test_one_lorry_too_small_for_the_first_need_leaves_it_late(site: Site) -> None:
    """Four of the five are in time. The fifth comes with the second lorry, two weeks after I need it."""
    await site.open("14", needs=TWO_FLOORS)
    await site.depart("2026-03-02", "2026-03-30", "4", shipment_id="T1")
    await site.depart("2026-03-03", "2026-04-20", "10", shipment_id="T2")
    first, second = (await site.item())["needs"]
    assert (first["covered_on"], first["days_late"]) == ("2026-04-20", 14)
    assert second["covered_on"] == "2026-04-20"
    assert "1 of 14" in (await site.question("schedule_conflict"))["summary"]


async def test_a_part_that_is_early_does_not_make_the_line_early(site: Site) -> None:
    """Two of fourteen are here in March; the rest is expected three weeks late."""
    await site.open("14", need="2026-04-06")
    await site.arrive("2026-03-10", "2", shipment_id="T1")
    await site.depart("2026-03-12", "2026-04-27", "12", shipment_id="T2")
    question = await site.question("schedule_conflict")
    assert "12 of 14" in question["summary"]
    assert "21" in question["summary"]
    assert (await site.item())["schedule_band"] == "conflict"


async def test_what_was_rejected_covers_no_need(site: Site) -> None:
    """All fourteen came in time, three go back and are promised for after the day I need them."""
    await site.open("14", need="2026-03-30")
    await site.arrive("2026-03-10", "14", shipment_id="T1")
    await site.fails("2026-03-11", "3", shipment_id="T1", ncr_number="NCR-1")
    await site.answer("inspection_failed", ("return_item", {"ncr_number": "NCR-1", "then": "owed"}), on="2026-03-12")
    await site.promise("2026-04-09", "2026-03-13")
    assert "3 of 14" in (await site.question("schedule_conflict"))["summary"]
    assert (await site.item())["needs"][0]["days_late"] == 10


async def test_a_conflict_goes_when_the_last_part_is_covered(site: Site) -> None:
    """The late lorry is faster than feared."""
    await site.open("14", needs=TWO_FLOORS)
    await site.depart("2026-03-02", "2026-03-30", "5", shipment_id="T1")
    await site.depart("2026-03-03", "2026-05-20", "9", shipment_id="T2")
    await site.expect("2026-04-28", "2026-03-20", shipment_id="T2")
    assert not await site.questions("schedule_conflict")
    assert not await site.flags()
