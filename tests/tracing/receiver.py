"""A small server of traces for tests, Langfuse or any other: takes spans as OTLP in protobuf and scores as JSON, and
can be made to hang or to refuse."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class Span:
    """A span as it came in."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    events: list[str]
    status: str

    @property
    def text(self) -> str:
        """Everything that it says."""
        return json.dumps([self.name, self.attributes, self.events, self.status], default=str)


@dataclass
class Receiver:
    """What was received. While `held`, nothing is answered."""

    spans: list[Span] = field(default_factory=list)
    scores: list[dict[str, Any]] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    resources: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    """Of every request, with names in small letters."""
    raw: bytes = b""
    port: int = 0
    asked: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, path: str, body: bytes, headers: dict[str, str]) -> None:
        self.asked.set()
        self.paths.add(path)
        self.headers.append(headers)
        self.raw += body
        if path.endswith("/v1/traces"):
            request = ExportTraceServiceRequest.FromString(body)
            for resource in request.resource_spans:
                self.resources.append({one.key: _value(one.value) for one in resource.resource.attributes})
                self.spans += [_span(span) for scope in resource.scope_spans for span in scope.spans]
        elif path.endswith("/scores"):
            self.scores += json.loads(body) if body.startswith(b"[") else [json.loads(body)]

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]


def _span(span: Any) -> Span:
    return Span(
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        attributes={one.key: _value(one.value) for one in span.attributes},
        events=[str(event) for event in span.events],
        status=span.status.message,
    )


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return [_value(one) for one in value.array_value.values] if kind == "array_value" else getattr(value, kind)


@contextmanager
def receiving(*, hangs: bool = False, status: int = 200) -> Iterator[Receiver]:
    """A receiver on a port of its own, which answers with this status; or, if it hangs, not before it is released."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            packed = headers.get("content-encoding") == "gzip"
            receiver.take(self.path, gzip.decompress(body) if packed else body, headers)
            if hangs:
                receiver.released.wait(60)
            answer = b"[]" if self.path.endswith("/scores") else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("Content-Type", "application/json")
            with suppress(BrokenPipeError, ConnectionResetError):  # a client that would not wait any longer
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
