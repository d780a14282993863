"""Dates against the schedule: who is told, who is asked, and when nobody is."""

from typing import Any

import pytest

from domain.procurement import Flag
from tests.agent.desk import Desk

SCHEDULE = {
    "project": {"name": "Office", "end_date": "2026-05-31"},
    "deliveries": [{"item": "Steel Beams", "required_by": "2026-02-15", "buffer_days": 5}],
}


async def opened(desk: Desk, **policy: Any) -> None:
    await desk.open(schedule=SCHEDULE, policy=policy)


@pytest.mark.parametrize(("eta", "band"), [("2026-02-10", "clear"), ("2026-02-11", "tight"), ("2026-02-14", "tight")])
async def test_an_eta_before_the_required_day_raises_no_flag_and_no_question(desk: Desk, eta: str, band: str) -> None:
    await opened(desk)
    await desk.post("Shipment_Departed_Factory", item="Steel Beams", eta=eta)
    assert (await desk.item("steel-beams")).schedule_band == band
    assert await desk.names() == []
    assert await desk.pending() == []


@pytest.mark.parametrize(("eta", "late"), [("2026-02-15", 0), ("2026-02-16", 1), ("2026-03-15", 28)])
async def test_an_eta_on_or_after_the_required_day_is_flagged_and_asked(desk: Desk, eta: str, late: int) -> None:
    await opened(desk)
    event = await desk.post("Shipment_Departed_Factory", item="Steel Beams", eta=eta)
    assert await desk.names(event) == ["flag_potential_issue"]
    question = await desk.question("schedule_conflict")
    assert question.evidence["dates"]["days_late"] == late
    assert question.evidence["policy"] == "ask_from_days_late: 0"
    assert len(question.options) >= 3


async def test_a_conflict_that_policy_lets_pass_is_flagged_and_not_asked(desk: Desk) -> None:
    await opened(desk, ask_from_days_late=3)
    await desk.post("Shipment_Departed_Factory", item="Steel Beams", eta="2026-02-17")
    assert await desk.names() == ["flag_potential_issue"]
    assert await desk.pending() == []


async def test_a_conflict_that_grows_beyond_what_policy_lets_pass_is_asked_once(desk: Desk) -> None:
    await opened(desk, ask_from_days_late=3)
    await desk.post("Shipment_Departed_Factory", item="Steel Beams", eta="2026-02-17")
    assert await desk.pending() == []
    grown = await desk.post("ETA_Changed", item="Steel Beams", eta="2026-02-18")
    assert await desk.names(grown) == ["flag_potential_issue"]
    assert [flag.status for flag in await desk.rows(Flag)] == ["open"]
    await desk.decide(await desk.question("schedule_conflict"), "approve")
    more = await desk.post("ETA_Changed", item="Steel Beams", eta="2026-02-19")
    assert await desk.names(more) == []
    assert await desk.pending() == []


async def test_only_a_change_of_band_speaks_up(desk: Desk) -> None:
    await opened(desk)
    await desk.post("Shipment_Departed_Factory", item="Steel Beams", eta="2026-02-16")
    first = await desk.question()
    await desk.post("ETA_Changed", item="Steel Beams", eta="2026-02-20")
    assert await desk.names() == ["flag_potential_issue"]
    renewed = await desk.question()
    assert (renewed.approval_id, renewed.version) == (first.approval_id, 2)
    assert renewed.evidence["dates"]["eta"] == "2026-02-20"


async def test_a_conflict_that_settles_itself_clears_its_flag_and_closes_its_question(desk: Desk) -> None:
    await opened(desk)
    await desk.post("Shipment_Departed_Factory", item="Steel Beams", eta="2026-02-16")
    await desk.post("ETA_Changed", item="Steel Beams", eta="2026-02-09")
    assert await desk.pending() == []
    assert [flag.status for flag in await desk.rows(Flag)] == ["cleared"]
    await desk.post("ETA_Changed", item="Steel Beams", eta="2026-02-18")
    assert [flag.status for flag in await desk.rows(Flag)] == ["cleared", "open"]
    await desk.question("schedule_conflict")


async def test_accepting_the_slip_moves_the_required_day_in_a_new_version_of_the_schedule(desk: Desk) -> None:
    await opened(desk)
    await desk.post("Shipment_Departed_Factory", item="Steel Beams", eta="2026-02-18")
    question = await desk.question()
    slip = next(option for option in question.options if option.actions[0]["name"] == "change_required_by")
    await desk.decide(question, "edit", actions=slip.actions)
    item = await desk.item("steel-beams")
    assert (str(item.required_by), item.schedule_band) == ("2026-02-23", "clear")
    assert [flag.status for flag in await desk.rows(Flag)] == ["cleared"]
    assert await desk.pending() == []


async def test_a_moment_counts_as_the_day_it_is_at_the_building(desk: Desk) -> None:
    await desk.open(schedule=SCHEDULE, time_zone="America/Los_Angeles")
    await desk.post("Shipment_Departed_Factory", item="Steel Beams", eta="2026-02-15T03:00:00+00:00")
    assert str((await desk.item("steel-beams")).eta) == "2026-02-14"
    assert await desk.pending() == []


async def test_a_promise_is_checked_until_there_is_an_eta(desk: Desk) -> None:
    await opened(desk)
    await desk.post("Submittal_Approved", item="Steel Beams")
    event = await desk.post("Purchase_Order_Acknowledged", item="Steel Beams", promised_date="2026-02-20")
    assert await desk.names(event) == ["flag_potential_issue"]
    await desk.post("ETA_Changed", item="Steel Beams", eta="2026-02-08")
    assert (await desk.item("steel-beams")).schedule_band == "clear"


async def test_a_revised_schedule_compares_every_line_and_only_changed_bands_speak_up(desk: Desk) -> None:
    deliveries = [
        {"item": name, "required_by": "2026-03-15", "buffer_days": 5} for name in ("Steel", "Doors", "Windows")
    ]
    await desk.open(schedule={"project": {"name": "Office"}, "deliveries": deliveries})
    for name in ("Steel", "Doors", "Windows"):
        await desk.post("Shipment_Departed_Factory", item=name, eta="2026-03-01")
    deliveries[1]["required_by"] = "2026-02-28"
    deliveries[2]["required_by"] = "2026-03-14"
    event = await desk.post("Schedule_Revised", schedule={"project": {"name": "Office"}, "deliveries": deliveries})
    assert await desk.actions(event) == [
        ("flag_potential_issue", {"item": "doors", "band": "conflict", "detail": (await desk.rows(Flag))[0].detail})
    ]
    assert (await desk.question()).item_id == "doors"
    assert (await desk.item("windows")).schedule_band == "clear"


async def test_a_revised_schedule_brings_lines_for_deliveries_that_had_none(desk: Desk) -> None:
    await opened(desk)
    revised = {**SCHEDULE, "deliveries": [*SCHEDULE["deliveries"], {"item": "Lifts", "required_by": "2026-04-01"}]}
    await desk.post("Schedule_Revised", schedule=revised)
    assert str((await desk.item("lifts")).required_by) == "2026-04-01"
