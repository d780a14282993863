"""A report was wrong and is taken back: it stays visible and counts for nothing; and no report goes unseen."""

from tests.truth.site import BUILDING, Found, Site, amounts


async def test_an_arrival_is_taken_back(site: Site) -> None:
    """That lorry was for the neighbour."""
    await site.open("12")
    arrival = await site.arrive("2026-03-10", "12", shipment_id="T1")
    await site.void(arrival)
    assert await site.states() == amounts(ordered=12)
    planned = [one for one in await site.rows("inspections") if one["status"] in ("scheduled", "planned")]
    assert planned == []


async def test_an_inspection_is_taken_back(site: Site) -> None:
    """The report was of another building: the pumps have no verdict, and the line is not done."""
    await site.open("12")
    await site.arrive("2026-03-10", "12", shipment_id="T1")
    verdict = await site.passes("2026-03-11")
    assert await site.status() == "released"
    await site.void(verdict)
    assert await site.states() == amounts(on_site=12)
    assert await site.status() != "released"


async def test_a_failure_is_taken_back_and_its_question_goes(site: Site) -> None:
    """NCR-1 was raised for the wrong pumps; nobody needs to decide about it."""
    await site.open("12")
    await site.arrive("2026-03-10", "12", shipment_id="T1")
    verdict = await site.fails("2026-03-11", "4", ncr_number="NCR-1")
    await site.void(verdict)
    assert not await site.questions("inspection_failed")
    assert await site.states() == amounts(on_site=12)


async def test_an_eta_is_taken_back_and_the_one_before_counts_again(site: Site) -> None:
    """The late ETA was of another ship: the conflict is none."""
    await site.open("12", need="2026-03-22")
    await site.depart("2026-02-25", "2026-03-09", shipment_id="T1")
    late = await site.expect("2026-03-30", "2026-03-02")
    await site.question("schedule_conflict")
    await site.void(late)
    assert (await site.item())["eta"] == "2026-03-09"
    assert not await site.questions("schedule_conflict")
    assert not await site.flags()


async def test_what_is_true_instead_is_recorded_with_it(site: Site) -> None:
    """Not twelve, seven."""
    await site.open("12")
    arrival = await site.arrive("2026-03-10", "12", shipment_id="T1")
    instead = {**arrival["body"], "quantity": "7"}
    await site.void(arrival, instead={name: instead[name] for name in instead if name not in ("event_id", "source")})
    assert await site.states() == amounts(on_site=7, ordered=5)


async def test_taking_back_what_nobody_sent_changes_nothing_and_is_said(site: Site) -> None:
    """An unknown event: either refused, or asked, or noted that there is no such event."""
    await site.open("12")
    await site.arrive("2026-03-10", "12")
    answer = await site.post("Event_Voided", event_id="never-sent", source="yard", reason="Mistake.")
    if answer.status_code == 202:
        event = await _event(site, answer.json()["event_id"])
        assert await site.questions() or event["outcome"]
    else:
        assert answer.status_code in (404, 409, 422)
        assert "never-sent" in answer.text
    assert await site.states() == amounts(on_site=12)


async def test_a_taking_back_is_not_taken_back(site: Site) -> None:
    """Who was wrong twice sends the report once more."""
    await site.open("12")
    arrival = await site.arrive("2026-03-10", "12")
    void = await site.void(arrival)
    again = await site.post("Event_Voided", event_id=void["event_id"], source=void["source"], reason="It was right.")
    assert again.status_code in (202, 409, 422)
    assert await site.states() == amounts(ordered=12)


async def test_a_decision_that_rested_on_it_is_asked_about(site: Site) -> None:
    """I ordered four again because of NCR-1, and NCR-1 is taken back: the order stands until I say otherwise."""
    await site.open("12")
    await site.arrive("2026-03-10", "12", shipment_id="T1")
    verdict = await site.fails("2026-03-11", "4", ncr_number="NCR-1")
    await site.answer("inspection_failed", ("reorder_item", {"ncr_number": "NCR-1"}), on="2026-03-12")
    await site.void(verdict)
    assert await site.questions()
    assert "cancelled" not in await site.order_statuses()


async def test_every_report_shows_what_it_did_or_why_it_did_nothing(site: Site) -> None:
    """A second report, old news and a copy: each says in its outcome what became of it."""
    await site.open("12", need="2026-03-22")
    events = [
        await site.depart("2026-02-25", "2026-03-09", "12", shipment_id="T1"),
        await site.expect("2026-03-10", "2026-02-24", received="2026-02-26"),
        await site.depart("2026-02-25", "2026-03-09", "12", shipment_id="T1", source="carrier"),
        await site.arrive("2026-03-09", "12", shipment_id="T1"),
        await site.arrive("2026-03-09", "12", source="erp"),
        await site.passes("2026-03-10"),
        await site.passes("2026-03-10", source="quality"),
    ]
    for event in events:
        outcome = event["outcome"] or {}
        assert outcome.get("actions") or outcome.get("note") or outcome.get("notes"), (event["event_type"], outcome)


async def test_a_report_that_was_taken_back_stays_visible(site: Site) -> None:
    """It is marked; it is not gone."""
    await site.open("12")
    await site.depart("2026-02-25", "2026-03-09", "12", shipment_id="T1")
    late = await site.expect("2026-03-30", "2026-03-02")
    await site.void(late)
    assert (await _event(site, late["event_id"]))["status"] == "done"
    days = {one["day"]: one["current"] for one in await site.statements("eta")}
    assert days["2026-03-30"] is False


async def _event(site: Site, event_id: str) -> Found:
    found = await site.client.get(f"/buildings/{BUILDING}/events/{event_id}", params={"source": "yard"})
    assert found.status_code == 200, found.text
    event: Found = found.json()
    return event
