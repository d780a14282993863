"""Where spans are sent: any number of OTLP endpoints, Langfuse among them, each with a queue and a thread of its own.

Nothing waits for a server. What does not fit into a queue is dropped, and secrets are taken out in the thread that
sends, in front of every endpoint alike.
"""

import importlib
import logging
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status
from opentelemetry.util.types import AttributeValue

from runtime.redaction import Redaction
from runtime.settings import Settings
from storage.seldom import Seldom

LANGFUSE_TIMEOUT_S = 5
QUIET_S = 300.0
"""Seconds between two log lines about one server."""
MAX_QUEUE = 2_048
"""Spans that wait for one server; each holds at most two texts of MAX_TEXT characters."""
MAX_BATCH = 128
"""Spans of one request: servers limit its size."""
MAX_REASON = 500

GRPC_MODULE = "opentelemetry.exporter.otlp.proto.grpc.trace_exporter"
GRPC_PACKAGE = "opentelemetry-exporter-otlp-proto-grpc"

_log = logging.getLogger(__name__)


class _Overheard(logging.Filter):
    """Keeps what the exporting libraries say about a batch from the log, and remembers it for the thread that sends:
    a dead server is worth one line that names the server, not several a second that do not."""

    def __init__(self) -> None:
        super().__init__()
        self._of_thread = threading.local()
        self._seldom = Seldom(QUIET_S)

    def filter(self, record: logging.LogRecord) -> bool:
        said: list[str] | None = getattr(self._of_thread, "said", None)
        if said is None:  # not while a batch is sent: a queue is full
            return self._seldom.is_time()
        said.append(record.getMessage())
        return False

    def listen(self) -> None:
        """Forget what was said before, and remember what is said in this thread from now on."""
        self._of_thread.said = []

    def add(self, reason: str) -> None:
        """Remember a reason that no library says."""
        said: list[str] | None = getattr(self._of_thread, "said", None)
        if said is not None:
            said.append(reason)

    def first(self) -> str:
        """The reason that was given first: later ones say only that the time is over."""
        said: list[str] = getattr(self._of_thread, "said", [])
        return said[0] if said else "none is given"


_OVERHEARD = _Overheard()
_CHATTY = (
    "opentelemetry.sdk._shared_internal",
    "opentelemetry.exporter.otlp.common.http",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.exporter.otlp.proto.grpc.exporter",
)


class Complaints:
    """Log lines about one server: one in five minutes, however often it fails."""

    def __init__(self, server: str, hide: Callable[[str], str]) -> None:
        self._server, self._hide = server, hide
        self._seldom = Seldom(QUIET_S)

    def say(self, reason: str) -> None:
        if self._seldom.is_time():
            _log.warning(
                "Traces do not reach %s and are dropped; nothing else is affected. The next line about it comes in "
                "%d minutes at the earliest. Reason: %s",
                self._server,
                QUIET_S // 60,
                self._hide(reason[:MAX_REASON]),
            )


class MaskedExporter(SpanExporter):
    """The only way out for spans: secrets are taken out of all that a span says before the endpoint gets it."""

    def __init__(self, exporter: SpanExporter, hide: Callable[[str], str], complaints: Complaints) -> None:
        self._exporter, self._hide, self._complaints = exporter, hide, complaints

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send the spans. It never raises: a failure is a line in the log, once in five minutes."""
        _OVERHEARD.listen()
        try:
            result = self._exporter.export([mask_span(span, self._hide) for span in spans])
        except Exception as error:  # noqa: BLE001 - whatever a library raises, a trace is not worth more than a line
            self._complaints.say(f"{type(error).__name__}: {error}")
            return SpanExportResult.FAILURE
        if result is not SpanExportResult.SUCCESS:
            self._complaints.say(_OVERHEARD.first())
        return result

    def shutdown(self) -> None:
        _OVERHEARD.listen()
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def mask_span(span: ReadableSpan, hide: Callable[[str], str]) -> ReadableSpan:
    """A copy of the span without secrets in name, attributes, events and status."""
    description = span.status.description
    return ReadableSpan(
        name=hide(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=mask_values(span.attributes or {}, hide),
        events=[Event(hide(one.name), mask_values(one.attributes or {}, hide), one.timestamp) for one in span.events],
        links=span.links,
        kind=span.kind,
        status=span.status if description is None else Status(span.status.status_code, hide(description)),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def mask_values(values: Mapping[str, AttributeValue], hide: Callable[[str], str]) -> dict[str, AttributeValue]:
    """Attributes without secrets."""
    return {key: _mask_value(value, hide) for key, value in values.items()}


def _mask_value(value: AttributeValue, hide: Callable[[str], str]) -> AttributeValue:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, tuple | list):
        return tuple(hide(part) if isinstance(part, str) else part for part in value)
    return value


@dataclass(frozen=True)
class Endpoint:
    """A server that takes OTLP."""

    name: str
    """As the log names it."""
    url: str
    """The whole address that spans are posted to."""
    headers: dict[str, str] = field(default_factory=dict)
    protocol: str = "http/protobuf"
    interval_s: float | None = None
    """Seconds between two requests; None: as OTEL_BSP_SCHEDULE_DELAY says, else 5."""
    is_langfuse: bool = False


def endpoints_of(settings: Settings) -> list[Endpoint]:
    """Where the settings want spans sent."""
    return [*_langfuse(settings), *_otlp(settings)]


def _langfuse(settings: Settings) -> list[Endpoint]:
    if not settings.has_langfuse:
        return []
    base = settings.langfuse_base_url.rstrip("/")
    pair = f"{settings.langfuse_public_key}:{settings.langfuse_secret_key.get_secret_value()}"
    headers = {
        "Authorization": f"Basic {b64encode(pair.encode()).decode()}",
        "x-langfuse-public-key": settings.langfuse_public_key,
        "x-langfuse-ingestion-version": "4",
    }
    url = f"{base}/api/public/otel/v1/traces"
    interval = settings.langfuse_flush_interval
    return [Endpoint(f"Langfuse at {base}", url, headers, interval_s=interval, is_langfuse=True)]


def _otlp(settings: Settings) -> list[Endpoint]:
    if not settings.has_otlp:
        return []
    url, protocol = settings.otlp_url, settings.otlp_protocol
    return [Endpoint(f"the OTLP endpoint {_without_secrets(url)}", url, settings.otlp_headers, protocol)]


def _without_secrets(url: str) -> str:
    """The address without what may be secret in it: user, password and query."""
    place = url.partition("?")[0]
    scheme, sign, rest = place.partition("://")
    return f"{scheme}{sign}{rest.rpartition('@')[2]}"


def open_processor(endpoint: Endpoint, hide: Redaction) -> BatchSpanProcessor | None:
    """The queue and the thread that send spans to an endpoint; None where it cannot be made, which is logged."""
    for name in _CHATTY:
        logger = logging.getLogger(name)
        if _OVERHEARD not in logger.filters:
            logger.addFilter(_OVERHEARD)
    complaints = Complaints(endpoint.name, hide)
    try:
        exporter = _make_exporter(endpoint)
    except Exception as error:  # noqa: BLE001 - a wrong setting for traces must not keep a worker from starting
        complaints.say(str(error))
        return None
    return BatchSpanProcessor(
        MaskedExporter(exporter, hide, complaints),
        max_queue_size=MAX_QUEUE,
        max_export_batch_size=MAX_BATCH,
        schedule_delay_millis=None if endpoint.interval_s is None else endpoint.interval_s * 1_000,
    )


def _make_exporter(endpoint: Endpoint) -> SpanExporter:
    if endpoint.protocol == "grpc":
        return _make_grpc_exporter(endpoint)
    if endpoint.protocol != "http/protobuf":
        raise ValueError(f"the protocol {endpoint.protocol} is not known; use http/protobuf")
    session = _OwnSession(endpoint.headers)
    if endpoint.is_langfuse:
        return OTLPSpanExporter(
            endpoint.url,
            headers=endpoint.headers,
            timeout=LANGFUSE_TIMEOUT_S,
            compression=Compression.Gzip,
            session=session,
        )
    return OTLPSpanExporter(endpoint.url, headers=endpoint.headers, session=session)


def _make_grpc_exporter(endpoint: Endpoint) -> SpanExporter:
    if find_spec("opentelemetry.exporter.otlp.proto") is None or not _has_module(GRPC_MODULE):
        raise ValueError(
            f"OTLP over grpc needs the package {GRPC_PACKAGE}. Install it, or set OTEL_EXPORTER_OTLP_PROTOCOL to "
            "http/protobuf and the port to the one for HTTP (often 4318)"
        )
    made: SpanExporter = importlib.import_module(GRPC_MODULE).OTLPSpanExporter(
        endpoint=endpoint.url, headers=tuple((name.lower(), value) for name, value in endpoint.headers.items())
    )
    return made


def _has_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


class _OwnSession(requests.Session):
    """Sends a server the headers that are meant for it, and remembers why it cannot be reached. The exporter adds
    those of OTEL_EXPORTER_OTLP_HEADERS to every request, also to Langfuse, and tells no reason after its last try."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__()
        self._allowed = {name.lower() for name in headers} | {"content-type", "content-encoding", "user-agent"}

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        request.headers = {name: value for name, value in request.headers.items() if name.lower() in self._allowed}
        return super().prepare_request(request)

    def send(self, request: requests.PreparedRequest, **given: Any) -> requests.Response:
        try:
            return super().send(request, **given)
        except requests.RequestException as error:
            _OVERHEARD.add(str(error))
            raise
