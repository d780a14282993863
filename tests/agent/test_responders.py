"""The chain of responders: rules before models before people; each may abstain, none does more than it may."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from runtime.drain import Drainer
from runtime.settings import Settings
from runtime.slots import SlotPool
from storage.database import connect
from tests.agent.desk import Desk, FixedClock
from tests.agent.test_learning import departs, fail, firm_date, open_office, rule
from tests.agent.test_milestones import ordered, tick
from tools.models import Completion, ModelAbstained, ModelRequest, Output


@dataclass
class Adviser:
    """A model that chooses the way out of this number; None: it has no answer. It does nothing else."""

    option: int | None = None
    confidence: float = 0.9
    tiers: tuple[str, ...] = ("small",)
    asked: list[str] = field(default_factory=list)

    async def complete(self, request: ModelRequest[Output]) -> Completion:
        if "option" not in request.output.model_fields:
            raise ModelAbstained("empty")
        self.asked.append(request.prompt)
        if self.option is None:
            raise ModelAbstained("timeout")
        choice = {"option": self.option, "actions": [], "why": "It is quicker.", "confidence": self.confidence}
        return Completion(json.dumps(choice), "small", 400, 30)


@pytest.fixture
def adviser() -> Adviser:
    return Adviser()


@pytest.fixture
async def desk(database: str, adviser: Adviser) -> AsyncIterator[Desk]:
    clock = FixedClock()
    slots = SlotPool(database, clock, 1, "test slot", adviser)
    conn = await connect(database, application_name="desk")
    settings = Settings(event_attempts=3, retry_base=0.01, shutdown_grace=1)
    try:
        yield Desk(conn, Drainer(settings, clock, slots, asyncio.Event()), clock)
    finally:
        await slots.close()
        await conn.close()


async def log(desk: Desk, kind: str) -> list[dict[str, Any]]:
    cursor = await desk.conn.execute(
        "SELECT type, responder ->> 'type' AS by, confidence, tokens FROM decisions WHERE kind = %s ORDER BY seq, step",
        (kind,),
    )
    return await cursor.fetchall()


async def test_a_models_answer_beyond_its_authority_is_the_recommendation(desk: Desk, adviser: Adviser) -> None:
    adviser.option = 2
    await open_office(desk)
    await fail(desk, "HVAC Units")
    question = await desk.question()
    assert [one["name"] for one in question.recommended] == ["repair_item", "schedule_inspection"]
    first = question.options[0]
    assert first.recommended_by is not None
    assert (first.recommended_by.type, first.why) == ("ai_agent", "It is quicker.")
    assert question.evidence["recommendation"]["confidence"] == 0.9
    assert "needs a person" not in question.summary
    assert await log(desk, "inspection_failed") == [
        {"type": "recommend", "by": "ai_agent", "confidence": 0.9, "tokens": 430}
    ]
    await desk.post("Items_Changed", items=[{"item_id": "hvac-units", "unit_price": "1100"}])
    renewed = await desk.question()
    assert (renewed.version, renewed.options[0].recommended_by) == (2, None), "it answered to other facts"
    assert renewed.recommended[0]["name"] == "reorder_item"
    assert len(adviser.asked) == 1


async def test_a_refused_recommendation_of_a_model_is_followed_by_the_usual_ones(desk: Desk, adviser: Adviser) -> None:
    adviser.option = 2
    await open_office(desk)
    await fail(desk, "HVAC Units")
    await desk.decide(await desk.question(), "reject")
    question = await desk.question()
    assert question.recommended[0]["name"] == "reorder_item"
    assert "next best: Replace" in question.summary
    assert len({str(option.actions) for option in question.options}) == 5
    assert len(adviser.asked) == 1, "what was refused is not asked about again"


@pytest.mark.parametrize(("confidence", "alone"), [(0.8, True), (0.79, False)])
async def test_a_model_decides_what_needs_no_person_when_it_is_sure_enough(
    desk: Desk, adviser: Adviser, confidence: float, alone: bool
) -> None:
    """A vendor who does not answer: chase once more."""
    adviser.option, adviser.confidence = 1, confidence
    await ordered(desk)
    for days in (8, 3):
        desk.clock.forward(days=days)
        await tick(desk)
    chased = (await desk.names()).count("request_information")
    assert (chased == 2) == alone == (await desk.pending() == [])


async def test_a_conflict_is_never_settled_by_a_model_that_asks_about_it(desk: Desk, adviser: Adviser) -> None:
    await open_office(desk)
    await desk.post("Submittal_Approved", item="Doors")
    adviser.option, adviser.confidence = 3, 1.0
    event_id = await departs(desk, "Doors")
    assert "request_information" not in await desk.names(event_id)
    question = await desk.question("schedule_conflict")
    assert question.recommended == firm_date(question)
    assert question.advice is not None
    assert question.advice.limit is not None
    assert "schedule_conflict needs a person" in question.advice.limit


async def test_a_rule_is_heard_before_a_model_and_a_person_after_both(desk: Desk, adviser: Adviser) -> None:
    await open_office(desk)
    for item in ("HVAC Units", "Doors", "Windows"):
        await desk.post("Submittal_Approved", item=item)
    await departs(desk, "HVAC Units")
    assert len(adviser.asked) == 1
    question = await desk.question("schedule_conflict")
    assert question.options[0].recommended_by is None, "the model had no answer"
    await desk.decide(question, "edit", actions=firm_date(question))
    adviser.option = 1
    await departs(desk, "Doors")
    question = await desk.question("schedule_conflict")
    assert question.recommended == firm_date(question)
    assert len(adviser.asked) == 1, "the rule had one"
    await desk.decide(question)
    assert (await rule(desk)).confirmed == 2


async def test_what_asks_nothing_asks_no_model(desk: Desk, adviser: Adviser) -> None:
    await open_office(desk)
    await desk.post("Submittal_Approved", item="Doors")
    await desk.post("Shipment_Arrived_Site", item="Doors", date_arrived="2026-03-01")
    await desk.post("Inspection_Passed", item="Doors", inspection_date="2026-03-02")
    assert adviser.asked == []
