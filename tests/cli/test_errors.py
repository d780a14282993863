"""Whatever goes wrong is said in one sentence on standard error, with exit code 1 and no traceback."""

import json
import socket
from pathlib import Path

import pytest
from typer.testing import Result

from tests.api.office import APPROVED, SPEC
from tests.cli.conftest import Run


def assert_said(result: Result, *words: str) -> None:
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


def test_a_service_that_is_not_there_is_said_with_how_to_start_it(run: Run) -> None:
    assert_said(run("building", "list", "--url", "http://127.0.0.1:9"), "http://127.0.0.1:9", "`longlead serve`")


def test_an_unknown_building_is_said(longlead: Run) -> None:
    for given in (("building", "show", "tower-9"), ("events", "send", "tower-9", json.dumps(APPROVED))):
        assert_said(
            longlead(*given), "There is no building 'tower-9'. List the buildings with `longlead building list`."
        )


def test_what_is_unknown_is_said_with_the_command_that_lists_it(longlead: Run) -> None:
    assert longlead("building", "create", json.dumps({**SPEC, "building_id": "office"})).exit_code == 0
    assert_said(longlead("approvals", "show", "office-9-0"), "List the open ones with `longlead approvals list`.")
    assert_said(longlead("rules", "disable", "office-R-9"), "List the rules with `longlead rules list`.")
    assert_said(longlead("delegations", "revoke", "office-D-9"), "`longlead delegations list`.")
    assert_said(longlead("fork", "diff", "office", "office-fork-9"), "List them with `longlead fork list office`.")
    assert_said(longlead("history", "office", "no-such"), "List them with `longlead history office`.")


def test_every_wrong_field_is_said(longlead: Run) -> None:
    wrong = {**SPEC, "building_id": "b", "name": "", "time_zone": "Mars/Olympus"}
    assert_said(longlead("building", "create", json.dumps(wrong)), "name: ", "time_zone: ")


@pytest.mark.parametrize(
    ("text", "words"), [("{", "is not JSON"), ('{"a": 1}\n{', "line 2"), ("no/such/file", "No such file")]
)
def test_what_is_no_json_is_said(run: Run, text: str, words: str, tmp_path: Path) -> None:
    given = text
    if "\n" in text:
        given = str(tmp_path / "events.jsonl")
        Path(given).write_text(text)
    assert_said(run("events", "send", "b", given), words)


def test_a_wrong_setting_is_said_with_its_variable(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGLEAD_CONCURRENCY", "many")
    assert_said(run("building", "list"), "LONGLEAD_CONCURRENCY")


def test_beyond_this_machine_it_serves_only_with_keys(run: Run) -> None:
    assert_said(run("serve", "--host", "0.0.0.0"), "LONGLEAD_API_KEYS")


def test_a_port_that_is_taken_is_said(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert_said(run("serve", "--port", port), port, "--port")


def test_a_port_of_figures_that_is_taken_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        monkeypatch.setenv("LONGLEAD_METRICS_PORT", port)
        assert_said(run("worker"), port, "LONGLEAD_METRICS_PORT")


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_service_does_not_start_with_a_setting_that_nobody_knows(
    run: Run, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGLEAD_CHANELS", "{}")
    assert_said(run(command), "LONGLEAD_CHANELS is not a setting; did you mean LONGLEAD_CHANNELS?")


def test_a_command_warns_of_a_setting_that_nobody_knows_and_goes_on(
    longlead: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGLEAD_TYPO", "1")
    listed = longlead("building", "list", "--json")
    assert (listed.exit_code, listed.stdout.strip()) == (0, "[]")
    assert "LONGLEAD_TYPO is not a setting" in listed.stderr


def test_a_database_that_cannot_be_reached_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    assert_said(run("status"), "cannot be reached", "LONGLEAD_DATABASE_URL")


def test_a_data_folder_without_a_database_is_said(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LONGLEAD_DATABASE_URL", raising=False)
    assert_said(run("status", "--data", str(tmp_path / "nowhere")), "nowhere", "longlead serve")


def test_a_key_that_is_missing_is_said_with_where_to_put_it(longlead: Run, served_with_keys: str) -> None:
    assert_said(longlead("building", "list", "--url", served_with_keys), "LONGLEAD_API_KEY")


@pytest.mark.parametrize("command", ["", "building", "events", "approvals", "db", "events send", "history", "status"])
def test_help_is_the_manual_at_every_level(run: Run, command: str) -> None:
    told = run(*command.split(), "--help")
    assert told.exit_code == 0
    assert "Usage:" in told.stdout
