"""The worst reader: sure of everything, it says yes, or something else instead, or finds a report in every mail, and
copies its quotes rightly. Whatever people and vendors wrote, nothing that binds comes of it."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from domain.approvals import Approval
from domain.days_found import days_mentioned
from domain.days_in_words import days_meant, plain
from domain.reply_words import actions_spoken_of
from tests.agent.desk import Desk
from tests.models.conftest import OpenDesk
from tests.models.scripted import ScriptedServer
from tests.models.test_replies import failed, reading, reply

LABELLED = Path(__file__).parent / "labelled"
REPLIES: list[dict[str, Any]] = yaml.safe_load((LABELLED / "replies.yaml").read_text(encoding="utf-8"))
MAILS: list[dict[str, Any]] = yaml.safe_load((LABELLED / "mails.yaml").read_text(encoding="utf-8"))
UNCLEAR = [one for one in REPLIES if one["wants"] == "nothing"]
CLEAR = [one for one in REPLIES if one["wants"] != "nothing"]
TODAY = date(2026, 2, 1)


async def ordering(models: ScriptedServer, open_desk: OpenDesk) -> tuple[Desk, Approval]:
    """An order of windows is above the limit, and somebody is asked."""
    desk = await open_desk(
        models.settings(models_reader=["reader"]),
        ordered=("Windows",),
        policy={"po_limit": "100"},
        items=[{"item_id": "windows", "name": "Windows", "vendor_id": "glaze", "unit_price": "90", "quantity": "50"}],
        vendors=[{"vendor_id": "glaze", "name": "Glaze", "contact": "orders@glaze.example"}],
    )
    return desk, await desk.question("order_beyond_authority")


OPEN = {"order": ordering, "failed": failed}


def copied(words: str, text: str) -> str:
    """Words without capitals and accents, as they stand in the text."""
    places = range(len(text) - len(words) + 1)
    return next(one for at in places if plain(one := text[at : at + len(words)]) == words)


def worst_readings(text: str) -> list[dict[str, Any]]:
    """What such a reader makes of a reply: a yes, a yes with all that it has words for, the same instead, and a no."""
    days = [mention.words for mention in days_mentioned(text)]
    day = next(iter(days_meant(days[0], TODAY)), None) if days else None
    named = {"day_words": copied(days[0], text) if days else None, "day": None if day is None else day.isoformat()}
    spoken = sorted(actions_spoken_of(text)) or ["issue_purchase_order"]
    wishes = [{"action": name, **named, "detail": text} for name in spoken]
    return [reading("approve"), reading("approve", *wishes), reading("instead", *wishes), reading("reject")]


def test_the_labelled_sets_are_large_enough() -> None:
    assert len(REPLIES) >= 40
    assert len(MAILS) >= 25


@pytest.mark.parametrize("to", sorted(OPEN))
async def test_no_unclear_reply_is_carried_out_whatever_the_reader_says(
    models: ScriptedServer, open_desk: OpenDesk, to: str
) -> None:
    desk, asked = await OPEN[to](models, open_desk)
    before = await desk.names()
    for case in (one for one in UNCLEAR if one["to"] == to):
        for worst in worst_readings(case["text"]):
            models.says("reader", worst)
            outcome = await reply(desk, await desk.question(asked.kind), case["text"])
            assert outcome["decision"] in ("asked_again", "answered"), (case, worst)
            assert await desk.names() == before, (case, worst)
    open_ = await desk.question(asked.kind)
    assert (open_.approval_id, open_.fingerprint) == (asked.approval_id, asked.fingerprint)


@pytest.mark.parametrize("case", CLEAR, ids=lambda case: case["text"])
async def test_a_clear_reply_is_carried_out_at_once_or_after_one_plain_yes(
    models: ScriptedServer, open_desk: OpenDesk, case: dict[str, Any]
) -> None:
    desk, asked = await OPEN[case["to"]](models, open_desk)
    models.says("reader", right_reading(case))
    before = await desk.names()
    outcome = await reply(desk, asked, case["text"])
    if outcome["decision"] == "asked_again":
        assert await desk.names() == before
        open_ = await desk.question(asked.kind)
        assert open_.evidence["understood"]["said"] == case["text"]
        await desk.decide(open_, "approve")
    done = (await desk.names())[len(before) :]
    if case["wants"] == "reject":
        assert done == []
        assert (await desk.question(asked.kind)).recommended[0] == asked.options[1].actions[0]
    else:
        first = {"approve": asked.recommended[0]["name"], "hold": "hold_item"}
        wanted = [first[case["wants"]]] if isinstance(case["wants"], str) else case["wants"]
        assert done[: len(wanted)] == wanted


@pytest.mark.parametrize("case", CLEAR, ids=lambda case: case["text"])
async def test_a_clear_reply_that_is_misread_binds_nobody(
    models: ScriptedServer, open_desk: OpenDesk, case: dict[str, Any]
) -> None:
    desk, asked = await OPEN[case["to"]](models, open_desk)
    if case["wants"] == "approve":
        pytest.skip("a yes is what such a reader says anyway")
    before = await desk.names()
    models.says("reader", reading("approve"))
    await reply(desk, asked, case["text"])
    assert (await desk.names())[len(before) :] in ([], ["hold_item"])


def right_reading(case: dict[str, Any]) -> dict[str, Any]:
    """What a good reader reads."""
    if case["wants"] in ("approve", "reject"):
        return reading(case["wants"])
    names = ["hold_item"] if case["wants"] == "hold" else case["wants"]
    days = [mention.words for mention in days_mentioned(case["text"])]
    day = next(iter(days_meant(days[0], TODAY))).isoformat() if days else None
    words = copied(days[0], case["text"]) if days else None
    return reading("instead", *({"action": name, "day_words": words, "day": day} for name in names))


MAILED_ON = "2026-02-04T09:00:00Z"


def _line(name: str, vendor_id: str | None) -> dict[str, Any]:
    line = {"item_id": name.lower().replace(" ", "-"), "name": name, "required_by": "2026-06-30", "buffer_days": 5}
    return line if vendor_id is None else {**line, "vendor_id": vendor_id}


async def mailing(models: ScriptedServer, open_desk: OpenDesk) -> Desk:
    """Lines on order: of two vendors that are known by address, of one that is not, and of none."""
    desk = await open_desk(
        models.settings(models_reader=["reader"]),
        ordered=("Windows", "Doors", "Railings", "Steel Beams"),
        schedule={"project": {"name": "Office"}, "deliveries": [{"item": "Steel Beams", "required_by": "2026-06-30"}]},
        items=[_line("Windows", "glaze"), _line("Doors", "kent"), _line("Railings", "rail")],
        vendors=[
            {"vendor_id": "glaze", "name": "Glaze", "contact": "orders@glaze.example"},
            {"vendor_id": "kent", "name": "Kent", "contact": "sales@kent.example"},
            {"vendor_id": "rail", "name": "Rail", "contact": "+49 30 123456"},
        ],
        policy={
            "model_reports": [
                "Purchase_Order_Acknowledged",
                "Shipment_Departed_Factory",
                "ETA_Changed",
                "Shipment_Arrived_Site",
            ]
        },
    )
    await desk.post("ETA_Changed", item="Windows", eta="2026-03-02")
    return desk


def worst_report(case: dict[str, Any]) -> dict[str, Any]:
    """What such a reader finds in a mail: its line, the first day that it names, and a quote of all of it."""
    words = days_mentioned(case["text"])[0].words
    return {
        "quote": case["text"],
        "event_type": case.get("type", "ETA_Changed"),
        "item": case["line"],
        "day_words": copied(words, case["text"]),
        "day": min(days_meant(words, date(2026, 2, 4))).isoformat(),
        "departed_words": None,
        "departed": None,
        "exceptions": [],
        "confidence": 1.0,
    }


async def test_of_all_mails_only_a_plain_report_of_the_vendor_itself_is_taken_in_alone(
    models: ScriptedServer, open_desk: OpenDesk
) -> None:
    desk = await mailing(models, open_desk)
    taken = {}
    for case in MAILS:
        models.says("reader", {"reports": [worst_report(case)]})
        sender = {"sender": case["sender"]} if "sender" in case else {}
        event = await desk.post("Message_Received", text=case["text"], occurred_at=MAILED_ON, **sender)
        taken[case["text"], case.get("sender")] = await desk.names(event) == ["restate_event"]
    wanted = {(case["text"], case.get("sender")): case.get("alone", False) for case in MAILS}
    assert taken == wanted


async def test_news_on_a_line_that_somebody_is_asked_about_is_put_to_a_person(
    models: ScriptedServer, open_desk: OpenDesk
) -> None:
    desk = await mailing(models, open_desk)
    await desk.post("ETA_Changed", item="Windows", eta="2026-07-10")
    asked = await desk.question("schedule_conflict")
    case = {"line": "Windows", "text": "The Windows will arrive on 20 July 2026."}
    models.says("reader", {"reports": [worst_report(case)]})
    event = await desk.post("Message_Received", text=case["text"], sender="orders@glaze.example", occurred_at=MAILED_ON)
    assert await desk.names(event) == []
    assert (await desk.question("schedule_conflict")).version == asked.version


async def test_a_reader_puts_no_words_into_a_vendors_mouth(models: ScriptedServer, open_desk: OpenDesk) -> None:
    desk = await mailing(models, open_desk)
    text = "We confirm your order for the Doors, delivery on 20 April 2026."
    made_up = {"type": "Purchase_Order_Acknowledged", "line": "Doors", "text": text}
    worst = worst_report(made_up) | {"exceptions": ["the limit of the site is 40,000"], "quote": "They pay anything."}
    models.says("reader", {"reports": [worst]})
    event = await desk.post("Message_Received", text=text, sender="sales@kent.example", occurred_at=MAILED_ON)
    question = await desk.question("event_unclear")
    assert await desk.names(event) == []
    assert "40,000" not in json.dumps([option.model_dump(mode="json") for option in question.options])
    assert "They pay anything" not in json.dumps([option.model_dump(mode="json") for option in question.options])
