"""Everything a person does with the service can be done on the command line, by people and by programs."""

import json
from pathlib import Path
from typing import get_args

import httpx
import psycopg
import pytest

from cli.messages import Status
from storage.outbox import MessageStatus
from tests.api.office import APPROVED, BUILDING, SPEC
from tests.api.served import Served
from tests.cli.conftest import Run

FINISH = "UPDATE events SET status = 'dead', error = 'no vendor', finished_at = now()"
GIVEN_UP = """
INSERT INTO outbox (building_id, key, channel, recipient, subject, payload, status, attempts, error, created_at)
VALUES (%s, 'a-key', 'vendor', 'vendor', 'Purchase order', '{}', 'dead', 8, 'mailto: refused', now())"""


@pytest.fixture
def building(longlead: Run, tmp_path: Path) -> str:
    file = tmp_path / "building.json"
    file.write_text(json.dumps(SPEC))
    assert longlead("building", "create", str(file)).exit_code == 0
    return BUILDING


def test_a_building_is_created_from_a_file_or_standard_input_and_shown(longlead: Run, building: str) -> None:
    again = longlead("building", "create", "-", "--json", stdin=json.dumps(SPEC))
    assert (again.exit_code, json.loads(again.stdout)["building_id"]) == (0, building)
    shown = longlead("building", "show", building).stdout
    assert "Small Office Renovation" in shown
    assert "steel-beams" in shown
    assert "2 planned" in shown
    assert building in longlead("building", "list").stdout
    assert [row["building_id"] for row in json.loads(longlead("building", "list", "--json").stdout)] == [building]


def test_who_changed_what_is_shown_newest_first(longlead: Run, building: str, served: Served) -> None:
    httpx.patch(f"{served.url}/buildings/{building}", json={"policy": {"po_limit": "50000"}}).raise_for_status()
    changed, created = json.loads(longlead("building", "audit", building, "--json").stdout)
    assert (changed["what"], created["what"]) == ("building_changed", "building_created")
    assert (changed["by"]["name"], changed["by"]["via"]) == ("local", "local")
    shown = longlead("building", "audit", building).stdout
    assert "building changed" in shown
    assert "none -> 50000" in shown
    assert [row["what"] for row in json.loads(longlead("building", "audit", building, "-n", "1", "--json").stdout)] == [
        "building_changed"
    ]
    unknown = longlead("building", "audit", "nowhere")
    assert (unknown.exit_code, "nowhere" in unknown.stderr) == (1, True)


def test_events_are_sent_one_or_many_and_listed(longlead: Run, building: str, tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({**APPROVED, "event_id": f"line-{number}"}) for number in range(3))
    many = json.dumps([{**APPROVED, "event_id": f"list-{number}"} for number in range(2)])
    file = tmp_path / "event.json"
    file.write_text(json.dumps({**APPROVED, "event_id": "from-file"}))
    assert longlead("events", "send", building, "-", stdin=lines).exit_code == 0
    assert longlead("events", "send", building, many).exit_code == 0
    sent = longlead("events", "send", building, str(file), "--json")
    assert json.loads(sent.stdout) == [{"event_id": "from-file", "seq": 6, "status": "queued"}]
    listed = json.loads(longlead("events", "list", building, "--json", "-n", "4").stdout)
    assert [event["event_id"] for event in listed] == ["line-0", "line-1", "line-2", "list-0"]
    assert "Submittal_Approved" in longlead("events", "list", building, "--status", "queued").stdout
    assert "There are none." in longlead("events", "list", building, "--status", "dead").stdout


def test_a_dead_event_is_retried(longlead: Run, building: str, database: str) -> None:
    longlead("events", "send", building, json.dumps(APPROVED))
    refused = longlead("events", "retry", building, "docs-311")
    assert (refused.exit_code, "queued" in refused.stderr) == (1, True)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(FINISH)
    assert "no vendor" in longlead("events", "list", building, "--status", "dead").stdout
    retried = longlead("events", "retry", building, "docs-311", "--source", "docs")
    assert (retried.exit_code, "generation 1" in retried.stdout) == (0, True)


def test_a_message_that_was_given_up_is_told_of_and_sent_again(
    longlead: Run, building: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "There are none." in longlead("messages", "list").stdout
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(GIVEN_UP, (building,))
    dead = ("messages", "list", "--building", building, "--status", "dead")
    assert "mailto: refused" in longlead(*dead).stdout
    assert "There are none." in longlead("messages", "list", "--building", "elsewhere").stdout
    for status in ("delivered", "logged"):
        assert "There are none." in longlead("messages", "list", "--status", status).stdout
    [message] = json.loads(longlead(*dead, "--json").stdout)
    number = str(message["outbox_id"])
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", database)
    told = longlead("status").stdout
    assert "1 dead: see below; `longlead messages retry` after a fix" in told
    assert f"│ {number} " in told.partition("Messages given up")[2]
    again = longlead("messages", "retry", number)
    assert again.exit_code == 0
    assert again.stdout.startswith(
        f"Message {number} to vendor is queued again.\nNo way out is configured for vendor: "
    )
    assert "longlead messages retry" not in longlead("status").stdout
    refused = longlead("messages", "retry", number)
    assert (refused.exit_code, "only one that is dead or logged can be retried" in refused.stderr) == (1, True)
    unknown = longlead("messages", "retry", "999")
    assert (unknown.exit_code, "List them with `longlead messages list`" in unknown.stderr) == (1, True)


def test_a_question_is_listed_shown_and_answered_once(longlead: Run, building: str, served: Served) -> None:
    approval = served.ask()
    assert approval in longlead("approvals", "list", "--building", building).stdout
    assert f"? {approval}: HVAC Units failed inspection" in longlead("building", "show", building).stdout
    shown = longlead("approvals", "show", approval).stdout
    assert "reorder_item(item=hvac-units)" in shown
    assert "Repair" in shown
    answered = longlead("approvals", "decide", approval, "approve", "-m", "go", "--version", "1")
    assert (answered.exit_code, "Accepted" in answered.stdout) == (0, True)
    second = longlead("approvals", "decide", approval, "reject")
    assert (second.exit_code, "takes no further answer" in second.stderr) == (1, True)
    assert "Nothing waits" in longlead("approvals", "list").stdout
    everyone = json.loads(longlead("approvals", "list", "--status", "all", "--json").stdout)
    assert everyone[0]["decision"]["why"] == "go"


def test_a_question_is_answered_with_other_actions(longlead: Run, building: str, served: Served) -> None:
    approval = served.ask()
    actions = json.dumps([{"name": "hold_item", "arguments": {"item": "HVAC Units"}}])
    decided = longlead("approvals", "decide", approval, "edit", "--actions", actions, "--json")
    assert json.loads(decided.stdout)["status"] == "accepted"
    shown = json.loads(longlead("approvals", "show", approval, "--json").stdout)
    assert shown["decision"]["actions"][0]["arguments"] == {"item": "hvac-units"}


def test_the_history_of_a_building_that_has_not_begun_is_empty(longlead: Run, building: str) -> None:
    assert "not taken a step" in longlead("history", building).stdout


def test_the_status_is_read_from_the_database_itself(
    run: Run, longlead: Run, building: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    longlead("events", "send", building, json.dumps(APPROVED))
    monkeypatch.setenv("LONGLEAD_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", database)
    told = run("status").stdout
    assert "none: start one with `longlead worker`" in told
    assert "queued events" in told
    counted = json.loads(run("status", "--json").stdout)
    assert (counted["buildings"], counted["events"]) == (1, [["queued", "Submittal_Approved", 1]])


def test_a_database_is_migrated_saved_and_brought_back(
    run: Run, empty_database: str, database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", database)
    assert "up to date" in run("db", "migrate").stdout
    file = tmp_path / "saved.dump"
    assert run("db", "backup", str(file)).exit_code == 0
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", empty_database)
    untouched = run("status")
    assert (untouched.exit_code, "longlead db migrate" in untouched.stderr) == (1, True)
    assert run("db", "restore", str(file)).exit_code == 0
    assert json.loads(run("status", "--json").stdout)["buildings"] == 0
    again = run("db", "restore", str(file))
    assert (again.exit_code, "not empty" in again.stderr) == (1, True)


def test_messages_can_be_listed_by_every_status_that_one_has() -> None:
    assert {status.value for status in Status} == set(get_args(MessageStatus))
