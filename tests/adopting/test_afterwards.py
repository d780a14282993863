"""What follows from a log that was taken on: one question, no chasing in the first days, and reports that fit."""

from decimal import Decimal
from typing import Any

import pytest

from domain.questions.registry import ALWAYS_A_PERSON
from tests.adopting.half_bought import HalfBought, line, order

BOTH = pytest.mark.parametrize("later", [False, True], ids=["at creation", "later"])


def on_site(number: str, quantity: str = "100", **more: Any) -> dict[str, Any]:
    return {"orders": [order(number, {"quantity": quantity, "status": "received"}, **more)]}


# -- goods without a verdict -------------------------------------------------------------------------------------


@BOTH
async def test_goods_without_a_verdict_are_asked_about_once(half: HalfBought, later: bool) -> None:
    """Three lines lie in my yard, and my log does not say whether they are good. That is one question, not three."""
    lines = [line(name, state=on_site(f"PO-{name}")) for name in ("pumps", "valves", "doors")]
    await half.open(*lines, line("lamps"), later=later)
    question = await half.site.question("goods_taken_on")
    for name in ("Pumps", "Valves", "Doors"):
        assert name in question["summary"]
    assert [option["title"] for option in question["options"]][:2] == [
        "All accepted as they are",
        "Plan inspections for all",
    ]
    assert await half.questions() == ["goods_taken_on"]
    assert await half.site.rows("inspections") == []
    await half.site.choose("goods_taken_on", "All accepted")
    assert {(await half.item(name))["status"] for name in ("pumps", "valves", "doors")} == {"released"}
    assert (await half.item("lamps"))["status"] == "planned"


async def test_inspections_are_planned_for_all_of_them(half: HalfBought) -> None:
    await half.open(*(line(name, state=on_site(f"PO-{name}")) for name in ("pumps", "valves")))
    await half.site.choose("goods_taken_on", "Plan inspections")
    planned = await half.site.rows("inspections")
    assert {(one["item_id"], one["scheduled_on"]) for one in planned} == {
        ("pumps", "2026-03-03"),
        ("valves", "2026-03-03"),
    }
    await half.site.passes("2026-03-03")
    assert (await half.item())["status"] == "released"
    assert (await half.item("valves"))["status"] == "on_site"


async def test_each_line_may_be_judged_by_itself(half: HalfBought) -> None:
    await half.open(*(line(name, state=on_site(f"PO-{name}")) for name in ("pumps", "valves")))
    question = await half.site.question("goods_taken_on")
    body = {
        "type": "edit",
        "actions": [
            judge("accept", lines=[{"item": "Pumps"}]),
            judge("inspect", on="2026-03-05", lines=[{"item": "valves"}]),
        ],
    }
    await half.site._decide(question, body)
    assert (await half.item())["status"] == "released"
    assert (await half.item("valves"))["quality"] == "inspection_scheduled"


def judge(verdict: str, **more: Any) -> dict[str, Any]:
    return {"name": "judge_goods_taken_on", "arguments": {"entry": 0, "verdict": verdict, **more}}


async def test_a_line_that_got_its_verdict_meanwhile_keeps_it(half: HalfBought) -> None:
    """My valves failed on Tuesday. On Wednesday I accept the rest of the yard: the valves stay rejected."""
    await half.open(*(line(name, state=on_site(f"PO-{name}")) for name in ("pumps", "valves")))
    half.site.item_id = "valves"
    await half.site.fails("2026-03-03", item="Valves", ncr_number="N-1")
    await half.site.choose("goods_taken_on", "All accepted")
    assert (await half.item())["status"] == "released"
    assert await half.quantities("valves") == {"rejected": Decimal(100)}


async def test_while_it_is_open_nothing_else_asks_for_their_inspection(half: HalfBought) -> None:
    """Forty lie there, and twenty more come on Tuesday: only those are planned for inspection."""
    await half.open(line(state=on_site("4711", "40")))
    await half.site.arrive("2026-03-03", "20", shipment_id="L9")
    assert await half.questions() == ["goods_taken_on"]
    assert [one["shipment_id"] for one in await half.site.rows("inspections")] == ["L9"]
    await half.site.choose("goods_taken_on", "All accepted")
    assert await half.quantities() == {
        "accepted": Decimal(40), "on_site": Decimal(20), "ordered": Decimal(40)
    }  # fmt: skip


def test_no_program_answers_it() -> None:
    assert "goods_taken_on" in ALWAYS_A_PERSON


async def test_five_hundred_lines_are_still_one_question(half: HalfBought) -> None:
    lines = [line(f"line-{n}", name=f"Line {n}", state=on_site(f"PO-{n}")) for n in range(500)]
    await half.open(*lines)
    question = await half.site.question("goods_taken_on")
    assert question["evidence"]["subject"]["count"] == 500
    assert len(str(question)) < 50_000
    await half.site.choose("goods_taken_on", "All accepted")
    assert (await half.item("line-499"))["status"] == "released"
    assert len(await half.messages()) <= 3


# -- chasing -----------------------------------------------------------------------------------------------------


async def test_nobody_is_chased_in_the_first_five_working_days(half: HalfBought) -> None:
    """What was due in February is asked for from the sixth working day on, a few lines a day."""
    lines = [
        line(f"line-{n}", name=f"Line {n}", state={"orders": [order(f"PO-{n}", ordered_on="2026-01-12")]})
        for n in range(12)
    ]
    await half.open(*lines)
    for day in ("2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06", "2026-03-09"):
        await half.pass_days(day)
        assert "request_information" not in await half.actions(), day
    counts = []
    for day in ("2026-03-10", "2026-03-11", "2026-03-12", "2026-03-13"):
        await half.pass_days(day)
        counts.append((await half.actions()).count("request_information"))
    assert counts == [5, 10, 12, 12]


# -- reports that come later -------------------------------------------------------------------------------------


async def test_the_erp_tells_deliveries_again_that_were_known_together(half: HalfBought) -> None:
    """I wrote "70 came". The ERP sends its history: forty in January, thirty in February. It stays at seventy."""
    await half.open(line(state=on_site("4711", "70", ordered_on="2026-01-05")))
    await half.site.arrive("2026-01-20", "40", shipment_id="E1", source="erp", received="2026-03-02")
    await half.site.arrive("2026-02-20", "30", shipment_id="E2", source="erp", received="2026-03-02")
    assert await half.quantities() == {"on_site": Decimal(70), "ordered": Decimal(30)}
    assert await half.questions() == ["goods_taken_on"]
    await half.site.arrive("2026-03-03", "30", shipment_id="E3", source="erp")
    assert await half.quantities() == {"on_site": Decimal(100)}


async def test_a_delivery_that_does_not_fit_what_was_known_is_asked_about(half: HalfBought) -> None:
    await half.open(line(state=on_site("4711", "70")))
    await half.site.arrive("2026-02-20", "90", shipment_id="E2", source="erp", received="2026-03-02")
    assert await half.quantities() == {"on_site": Decimal(70), "ordered": Decimal(30)}
    assert "facts_contradict" in await half.questions()


async def test_the_same_delivery_gets_its_day_from_the_report(half: HalfBought) -> None:
    """I knew that all hundred came. The gate says: on the tenth of February, lorry G-7."""
    await half.open(line(state=on_site("4711")))
    await half.site.arrive("2026-02-10", "100", shipment_id="G-7", source="gate", received="2026-03-03")
    assert await half.quantities() == {"on_site": Decimal(100)}
    assert "G-7" in (await half.site.lots())[0]["aliases"]
    assert (await half.item())["eta"] == "2026-02-10"


async def test_a_promise_said_before_counts_only_where_nobody_knows_when_ours_was_said(half: HalfBought) -> None:
    known = order("4711", promised_on="2026-04-10", said_on="2026-02-10")
    unknown = order("4712", promised_on="2026-04-10")
    await half.open(line(state={"orders": [known]}), line("valves", state={"orders": [unknown]}))
    for item, number in (("Pumps", "4711"), ("Valves", "4712")):
        await half.site.promise("2026-05-05", "2026-01-20", item=item, purchase_order=number, received="2026-03-03")
    assert (await half.item())["promised_date"] == "2026-04-10"
    assert (await half.item("valves"))["promised_date"] == "2026-05-05"
    await half.site.promise("2026-04-20", "2026-03-04", item="Pumps")
    assert (await half.item())["promised_date"] == "2026-04-20"


async def test_a_verdict_of_the_past_is_on_goods_that_came_nobody_knows_when(half: HalfBought) -> None:
    await half.open(line(state=on_site("4711", "70")))
    await half.site.passes("2026-02-12", "70", received="2026-03-03")
    assert await half.quantities() == {"accepted": Decimal(70), "ordered": Decimal(30)}
    assert (await half.item())["status"] == "partially_received"


async def test_a_departure_and_arrival_after_the_import_are_of_what_is_outstanding(half: HalfBought) -> None:
    await half.open(line(state=on_site("4711", "70")))
    await half.site.depart("2026-02-27", "2026-03-06", "30", shipment_id="L3", received="2026-03-02")
    assert await half.quantities() == {"on_site": Decimal(70), "in_transit": Decimal(30)}
    await half.site.arrive("2026-03-06", "30", shipment_id="L3")
    assert await half.quantities() == {"on_site": Decimal(100)}
    assert await half.questions() == ["goods_taken_on"]


# -- orders ------------------------------------------------------------------------------------------------------


async def test_an_approved_line_without_an_order_is_ordered_only_when_a_person_says_so(half: HalfBought) -> None:
    """My log says approved. Whether somebody rang the vendor last week, Longlead cannot know."""
    await half.open(line(state={"submittal": {"verdict": "approved", "revision": 1}}))
    assert (await half.item())["status"] == "ready_to_order"
    assert await half.site.told("approved", "Pumps")
    await half.site.say("ETA_Changed", eta="2026-04-01", occurred_at="2026-03-03T09:00:00")
    assert "issue_purchase_order" not in await half.actions()
    await half.site.say("Submittal_Approved", revision=2, occurred_at="2026-03-04T09:00:00")
    assert "issue_purchase_order" in await half.actions()


async def test_the_same_log_again_changes_nothing(half: HalfBought) -> None:
    told = line(state=on_site("4711", "70", ordered_on="2026-01-05"))
    await half.open(told)
    before = await half.site.lots(), await half.facts(), await half.orders()
    await half.change(told)
    assert (await half.site.lots(), await half.facts(), await half.orders()) == before
    assert await half.questions() == ["goods_taken_on"]


async def test_the_same_order_with_other_numbers_is_refused_and_another_order_is_added(half: HalfBought) -> None:
    await half.open(line(state={"orders": [order("4711", quantity="60")]}))
    await half.change({"item_id": "pumps", "state": {"orders": [order("4711", quantity="50")]}})
    assert "4711" in (await half.site.question("event_unclear"))["summary"]
    assert await half.quantities() == {"ordered": Decimal(60)}
    await half.change({"item_id": "pumps", "state": {"orders": [order("4712", quantity="40")]}})
    assert await half.quantities() == {"ordered": Decimal(100)}
    assert sorted(await half.orders()) == ["4711", "4712"]


async def test_an_order_of_ours_takes_on_what_came_of_it(half: HalfBought) -> None:
    """Longlead ordered it; then somebody posts the site's list of deliveries. Nothing that was reported is lost."""
    await half.open(line())
    await half.site.approve("2026-03-02")
    (number,) = await half.orders()
    await half.site.arrive("2026-03-10", "10", shipment_id="L1")
    state = {"orders": [order(number, {"quantity": "20", "arrived_on": "2026-03-11", "shipment_id": "L2"})]}
    await half.change({"item_id": "pumps", "state": state})
    assert await half.quantities() == {"on_site": Decimal(30), "ordered": Decimal(70)}


async def test_an_order_is_known_by_its_number_in_the_erp_wherever_it_is_named(half: HalfBought) -> None:
    """In the ERP it is "45 00/17". So the vendor names it, so the gate names it, and so I name it in my answer."""
    await half.open(line(state={"orders": [order("45 00/17", quantity="100")]}))
    await half.site.promise("2026-04-10", "2026-03-03", purchase_order="45 00/17")
    wrong = await half.site.arrive("2026-03-04", "40", purchase_order="45 00/17")
    instead = {
        "event_type": "Shipment_Arrived_Site",
        "item": "Pumps",
        "date_arrived": "2026-03-04",
        "quantity": "30",
        "purchase_order": "45 00/17",
        "location_address": "The gate",
    }
    await half.site.void(wrong, instead=instead)
    assert await half.quantities() == {"on_site": Decimal(30), "ordered": Decimal(70)}
    await half.change({"item_id": "pumps", "quantity": "120"})
    revised = {"order": "45 00/17", "lines": [{"item": "pumps", "quantity": "120"}]}
    question = await half.site.question("change_order")
    body = {"type": "edit", "actions": [{"name": "revise_purchase_order", "arguments": revised}]}
    await half.site._decide(question, body)
    assert await half.quantities() == {"on_site": Decimal(30), "ordered": Decimal(90)}
    assert len(await half.orders()) == 1
