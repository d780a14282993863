"""The recorded scenarios: each comes out as expected, and together they leave nothing of the agent out."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from domain.actions import ACTION_NAMES
from domain.approvals import DECISION_TYPES, ApprovalKind
from domain.events import EVENT_TYPES, INTERNAL_TYPES
from evals.library import find
from evals.results import ScenarioResult
from evals.run import run
from evals.scenario import Scenario, Step
from storage.embedded import EmbeddedServer

SCENARIOS = find([])


@pytest.fixture(scope="module")
def results(server: EmbeddedServer) -> dict[str, ScenarioResult]:
    """Every scenario played once, in parallel."""
    played = asyncio.run(run(server.conninfo, SCENARIOS, lambda _: None))
    return {result.name: result for result in played.results}


@pytest.mark.slow
@pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS])
def test_a_scenario_comes_out_as_expected(name: str, results: dict[str, ScenarioResult]) -> None:
    found = results[name].problems
    assert found == [], "\n".join(f"step {one.step}: {one.kind}: {one.detail}" for one in found)


def steps(scenario: Scenario) -> Iterator[Step]:
    yield from [*scenario.given, *scenario.steps]


def everywhere() -> Iterator[Step]:
    for scenario in SCENARIOS:
        yield from steps(scenario)


def test_every_event_type_has_a_scenario() -> None:
    sent = {step.event["event_type"] for step in everywhere() if step.event}
    assert set(EVENT_TYPES) <= sent


def test_every_entry_that_longlead_writes_itself_has_a_scenario() -> None:
    """Each is known by what it brings about."""
    seen = {
        "Decision": any(step.answer for step in everywhere()),
        "Rule_Overruled": any(step.overrule for step in everywhere()),
        "Approval_Overdue": any(step.reminds for step in everywhere()),
        "Milestone_Overdue": any(step.until and step.does for step in everywhere()),
        "Hold_Expired": any(asked.kind == "hold_expired" for step in everywhere() for asked in step.asks),
        "Event_Failed": any(asked.kind == "event_failed" for step in everywhere() for asked in step.asks),
        "Building_Went_Live": any((step.change or {}).get("mode") == "live" for step in everywhere()),
        "Vendor_Changed": any(step.add_vendor and step.renews for step in everywhere()),
        "Tolerances_Changed": any("tolerances" in (step.change or {}).get("policy", {}) for step in everywhere()),
        "Lines_Taken_On": any(line.get("state") for one in SCENARIOS for line in one.building.get("items", [])),
        "First_Day_Ended": any(step.until and "issue_purchase_order" in str(step.does) for step in everywhere()),
    }
    of_an_upgrade = {"Lines_Adopted"}  # there must be rows of an earlier version: tests/histories
    assert set(seen) == set(INTERNAL_TYPES) - of_an_upgrade
    assert [name for name, is_there in seen.items() if not is_there] == []


def test_every_kind_of_question_is_asked_in_a_scenario() -> None:
    asked = {asked.kind for scenario in SCENARIOS for step in scenario.steps for asked in step.asks}
    kinds: set[Any] = set(ApprovalKind.__args__)  # type: ignore[attr-defined]
    assert kinds - asked == set()


def test_every_type_of_answer_is_given_in_a_scenario() -> None:
    assert {step.answer.type for step in everywhere() if step.answer} == set(DECISION_TYPES)


def test_every_action_is_expected_in_a_scenario() -> None:
    done = {did.name for scenario in SCENARIOS for step in scenario.steps for did in step.does}
    assert set(ACTION_NAMES) - done == set()


def test_scenarios_are_told_in_words() -> None:
    assert len(SCENARIOS) >= 40
    assert [one.name for one in SCENARIOS if not one.why.endswith(".")] == []
    assert len({one.title for one in SCENARIOS}) == len(SCENARIOS)
