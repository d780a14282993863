"""Traces as Langfuse gets them: real spans at a local receiver; secrets masked; a dead server changes nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import uuid4

import pytest

from runtime.settings import Settings
from runtime.tracing import open_tracer
from tests.agent.desk import Desk, FixedClock, open_desk
from tests.memory.conftest import SMALL
from tests.memory.correspondence import Shorthand, note
from tests.tracing.receiver import Receiver, Span, receiving
from tools.tracing import NO_TRACER, Tracer

SECRET = "sk-lf-very-secret-7f3a"
PASSWORD = "hunter2-is-secret"
API_KEY = "an-api-key-of-somebody"


def settings_for(port: int) -> Settings:
    keys = [{"key": API_KEY, "id": "erp", "name": "ERP", "roles": ["events"]}]
    given: dict[str, Any] = {
        "LANGFUSE_PUBLIC_KEY": f"pk-{uuid4()}",
        "LANGFUSE_SECRET_KEY": SECRET,
        "LANGFUSE_BASE_URL": f"http://127.0.0.1:{port}",
        "LANGFUSE_FLUSH_INTERVAL": 0.2,
    }
    return Settings(api_keys=keys, **given)


def desk_with(database: str, tracer: Tracer, **slots: Any) -> AbstractAsyncContextManager[Desk]:
    return open_desk(database, FixedClock(), tracer=tracer, **slots)


async def story(desk: Desk, defect: str = "coil leaks") -> None:
    """An order, a failed inspection, and the answer to the question that it raised."""
    await desk.open(
        items=[{"name": "Doors", "vendor_id": "v", "quantity": "2", "unit_price": "5", "lead_time_days": 20}],
        vendors=[{"vendor_id": "v", "name": "V"}],
        approvers=[{"role": "project_manager", "name": "PM"}],
    )
    await desk.post("Submittal_Approved", item="Doors")
    await desk.post("Inspection_Failed", item="Doors", inspection_date="2026-02-23", defects=[defect])
    await desk.decide(await desk.question(), "reject", why=f"no, my password={PASSWORD}")


@pytest.fixture
async def told(database: str) -> AsyncIterator[Receiver]:
    """The receiver, after the story."""
    with receiving() as receiver:
        async with open_tracer(settings_for(receiver.port)) as tracer, desk_with(database, tracer) as desk:
            await story(desk, defect=f"see postgresql://me:{PASSWORD}@host/db and {API_KEY}")
            await until(lambda: receiver.named("Decision") and len(receiver.scores) == 2)
        yield receiver


async def until(condition: Callable[[], Any]) -> None:
    """Wait until the background has sent it; a busy machine takes its time."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.05)


async def test_an_event_is_one_trace_that_the_answer_to_its_question_joins(told: Receiver) -> None:
    failed, decision, approved = (
        told.named(name)[0] for name in ("Inspection_Failed", "Decision", "Submittal_Approved")
    )
    assert failed.trace_id == decision.trace_id
    assert approved.trace_id != failed.trace_id
    assert {span.attributes["session.id"] for span in told.spans} == {"office"}
    assert failed.attributes["langfuse.observation.type"] == "agent"
    steps = [span for span in told.spans if span.parent_id == failed.span_id]
    names = ["classify_event", "record_inspection", "decide", "carry_out", "remember", "await_approval"]
    assert [span.name for span in sorted(steps, key=lambda span: names.index(span.name))] == names
    resumed = {span.name for span in told.spans if span.parent_id == decision.span_id}
    assert {"await_approval", "apply_decision", "decide", "carry_out", "remember"} <= resumed
    assert {span.trace_id for span in told.spans} == {failed.trace_id, approved.trace_id}


async def test_the_question_is_in_the_trace_and_no_secret_is(told: Receiver) -> None:
    parked = [span for span in told.named("await_approval") if "action_requests" in span.text]
    assert parked
    assert "inspection_failed" in parked[0].text
    assert "[redacted]" in told.named("Inspection_Failed")[0].text
    everything = told.raw.decode("utf-8", "replace") + "".join(span.text for span in told.spans)
    for secret in (SECRET, PASSWORD, API_KEY):
        assert secret not in everything


async def test_what_a_person_made_of_the_recommendation_is_scored(told: Receiver) -> None:
    scores = {score["name"]: score for score in told.scores}
    assert scores["approved"]["value"] == 0
    assert scores["overruled"]["value"] == 1
    assert {score.get("traceId") for score in told.scores} == {told.named("Inspection_Failed")[0].trace_id}
    assert len({score["id"] for score in told.scores}) == 2


async def test_the_text_of_an_error_is_shown_without_its_secrets(database: str) -> None:
    with receiving() as receiver:
        async with open_tracer(settings_for(receiver.port)) as tracer, desk_with(database, tracer) as desk:
            await desk.open(items=[{"name": "Doors"}])
            await desk.conn.execute(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"RAISE EXCEPTION 'no room for api_key={PASSWORD} here'; END $$"
            )
            await desk.conn.execute(
                "CREATE TRIGGER refuse BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
            await desk.post("Human_Input", text="x")
            await until(lambda: receiver.named("Human_Input"))
    failed = receiver.named("take_note")[0]
    assert failed.attributes["langfuse.observation.level"] == "ERROR"
    assert "no room for api_key=[redacted] here" in failed.text
    root = receiver.named("Human_Input")[0]
    assert root.attributes["langfuse.observation.level"] == "ERROR"
    assert PASSWORD not in receiver.raw.decode("utf-8", "replace")
    assert all(span.events == [] for span in receiver.spans)


async def test_a_call_of_a_model_is_a_generation_with_its_tokens(database: str) -> None:
    model = Shorthand(["the crane is in the yard"])
    with receiving() as receiver:
        async with (
            open_tracer(settings_for(receiver.port)) as tracer,
            desk_with(database, tracer, models=model, budgets=SMALL) as desk,
        ):
            await desk.open(items=[{"name": "Doors"}])
            for number in range(6):
                await note(desk, f"n{number}", words=500)
            await until(lambda: receiver.named("summarise"))
    (generation, *_) = [span for span in receiver.spans if span.name == "summariser"]
    assert generation.attributes["langfuse.observation.type"] == "generation"
    assert generation.attributes["langfuse.observation.model.name"] == "shorthand"
    assert json.loads(generation.attributes["langfuse.observation.usage_details"]) == {"input": 100, "output": 10}
    assert parent_of(generation, receiver).name == "summarise"


def parent_of(span: Span, receiver: Receiver) -> Span:
    return next(one for one in receiver.spans if one.span_id == span.parent_id)


async def test_a_server_that_hangs_keeps_nobody_waiting(database: str) -> None:
    with receiving(hangs=True) as receiver:
        async with open_tracer(settings_for(receiver.port)) as tracer, desk_with(database, tracer) as desk:
            await story(desk)
            for number in range(5):
                await note(desk, f"n{number}")
                assert (await desk.event(f"e{number + 4}"))["status"] == "done"
            assert not receiver.released.is_set()
        assert not receiver.released.is_set()


async def test_a_server_that_is_not_there_changes_nothing(database: str) -> None:
    with receiving() as receiver:
        port = receiver.port
    async with open_tracer(settings_for(port)) as tracer, desk_with(database, tracer) as desk:
        await story(desk)
        assert {(await desk.event(event))["status"] for event in ("e1", "e2")} == {"done"}
        assert len(await desk.pending()) == 1


async def test_without_keys_nothing_is_traced() -> None:
    async with open_tracer(Settings()) as tracer:
        assert tracer is NO_TRACER
