"""What the scenarios are worth: an agent with a fault turns the right ones red, with the right kind of error."""

import asyncio
import json
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest
import structlog

from evals.library import FOLDER, load_scenario
from evals.problems import DANGEROUS, Kind
from evals.results import ScenarioResult
from evals.run import run
from evals.scenario import Scenario
from graph import building
from nodes.state import BuildingState
from storage.embedded import EmbeddedServer
from tools.context import Toolbox

EVERY = sorted(file.stem for file in FOLDER.glob("*.yaml"))
Fault = Callable[[BuildingState, BuildingState], BuildingState]


@pytest.fixture(autouse=True)
def quiet() -> None:
    """What is planted makes events die, and their tracebacks take seconds each."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def plant(monkeypatch: pytest.MonkeyPatch, name: str, fault: Fault) -> None:
    """Change what a node returns, given the state it started from."""
    sound = next(node for node in building.STEPS if node.__name__ == name)

    @wraps(sound)
    async def faulty(toolbox: Toolbox, state: BuildingState) -> BuildingState:
        return fault(state, await sound(toolbox, state))

    monkeypatch.setattr(building, "STEPS", [faulty if node is sound else node for node in building.STEPS])


def played(server: EmbeddedServer, *names: str) -> dict[str, ScenarioResult]:
    found = asyncio.run(run(server.conninfo, [load_scenario(name) for name in names], lambda _: None))
    return {result.name: result for result in found.results}


def kinds(result: ScenarioResult) -> set[Kind]:
    return {problem.kind for problem in result.problems}


def red(found: dict[str, ScenarioResult]) -> set[str]:
    return {name for name, result in found.items() if not result.passed}


def expects_a_conflict(scenario: Scenario) -> bool:
    steps = [*scenario.given, *scenario.steps]
    put = [one.kind for step in steps for one in (*step.asks, *step.renews, *step.closes)]
    answered = [step.answer.kind for step in steps if step.answer is not None]
    flagged = any(did.name == "flag_potential_issue" for step in steps for did in step.does)
    return flagged or "schedule_conflict" in [*put, *answered]


def puts_a_question(scenario: Scenario) -> bool:
    """To a person, or to a rule that decides in a person's place."""
    steps = [*scenario.given, *scenario.steps]
    put = any(step.asks or step.answer or step.reminds or step.closes for step in steps)
    return put or any(did.by == "rule" for step in steps for did in step.does)


def is_about_a_conflict(step: dict[str, Any]) -> bool:
    return step.get("kind") == "schedule_conflict" or (
        step["do"] == "action" and step["action"]["name"] == "flag_potential_issue"
    )


def test_a_conflict_that_is_missed(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all scenarios those turn red in which a conflict is flagged or asked about, and no others."""

    def blind(_: BuildingState, update: BuildingState) -> BuildingState:
        return {**update, "plan": [step for step in update["plan"] if not is_about_a_conflict(step)]}

    plant(monkeypatch, "decide", blind)
    found = played(server, *EVERY)
    assert red(found) == {scenario.name for scenario in map(load_scenario, EVERY) if expects_a_conflict(scenario)}
    assert kinds(found["eta-on-the-day"]) == {Kind.MISSED_ESCALATION, Kind.MISSED_ACTION}
    assert Kind.MISSED_ESCALATION in kinds(found["schedule-pulled-forward"])
    assert found["eta-the-day-before"].passed


def test_an_order_that_is_placed_twice(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    again = {
        "do": "action",
        "action": {"name": "reorder_item", "arguments": {"item": "doors"}},
        "responder": {"type": "automated_rule", "id": "policy", "name": "Policy"},
    }

    def forgetful(state: BuildingState, update: BuildingState) -> BuildingState:
        repeated = state["finding"].get("repeat") and state["event"]["event_type"] == "Submittal_Approved"
        return {**update, "plan": [*update["plan"], again]} if repeated else update

    plant(monkeypatch, "decide", forgetful)
    found = played(server, "submittal_approved_twice", "event_sent_twice", "order_at_the_limit")
    for name, step in (("submittal-approved-twice", 1), ("event-sent-twice", 3)):
        assert Kind.DUPLICATE_EFFECT in kinds(found[name])
        assert next(one.step for one in found[name].problems if one.kind is Kind.DUPLICATE_EFFECT) == step
    assert any("PO-submittal-approved-twice-0002" in one.detail for one in found["submittal-approved-twice"].problems)
    assert found["order-at-the-limit"].passed


def test_an_approval_that_is_skipped(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def bold(_: BuildingState, update: BuildingState) -> BuildingState:
        return {**update, "plan": [_ordered(step) if step.get("do") == "ask" else step for step in update["plan"]]}

    def _ordered(step: dict[str, Any]) -> dict[str, Any]:
        return {
            "do": "action",
            "action": {"name": "issue_purchase_order", "arguments": {"item": step["item_id"]}},
            "responder": {"type": "automated_rule", "id": "policy", "name": "Policy"},
        }

    plant(monkeypatch, "decide", bold)
    found = played(server, *EVERY)
    for name in ("order-above-the-limit", "vendor-not-approved"):
        assert {Kind.WRONG_ACTION, Kind.MISSED_ESCALATION} <= kinds(found[name])
    assert red(found) == {scenario.name for scenario in map(load_scenario, EVERY) if puts_a_question(scenario)}


def test_a_question_too_many(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def anxious(state: BuildingState, update: BuildingState) -> BuildingState:
        if state["event"]["event_type"] != "Human_Input":
            return update
        subject = {"text": "?", "source": "scenario", "event_id": "x"}
        ask = {"do": "ask", "kind": "event_unclear", "item_id": None, "subject": subject, "refused": 0}
        return {**update, "plan": [ask]}

    plant(monkeypatch, "decide", anxious)
    found = played(server, "note_of_the_team")
    assert kinds(found["note-of-the-team"]) == {Kind.NEEDLESS_ESCALATION}


def test_a_text_that_is_read_wrongly(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def a_day_off(_: BuildingState, update: BuildingState) -> BuildingState:
        return json.loads(json.dumps(update).replace("2026-03-12", "2026-03-13"))  # type: ignore[no-any-return]

    plant(monkeypatch, "read_message", a_day_off)
    found = played(server, "mail_read_by_a_model", "reply_in_free_words", "message_without_a_model")
    assert red(found) == {"mail-read-by-a-model"}
    assert Kind.WRONG_READING in kinds(found["mail-read-by-a-model"])


def test_the_dangerous_kinds_are_those_that_cost_money_or_trust() -> None:
    assert len(DANGEROUS) == 5
    assert set(DANGEROUS) < set(Kind)
