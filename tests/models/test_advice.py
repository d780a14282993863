"""The adviser: heard before a person is asked, and never more than heard where a person is needed."""

import json
from typing import Any

from tests.models.conftest import OpenDesk
from tests.models.scripted import ScriptedServer, completion


def choice(option: int, confidence: float = 0.95, **more: Any) -> dict[str, Any]:
    return {"option": option, "actions": [], "why": "It meets the required day.", "confidence": confidence, **more}


async def test_what_a_model_advises_on_a_failure_is_recommended_and_not_done(
    models: ScriptedServer, open_desk: OpenDesk
) -> None:
    desk = await open_desk(models.settings(models_adviser=["adviser"]), items=[], vendors=[])
    models.says("adviser", choice(2))
    await desk.post("Shipment_Arrived_Site", item="Steel Beams", date_arrived="2026-02-18")
    before = await desk.names()
    await desk.post("Inspection_Failed", item="Steel Beams", inspection_date="2026-02-20")
    asked = await desk.question("inspection_failed")
    assert await desk.names() == before
    assert asked.options[0].actions[0]["name"] == "repair_item"
    assert asked.advice is not None
    assert (asked.advice.responder.type, asked.advice.responder.name) == ("ai_agent", "adviser")
    prompt = models.asked[0]["messages"][1]["content"]
    for told in ("inspection_failed", "required_by", "days late", "1 Replace"):
        assert told in prompt
    assert "office" not in prompt, "no id of a building: a fork asks the same"


async def test_an_unsure_tier_has_a_stronger_one_asked(models: ScriptedServer, open_desk: OpenDesk) -> None:
    desk = await open_desk(models.settings(models_adviser=["cheap", "strong"]))
    models.says("cheap", choice(3, 0.3))
    models.says("strong", choice(2))
    await desk.post("ETA_Changed", item="Steel Beams", eta="2026-05-04")
    asked = await desk.question("schedule_conflict")
    assert asked.advice is not None
    assert asked.advice.responder.name == "strong"


async def test_advice_that_makes_no_sense_leaves_the_question_as_it_was(
    models: ScriptedServer, open_desk: OpenDesk
) -> None:
    desk = await open_desk(models.settings(models_adviser=["adviser"]))
    nonsense = [
        choice(99),
        choice(0),
        choice(0, actions=[{"name": "wire_money", "day": None, "detail": None}]),
        choice(0, actions=[{"name": "change_required_by", "day": "soon", "detail": None}]),
    ]
    for number, value in enumerate(nonsense):
        models.scripts["adviser"] = lambda _, value=value: completion(json.dumps(value))
        item = ("Steel Beams", "HVAC Units", "Windows")[number % 3] if number < 3 else "Steel Beams"
        await desk.post("Submittal_Approved", item=f"Unknown {item} {number}")
    assert [asked.advice for asked in await desk.pending()] == [None] * len(nonsense)
    assert "issue_purchase_order" not in (await desk.names())[2:]
