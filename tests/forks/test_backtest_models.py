"""A building whose mails, replies and questions models have answered, run again: with what they said then, or anew."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.agent.desk import Desk
from tests.forks.past import digest_of, everything
from tests.models.conftest import OpenDesk, models, open_desk
from tests.models.scripted import ScriptedServer, completion
from tests.models.test_advice import choice
from tests.models.test_replies import reading, reply

__all__ = ["models", "open_desk"]

Backtest = Callable[..., Any]

MAIL = "Hello, the Steel Beams will now arrive on 12 March instead of 5 March. Regards, Jo"
REPORT = {"quote": "the Steel Beams will now arrive on 12 March instead of 5 March", "event_type": "ETA_Changed"}
REPORT |= {"item": "Steel Beams", "day_words": "12 March", "day": "2026-03-12", "departed_words": None}
REPORT |= {"departed": None, "exceptions": [], "confidence": 1}  # type: ignore[dict-item]
UNCLEAR = "Hello, all is going well with what we spoke about. Regards, Jo"


def read_as_told(request: dict[str, Any]) -> Any:
    """A reader that reads the one mail, makes nothing of the other, and understands the reply."""
    text = request["messages"][-1]["content"]
    if "will now arrive" in text:
        return completion(json.dumps({"reports": [REPORT]}))
    return completion(json.dumps({"reports": []} if "going well" in text else reading("reject")))


@pytest.fixture
async def desk(models: ScriptedServer, open_desk: OpenDesk) -> Desk:
    """Mails read and not read, advice taken and refused, an answer in words, all of it by models on two tiers."""
    models.scripts["reader"] = read_as_told
    models.says("adviser", choice(2))
    settings = models.settings(models_reader=["reader"], models_adviser=["adviser", "strong"])
    models.says("strong", choice(1))
    desk = await open_desk(settings, ordered=("Steel Beams", "HVAC Units"), policy={"po_limit": "100000"})
    await desk.post("Message_Received", text=MAIL, sender="jo@acme.example", occurred_at="2026-02-05T09:00:00Z")
    await desk.post("Message_Received", text=UNCLEAR, sender="jo@acme.example", occurred_at="2026-02-06T09:00:00Z")
    await desk.decide(await desk.question("event_unclear"), "approve")
    desk.clock.forward(days=20)
    await desk.post("Inspection_Failed", item="HVAC Units", inspection_date="2026-02-20")
    await desk.decide(await desk.question("inspection_failed"), "approve")  # as the adviser said: repaired
    await desk.post("ETA_Changed", item="Steel Beams", eta="2026-05-04")
    asked = await desk.question("schedule_conflict")
    await reply(desk, asked, "No, not that.")
    await desk.decide(await desk.question("schedule_conflict"), "approve")
    assert models.asked_of("reader") == 3
    assert models.asked_of("adviser") >= 2
    return desk


@pytest.fixture
def backtest(desk: Desk, database: str, models: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Backtest:
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", database)
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{models.server.server_address[1]}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "none")

    async def run(*arguments: str) -> Any:
        invoke = CliRunner().invoke
        ended = await asyncio.to_thread(invoke, app, ["backtest", *arguments, "--json"], catch_exceptions=False)
        assert ended.exit_code == 0, ended.output
        (building,) = json.loads(ended.stdout)["buildings"]
        return building

    return run


async def test_what_models_said_is_said_again_without_a_call_and_nothing_differs(
    desk: Desk, backtest: Backtest, models: ScriptedServer
) -> None:
    asked, counted, digest = len(models.asked), await everything(desk.conn), await digest_of(desk.conn, "office")
    found = await backtest()
    assert (found["differences"], found["remarks"], found["fork_id"]) == ([], [], None)
    assert found["entries"] == 12
    assert len(models.asked) == asked
    assert await everything(desk.conn) == counted
    assert await digest_of(desk.conn, "office") == digest


async def test_another_policy_shows_what_it_changes_and_still_asks_no_model(
    backtest: Backtest, models: ScriptedServer, tmp_path: Any
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("model_reports: []\n")  # whatever a model reads is put to a person
    asked = len(models.asked)
    found = await backtest("office", "--policy", str(policy))
    assert len(models.asked) == asked
    first = found["differences"][0]
    assert first["event_type"] == "Message_Received"
    assert first["was"][0].startswith("reader acts on event_unclear: restate_event")
    assert first["now"][0].startswith("asks the project manager event_unclear: recommends restate_event")
    assert found["fork_id"].startswith("office")


async def test_another_model_is_asked_and_what_it_says_otherwise_is_shown(
    backtest: Backtest, models: ScriptedServer
) -> None:
    def otherwise(request: dict[str, Any]) -> Any:
        text = request["messages"][-1]["content"]
        return completion(json.dumps(choice(3))) if "Ways out" in text else read_as_told(request)

    models.scripts["other"] = otherwise
    asked = len(models.asked)
    found = await backtest("--model", "other")
    assert {request["model"] for request in models.asked[asked:]} == {"other"}
    (said,) = found["remarks"]
    assert said.startswith(f"The model was asked {len(models.asked) - asked} times: ")
    told = {one["event_type"]: one for one in found["differences"] if one["event_type"] != "Decision"}
    assert set(told) == {"Inspection_Failed", "ETA_Changed"}, "the mails are read alike"
    assert "recommends repair_item" in " ".join(told["Inspection_Failed"]["was"])
    assert "recommends accept_as_is" in " ".join(told["Inspection_Failed"]["now"])
    # Who approved the repair wants it still, and would have to say so; what was refused then is not asked here.
    answers = [" ".join(one["now"]) for one in found["differences"] if one["event_type"] == "Decision"]
    assert "local edit inspection_failed (hvac-units): repair_item" in answers[0]
    assert not any("accept_as_is" in line for line in answers)
