"""`longlead evals --model`: a real server in place of the recorded answers, through the command line and the graph."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from evals.library import load_scenario
from storage.embedded import EmbeddedServer
from tests.models.scripted import ScriptedServer, completion

READ, REPLIED, TYPED = "mail_read_by_a_model", "reply_in_free_words", "eta_on_the_day"


@pytest.fixture
def model(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """A model's server that says what the scenarios have on record, told apart by the text that it is shown."""
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", server.conninfo)
    scripted = ScriptedServer()
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{scripted.server.server_address[1]}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    yield scripted
    scripted.close()


def recorded(name: str) -> dict[str, Any]:
    models = load_scenario(name).models
    assert models is not None
    answer = models[0].answer
    assert answer is not None
    return answer


def says(scripted: ScriptedServer, name: str, *, mail: dict[str, Any], reply: dict[str, Any]) -> None:
    """The model `name` reads every mail so, and every reply so; as an adviser it has nothing to say."""

    def answer(request: dict[str, Any]) -> Any:
        text = request["messages"][-1]["content"]
        if "arrive on 12 March" in text:
            return completion(json.dumps(mail))
        return completion(json.dumps(reply)) if "repair it instead" in text else completion("{}")

    scripted.scripts[name] = answer


def evals(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["evals", *arguments], catch_exceptions=False)


def test_a_model_that_reads_as_recorded_passes_and_is_really_asked(model: ScriptedServer, tmp_path: Path) -> None:
    says(model, "good", mail=recorded(READ), reply=recorded(REPLIED))
    found = evals(READ, REPLIED, TYPED, "--model", "good", "--repeat", "2", "--report", str(tmp_path))
    assert found.exit_code == 0, found.output
    assert "6 of 6 scenarios passed" in found.output
    results = json.loads((tmp_path / "results.json").read_text())
    assert (results["model"], results["rounds"]) == ("good", 2)
    read = [one for one in model.asked if "arrive on 12 March" in one["messages"][-1]["content"]]
    assert len(read) == 2, "once in each round"


def test_a_model_that_reads_otherwise_turns_the_right_scenarios_red(model: ScriptedServer, tmp_path: Path) -> None:
    # It takes the mail for the news that the beams have left, and the wish for a repair for one to take it as it is.
    mail = {"reports": [{**recorded(READ)["reports"][0], "day_words": "5 March", "day": "2026-03-05"}]}
    reply = {**recorded(REPLIED), "meaning": "approve", "wishes": []}
    says(model, "bad", mail=mail, reply=reply)
    says(model, "good", mail=recorded(READ), reply=recorded(REPLIED))
    report = tmp_path / "before"
    assert evals(READ, REPLIED, TYPED, "--model", "good", "--report", str(report)).exit_code == 0
    found = evals(READ, REPLIED, TYPED, "--model", "bad", "--baseline", str(report / "results.json"))
    assert found.exit_code == 1
    told = " ".join(found.output.split())
    assert "1 of 3 scenarios passed" in told, found.output
    assert "failed mail-read-by-a-model" in told
    assert "failed reply-in-free-words" in told
    assert "broken: mail-read-by-a-model: step 1: needless escalation" in told
    # What is held against the text's own words is not carried out, however sure the model is: a person is asked.
    assert "wrong action taken (dangerous) 0" in told


def test_a_server_that_is_down_costs_questions_and_no_crash(model: ScriptedServer) -> None:
    model.scripts["down"] = lambda _: completion("this is not what was asked for")
    found = evals(READ, "--model", "down")
    assert found.exit_code == 1
    assert "event_unclear" in found.output
    assert "could not be played 0" in " ".join(found.output.split())
