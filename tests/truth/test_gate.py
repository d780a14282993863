"""What cannot be true by its own dates or numbers is put to a person, with what was probably meant."""

import pytest

from tests.truth.site import Site


async def test_an_arrival_next_year_is_a_slip_and_the_correction_is_offered(site: Site) -> None:
    """2027 instead of 2026, typed at the gate. I say yes, and the right day is on file."""
    await site.open("12")
    await site.arrive("2027-03-10", "12", shipment_id="T1", received="2026-03-10")
    assert (await site.item())["logistics"] != "on_site"
    await site.choose("facts_contradict", "2026-03-10")
    assert (await site.item())["logistics"] == "on_site"
    assert not await site.questions("facts_contradict")


async def test_an_eta_of_last_year_is_a_slip_and_the_correction_is_offered(site: Site) -> None:
    """January, and the old year still in the fingers. The conflict stays until I have said which."""
    await site.open("12", need="2026-03-22")
    await site.depart("2026-02-25", "2026-03-28", shipment_id="T1")
    await site.expect("2025-03-12", "2026-03-01")
    assert (await site.item())["eta"] == "2026-03-28"
    await site.question("schedule_conflict")
    await site.choose("facts_contradict", "2026-03-12")
    assert (await site.item())["eta"] == "2026-03-12"


async def test_a_promise_far_in_the_future_is_a_slip(site: Site) -> None:
    """Promised for 2062. I am asked; it is no promise until then."""
    await site.open("12")
    await site.promise("2062-03-20", "2026-02-05")
    await site.question("facts_contradict")
    assert "2062-03-20" not in await site.current("promise")


async def test_an_inspection_of_ten_years_ago_is_a_slip(site: Site) -> None:
    """2016 instead of 2026: it passed nothing yet."""
    await site.open("12")
    await site.arrive("2026-03-10", "12")
    await site.passes("2016-03-11", received="2026-03-11")
    await site.choose("facts_contradict", "2026-03-11")
    assert await site.status() == "released"


async def test_an_eta_before_its_own_departure_is_asked_about(site: Site) -> None:
    """It leaves on the 20th and arrives on the 12th."""
    await site.open("12")
    await site.depart("2026-03-20", "2026-03-12", "12", shipment_id="T1")
    await site.question("facts_contradict")


async def test_an_arrival_before_its_departure_is_asked_about(site: Site) -> None:
    """T1 left on the 16th; the gate has it on the 9th."""
    await site.open("12")
    await site.depart("2026-03-16", "2026-03-20", "12", shipment_id="T1")
    await site.arrive("2026-03-09", "12", shipment_id="T1", received="2026-03-20")
    await site.question("facts_contradict")
    assert await site.status() != "released"


async def test_an_inspection_before_the_arrival_is_asked_about(site: Site) -> None:
    """It passed two days before it was here."""
    await site.open("12")
    await site.arrive("2026-03-12", "12", shipment_id="T1")
    await site.passes("2026-03-10", shipment_id="T1", received="2026-03-13")
    await site.question("facts_contradict")
    assert await site.status() != "released"


@pytest.mark.parametrize("rejected", ["13", "120"])
async def test_more_rejected_than_came_is_asked_about(site: Site, rejected: str) -> None:
    """Twelve came, and more than twelve are bad: a digit too many, or a lorry that nobody reported."""
    await site.open("30")
    await site.arrive("2026-03-10", "12", shipment_id="T1")
    await site.fails("2026-03-11", rejected, shipment_id="T1", ncr_number="NCR-1")
    await site.question("facts_contradict")
    assert (await site.states()).get("rejected", 0) <= 12


async def test_a_departure_of_what_was_never_ordered_is_asked_about(site: Site) -> None:
    """Nobody ordered pumps yet, and a lorry is on the way with them."""
    await site.open("12", is_ordered=False)
    await site.depart("2026-03-02", "2026-03-09", "12", shipment_id="T1")
    await site.question("facts_contradict")


async def test_a_contradiction_goes_when_its_missing_half_comes(site: Site) -> None:
    """A verdict without an arrival may be asked about; once the arrival is told there is nothing left to ask."""
    await site.open("12")
    await site.passes("2026-03-11", shipment_id="T1")
    await site.arrive("2026-03-10", "12", shipment_id="T1", received="2026-03-12")
    assert not await site.questions("facts_contradict")
    assert await site.status() == "released"
