"""A real building's history becomes a scenario that comes out the same, also under other names."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from domain.errors import NotFoundError
from evals.anonymising import ReadByModelError, anonymised
from evals.library import FOLDER, load_scenario, scenario_of
from evals.recording import Recorded, record
from evals.results import ScenarioResult
from evals.run import play_all
from evals.scenario import Scenario
from evals.scratch import scratch_database
from evals.source import read_yaml
from storage.database import connect
from storage.embedded import EmbeddedServer

LIVED = tuple(sorted(file.stem for file in FOLDER.glob("*.yaml")))
"""What the buildings that are recorded have been through: every scenario."""
READ = "mail_read_by_a_model"
"""A building whose mail a model has read."""


@pytest.fixture(scope="module")
def lived(server: EmbeddedServer) -> Iterator[str]:
    """A database with buildings that have been through all that."""
    with database(server) as conninfo:
        results = asyncio.run(play_all(conninfo, [load_scenario(name) for name in LIVED], lambda _: None))
        assert [result.name for result in results if not result.passed] == []
        yield conninfo


@contextmanager
def database(server: EmbeddedServer) -> Iterator[str]:
    with asyncio.Runner() as runner:
        made = scratch_database(server.conninfo)
        try:
            yield runner.run(made.__aenter__())
        finally:
            runner.run(made.__aexit__(None, None, None))


def recorded(conninfo: str, building_id: str, first: int | None = None, last: int | None = None) -> Recorded:
    async def reading() -> Recorded:
        async with await connect(conninfo, application_name="recorder") as conn:
            return await record(conn, building_id, first, last)

    return asyncio.run(reading())


def read(made: Recorded, name: str) -> Scenario:
    return scenario_of(read_yaml(f"{name}.yaml", made.text()), name)


def played(server: EmbeddedServer, scenarios: list[Scenario]) -> list[ScenarioResult]:
    with database(server) as conninfo:
        return asyncio.run(play_all(conninfo, scenarios, lambda _: None))


def problems(results: list[ScenarioResult]) -> dict[str, list[str]]:
    return {one.name: [f"{p.step}: {p.kind}: {p.detail}" for p in one.problems] for one in results if not one.passed}


@dataclass
class Again:
    """The recordings, with their names and without, and what playing them came to."""

    named: dict[str, Recorded]
    nameless: dict[str, Recorded]
    problems: dict[str, list[str]]


@pytest.fixture(scope="module")
def again(server: EmbeddedServer, lived: str) -> Again:
    named = {name: recorded(lived, load_scenario(name).spec.building_id) for name in LIVED}
    nameless = {
        name: anonymised(one, f"building-{number}")
        for number, (name, one) in enumerate(named.items())
        if not one.scenario.get("models")
    }
    scenarios = [read(one, name) for name, one in named.items()]
    scenarios += [read(one, f"{name}-nameless") for name, one in nameless.items()]
    return Again(named, nameless, problems(played(server, scenarios)))


@pytest.mark.slow
def test_what_was_recorded_comes_out_the_same_also_under_other_names(again: Again) -> None:
    assert again.problems == {}
    assert len(again.named) == len(LIVED) > len(again.nameless) > 70


@pytest.mark.slow
def test_what_people_changed_beside_the_inbox_is_recorded_where_and_when_it_was(again: Again) -> None:
    off, revoked = (again.named[name].scenario["steps"] for name in ("rule_is_switched_off", "delegation_is_revoked"))
    title = "Replace: order a replacement"
    assert [step["edit_rule"] for step in off if "edit_rule" in step] == [
        {"rule": title, "text": "Fans have often been mended.", "disabled": True},
        {"rule": title, "disabled": False},
    ]
    taken_back = [step for step in revoked if "revoke" in step]
    assert taken_back == [{"at": "2026-03-04T12:00:00", "revoke": {"kind": "inspection_failed", "category": "23"}}]
    withdrawn = again.named["delegation_request_withdrawn"].scenario["steps"]
    assert [step["closes"] for step in withdrawn if "closes" in step] == [["delegation_request"]]


@pytest.mark.slow
def test_a_recording_is_a_scenario_that_people_can_read(again: Again) -> None:
    demo = read(again.named["five_items"], "demo")
    assert len(demo.steps) == 36
    assert demo.steps[0].does[0].name == "issue_purchase_order"
    assert demo.steps[3].asks[0].recommends == "Issue the purchase order"
    silence = read(again.named["silence_is_never_consent"], "silence")
    assert [bool(step.until) for step in silence.steps] == [False, True]
    assert any(step.queued for step in read(again.named["answer_comes_too_late"], "late").steps)


@pytest.mark.slow
def test_under_other_names_no_name_is_left(again: Again) -> None:
    for name, one in again.nameless.items():
        text, spec = one.text(), load_scenario(name).spec
        secrets = [spec.name, *(line.name for line in spec.items), *(v.name for v in spec.vendors)]
        secrets += [delivery.item for delivery in spec.schedule.deliveries]
        secrets += [line.id for line in spec.items] + [approver.name for approver in spec.approvers]
        secrets += [spec.building_id] if "-" in spec.building_id else []  # one word may be what becomes of a line
        secrets += [v.contact for v in spec.vendors if v.contact] + [a.contact for a in spec.approvers if a.contact]
        assert [secret for secret in secrets if secret and secret in text] == [], name
    demo = again.nameless["five_items"].text()
    for told in ("Busbar", "Mill Road", "painters", "steel-beams-0.pdf", "site-gate", "Inspection report"):
        assert told not in demo
    assert again.nameless["limit_raised"].scenario["building"]["policy"] == {"po_limit": "60000"}


def test_what_models_have_read_keeps_its_names(lived: str) -> None:
    made = recorded(lived, load_scenario(READ).spec.building_id)
    assert [answer["worker"] for answer in made.scenario["models"]] == ["reader"]
    with pytest.raises(ReadByModelError, match="without --anonymise"):
        anonymised(made)


def test_a_part_of_a_history_begins_with_what_was_given(lived: str) -> None:
    made = read(recorded(lived, "office-renovation", first=28, last=30), "flooring")
    assert (len(made.given), len(made.steps)) == (27, 3)
    kinds = [step.event["event_type"] if step.event else "answer" for step in made.steps]
    assert kinds == ["ETA_Changed", "answer", "answer"]
    with pytest.raises(NotFoundError, match="no entries there"):
        recorded(lived, "office-renovation", first=500)
    with pytest.raises(NotFoundError, match="no building"):
        recorded(lived, "nowhere")


def test_a_part_comes_out_the_same(server: EmbeddedServer, lived: str) -> None:
    made = read(recorded(lived, "hold-runs-out", first=3), "hold")
    assert len(made.given) == 2
    assert problems(played(server, [made])) == {}


def test_the_command_writes_a_file_that_can_be_played(
    lived: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", lived)
    file = tmp_path / "hold.yaml"
    found = CliRunner().invoke(app, ["record", "hold-runs-out", "--anonymise", "-o", str(file)])
    assert found.exit_code == 0, found.output
    assert "longlead evals" in found.output
    assert "Doors" not in file.read_text()
    printed = CliRunner().invoke(app, ["record", "hold-runs-out"])
    assert printed.output.startswith("title: 'Recorded:")
