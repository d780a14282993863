"""A receiver of webhooks on a port of this machine: a real HTTP server that answers as it is told."""

import base64
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from runtime.settings import Webhook

SECRET = "whsec_" + base64.b64encode(b"a signing key of 24 bytes").decode()


@dataclass
class Received:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        return self.headers["idempotency-key"]


@dataclass
class Receiver:
    """What came in, and how it is answered: `answer` gets the request, and returns a status (and headers)."""

    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], int | tuple[int, dict[str, str]]] = lambda _request: 204
    server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                request = Received(self.path, {k.lower(): v for k, v in self.headers.items()}, self.rfile.read(length))
                receiver.received.append(request)
                answered = receiver.answer(request)
                status, headers = answered if isinstance(answered, tuple) else (answered, {})
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # whoever sent it did not wait for the answer

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"

    def webhook(self, path: str = "/hook") -> Webhook:
        return Webhook.model_validate({"webhook": f"http://{self.address}{path}", "secret": SECRET})

    def seen(self, path: str | None = None) -> list[str]:
        """The keys that came in, in order; to one path, or to all."""
        return [request.key for request in self.received if path in (None, request.path)]

    def wait_for(self, number: int, seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while len(self.received) < number and time.monotonic() < end:
            time.sleep(0.01)
        assert len(self.received) >= number, f"{len(self.received)} of {number} came in"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
