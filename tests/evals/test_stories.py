"""The stories that come along: the agent judges no worse than it is known to; and what the command says of a story."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from evals.stories.errors import ErrorClass
from evals.stories.reading import KNOWN_ERRORS, find_stories
from evals.stories.results import mark_known, read_baseline
from evals.stories.run import run_stories
from storage.embedded import EmbeddedServer

CLASSES = ["needless", "missed_questions", "missed_notices", "false_all_clears", "wrong_states"] + [
    "over_telling",
    "wrong_alone",
]
KEYS = ["name", "steps", "events", "questions", *CLASSES]
SHED = """\
name: shed
building:
  building_id: shed
  name: Shed
  vendors: [{vendor_id: mill, name: Mill, contact: mill@mill.example}]
  items: [{name: Doors, vendor_id: mill, quantity: 4, unit: pcs, unit_price: '100', lead_time_days: 14}]
  schedule: {project: {name: Shed}, deliveries: [{item: Doors, required_by: 2026-05-15, buffer_days: 5}]}
steps:
  - {day: 2026-03-02, event: {event_type: Submittal_Approved, item: Doors, revision: 0}}
  - {day: 2026-03-03, state: {item: Doors, orders: 1, ordered: 4, order_total: 400, released: false, late: false}}
"""


@pytest.fixture
def known_stories() -> list[str]:
    return [story.name for story in find_stories([])]


@pytest.mark.slow
def test_the_agent_judges_no_worse_than_it_is_known_to(server: EmbeddedServer) -> None:
    baseline = read_baseline(KNOWN_ERRORS)
    played = asyncio.run(run_stories(server.conninfo, find_stories([]), lambda: None))
    new = [one for result in played for one in mark_known(result, baseline).failures if not one.is_known]
    assert new == [], "\n".join(f"step {one.step}: {one.error_class.label}: {one.what}: {one.seen}" for one in new)
    assert [note for result in played for note in result.notes] == []


def test_a_story_that_comes_along_is_small_and_covers_what_goes_wrong_with_deliveries() -> None:
    for story in find_stories([]):
        assert 6 <= len(story.spec.items) <= 10
        assert story.steps[-1].day - story.steps[0].day <= timedelta(days=62)
        kinds = {str(step.event["event_type"]) for step in story.steps if step.event}
        assert {"ETA_Changed", "Inspection_Failed", "Items_Changed", "Message_Received", "Building_Closed"} <= kinds


def test_known_errors_are_of_stories_that_come_along(known_stories: list[str]) -> None:
    assert [one.name for one in read_baseline(KNOWN_ERRORS) if one.name not in known_stories] == []


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch, server: EmbeddedServer) -> None:
    """The command makes its scratch databases on the server of this run."""
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", server.conninfo)


def play(tmp_path: Path, stories: dict[str, str], *options: str) -> Result:
    files = []
    for name, text in stories.items():
        files.append(tmp_path / f"{name}.yaml")
        files[-1].write_text(text)
    return CliRunner().invoke(app, ["evals", "--stories", *map(str, files), *options], catch_exceptions=False)


def read(file: Path) -> list[dict[str, Any]]:
    stories: list[dict[str, Any]] = json.loads(file.read_text())
    return stories


@pytest.mark.usefixtures("scratch")
def test_a_story_without_errors_ends_with_0_and_its_counts_in_json(tmp_path: Path) -> None:
    ended = play(tmp_path, {"shed": SHED}, "--json", str(tmp_path / "counts.json"), "--questions")
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert "No error of judgement." in ended.stdout
    counts = read(tmp_path / "counts.json")
    assert {key: counts[0][key] for key in KEYS} == dict.fromkeys(KEYS, 0) | {"name": "shed", "steps": 2, "events": 1}
    assert counts[0]["failures"] == []


WRONG = {
    "state": ("orders: 1", "orders: 2", {"wrong_states": 1}),
    "clear": ("late: false", "late: true", {"false_all_clears": 1}),
    "never": ("revision: 0}}", "revision: 0}, never: [issue_purchase_order]}", {"wrong_alone": 1}),
    "asked": ("revision: 0}}", "revision: 0}, want: ask, why: w}", {"missed_questions": 1, "wrong_alone": 1}),
    "event": ("item: Doors, revision: 0}}", "item: Doors, colour: red}}", {"wrong_states": 2}),
    "told": ("revision: 0}}", "revision: 0}, want: [ask, tell], says: marble, why: w}", {"missed_notices": 1}),
}


def vary(name: str) -> str:
    """The shed's story with one label that does not fit, under a name of its own."""
    right, wrong, _ = WRONG[name]
    return SHED.replace(right, wrong).replace("name: shed", f"name: {name}", 1)


@pytest.mark.usefixtures("scratch")
def test_errors_are_counted_by_class_and_a_dangerous_one_ends_with_1(tmp_path: Path) -> None:
    counts_file = tmp_path / "counts.json"
    ended = play(tmp_path, {name: vary(name) for name in WRONG}, "--json", str(counts_file))
    assert ended.exit_code == 1
    counts = {one["name"]: {key: one[key] for key in CLASSES if one[key]} for one in read(counts_file)}
    assert counts == {name: expected for name, (_, _, expected) in WRONG.items()}
    assert all(ErrorClass(key).label in ended.stdout for errors in counts.values() for key in errors)
    again = play(tmp_path, {"state": vary("state")}, "--baseline", str(counts_file))
    assert (again.exit_code, "1 error of judgement, 0 new." in again.stdout) == (0, True)


@pytest.mark.usefixtures("scratch")
def test_an_error_that_is_not_dangerous_ends_with_0(tmp_path: Path) -> None:
    ended = play(tmp_path, {"told": vary("told")})
    assert (ended.exit_code, "1 error of judgement, 0 dangerous" in ended.stdout) == (0, True)


def test_a_malformed_story_ends_with_2_and_says_file_and_line(tmp_path: Path) -> None:
    ended = play(tmp_path, {"shed": SHED.replace("released: false", "relased: false")})
    assert ended.exit_code == 2
    assert f"{tmp_path}/shed.yaml:10: steps.1.state.relased: there is no such field" in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--stories", "{folder}/none.yaml"], 2, "none.yaml cannot be read"),
        (["--stories", "{folder}"], 2, "There is no story in the folder"),
        (["--stories", "--repeat", "2"], 1, "leave them out with --stories"),
        (["--json", "{folder}/x.json"], 1, "add --stories"),
        (["--questions"], 1, "add --stories"),
        (["--stories", "--baseline", "{folder}/none.json"], 1, "holds no results of stories"),
        (["--stories", "--json", "{folder}/none/x.json"], 1, "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_played(
    tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    given = [argument.replace("{folder}", str(tmp_path)) for argument in arguments]
    ended = CliRunner().invoke(app, ["evals", *given], catch_exceptions=False)
    assert ended.exit_code == code
    assert says in " ".join(ended.stderr.split())
    assert ended.stdout == ""
