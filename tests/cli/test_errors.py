"""Whatever goes wrong is said in one sentence on standard error, with exit code 1 and no traceback."""

import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import Result

from tests.api.office import APPROVED, SPEC
from tests.api.served import Served
from tests.cli.conftest import Run
from tests.cli.walk import list_calls


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


def test_every_command_that_asks_says_where_nothing_answers(run: Run) -> None:
    calls = list(list_calls())
    assert len(calls) > 35
    for arguments in calls:
        assert_said(run(*arguments, "--url", "http://127.0.0.1:9"), "Nothing answers", "`longlead serve`")


def test_commands_that_ask_say_that_they_need_a_key(run: Run, served_with_keys: str) -> None:
    for arguments in list(list_calls())[::5]:
        assert_said(run(*arguments, "--url", served_with_keys), "LONGLEAD_API_KEY")


@pytest.mark.parametrize(
    "url",
    ["nonsense", "ftp://127.0.0.1", "http://", "http://127.0.0.1:99999", "http://[::1", "http://no such host", "//x:1"]
    + ["http://127.0.0.1:8000/?a=1", "127.0.0.1:8000", "http://" + "a" * 70 + ".example", ""],
)
def test_what_is_no_address_is_said_with_one_that_is(run: Run, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert_said(run("approvals", "list", "--url", url), "http://127.0.0.1:8000", "--url")
    monkeypatch.setenv("LONGLEAD_URL", url)
    assert_said(run("events", "send", "b", "{}"), "LONGLEAD_URL")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull",
        b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"a": []}',
        b'HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n{"a": []}',
        b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n",
        b"220 mail.example ESMTP\r\n",
        b"",
    ],
)
def test_another_service_at_the_address_is_said(run: Run, answer: bytes) -> None:
    with _answering(answer) as url:
        assert_said(run("approvals", "list", "--url", url), "--url or LONGLEAD_URL")


def test_a_service_without_tls_is_said_where_https_is_asked_for(run: Run, served: Served) -> None:
    assert_said(run("building", "list", "--url", served.url.replace("http", "https")), "SSL", "--url")


@pytest.mark.parametrize("key", ["a key\nof two lines", "schlüssel", "\x00"])
def test_a_key_that_no_header_can_hold_is_said(run: Run, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    from cli.client import Client
    from cli.sentences import CommandError

    monkeypatch.setattr("runtime.settings.load_settings", lambda **_: _Settings(key))
    with pytest.raises(CommandError, match="LONGLEAD_API_KEY"):
        Client("http://127.0.0.1:9")


def test_a_database_that_cannot_be_named_is_none_of_a_client_s_business(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", "nonsense of all kinds")
    assert_said(run("approvals", "list", "--url", "http://127.0.0.1:9"), "Nothing answers")
    assert_said(run("status"), "LONGLEAD_DATABASE_URL")


WRONG: dict[str, Callable[[Path], str]] = {
    "missing": lambda folder: str(folder / "nowhere.json"),
    "directory": str,
    "empty": lambda folder: _write(folder, b""),
    "blank": lambda folder: _write(folder, b" \n\n"),
    "not UTF-8": lambda folder: _write(folder, '{"a": "é"}'.encode("utf-16")),
    "not JSON": lambda folder: _write(folder, b"{'a': 1}"),
    "cut off": lambda folder: _write(folder, b'[{"a": 1}, {"b":'),
    "no number": lambda folder: _write(folder, b'{"a": NaN}'),
    "too large": lambda folder: _write(folder, b'{"a": 1e999}'),
    "too deep": lambda folder: _write(folder, b"[" * 100_000),
    "no input": lambda _: "-",
    "no name": lambda _: "a\x00b",
    "long name": lambda _: "a" * 5000,
}
READING = (
    ["building", "create"],
    ["events", "send", "b"],
    ["approvals", "decide", "a", "edit", "--actions"],
    ["rules", "overrule", "r", "--actions"],
    ["building", "change", "b", "--approvers"],
    ["building", "change", "b", "--contacts"],
)


@pytest.mark.parametrize("wrong", WRONG)
def test_every_command_that_reads_json_says_what_it_cannot_read(run: Run, tmp_path: Path, wrong: str) -> None:
    for arguments in READING:
        given = WRONG[wrong](tmp_path)
        refused = run(*arguments, given, "--url", "http://127.0.0.1:9")
        assert_said(refused)
        assert "Nothing answers" not in refused.stderr, (arguments, refused.stderr)


@pytest.mark.parametrize("wrong", ["missing", "directory", "empty", "not UTF-8", "not JSON", "cut off"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["keys", "list", "--file"],
        ["keys", "check", "--file"],
        ["keys", "rotate", "pm", "--file"],
        ["backtest", "--rules"],
        ["backtest", "--policy"],
        ["evals", "--baseline"],
    ],
)
def test_every_command_that_reads_a_file_says_what_it_cannot_read(
    run: Run, tmp_path: Path, arguments: list[str], wrong: str
) -> None:
    assert_said(run(*arguments, WRONG[wrong](tmp_path)))


def test_a_file_with_a_byte_order_mark_is_read(longlead: Run, tmp_path: Path) -> None:
    file = tmp_path / "building.json"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(SPEC).encode())
    assert longlead("building", "create", str(file)).exit_code == 0


def test_letters_that_no_text_can_hold_are_refused_by_the_service_and_not_by_a_traceback(longlead: Run) -> None:
    assert_said(longlead("building", "create", '{"building_id": "b", "name": "\\ud800"}'))


def _write(folder: Path, content: bytes) -> str:
    file = folder / "given.json"
    file.write_bytes(content)
    return str(file)


class _Settings:
    """Settings with a key that cannot be in the environment of a test."""

    url = "http://127.0.0.1:9"

    def __init__(self, key: str) -> None:
        self.api_key = key


@contextmanager
def _answering(answer: bytes) -> Iterator[str]:
    """The address of something that answers every connection with these bytes."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(answer)

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
