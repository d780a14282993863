"""Prompts are put together by audience: where an answer may end as a letter to a vendor, words from outside never stand
beside notes of the team, past decisions, or what belongs to other vendors. Told over every prompt that is sent."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.agent.desk import Desk
from tests.models.conftest import OpenDesk
from tests.models.scripted import ScriptedServer
from tests.models.test_advice import choice
from tools.prompts import Layer, Part, compose, keep_apart
from tools.provenance import HOUSE, MIXED, OURS, OUTSIDE, TEAM, Origin, about, is_apart, to_vendor, written_by

OUTSIDER = "Zorblax"
"""Marks every word that somebody outside chose."""
TEAM_SECRET, CASE_SECRET, OTHER_LINE, OTHER_MAIL = "Quibble", "Wrangle", "Hatchery Windows", "Fennimore"
SECRETS = (TEAM_SECRET, CASE_SECRET, OTHER_LINE, OTHER_MAIL, "4321.99")
NO_READING = {"meaning": "unclear", "wishes": [], "topics": [], "confidence": 0.1}


async def furnished(models: ScriptedServer, open_desk: OpenDesk) -> Desk:
    """A building that has notes of the team, decisions with reasons, another vendor's line, price and mail."""
    models.says("reader", {"reports": []})
    models.says("adviser", choice(0))
    models.says("summariser", {"lines": ["nothing"]})
    line = {"quantity": "4", "required_by": "2026-06-01", "lead_time_days": 20, "category": "openings"}
    desk = await open_desk(
        models.settings(models_reader=["reader"], models_adviser=["adviser"], models_summariser=["summariser"]),
        ordered=(),
        items=[
            {"item_id": "doors", "name": "Doors", "vendor_id": "kent", "unit_price": "10", **line},
            {"item_id": "gates", "name": "Gates", "vendor_id": "kent", "unit_price": "10", **line},
            {"item_id": "windows", "name": OTHER_LINE, "vendor_id": "glaze", "unit_price": "4321.99", **line},
        ],
        vendors=[
            {"vendor_id": "kent", "name": "Kent", "contact": "sales@kent.example"},
            {"vendor_id": "glaze", "name": "Glaze", "contact": "orders@glaze.example"},
        ],
    )
    for item in ("Doors", "Gates", OTHER_LINE):
        await desk.post("Submittal_Approved", item=item)
    await desk.post("Human_Input", text=f"{TEAM_SECRET}: we can pay Kent ten more for the Doors.", item="Doors")
    await desk.post("Human_Input", text=f"{TEAM_SECRET} holds for the whole site.")
    await desk.post("Message_Received", text=f"{OTHER_MAIL} is our best price.", sender="orders@glaze.example")
    for item in ("Gates", OTHER_LINE):
        await desk.post("Inspection_Failed", item=item, inspection_date="2026-03-02")
        question = await desk.question("inspection_failed")
        await desk.decide(question, "edit", actions=question.options[-1].actions, why=f"{CASE_SECRET} said so.")
    models.asked.clear()
    return desk


RAISING: dict[str, list[dict[str, Any]]] = {
    "inspection_failed": [
        {"event_type": "Inspection_Failed", "item": "Doors", "inspection_date": "2026-03-02", "defects": OUTSIDER}
    ],
    "acknowledgement_exception": [
        {
            "event_type": "Purchase_Order_Acknowledged",
            "item": "Doors",
            "promised_date": "2026-05-01",
            "exceptions": [f"{OUTSIDER} costs more"],
        }
    ],
    "item_unknown": [{"event_type": "ETA_Changed", "item": OUTSIDER, "eta": "2026-05-01"}],
    "facts_contradict": [
        {"event_type": "ETA_Changed", "item": "Doors", "eta": "2026-05-01", "purchase_order": OUTSIDER}
    ],
    "schedule_conflict": [{"event_type": "ETA_Changed", "item": "Doors", "eta": "2026-07-01", "reason": OUTSIDER}],
}


@pytest.mark.parametrize("kind", sorted(RAISING))
async def test_no_advice_is_asked_on_words_from_outside_beside_secrets(
    models: ScriptedServer, open_desk: OpenDesk, kind: str
) -> None:
    desk = await furnished(models, open_desk)
    await desk.post("Message_Received", text=f"{OUTSIDER} writes about the Doors.", sender="sales@kent.example")
    for event in RAISING[kind]:
        await desk.post(event.pop("event_type"), **event)
    prompts = [told(one) for one in models.asked if one["model"] == "adviser"]
    assert len(prompts) == 1, kind
    (prompt,) = prompts
    assert not (OUTSIDER in prompt and any(secret in prompt for secret in SECRETS)), prompt
    assert OUTSIDER in prompt or TEAM_SECRET in prompt, "what may be told is told"


async def test_a_letter_that_was_kept_as_a_note_is_no_note_of_the_team(
    models: ScriptedServer, open_desk: OpenDesk
) -> None:
    desk = await furnished(models, open_desk)
    await desk.post("Message_Received", text=f"{OUTSIDER} on the Doors.", sender="sales@kent.example")
    asked = next(one for one in await desk.pending() if OUTSIDER in one.subject.get("text", ""))
    kept = next(one.actions for one in asked.options if one.title == "Record it as a note of the team")
    await desk.decide(asked, "edit", actions=kept)
    models.asked.clear()
    await desk.post("ETA_Changed", item="Doors", eta="2026-07-01")
    (prompt,) = [told(one) for one in models.asked if one["model"] == "adviser"]
    assert TEAM_SECRET in prompt
    assert OUTSIDER not in prompt


async def test_no_mail_is_read_beside_notes_decisions_or_prices(models: ScriptedServer, open_desk: OpenDesk) -> None:
    desk = await furnished(models, open_desk)
    await desk.post("Message_Received", text=f"{OUTSIDER}: the Doors are late.", sender="sales@kent.example")
    (prompt,) = [told(one) for one in models.asked if one["model"] == "reader"]
    assert OUTSIDER in prompt
    assert not any(secret in prompt for secret in (TEAM_SECRET, CASE_SECRET, OTHER_MAIL, "4321.99"))


async def test_a_reply_is_read_beside_no_word_from_outside(models: ScriptedServer, open_desk: OpenDesk) -> None:
    desk = await furnished(models, open_desk)
    await desk.post("Inspection_Failed", item="Doors", inspection_date="2026-03-02", defects=OUTSIDER)
    models.says("reader", NO_READING)
    models.asked.clear()
    await desk.decide(await desk.question("inspection_failed"), "respond", why=f"{TEAM_SECRET}, so repair them.")
    (prompt,) = [told(one) for one in models.asked if one["model"] == "reader"]
    assert TEAM_SECRET in prompt
    assert OUTSIDER not in prompt


def told(request: dict[str, Any]) -> str:
    return json.dumps([message["content"] for message in request["messages"]])


ORIGINS = st.one_of(
    st.sampled_from([OURS, TEAM, OUTSIDE, MIXED]),
    st.builds(about, st.sampled_from(["kent", "glaze"])),
    st.builds(written_by, st.sampled_from(["kent", "glaze"])),
)
PARTS = st.lists(ORIGINS, max_size=5)


@given(PARTS, PARTS, st.sampled_from(["kent", "glaze", None]))
def test_whatever_a_prompt_is_made_of_it_is_kept_apart(
    needed: list[Origin], beside: list[Origin], vendor_id: str | None
) -> None:
    layers = [
        Layer("Matter", None, [Part(f"n{n}", "x", one) for n, one in enumerate(needed)], is_needed=True),
        Layer("Beside", 500, [Part(f"b{n}", "x", one) for n, one in enumerate(beside)]),
    ]
    kept = keep_apart(layers, to_vendor(vendor_id))
    origins = [part.provenance for layer in kept for part in layer.parts if isinstance(part, Part)]
    assert is_apart(origins, to_vendor(vendor_id))
    if is_apart([*needed, *beside], to_vendor(vendor_id)):
        assert origins == [*needed, *beside], "nothing is left out needlessly"


def test_a_text_of_which_nobody_says_whose_it_is_is_left_out_where_it_could_do_harm() -> None:
    layers = [Layer("Notes", None, [Part("whose is this", "somebody"), "ours"])]
    assert "whose is this" not in compose(layers, to_vendor("kent"))
    assert "whose is this" in compose(layers, HOUSE)
