"""Scenario files: short to write, and clear about what is wrong with them."""

from pathlib import Path

import pytest

from evals.library import find, load_file, load_scenario, scenario_of
from evals.scenario import Scenario
from evals.source import ScenarioError, read_yaml

WHOLE = """\
title: Doors
why: They matter.
building:
  schedule: {deliveries: [{item: Doors, required_by: 2026-03-16}]}
steps:
  - at: 2026-03-02
    event: {event_type: Shipment_Departed_Factory, item: Doors, eta: 2026-03-09}
    does: [notify_team]
    becomes: [in_transit]
"""


def read(text: str) -> Scenario:
    return scenario_of(read_yaml("doors.yaml", text), "doors")


def problem(text: str) -> str:
    with pytest.raises(ScenarioError) as raised:
        read(text)
    return raised.value.detail


def test_what_is_plain_is_filled_in() -> None:
    scenario = read(WHOLE)
    assert (scenario.spec.building_id, scenario.spec.name) == ("doors", "Doors")
    step = scenario.steps[0]
    assert (step.body["date_departed"], step.body["location_address"]) == ("2026-03-02", "The factory")
    assert step.moment.hour == 12
    assert step.does[0].arguments == {"item": "Doors"}
    assert step.becomes == {"Doors": ["in_transit"]}


def test_words_stay_what_was_written() -> None:
    found = read_yaml("x", "{on: no, category: 05, price: 38.50, day: 2026-02-15, count: 3, there: true}").value
    assert found == {"on": "no", "category": "05", "price": "38.50", "day": "2026-02-15", "count": 3, "there": True}


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("at: 2026-03-02", "at: 2026-02-30", "doors.yaml:6: steps.0.at: is no day or moment"),
        ("eta: 2026-03-09", "eta: 2026-02-30", "doors.yaml:7: steps.0.event.Shipment_Departed_Factory.eta: is not"),
        ("eta: 2026-03-09", "eat: 2026-03-09", "doors.yaml:7: steps.0.event.Shipment_Departed_Factory.eat: there is"),
        ("[notify_team]", "[order_more]", "doors.yaml:8: steps.0.does.0.name: 'order_more' is no action; there are"),
        ("[notify_team]", "[{notify_team: {tem: x}}]", "steps.0.does.0: notify_team has no argument 'tem'; it has"),
        ("[in_transit]", "[arrived]", "doors.yaml:9: steps.0.becomes: 'arrived' is nothing that becomes of a line"),
        ("    becomes", "    does: []\n    becomes", "doors.yaml:9: does is there twice"),
        ("required_by: 2026-03-16", "required: 2026-03-16", "doors.yaml:4: building.schedule.deliveries.0.required"),
        ("title: Doors", "titel: Doors", "doors.yaml:1: title: is missing"),
        ("    event:", "    until: 2026-03-03\n    event:", "doors.yaml:6: steps.0: a step is one of"),
        ("item: Doors, eta", "eta", "steps.0.event.Shipment_Departed_Factory.item: is missing"),
        ("why: They", "why: [They", "not YAML"),
    ],
)
def test_what_is_wrong_is_said_with_file_line_and_field(wrong: str, right: str, said: str) -> None:
    text = WHOLE.replace(wrong, right, 1)
    if "item: Doors, eta" in wrong:
        text = text.replace("does: [notify_team]", "does: []").replace("becomes: [in_transit]", "")
    assert said in problem(text)


def test_time_goes_forward_and_what_was_given_is_not_judged() -> None:
    early = WHOLE + "  - {at: 2026-03-01, event: {event_type: Human_Input, text: Late}}\n"
    assert "steps go forward in time" in problem(early)
    given = "given:\n  - {at: 2026-02-01, event: {event_type: Human_Input, text: x}, does: []}\nsteps:"
    judged = WHOLE.replace("steps:", given)
    assert "leave out what is expected" in problem(judged)


def test_a_step_about_no_line_names_its_lines() -> None:
    departure = "event_type: Shipment_Departed_Factory, item: Doors, eta: 2026-03-09"
    text = WHOLE.replace(departure, "event_type: Human_Input, text: x")
    assert "this step is about no line" in problem(text.replace("[notify_team]", "[reorder_item]"))
    assert "write the words under the line's id" in problem(text.replace("[notify_team]", "[]"))


def test_scenarios_are_found_by_words_file_and_folder(tmp_path: Path) -> None:
    assert {one.name for one in find(["eta_on"])} == {"eta-on-the-day"}
    assert len(find(["eta-*"])) > 5
    with pytest.raises(ScenarioError, match="No scenario is called 'roof'"):
        find(["roof"])
    (tmp_path / "doors.yaml").write_text(WHOLE)
    assert [one.name for one in find([str(tmp_path)])] == ["doors"]
    assert load_file(tmp_path / "doors.yaml").title == "Doors"
    (tmp_path / "again.yaml").write_text(WHOLE.replace("building:", "building:\n  building_id: doors"))
    with pytest.raises(ScenarioError, match="share the building doors"):
        find([str(tmp_path)])


def test_the_demo_plays_one_of_the_scenarios() -> None:
    story = load_scenario("five_items")
    assert story.outcome is not None
    assert len(story.spec.items) == len(story.outcome.lines) == 5
    with pytest.raises(LookupError):
        story.item_id("Roof Tiles")
