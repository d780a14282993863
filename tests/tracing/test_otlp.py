"""Traces at any OTLP server, beside Langfuse or instead of it: the same spans, masked alike; nothing waits for it."""

import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from domain.events import Entry
from runtime.otlp import Complaints, MaskedExporter
from runtime.redaction import Redaction
from runtime.settings import Settings
from runtime.tracing import open_tracer
from tests.agent.desk import FixedClock, open_desk
from tests.memory.conftest import SMALL
from tests.memory.correspondence import Shorthand, note
from tests.tracing.receiver import Receiver, receiving
from tests.tracing.test_langfuse import API_KEY, PASSWORD, SECRET, story, until
from tools.tracing import NO_TRACER, Tracer

TOKEN = "glc_token-of-the-other-server"
HEADERS = f"Authorization=Bearer%20{TOKEN},X-Scope-OrgID=site"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.5")


def settings_for(monkeypatch: pytest.MonkeyPatch, *, otlp: str = "", langfuse: str = "", headers: str = "") -> Settings:
    """The settings of a process in whose environment these servers are named."""
    given = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
        "OTEL_EXPORTER_OTLP_HEADERS": headers,
        "LANGFUSE_BASE_URL": langfuse,
        "LANGFUSE_PUBLIC_KEY": f"pk-{uuid4()}" if langfuse else "",
        "LANGFUSE_SECRET_KEY": SECRET if langfuse else "",
        "LANGFUSE_FLUSH_INTERVAL": "0.05",
        "LONGLEAD_API_KEYS": json.dumps([{"key": API_KEY, "id": "erp", "name": "ERP", "roles": ["events"]}]),
    }
    for name, value in given.items():
        if value:
            monkeypatch.setenv(name, value)
        else:
            monkeypatch.delenv(name, raising=False)
    return Settings()


def an_entry(seq: int = 1, **body: Any) -> Entry:
    now = datetime(2026, 2, 1, tzinfo=UTC)
    return Entry(
        building_id="office",
        seq=seq,
        event_id=f"e{seq}",
        event_type="Human_Input",
        source="test",
        body={"event_type": "Human_Input", "text": "x", **body},
        received_at=now,
        started_at=now,
        generation=0,
    )


def run_an_entry(tracer: Tracer, entry: Entry) -> None:
    with tracer.run(entry) as tell:
        with tracer.step("decide") as told:
            told({"note": "nothing"})
        tell({"outcome": {}})


@pytest.fixture
async def both(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Receiver, Receiver]]:
    """Langfuse and another server, after the same story, with secrets wherever texts come from."""
    with receiving() as langfuse, receiving() as other:
        settings = settings_for(monkeypatch, otlp=other.url, langfuse=langfuse.url, headers=HEADERS)
        async with open_tracer(settings) as tracer, open_desk(database, FixedClock(), tracer=tracer) as desk:
            await story(desk, defect=f"see postgresql://me:{PASSWORD}@host/db, {API_KEY}, {TOKEN} and {SECRET}")
            for receiver in (langfuse, other):
                await until(lambda receiver=receiver: receiver.named("Decision"))
        yield langfuse, other


async def test_langfuse_and_another_server_get_the_same_spans_and_neither_gets_a_secret(
    both: tuple[Receiver, Receiver],
) -> None:
    langfuse, other = ({span.span_id: span for span in receiver.spans} for receiver in both)
    assert langfuse == other
    assert len(langfuse) > 15
    for receiver in both:
        everything = receiver.raw.decode("utf-8", "replace") + "".join(span.text for span in receiver.spans)
        assert "[redacted]" in receiver.named("Inspection_Failed")[0].text
        for secret in (SECRET, PASSWORD, API_KEY, TOKEN):
            assert secret not in everything


async def test_the_credentials_of_one_server_are_never_sent_to_the_other(both: tuple[Receiver, Receiver]) -> None:
    langfuse, other = both
    assert other.headers
    assert {headers["authorization"] for headers in other.headers} == {f"Bearer {TOKEN}"}
    assert {headers["x-scope-orgid"] for headers in other.headers} == {"site"}
    assert {headers["authorization"].split()[0] for headers in langfuse.headers} == {"Basic"}
    assert not any("x-scope-orgid" in headers for headers in langfuse.headers)
    assert not any("langfuse" in name for headers in other.headers for name in headers)
    assert other.paths == {"/v1/traces"}
    assert other.scores == []


async def test_without_langfuse_another_server_gets_all_of_it(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "longlead-site-7")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", f"deployment.environment.name=test,note=api_key={PASSWORD}")
    with receiving() as other:
        settings = settings_for(monkeypatch, otlp=f"{other.url}/")
        async with open_tracer(settings) as tracer, open_desk(database, FixedClock(), tracer=tracer) as desk:
            await story(desk)
    assert other.paths == {"/v1/traces"}
    failed, decision, approved = (
        other.named(name)[0] for name in ("Inspection_Failed", "Decision", "Submittal_Approved")
    )
    assert failed.trace_id == decision.trace_id != approved.trace_id
    assert {failed.parent_id, decision.parent_id, approved.parent_id} == {""}
    assert {span.attributes["session.id"] for span in other.spans} == {"office"}
    assert {span.attributes["gen_ai.conversation.id"] for span in other.spans} == {"office"}
    assert failed.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert "decide" in {span.name for span in other.spans if span.parent_id == failed.span_id}
    (resource,) = {json.dumps(found) for found in other.resources}
    assert json.loads(resource)["service.name"] == "longlead-site-7"
    assert json.loads(resource)["deployment.environment.name"] == "test"
    assert PASSWORD not in resource


async def test_a_call_of_a_model_has_its_model_and_tokens_under_their_standard_names(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as other:
        settings = settings_for(monkeypatch, otlp=other.url)
        async with (
            open_tracer(settings) as tracer,
            open_desk(
                database, FixedClock(), tracer=tracer, models=Shorthand(["the crane is in the yard"]), budgets=SMALL
            ) as desk,
        ):
            await desk.open(items=[{"name": "Doors"}])
            for number in range(6):
                await note(desk, f"n{number}", words=500)
    call = other.named("summariser")[0].attributes
    assert call["gen_ai.operation.name"] == "chat"
    assert call["gen_ai.request.model"] == call["gen_ai.response.model"] == call["llm.model_name"] == "shorthand"
    assert (call["gen_ai.usage.input_tokens"], call["gen_ai.usage.output_tokens"]) == (100, 10)
    assert call["openinference.span.kind"] == "LLM"
    assert call["input.value"]
    assert call["output.value"]


async def test_whatever_a_span_says_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    hide, kept = Redaction(settings_for(monkeypatch, headers=HEADERS)), InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(MaskedExporter(kept, hide, Complaints("a server", hide))))
    text = f"password={PASSWORD} {API_KEY} {TOKEN}"
    with provider.get_tracer("test").start_as_current_span(f"name {text}") as span:
        span.set_attributes({"text": text, "list": ["plain", text], "number": 7})
        span.add_event(f"event {text}", {"text": text})
        span.set_status(StatusCode.ERROR, f"status {text}")
    (sent,) = kept.get_finished_spans()
    assert sent.attributes is not None
    assert sent.attributes["number"] == 7
    for said in (
        sent.name,
        str(dict(sent.attributes)),
        sent.events[0].name,
        str(dict(sent.events[0].attributes or {})),
        str(sent.status.description),
    ):
        assert "[redacted]" in said
        assert not any(secret in said for secret in (PASSWORD, API_KEY, TOKEN))


@contextmanager
def nobody() -> Iterator[str]:
    """The address of a port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def answering(scheme: str = "http", **how: Any) -> Iterator[str]:
    with receiving(**how) as receiver:
        yield receiver.url.replace("http", scheme, 1)


@contextmanager
def address(text: str) -> Iterator[str]:
    yield text


BROKEN = {
    "is away": (nobody, "ConnectionError|refused"),
    "answers 401": (lambda: answering(status=401), "401"),
    "answers 413": (lambda: answering(status=413), "413"),
    "answers 500": (lambda: answering(status=500), "500"),
    "speaks no TLS": (lambda: answering("https"), "SSL"),
    "has no scheme": (lambda: address("collector.example:4318"), "adapters|scheme"),
    "has another scheme": (lambda: address("ftp://collector.example"), "adapters"),
    "has no host": (lambda: address("http://"), "host"),
    "is no address": (lambda: address("not an address"), "parse"),
    "is half an address": (lambda: address("http://[::1"), "parse|URL"),
}


@pytest.mark.parametrize("server", BROKEN)
async def test_a_broken_server_costs_one_line_that_names_it_and_says_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, server: str
) -> None:
    opened, reason = BROKEN[server]
    with opened() as url:
        settings = settings_for(monkeypatch, otlp=url, headers=HEADERS)
        async with open_tracer(settings) as tracer:
            for seq in range(1, 4):
                run_an_entry(tracer, an_entry(seq))
                await until(lambda: caplog.records)
    (line,) = {record.getMessage() for record in caplog.records}
    assert f"Traces do not reach the OTLP endpoint {url.rstrip('/')}" in line
    assert "in 5 minutes at the earliest" in line
    assert any(word.lower() in line.partition("Reason:")[2].lower() for word in reason.split("|")), line
    assert TOKEN not in line


async def test_a_complaint_never_shows_a_password_of_the_address_or_a_header(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with nobody() as url:
        place = url.removeprefix("http://")
        malformed = f"{HEADERS},Bearer {TOKEN}-malformed"
        settings = settings_for(monkeypatch, otlp=f"http://me:{PASSWORD}@{place}/x?token={TOKEN}", headers=malformed)
        async with open_tracer(settings) as tracer:
            run_an_entry(tracer, an_entry())
            await until(lambda: any("do not reach" in record.getMessage() for record in caplog.records))
    hide = Redaction(settings)
    for record in caplog.records:
        said = record.getMessage() if record.name == "runtime.otlp" else hide(record.getMessage())
        assert PASSWORD not in said
        assert TOKEN not in said


async def test_a_server_that_hangs_keeps_neither_runs_nor_the_other_server_nor_the_end_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with receiving(hangs=True) as hanging, receiving() as langfuse:
        settings = settings_for(monkeypatch, otlp=hanging.url, langfuse=langfuse.url)
        async with open_tracer(settings) as tracer:
            run_an_entry(tracer, an_entry(1))
            await until(hanging.asked.is_set)
            for seq in range(2, 3_000):  # more than a queue holds
                run_an_entry(tracer, an_entry(seq))
            await until(lambda: len(langfuse.named("Human_Input")) > 100)
            run_an_entry(tracer, an_entry(3_000, text="the last one"))
        assert not hanging.released.is_set()
        await until(lambda: any("the last one" in span.text for span in langfuse.named("Human_Input")))


async def test_grpc_is_only_spoken_where_its_exporter_is_installed_and_is_told_by_name(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("runtime.otlp.GRPC_MODULE", "opentelemetry.exporter.otlp.proto.grpc_not_there.trace_exporter")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    async with open_tracer(settings_for(monkeypatch, otlp="http://127.0.0.1:4317")) as tracer:
        run_an_entry(tracer, an_entry())
    (line,) = {record.getMessage() for record in caplog.records}
    assert "opentelemetry-exporter-otlp-proto-grpc" in line
    assert "http/protobuf" in line


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4318"}, "http://a:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a/otlp/"}, "http://a/otlp/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b/api/traces"}, "http://b/api/traces"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b/t"},
            "http://b/t",
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http://a:4317"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": ""},
            "http://a:4318/v1/traces",
        ),
    ],
)
def test_the_address_is_made_of_the_standard_variables(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Settings().otlp_url == url


@pytest.mark.parametrize(
    ("given", "headers"),
    [
        ("", {}),
        ("api-key=abc", {"api-key": "abc"}),
        ("Authorization=Basic%20YTpi,x-tenant = site ", {"authorization": "Basic YTpi", "x-tenant": "site"}),
        ("a=1,,b=x=y,broken,=c", {"a": "1", "b": "x=y"}),
    ],
)
def test_headers_are_read_as_the_standard_says(given: str, headers: dict[str, str]) -> None:
    assert Settings(OTEL_EXPORTER_OTLP_HEADERS=given).otlp_headers == headers  # type: ignore[call-arg]


async def test_without_any_server_nothing_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_tracer(settings_for(monkeypatch, headers=HEADERS)) as tracer:
        assert tracer is NO_TRACER
