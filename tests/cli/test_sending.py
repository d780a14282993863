"""Many events are sent in order; where one is not taken it is said which, what is stored, and how to go on."""

import json
import os
import pty
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.client import Client
from tests.api.office import APPROVED, BUILDING, SPEC
from tests.cli.conftest import Run


@pytest.fixture
def building(longlead: Run) -> str:
    assert longlead("building", "create", json.dumps(SPEC)).exit_code == 0
    return BUILDING


def good(number: int, **fields: Any) -> dict[str, Any]:
    return {**APPROVED, "event_id": f"docs-{number}", **fields}


def nameless(number: int) -> dict[str, Any]:
    return {name: value for name, value in good(number).items() if name not in ("event_id", "source")}


BAD = {**good(3), "document_url": 7}


def stored_ids(longlead: Run, building: str) -> list[str]:
    return [one["event_id"] for one in json.loads(longlead("events", "list", building, "--json").stdout)]


def test_the_position_that_failed_is_named_with_what_was_stored_and_how_to_go_on(longlead: Run, building: str) -> None:
    sent = longlead("events", "send", building, json.dumps([good(1), good(2), BAD, good(4)]))
    assert (sent.exit_code, sent.stdout, sent.stderr.count("\n")) == (1, "", 1)
    for words in ("Event 3 of 4", "Submittal_Approved", "'docs-3'", "'docs'", "document_url", "2 before it are stored"):
        assert words in sent.stderr
    assert "--from 3" in sent.stderr
    assert "send all of it again" in sent.stderr
    assert stored_ids(longlead, building) == ["docs-1", "docs-2"]


def test_of_events_on_lines_the_line_is_named_and_the_rest_is_sent_from_there(
    longlead: Run, building: str, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(["", json.dumps(good(1)), "", json.dumps(BAD), json.dumps(good(4))]))
    sent = longlead("events", "send", building, str(file))
    assert "Event 2 of 3 (line 4" in sent.stderr
    assert "1 before it is stored" in sent.stderr
    file.write_text(file.read_text().replace(json.dumps(BAD), json.dumps(good(3))))
    assert longlead("events", "send", building, str(file), "--from", "2").exit_code == 0
    assert stored_ids(longlead, building) == ["docs-1", "docs-3", "docs-4"]
    beyond = longlead("events", "send", building, str(file), "--from", "9")
    assert (beyond.exit_code, "only 3 events" in beyond.stderr) == (1, True)


def test_what_has_no_id_is_named_since_it_would_be_stored_twice(longlead: Run, building: str) -> None:
    sent = longlead("events", "send", building, json.dumps([nameless(1), good(2), nameless(3), BAD]))
    assert "events 1, 3 would be stored twice" in sent.stderr
    assert "send all of it again" not in sent.stderr
    first = longlead("events", "send", building, json.dumps([BAD, good(2)]))
    assert "None before it was stored." in first.stderr


def test_programs_read_the_same_as_json(longlead: Run, building: str) -> None:
    sent = longlead("events", "send", building, json.dumps([nameless(1), good(2), BAD]), "--json")
    told = json.loads(sent.stdout)
    assert sent.exit_code == 1
    assert [one["seq"] for one in told["stored"]] == [1, 2]
    failed = told["failed"]
    assert "document_url" in failed.pop("detail")
    assert failed == {
        "position": 3,
        "line": None,
        "event_type": "Submittal_Approved",
        "event_id": "docs-3",
        "source": "docs",
        "status": 422,
        "maybe_stored": False,
        "stored_before": 2,
        "go_on_from": 3,
        "stored_without_id": [1],
    }


@pytest.mark.parametrize("event", [None, 7, "text", [], {}, {"event_type": "No_Such"}, {"event_type": {"a": 1}}])
def test_whatever_is_among_the_events_its_place_is_named(longlead: Run, building: str, event: Any) -> None:
    sent = longlead("events", "send", building, json.dumps([good(1), event]))
    assert (sent.exit_code, sent.stderr.count("\n")) == (1, 1)
    assert "Event 2 of 2" in sent.stderr


def test_an_unreadable_line_is_named_before_anything_is_sent(longlead: Run, building: str, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(f"{json.dumps(good(1))}\n{{oops\n")
    refused = longlead("events", "send", building, str(file))
    assert "line 2" in refused.stderr
    assert "Nothing was sent." in refused.stderr
    assert stored_ids(longlead, building) == []


def test_separators_within_a_text_end_no_line(longlead: Run, building: str) -> None:
    lines = [json.dumps(good(number, document_name="a\u2028b\x85c"), ensure_ascii=False) for number in (1, 2)]
    assert longlead("events", "send", building, "-", stdin="\r\n".join(lines)).exit_code == 0
    assert stored_ids(longlead, building) == ["docs-1", "docs-2"]


def test_no_events_are_no_error_and_an_empty_file_is(longlead: Run, building: str) -> None:
    assert "There was no event to send." in longlead("events", "send", building, "[]").stdout
    assert "is empty" in longlead("events", "send", building, "-", stdin="").stderr


def test_an_answer_that_was_lost_is_told_apart_from_a_refusal(run: Run) -> None:
    for event, advice in ((good(2), "--from 2"), (nameless(2), "longlead events list b")):
        with _breaking_off_after(1) as url:
            sent = run("events", "send", "b", json.dumps([good(1), event]), "--url", url, "--json")
        failed = json.loads(sent.stdout)["failed"]
        assert (failed["position"], failed["maybe_stored"], failed["status"]) == (2, True, None)
        assert "got no answer" in sent.stderr
        assert advice in sent.stderr


def test_progress_is_shown_on_a_terminal_once_it_takes_long(longlead: Run, building: str, tmp_path: Path) -> None:
    """On a terminal of its own, with the patience set to nothing."""
    code = (
        "import sys, cli.late_progress; cli.late_progress.SHOWN_AFTER_S = float(sys.argv.pop(1)); "
        "from cli.main import app; app(sys.argv[1:])"
    )
    events = json.dumps([good(number) for number in range(5)])
    for patience, shown in (("0", True), ("1000", False)):
        ours, theirs = pty.openpty()
        command = [sys.executable, "-c", code, patience, "events", "send", building, events]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "TERM": "xterm"}
        ) as child:
            assert child.wait(60) == 0
        os.close(theirs)
        assert ("5/5" in _read_all(ours)) is shown


def _read_all(descriptor: int) -> str:
    read = b""
    try:
        while some := os.read(descriptor, 65536):
            read += some
    except OSError:  # a terminal whose other side is closed
        pass
    finally:
        os.close(descriptor)
    return read.decode("utf-8", "replace")


@contextmanager
def _breaking_off_after(answers: int) -> Iterator[str]:
    """The address of a service that stores events, and is gone while it takes the one after so many."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for number in range(answers + 1):
                length = 0
                while (line := self.rfile.readline()) not in (b"\r\n", b""):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                self.rfile.read(length)
                if number < answers:
                    body = b'{"event_id": "e", "seq": 1, "status": "queued"}'
                    self.wfile.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_ctrl_c_says_how_far_it_came_and_how_to_go_on(
    longlead: Run, building: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, sent = Client.post, []

    def interrupted(client: Client, path: str, body: Any = None, **given: Any) -> Any:
        sent.append(body)
        if len(sent) == 3:
            raise KeyboardInterrupt
        return post(client, path, body, **given)

    monkeypatch.setattr(Client, "post", interrupted)
    lines = "\n".join(json.dumps({**APPROVED, "event_id": f"line-{number}"}) for number in range(4))
    ended = longlead("events", "send", building, "-", stdin=lines)
    assert ended.exit_code == 130
    assert "Event 3 of 4" in ended.stderr
    assert "--from 3" in ended.stderr
