"""Whatever a model's server does, the tier abstains, the next one is asked, nothing is done and nothing is lost."""

import json
import time
from typing import Any

import pytest

from domain.procurement import Message
from domain.rules import Rule
from tests.models.conftest import OpenDesk
from tests.models.scripted import Answer, ScriptedServer, completion, whole

MAIL = "The Steel Beams will now arrive on 12 March 2026."
REPORT: dict[str, Any] = {
    "quote": MAIL,
    "event_type": "ETA_Changed",
    "item": "Steel Beams",
    "day_words": "12 March 2026",
    "day": "2026-03-12",
    "departed_words": None,
    "departed": None,
    "exceptions": [],
    "confidence": 0.95,
}
GOOD = {"reports": [REPORT]}
SENT = {"text": MAIL, "sender": "jo@acme.example", "occurred_at": "2026-02-01T09:00:00Z"}
# Hostile answers, and how the call is put on file.
HOSTILE: dict[str, tuple[Answer, str]] = {
    "truncated": (completion('{"reports":[{"quote":"The St', finish="length"), "truncated"),
    "cut off without saying so": (completion('{"reports":[{"quote":"The St'), "invalid"),
    "another schema": (completion('{"actions":[{"name":"issue_purchase_order"}]}'), "invalid"),
    "an unknown type": (completion(json.dumps({"reports": [{**REPORT, "event_type": "Wire_Money"}]})), "invalid"),
    "a typed event that needs a person": (
        completion(json.dumps({"reports": [{**REPORT, "event_type": "Building_Closed"}]})),
        "invalid",
    ),
    "too many requests, for long": (Answer(b"{}", 429, {"Retry-After": "600"}), "rate_limited"),
    "an error": (Answer(b"no", 500), "unreachable"),
    "no JSON at all": (Answer(b"<html>gateway</html>"), "invalid"),
    "no choice": (whole([]), "invalid"),
    "an empty answer": (completion(""), "empty"),
    "null": (completion(None), "empty"),
    "a refusal": (completion(None, refusal="I cannot help with that."), "refused"),
    "a content filter": (completion("", finish="content_filter"), "refused"),
    "a megabyte": (completion("x" * 1_000_000), "too_large"),
    "a long answer": (completion('{"reports":[], "more":"' + "x" * 100_000 + '"}'), "too_large"),
}


@pytest.fixture
def hang() -> Answer:
    return Answer(b"{}", after_s=60)


async def test_each_ends_as_abstained_and_a_person_is_asked(models: ScriptedServer, open_desk: OpenDesk) -> None:
    desk = await open_desk(models.settings("cheap"))
    before = await desk.names()
    for name, (answer, outcome) in HOSTILE.items():
        models.scripts["cheap"] = lambda _, answer=answer: answer
        event = await desk.post("Message_Received", text=f"{MAIL} ({name})", sender="jo@acme.example")
        assert (await desk.event(event))["status"] == "done", name
        question = next(one for one in await desk.pending() if one.subject.get("event_id") == event)
        assert question.subject["text"] == f"{MAIL} ({name})"
        assert question.subject["reading"]["events"] == []
        calls = await _calls(desk, event)
        assert [call["outcome"] for call in calls] == [outcome], name
    assert await desk.names() == before
    assert len([message for message in await desk.rows(Message) if message.direction == "in"]) == len(HOSTILE)


async def test_each_leaves_a_question_as_it_was_where_advice_was_sought(
    models: ScriptedServer, open_desk: OpenDesk
) -> None:
    desk = await open_desk(models.settings(models_adviser=["cheap"]))
    before = await desk.names()
    for name, (answer, outcome) in HOSTILE.items():
        models.scripts["cheap"] = lambda _, answer=answer: answer
        event = await desk.post("ETA_Changed", item=f"Stairs {name}", eta="2026-03-12")
        question = next(one for one in await desk.pending() if one.subject.get("named") == f"Stairs {name}")
        assert question.advice is None, name
        assert [call["outcome"] for call in await _calls(desk, event)] == [outcome], name
    assert await desk.names() == before


async def test_each_has_a_reply_asked_again(models: ScriptedServer, open_desk: OpenDesk) -> None:
    desk = await open_desk(models.settings(models_reader=["cheap"]))
    await desk.post("ETA_Changed", item="Steel Beams", eta="2026-05-04")
    asked, before = await desk.question("schedule_conflict"), await desk.names()
    for name, (answer, outcome) in HOSTILE.items():
        models.scripts["cheap"] = lambda _, answer=answer: answer
        accepted = await desk.decide(asked, "respond", why=f"Yes, go ahead ({name}).")
        assert [call["outcome"] for call in await _calls(desk, accepted.event_id)] == [outcome], name
        assert (await desk.event(accepted.event_id))["outcome"]["decision"] == "asked_again", name
    assert (await desk.question("schedule_conflict")).version == asked.version
    assert await desk.names() == before


async def test_each_leaves_a_learned_rule_in_the_words_of_its_template(
    models: ScriptedServer, open_desk: OpenDesk
) -> None:
    desk = await open_desk(models.settings(models_adviser=["cheap"]))
    before = await desk.names()
    for number, (name, (answer, outcome)) in enumerate(HOSTILE.items()):
        models.scripts["cheap"] = lambda _, answer=answer: answer
        await desk.post("ETA_Changed", item=f"Stairs {name}", eta="2026-03-12")
        dismissed = [{"name": "dismiss_event", "arguments": {"note": "not ours"}}]
        accepted = await desk.decide(await desk.question("item_unknown"), "edit", actions=dismissed)
        made = await desk.rows(Rule)
        assert [rule.text for rule in made if "cheap" in rule.text or "x" * 50 in rule.text] == []
        assert len(made) == number + 1, name
        assert [call["outcome"] for call in await _calls(desk, accepted.event_id)] == [outcome], name
    assert await desk.names() == [*before, *["dismiss_event"] * len(HOSTILE)]


async def test_an_item_of_another_building_is_nobodys(models: ScriptedServer, open_desk: OpenDesk) -> None:
    desk = await open_desk(models.settings("cheap"))
    told = f"The Steel Beams of tower-2 and the Escalators arrive on 12 March 2026. {MAIL}"
    models.says("cheap", {"reports": [{**REPORT, "item": "tower-2/escalators", "building_id": "tower-2"}]})
    event = await desk.post("Message_Received", text=told, occurred_at="2026-02-01T09:00:00Z")
    question = await desk.question("event_unclear")
    assert question.subject["reading"]["events"] == []
    assert await desk.names(event) == []


@pytest.mark.parametrize("name", ["truncated", "an unknown type", "an error", "a megabyte", "a refusal"])
async def test_the_next_tier_is_asked(models: ScriptedServer, open_desk: OpenDesk, name: str) -> None:
    desk = await open_desk(models.settings("cheap", "strong"))
    models.scripts["cheap"] = lambda _: HOSTILE[name][0]
    models.says("strong", GOOD)
    event = await desk.post("Message_Received", **SENT)
    assert await desk.names(event) == ["restate_event"]
    assert str((await desk.item("steel-beams")).eta) == "2026-03-12"
    assert [(call["model"], call["outcome"]) for call in await _calls(desk, event)] == [
        ("cheap", HOSTILE[name][1]),
        ("strong", "answered"),
    ]


async def test_a_hang_takes_no_more_than_the_time_of_a_call(
    models: ScriptedServer, open_desk: OpenDesk, hang: Answer
) -> None:
    desk = await open_desk(models.settings("cheap", "strong", model_timeout=1.0))
    models.scripts["cheap"] = lambda _: hang
    models.says("strong", GOOD)
    begun = time.monotonic()
    event = await desk.post("Message_Received", **SENT)
    assert time.monotonic() - begun < 50
    assert [call["outcome"] for call in await _calls(desk, event)] == ["timeout", "answered"]


async def test_a_short_retry_after_is_waited_for(models: ScriptedServer, open_desk: OpenDesk) -> None:
    desk = await open_desk(models.settings("cheap"))
    models.scripts["cheap"] = lambda _: (
        Answer(b"{}", 429, {"Retry-After": "1"}) if models.asked_of("cheap") == 1 else completion(json.dumps(GOOD))
    )
    event = await desk.post("Message_Received", **SENT)
    assert models.asked_of("cheap") == 2
    assert [call["outcome"] for call in await _calls(desk, event)] == ["answered"]


async def _calls(desk: Any, event_id: str) -> list[dict[str, Any]]:
    """The model calls of an event, in order."""
    cursor = await desk.conn.execute(
        "SELECT c.* FROM model_calls c JOIN events e USING (building_id, seq) WHERE e.event_id = %s ORDER BY call_id",
        (event_id,),
    )
    rows: list[dict[str, Any]] = await cursor.fetchall()
    return rows
