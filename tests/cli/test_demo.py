"""The demo: it plays the recorded story against the real service, notices what differs, and leaves nothing behind."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.demo_check import differences
from cli.demo_play import Ending, Played
from cli.demo_service import running_service, serve_command
from domain.errors import UnavailableError
from evals.expected import Asked
from evals.library import load_scenario
from evals.scenario import Order, Scenario

DEMO = [sys.executable, "-c", "from cli.main import app; app()", "demo"]
PATIENCE_S = 120


@contextmanager
def demo(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The demo as people start it, with its temporary files in `folder` and settings around it that it must ignore."""
    hostile = {
        "LONGLEAD_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere",
        "LONGLEAD_API_KEYS": '[{"key": "a-key-that-is-not-sent", "id": "x", "name": "X", "roles": ["admin"]}]',
        "LONGLEAD_DATA_DIR": str(folder / "must-not-be-used"),
        "http_proxy": "http://127.0.0.1:1",
    }
    environment = {**os.environ, **hostile, "TMPDIR": str(folder)}
    process = subprocess.Popen(DEMO, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
        assert process.stdout is not None
        process.stdout.close()


def nothing_is_left(folder: Path) -> bool:
    running = subprocess.run(["ps", "-Aww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    return list(folder.iterdir()) == [] and str(folder) not in running


@pytest.mark.slow
def test_the_demo_plays_as_recorded_and_leaves_nothing_behind(open_tmp_path: Path) -> None:
    with demo(open_tmp_path) as process:
        output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, output
    assert "As recorded: 36 steps, 30 actions, 5 questions, 6 orders, 5 lines released." in output
    assert "nothing to do: its arrival on 2026-03-05 is already on file" in output
    assert "answered edit (repair item and schedule inspection)" in output
    assert "\x1b[" not in output
    assert nothing_is_left(open_tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "seen"), [(signal.SIGINT, "submittal approved"), (signal.SIGTERM, "Starting the service")]
)
def test_a_demo_that_is_ended_leaves_nothing_behind(open_tmp_path: Path, number: signal.Signals, seen: str) -> None:
    with demo(open_tmp_path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if seen in line:
                break
        time.sleep(0.3)
        process.send_signal(number)
        rest = process.stdout.read()
        assert process.wait(60) == 130, rest
    assert "Interrupted." in rest
    assert nothing_is_left(open_tmp_path)


def test_a_service_that_does_not_start_is_told_with_its_log(
    open_tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(open_tmp_path))
    monkeypatch.setattr("cli.demo_service.serve_command", lambda port, data: [sys.executable, "-c", "exit('no luck')"])
    with pytest.raises(UnavailableError, match=r"ended with 1 at its start[\s\S]*no luck"), running_service():
        pass
    assert nothing_is_left(open_tmp_path)


def test_the_service_gets_none_of_the_settings_around_it() -> None:
    command = serve_command(1234, Path("/data"))
    unset = [command[at + 1] for at, part in enumerate(command) if part == "-u"]
    assert {"LONGLEAD_DATABASE_URL", "LONGLEAD_API_KEYS", "LONGLEAD_HOST"} <= set(unset)
    assert command[-5:] == ["serve", "--port", "1234", "--data", "/data"]


def as_recorded(story: Scenario) -> tuple[list[Played], Ending]:
    """What a service answers that does all as recorded."""
    outcome = story.outcome
    assert outcome is not None
    assert outcome.orders is not None
    assert outcome.flags is not None
    played = [
        Played(
            number,
            step,
            "",
            actions=[{"name": did.name} for did in step.does],
            raised=[_approval(asked) for asked in step.asks],
        )
        for number, step in enumerate(story.steps, 1)
    ]
    ending = Ending(
        lines=[{"item_id": item, "status": status} for item, status in outcome.lines.items()],
        orders=[_order(number, order) for number, order in outcome.orders.items()],
        shipments=[],
        flags=[{"item_id": item, "status": status} for item, status in outcome.flags.items()],
        events=[{"event_id": str(number), "status": "done"} for number in range(len(story.steps))],
        pending=[],
    )
    return played, ending


def _approval(asked: Asked) -> dict[str, Any]:
    option = {"title": asked.recommends, "actions": [{"name": "anything"}]}
    return {"kind": asked.kind, "item_id": asked.item, "options": [option], "recommended": option["actions"]}


def _order(number: str, order: Order) -> dict[str, Any]:
    return {"number": number, "lines": [{"item": order.item, "quantity": str(order.quantity)}]}


def test_what_came_out_as_recorded_has_no_differences() -> None:
    story = load_scenario("five_items")
    assert differences(story, *as_recorded(story)) == []


def test_every_difference_from_the_record_is_told() -> None:
    story = load_scenario("five_items")
    played, ending = as_recorded(story)
    played[0].actions.append({"name": "issue_purchase_order"})
    played[1].raised.append(_approval(Asked(kind="schedule_conflict", item="windows", recommends="Wait")))
    ending.lines[0]["status"] = "on_site"
    ending.orders.append(_order("PO-office-renovation-0007", Order(item="windows", quantity=36)))  # type: ignore[arg-type]
    ending.flags.append({"item_id": "windows", "status": "open"})
    ending.events[0]["status"] = "dead"
    ending.events.pop()
    ending.pending.append({"approval_id": "office-renovation-9-0"})

    found = "\n".join(differences(story, played, ending))
    for told in (
        "step 1: did",
        "step 2: asked",
        "electrical-panels: on_site",
        "PO-office-renovation-0007",
        "flag windows",
    ):
        assert told in found
    for told in ("event 0 is dead", "35 entries, expected 36", "office-renovation-9-0 is still open"):
        assert told in found


def test_the_screen_turns_plain_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    from cli.demo_show import Screen

    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    screen = Screen(load_scenario("five_items"))
    with screen.busy("Starting ..."):
        screen.say("Ready.", "bold")
    screen.questions([])
    assert output.getvalue().splitlines()[:2] == ["Starting ...", "Ready."]
    assert not screen.console.is_terminal
