"""The demo: it plays the recorded story against the real service, notices what differs, and leaves nothing behind."""

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from cli import demo_service
from cli.demo_check import differences
from cli.demo_pace import Pace, is_watched
from cli.demo_play import Ending, Played
from cli.demo_service import _free_port, running_service, serve_command, serve_environment
from cli.demo_show import Screen
from domain.errors import UnavailableError
from evals.expected import Asked
from evals.library import load_scenario
from evals.scenario import Order, Scenario

DEMO = [sys.executable, "-c", "from cli.main import app; app()", "demo"]
PATIENCE_S = 120


@contextmanager
def demo(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The demo as people start it, with its temporary files in `folder` and settings around it that it must ignore."""
    environment = {**os.environ, **HOSTILE, "LONGLEAD_DATA_DIR": str(folder / "not-used"), "TMPDIR": str(folder)}
    process = subprocess.Popen(DEMO, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
        assert process.stdout is not None
        process.stdout.close()


HOSTILE = {
    "LONGLEAD_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere",
    "LONGLEAD_API_KEYS": '[{"key": "a-key-that-is-not-sent", "id": "x", "name": "X", "roles": ["admin"]}]',
    "LONGLEAD_MODELS": "a-model",
    "LONGLEAD_CHANNELS": "@/a/file/that/is/not/there",
    "OPENAI_BASE_URL": "http://127.0.0.1:1",
    "LANGFUSE_PUBLIC_KEY": "pk-of-somebody",
    "LANGFUSE_SECRET_KEY": "sk-of-somebody",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
    "PGHOST": "127.0.0.1",
    "PGPORT": "1",
    "PGSSLMODE": "verify-full",
    "PGSERVICE": "not-there",
    "PGOPTIONS": "-c nonsense=1",
    "http_proxy": "http://127.0.0.1:1",
}
"""Settings of a shell that the demo must ignore."""


def nothing_is_left(folder: Path) -> bool:
    running = subprocess.run(["ps", "-Aww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    return list(folder.iterdir()) == [] and str(folder) not in running


@pytest.mark.slow
def test_two_demos_at_once_play_as_recorded_and_leave_nothing_behind(open_tmp_path: Path) -> None:
    with demo(open_tmp_path) as first, demo(open_tmp_path) as second:
        outputs = [process.communicate(timeout=PATIENCE_S)[0] for process in (first, second)]
    for process, output in zip((first, second), outputs, strict=True):
        assert process.returncode == 0, output
        assert "As recorded: 36 steps, 30 actions, 5 questions, 6 orders, 5 lines released." in output
        assert "thinks  submittal approved; po_limit: 60000 USD covers it" in output
        assert "thinks  nothing to do: its arrival on 2026-03-05 is already on file" in output
        assert "compares: there on 2026-04-03, required by 2026-04-01: 2 days late: conflict" in output
        assert "answered edit (repair item and schedule inspection)" in output
        assert "\x1b[" not in output
        assert "http://127.0.0.1:8000/docs" in output
        assert lines_of_the_readme() <= comparable(output)
    assert nothing_is_left(open_tmp_path)


def lines_of_the_readme() -> set[str]:
    """What the README shows of the demo."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("$ make demo\n")[2].partition("```")[0]
    assert len(shown.splitlines()) > 40
    return comparable(shown) - {"[...]"}


def comparable(text: str) -> set[str]:
    """Lines without what differs from run to run: seconds and the port."""
    return {re.sub(r"\d+\.\d s|127\.0\.0\.1:\d+", "...", line).rstrip() for line in text.splitlines()}


@pytest.mark.slow
def test_on_a_terminal_keys_make_it_faster_and_the_service_runs_until_one_is_pressed(open_tmp_path: Path) -> None:
    environment = {**os.environ, **HOSTILE, "TMPDIR": str(open_tmp_path), "TERM": "xterm", "COLUMNS": "80"}
    with terminal(DEMO, environment) as screen:
        screen.wait_for("Keys: F goes on")
        screen.wait_for("Steel Beams: submittal approved")
        screen.press("f")
        screen.wait_for("Press any key")
        found = re.search(r"still running at (http://127\.0\.0\.1:\d+)", screen.text)
        assert found
        with httpx.Client(base_url=found[1], trust_env=False) as client:
            assert client.get("/docs").status_code == 200
            assert client.get("/buildings/office-renovation/items").json()["data"]
        screen.press("x")
        assert screen.wait_for_the_end() == 0, screen.text
    assert "\x1b[35m" in screen.text
    assert "Your first building" in screen.text
    assert nothing_is_left(open_tmp_path)


@dataclass
class Terminal:
    """A process at a terminal of its own."""

    pid: int
    descriptor: int
    text: str = ""

    def wait_for(self, seen: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while seen not in self.text:
            assert time.monotonic() < deadline, self.text
            assert self._read(), self.text

    def press(self, key: str) -> None:
        os.write(self.descriptor, key.encode())

    def wait_for_the_end(self) -> int:
        while self._read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self) -> bool:
        ready, _, _ = select.select([self.descriptor], [], [], PATIENCE_S)
        assert ready, self.text
        try:
            read = os.read(self.descriptor, 65_536)
        except OSError:  # Linux says so that the other end is closed
            return False
        self.text += read.decode("utf-8", "replace")
        return bool(read)


@contextmanager
def terminal(command: list[str], environment: dict[str, str]) -> Iterator[Terminal]:
    """The command at a terminal; ended by a hang-up, as by a closed window, if it still runs."""
    pid, descriptor = pty.fork()
    if pid == 0:
        os.execvpe(command[0], command, environment)
    try:
        yield Terminal(pid, descriptor)
    finally:
        os.close(descriptor)


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


def test_the_service_gets_none_of_the_settings_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    given = serve_environment()
    assert set(HOSTILE) & set(given) == {"http_proxy"}
    assert serve_command(1234, Path("/data"))[-5:] == ["serve", "--port", "1234", "--data", "/data"]


STAND_IN = """
import http.server, sys
port = int(sys.argv[sys.argv.index("--port") + 1])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
server = http.server.HTTPServer(("127.0.0.1", port), Handler)
print(f"running on http://127.0.0.1:{port} ", flush=True)
server.serve_forever()
"""
"""Starts in no time, and answers that it is ready."""


@pytest.fixture
def stand_in(open_tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A quick service in place of the real one, and the folder for its files."""
    monkeypatch.setattr("tempfile.tempdir", str(open_tmp_path))
    monkeypatch.setattr(
        "cli.demo_service.serve_command",
        lambda port, data: [sys.executable, "-c", STAND_IN, "--port", str(port), "--data", str(data)],
    )
    return open_tmp_path


def test_a_port_that_another_service_took_meanwhile_is_left_to_it(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_service() as of_another:
        free = _free_port()
        ports = iter([int(of_another.rpartition(":")[2]), free])
        monkeypatch.setattr("cli.demo_service._free_port", lambda: next(ports))
        with running_service() as url:
            assert url == f"http://127.0.0.1:{free}"
    assert nothing_is_left(stand_in)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("moment", ["_free_port", "_is_ready", "used", "_stop", "_remove"])
def test_an_end_at_any_moment_leaves_nothing_behind(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch, moment: str, number: signal.Signals
) -> None:
    def end_before(name: str) -> None:
        called = getattr(demo_service, name)

        def ended(*given: Any) -> Any:
            os.kill(os.getpid(), number)
            return called(*given)

        monkeypatch.setattr(demo_service, name, ended)

    if moment != "used":
        end_before(moment)
    with suppress(KeyboardInterrupt), running_service() as url:
        assert httpx.get(url, trust_env=False).status_code == 200
        os.kill(os.getpid(), number)
        pytest.fail("the signal was not heard")
    assert nothing_is_left(stand_in)


@pytest.mark.parametrize("width", [30, 40, 80, 120])
def test_the_screen_keeps_to_the_width_of_a_terminal(width: int) -> None:
    story, output = load_scenario("five_items"), io.StringIO()
    screen = Screen(story)
    screen.console = Console(file=output, width=width, force_terminal=True, highlight=False, color_system=None)
    played = Played(
        1,
        story.steps[0],
        "steel-beams",
        line={"schedule_band": None, "eta": None, "promised_date": None, "status": "ordered"},
        decisions=[{"why": "submittal approved; po_limit covers it", "responder": {"type": "automated_rule"}}],
    )
    list(screen.steps(iter([played])))
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.getvalue()).replace("\r", "\n").splitlines()
    assert any("thinks" in line for line in lines)
    assert all(len(line) <= max(width, 12 + 20) for line in lines)
    assert "submittal" in output.getvalue()


def test_without_a_terminal_nothing_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert not is_watched()
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("it stood still"))
    with Pace(slow=False).listen():
        Pace(slow=False).pause(100)


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
    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    screen = Screen(load_scenario("five_items"))
    with screen.busy("Starting ..."):
        screen.say("Ready.", "bold")
    screen.questions([])
    assert output.getvalue().splitlines()[:2] == ["Starting ...", "Ready."]
    assert not screen.console.is_terminal
