"""What a run says of itself: on the terminal, as JSON, JUnit XML, one page of HTML, and in Langfuse."""

import asyncio
import gzip
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from typer.testing import CliRunner

from cli.main import app
from evals.library import load_file
from evals.problems import Kind
from evals.reports.html import page_of
from evals.reports.junit import write_junit
from evals.reports.langfuse_experiment import LangfuseError, send
from evals.results import BaselineError, Run, changes, read_json, write_json
from evals.run import run
from evals.scenario import Scenario
from runtime.settings import load_settings
from storage.embedded import EmbeddedServer

HOSTILE = "<script>alert(1)</script>"
WRONG = f"""\
title: "A line called {HOSTILE}"
why: A report is read in a browser.
building:
  schedule: {{deliveries: [{{item: "{HOSTILE}", required_by: 2026-03-16}}]}}
steps:
  - at: 2026-02-02
    event: {{event_type: Submittal_Approved, item: "{HOSTILE}", document_name: "\\u0007 {HOSTILE}"}}
    becomes: [approved]
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("scenarios") / "hostile.yaml"
    file.write_text(WRONG)
    return file


@pytest.fixture(scope="module")
def played(server: EmbeddedServer, hostile: Path) -> tuple[Run, list[Scenario]]:
    """A run in which one scenario fails."""
    scenarios = [load_file(hostile)]
    return asyncio.run(run(server.conninfo, scenarios, lambda _: None)), scenarios


def test_errors_are_counted_by_kind(played: tuple[Run, list[Scenario]]) -> None:
    scores = played[0].scores()
    assert (scores[Kind.WRONG_ACTION], scores[Kind.WRONG_STATE], played[0].dangerous) == (2, 1, 2)


def test_the_page_loads_nothing_and_escapes_everything(played: tuple[Run, list[Scenario]]) -> None:
    page = page_of(played[0], ["broken: hostile"])
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "\x07" not in page
    assert re.findall(r"<(?:script|link|img|iframe)\b|(?:src|href)=|url\(", page) == []
    assert 'name="viewport"' in page
    assert "default-src 'none'" in page
    for said in ("1 of 1 scenarios failed", "wrong action taken", "What was expected", "po_limit", "broken: hostile"):
        assert said in page


def test_junit_has_a_case_for_each_scenario(played: tuple[Run, list[Scenario]], tmp_path: Path) -> None:
    write_junit(played[0], tmp_path / "junit.xml")
    (suite,) = JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    assert (suite.tests, suite.failures) == (1, 3)
    (case,) = suite
    assert case.name == "hostile"
    assert any("issue_purchase_order" in (failure.message or "") for failure in case.result)


def test_a_baseline_tells_what_changed(played: tuple[Run, list[Scenario]], tmp_path: Path) -> None:
    now = played[0]
    write_json(now, tmp_path / "results.json")
    before = read_json(tmp_path / "results.json")
    assert changes(before, now) == []
    mended = now.model_copy(update={"results": [now.results[0].model_copy(update={"problems": []})]})
    assert changes(now, mended) == ["mended: hostile"]
    assert all(line.startswith("broken: hostile: step 1: ") for line in changes(mended, now))
    other = now.model_copy(update={"results": [now.results[0].model_copy(update={"name": "other"})]})
    assert changes(now, other) == ["new: other (fails)", "not played: hostile"]
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(BaselineError, match="not the JSON of an earlier run"):
        read_json(tmp_path / "other.json")


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["evals", *arguments])


def test_the_command_fails_with_a_scenario_and_writes_its_reports(
    server: EmbeddedServer, hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", server.conninfo)
    failed = invoke(str(hostile), "--report", str(tmp_path))
    assert failed.exit_code == 1, failed.output
    assert "wrong action taken (dangerous)" in failed.output
    assert "0 of 1 scenarios passed" in failed.output
    assert {file.name for file in tmp_path.iterdir()} == {"results.json", "junit.xml", "report.html"}
    passed = invoke("order_at_the_limit", "--repeat", "2", "--baseline", str(tmp_path / "results.json"))
    assert passed.exit_code == 0, passed.output
    assert "2 of 2 scenarios passed" in passed.output
    assert "not played: hostile" in passed.output


def test_scenarios_are_listed_and_a_wrong_file_is_one_sentence(hostile: Path, tmp_path: Path) -> None:
    assert "order-at-the-limit" in invoke("limit", "--list").output
    broken = tmp_path / "broken.yaml"
    broken.write_text(WRONG.replace("becomes", "become"))
    found = invoke(str(broken))
    assert found.exit_code == 1
    assert "broken.yaml:8: steps.0.become: there is no such field" in found.output


class Langfuse:
    """What a small Langfuse was sent."""

    def __init__(self) -> None:
        self.items: dict[str, Any] = {}
        self.spans: list[str] = []
        self.scores: list[Any] = []

    def answer(self, path: str, body: bytes) -> Any:
        day = "2026-01-01T00:00:00Z"
        if path == "/api/public/v2/datasets":
            given = json.loads(body)
            return {"id": "d1", "projectId": "p1", "metadata": None, "createdAt": day, "updatedAt": day, **given}
        if path == "/api/public/dataset-items":
            given = json.loads(body)
            self.items[given["id"]] = given
            made = {"status": "ACTIVE", "datasetId": "d1", "createdAt": day, "updatedAt": day, "mediaReferences": []}
            return {**given, **made}
        if path == "/api/public/projects":
            return {"data": [{"id": "p1", "name": "P", "organization": {"id": "o", "name": "O"}, "metadata": {}}]}
        if path.endswith("/otel/v1/traces"):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.spans += [span.name for scope in resource.scope_spans for span in scope.spans]
        elif "ingestion" in path or "scores" in path:
            self.scores.append(json.loads(body))
        return {"successes": [], "errors": []}


@contextmanager
def langfuse() -> Iterator[tuple[Langfuse, str]]:
    """A small Langfuse on a port of its own."""
    received = Langfuse()

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            answer = json.dumps(received.answer(self.path.partition("?")[0], body)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = _handle  # noqa: N815

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield received, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def keys(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", "pk-test")
    monkeypatch.setenv("LANGFUSE_SECRET_KEY", "sk-test")
    monkeypatch.setenv("LANGFUSE_BASE_URL", url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")


def test_with_keys_the_run_is_an_experiment_in_langfuse(
    played: tuple[Run, list[Scenario]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with langfuse() as (received, url):
        keys(monkeypatch, url)
        where = send(load_settings(), *played)
    assert where is not None
    assert where.startswith(url)
    assert list(received.items) == ["longlead-hostile"]
    assert received.items["longlead-hostile"]["datasetName"] == "longlead-scenarios"
    assert {"experiment-item-run", "experiment-item-task"} <= set(received.spans)
    told = json.dumps(received.scores)
    for name in ("passed", "wrong action taken", "missed escalation", "duplicate effect", "other errors"):
        assert name in told


def test_without_keys_nothing_is_sent(played: tuple[Run, list[Scenario]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANGFUSE_PUBLIC_KEY", raising=False)
    assert send(load_settings(), *played) is None


def test_a_langfuse_that_is_down_is_a_note(played: tuple[Run, list[Scenario]], monkeypatch: pytest.MonkeyPatch) -> None:
    keys(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(LangfuseError, match="did not take the experiment"):
        send(load_settings(), *played)
