"""A report that is not counted does not vanish: it is seen on its line, with why, and with what became of it."""

import pytest

from tests.truth.site import Found, Site, amounts

SLIPS: list[tuple[str, str, Found]] = [
    ("an arrival next year", "Shipment_Arrived_Site", {"date_arrived": "2027-03-10", "received": "2026-03-10"}),
    ("an inspection ten years ago", "Inspection_Passed", {"inspection_date": "2016-03-11", "received": "2026-03-11"}),
    (
        "a departure after its own arrival",
        "Shipment_Departed_Factory",
        {"date_departed": "2026-03-20", "eta": "2026-03-12"},
    ),
    ("a promise for 2062", "Purchase_Order_Acknowledged", {"promised_date": "2062-03-20", "received": "2026-02-05"}),
    ("an ETA of last year", "ETA_Changed", {"eta": "2025-03-12", "occurred_at": "2026-03-01T09:00:00"}),
    (
        "another unit",
        "Shipment_Arrived_Site",
        {"date_arrived": "2026-03-10", "quantity": "2", "unit": "crate"},
    ),
    (
        "an acknowledgement of an order of nobody",
        "Purchase_Order_Acknowledged",
        {"promised_date": "2026-03-20", "purchase_order": "PO-X-9", "received": "2026-02-05"},
    ),
    ("a refused submittal after the order", "Submittal_Rejected", {"reason": "Wrong flange.", "revision": 1}),
]


@pytest.mark.parametrize(("event_type", "fields"), [pytest.param(*slip[1:], id=slip[0]) for slip in SLIPS])
async def test_a_report_that_cannot_be_counted_is_seen_until_it_is_answered_and_after(
    site: Site, event_type: str, fields: Found
) -> None:
    await site.open("12")
    before = await site.states()
    event = await site.say(event_type, **fields)
    fact = await _fact(site, event)
    assert (fact["effect"], await site.states()) == ("doubted", before)
    question = await site.question("facts_contradict", about=f"yard:{event['event_id']}")
    assert fact["why"] in question["summary"]
    await site.choose("facts_contradict", "dismiss_event")
    fact = await _fact(site, event)
    assert fact["effect"] == "set_aside"
    assert "left it" in fact["why"]
    assert await site.states() == before


async def test_what_a_person_tells_as_it_was_meant_is_beside_what_was_said(site: Site) -> None:
    await site.open("12")
    event = await site.arrive("2027-03-10", "12", shipment_id="T1", received="2026-03-10")
    await site.choose("facts_contradict", "2026-03-10")
    assert "told it again" in (await _fact(site, event))["why"]
    counting = [fact for fact in await site.rows("items/pumps/facts") if fact["effect"] == "counts"]
    assert [fact["day"] for fact in counting if fact["kind"] == "arrived"] == ["2026-03-10"]
    assert await site.states() == amounts(on_site=12)


async def test_a_report_that_was_left_does_not_count_when_what_it_lacked_comes(site: Site) -> None:
    """It passed before it arrived. I leave that report; later the arrival is told."""
    await site.open("12")
    await site.passes("2026-03-11", "12", shipment_id="T1")
    await site.choose("facts_contradict", "dismiss_event")
    await site.arrive("2026-03-10", "12", shipment_id="T1", received="2026-03-12")
    assert await site.states() == amounts(on_site=12)


async def test_a_report_that_is_asked_about_is_taken_back_with_its_question(site: Site) -> None:
    await site.open("12")
    event = await site.arrive("2027-03-10", "12", received="2026-03-10")
    await site.void(event)
    assert not await site.questions("facts_contradict")
    assert (await _fact(site, event))["effect"] == "taken_back"


@pytest.mark.parametrize("departs_first", [True, False])
async def test_an_eta_before_its_departure_is_asked_about_whichever_comes_first(
    site: Site, departs_first: bool
) -> None:
    """It is said on the 5th to come on the 1st, and it left on the 3rd."""
    await site.open("12")
    if departs_first:
        await site.depart("2026-03-03", "2026-03-20", "12", shipment_id="T1")
    eta = await site.expect("2026-03-01", "2026-03-05", shipment_id="T1")
    if not departs_first:
        await site.depart("2026-03-03", "2026-03-20", "12", shipment_id="T1", received="2026-03-06")
    question = await site.question("facts_contradict", about=f"yard:{eta['event_id']}")
    assert "2027-03-01" in str(question["options"])
    assert (await site.item())["eta"] == "2026-03-20"
    assert (await _fact(site, eta))["effect"] == "doubted"


async def _fact(site: Site, event: Found) -> Found:
    """The one fact of an event."""
    found = [fact for fact in await site.rows("items/pumps/facts") if fact["event_id"] == event["event_id"]]
    assert len(found) == 1, found
    return found[0]
