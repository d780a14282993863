"""Who said which day, and when: the newest saying counts, whichever message comes in last."""

from tests.truth.site import Site


async def test_an_eta_that_was_said_earlier_does_not_close_the_conflict(site: Site) -> None:
    """Friday's mail says the 8th, Monday's call said the 30th. The mail comes in on Tuesday."""
    await site.open("12", need="2026-03-22")
    await site.depart("2026-02-24", "2026-03-08", shipment_id="T1")
    await site.expect("2026-03-30", "2026-03-02")
    await site.expect("2026-03-09", "2026-02-27", received="2026-03-03")
    assert (await site.item())["eta"] == "2026-03-30"
    await site.question("schedule_conflict")
    assert await site.flags()
    assert len(await site.statements("eta")) == 3
    assert await site.current("eta") == ["2026-03-30"]


async def test_a_newer_eta_closes_the_conflict(site: Site) -> None:
    """They found a faster ferry. That is news, and good."""
    await site.open("12", need="2026-03-22")
    await site.depart("2026-02-24", "2026-03-08", shipment_id="T1")
    await site.expect("2026-03-30", "2026-03-02")
    await site.expect("2026-03-10", "2026-03-03")
    assert (await site.item())["eta"] == "2026-03-10"
    assert not await site.questions()
    assert not await site.flags()


async def test_a_promise_that_was_made_earlier_changes_nothing(site: Site) -> None:
    """The scan of the first confirmation comes in after the second one."""
    await site.open("12", need="2026-04-20")
    await site.promise("2026-04-28", "2026-02-16")
    await site.promise("2026-03-31", "2026-02-05", received="2026-02-18")
    item = await site.item()
    assert (item["first_promise"], item["latest_promise"]) == ("2026-03-31", "2026-04-28")
    assert await site.current("promise") == ["2026-04-28"]
    await site.question("schedule_conflict")


async def test_first_and_latest_promise_are_both_shown(site: Site) -> None:
    """Three promises: the vendor is measured by the first, I plan with the last."""
    await site.open("12")
    for day, said in (("2026-03-20", "2026-02-04"), ("2026-03-27", "2026-02-20"), ("2026-04-02", "2026-03-05")):
        await site.promise(day, said)
    item = await site.item()
    assert (item["first_promise"], item["latest_promise"]) == ("2026-03-20", "2026-04-02")
    assert [one["day"] for one in await site.statements("promise")] == ["2026-03-20", "2026-03-27", "2026-04-02"]


async def test_a_promise_for_the_rest_is_a_conflict_of_its_own_size(site: Site) -> None:
    """Nine are here. The other five are promised three weeks after I need them: 5 of 14 are late, not all."""
    await site.open("14", need="2026-03-20")
    await site.arrive("2026-03-09", "9", shipment_id="T1")
    await site.promise("2026-04-10", "2026-03-10")
    question = await site.question("schedule_conflict")
    assert "5 of 14" in question["summary"]
    assert "21" in question["summary"]
    assert (await site.item())["schedule_band"] == "conflict"


async def test_an_eta_of_one_shipment_moves_only_that_one(site: Site) -> None:
    """T2 has a puncture. T1 is as before, and the line is as late as T2."""
    await site.open("14", need="2026-03-20")
    await site.depart("2026-03-02", "2026-03-10", "9", shipment_id="T1")
    await site.depart("2026-03-03", "2026-03-11", "5", shipment_id="T2")
    await site.expect("2026-03-26", "2026-03-05", shipment_id="T2")
    days = {lot["quantity"]: lot["expected_on"] for lot in await site.lots()}
    assert sorted(days.values()) == ["2026-03-10", "2026-03-26"]
    question = await site.question("schedule_conflict")
    assert "5 of 14" in question["summary"]


async def test_a_vendor_promises_by_quantity(site: Site) -> None:
    """Eight in March, the other six in April. I need them in May: nobody is disturbed, both days stand."""
    await site.open("14", need="2026-05-20")
    await site.promise("2026-03-24", "2026-02-05", quantity="8")
    await site.promise("2026-04-21", "2026-02-05", quantity="6")
    assert sorted(await site.current("promise")) == ["2026-03-24", "2026-04-21"]
    assert not await site.questions()


async def test_an_older_schedule_does_not_replace_a_newer_one(site: Site) -> None:
    """The planner's schedule of 1 February lands after that of 15 February."""
    await site.open("12")
    for need, data_date in (("2026-05-04", "2026-02-15"), ("2026-07-01", "2026-02-01")):
        plan = {"project": {"name": "Site"}, "deliveries": [{"item": "Pumps", "required_by": need, "buffer_days": 5}]}
        await site.say("Schedule_Revised", schedule=plan, data_date=data_date, received="2026-02-16")
    assert (await site.item())["required_by"] == "2026-05-04"


async def test_the_rejection_of_an_older_revision_undoes_no_approval(site: Site) -> None:
    """Revision 2 is approved and ordered; the no to revision 1 was lost in the post."""
    await site.open("12", is_ordered=False)
    await site.approve("2026-02-09", revision=2)
    await site.say(
        "Submittal_Rejected", reason="Wrong seal", revision=1, occurred_at="2026-01-26T10:00:00", received="2026-02-12"
    )
    assert (await site.item())["submittal"] == "approved"
    assert (await site.item())["commercial"] == "ordered"


async def test_old_news_about_what_has_arrived_moves_nothing(site: Site) -> None:
    """They stand on site. An ETA of last week is history."""
    await site.open("12", need="2026-03-22")
    await site.depart("2026-02-24", "2026-03-08", "12", shipment_id="T1")
    await site.arrive("2026-03-06", shipment_id="T1")
    await site.expect("2026-04-08", "2026-03-01", received="2026-03-09")
    assert not await site.questions()
    assert (await site.item())["logistics"] == "on_site"
