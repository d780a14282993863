"""Connections of the HTTP server: how many may be open, how long each may take, and what refuses a request early.

uvicorn waits for ever for the rest of a request, and for a client that does not read its answer. Each connection here
has a deadline at every moment but one: while the application works on a complete request. When the server is full, the
connection that has waited longest without a complete request makes room for a new one.
"""

import asyncio
import json
import re
import resource
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import structlog
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from runtime.settings import Settings

if TYPE_CHECKING:
    HttpProtocol = H11Protocol
else:
    HttpProtocol = object

log = structlog.get_logger()

MAX_URL_BYTES = 8 * 1024
MAX_HEAD_BYTES = 16 * 1024
"""Limit of a request's first line and headers together."""
MAX_UNREAD_BYTES = 1024 * 1024
"""What a connection may send ahead while its request is answered; far more than the server's own buffers take."""
KEEP_ALIVE_S = 5
FLUSH_S = 30.0
"""How long a client may take none of its answer."""
MAX_FLUSH_S = 300.0
"""How long a client may take for its whole answer, once it is complete."""
CLOSE_S = 5.0
"""How long a refused client may take for its refusal."""
RETRY_AFTER_S = 5
MAX_AT_ONCE = 16
"""Requests in progress above which new ones are begun a few at a time, so that the event loop stays quick."""
MAX_BEGUN_PER_ROUND = 4
URGENT = ("/healthz", "/readyz")
"""What is answered at once, however many requests are in progress."""
ENDING = "longlead.is_ending"
"""In a request's scope: tells whether its client has gone or the service ends."""
RESERVED_FILES = 200
"""Open files that are left to the database, the models and the logs."""


@dataclass(frozen=True)
class Limits:
    """What connections may take."""

    connections: int
    head_s: float
    """From the connection, or from a request's first byte, to the end of its headers."""
    body_s: float
    """From the end of the headers to the end of the body."""

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """The limits of a service; fewer connections where the process may not open so many files."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        room = settings.max_connections if files < 0 else max(files - RESERVED_FILES, files // 2)
        return cls(min(settings.max_connections, room), settings.request_headers_timeout, settings.request_body_timeout)


class Room:
    """The open connections, and which of them could go."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.in_progress = 0
        self._turns = asyncio.Semaphore(MAX_BEGUN_PER_ROUND)
        self._open: set[GuardedConnection] = set()
        self._waiting: dict[GuardedConnection, None] = {}
        """Connections without a complete request, those that have waited longest first."""

    async def take_turn(self) -> None:
        """Where many requests are in progress, let only a few begin in each round of the event loop."""
        if self.in_progress > MAX_AT_ONCE:
            async with self._turns:
                await asyncio.sleep(0)

    def enter(self, connection: "GuardedConnection") -> bool:
        """Take a new connection in, at the cost of another one if need be; False where there is no room."""
        if len(self._open) >= self._size:
            longest = next((other for other in self._waiting if not other.is_complete()), None)
            if longest is None:
                return False
            log.warning("the server is full: a connection that sends no request makes room", connections=self._size)
            self.leave(longest)
            longest.abort()
        self._open.add(connection)
        self._waiting[connection] = None
        return True

    def begin(self, connection: "GuardedConnection") -> None:
        """Its request is complete: it stays until it is answered."""
        self._waiting.pop(connection, None)

    def end(self, connection: "GuardedConnection") -> None:
        """It is answered, and could go."""
        if connection in self._open:
            self._waiting[connection] = None

    def leave(self, connection: "GuardedConnection") -> None:
        self._open.discard(connection)
        self._waiting.pop(connection, None)


class GuardedConfig(uvicorn.Config):
    """uvicorn's configuration, with limits that its own settings do not know."""

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        *,
        http: type[asyncio.Protocol] | None = None,
        host: str = "127.0.0.1",
        port: int = 8000,
        lifespan: Literal["auto", "on", "off"] = "auto",
    ) -> None:
        super().__init__(
            app,
            http=http or _guarded(AutoHTTPProtocol),
            ws="none",
            log_config=None,
            timeout_keep_alive=KEEP_ALIVE_S,
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            host=host,
            port=port,
            lifespan=lifespan,
        )
        self.limits = limits
        self.room = Room(limits.connections)


class GuardedConnection(HttpProtocol):
    """One connection that cannot be held open by doing nothing. A mixin for uvicorn's HTTP protocols."""

    def __init__(
        self,
        config: GuardedConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.limits, self.room = config.limits, config.room
        self._inner = self.app
        self.app = self._answer
        self.timer: asyncio.TimerHandle | None = None
        self._answering = 0
        self.has_started = False
        """Whether the answer to the present request has begun."""
        self.is_refused = False
        self._is_ending = False
        self.unread = 0
        """Bytes that came in since the application last took some."""
        self.has_line = False
        """Whether the first line of the request is complete."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self.room.enter(self):
            self.set_timer(self.limits.head_s, self._give_up_head)
        else:
            self.refuse(503, "Too many connections", "All connections are taken. Try again in 5 seconds.")

    def connection_lost(self, exc: Exception | None) -> None:
        self.room.leave(self)
        self._clear_timer()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        self._is_ending = True
        super().shutdown()

    def data_received(self, data: bytes) -> None:
        if self.is_refused:
            return
        if not self._has_request():
            if not self.unread:  # the first byte of a request; later ones do not move the deadline
                self.set_timer(self.limits.head_s, self._give_up_head)
                self.has_line = False
            self.has_line = self.has_line or b"\n" in data
        self.unread += len(data)
        super().data_received(data)
        if not self._has_request() and self.unread > MAX_HEAD_BYTES:
            self._refuse_head()
        elif self.unread > MAX_UNREAD_BYTES:
            self.abort()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; uvicorn's own answer is plain text."""
        if not self._has_request() and self.unread > MAX_HEAD_BYTES:
            self._refuse_head()
        else:
            self.refuse(400, "Bad request", "This is not a valid HTTP request.")

    def refuse(self, status: int, title: str, detail: str) -> None:
        """Answer with a problem document in place of the application, and close."""
        if self.is_refused or self.transport.is_closing():
            return
        self.is_refused = True
        if self.has_started:  # half an answer is out: nothing can be said any more
            self.abort()
            return
        body, headers = problem_document(status, title, detail)
        lines = [f"HTTP/1.1 {status} {title}".encode()]
        lines += [b"%s: %s" % header for header in [*self.server_state.default_headers, *headers]]
        self.transport.write(b"\r\n".join([*lines, b"", body]))
        self.transport.close()
        self.set_timer(CLOSE_S, self.abort)

    def abort(self) -> None:
        """Close at once; what was not sent yet is lost."""
        self.is_refused = True
        if self.transport is not None:
            self.transport.abort()

    def is_complete(self) -> bool:
        """Whether a request came in as a whole, and is not answered yet."""
        return self._has_request() and not self.cycle.more_body

    def _has_request(self) -> bool:
        """Whether the headers of a request are complete, and its answer is not."""
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse_head(self) -> None:
        self.refuse(*(_LONG_HEADERS if self.has_line else _LONG_URL))

    def _give_up_head(self) -> None:
        if self.transport.get_write_buffer_size():
            self.abort()
        elif self.unread:
            self.refuse(*_LATE)
        else:
            self.is_refused = True
            self.transport.close()
            self.set_timer(CLOSE_S, self.abort)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application, for this connection: called as soon as the headers are complete."""
        self._clear_timer()
        self._answering += 1
        self.unread = 0
        self.has_started = False
        exchange = _Exchange(self, receive, send)
        self.room.in_progress += 1
        try:
            refusal = _check_head(scope)
            if refusal:
                await exchange.refuse(*refusal)
                return
            if not any(name in _OF_BODIES for name, _ in scope["headers"]):
                exchange.has_body = False
                self.room.begin(self)
            scope[ENDING] = lambda: self._is_ending or self.transport.is_closing()
            if scope["path"] not in URGENT:
                await self.room.take_turn()
            await self._inner(scope, exchange.receive, exchange.send)
        finally:
            self.room.in_progress -= 1
            self._answering -= 1
            if not self._answering and not self.is_refused:
                self.unread = 0
                self.room.end(self)
                self._watch_flush(self.transport.get_write_buffer_size(), self.loop.time() + MAX_FLUSH_S)

    def _watch_flush(self, left: int, until: float) -> None:
        """Close when a client takes nothing of its answer any more. uvicorn closes idle connections itself, but waits
        for ever until everything is sent."""

        def look() -> None:
            now_left = self.transport.get_write_buffer_size()
            if now_left >= left or self.loop.time() > until:
                self.abort()
            else:
                self._watch_flush(now_left, until)

        self.set_timer(FLUSH_S if left else KEEP_ALIVE_S + CLOSE_S, look)

    def set_timer(self, seconds: float, then: Callable[[], None]) -> None:
        self._clear_timer()
        self.timer = self.loop.call_later(seconds, then)

    def _clear_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class _Exchange:
    """One request and its answer: what the application receives and sends, within the limits of its connection."""

    def __init__(self, connection: GuardedConnection, receive: Receive, send: Send) -> None:
        self._connection = connection
        self._receive, self._send = receive, send
        self._deadline = connection.loop.time() + connection.limits.body_s
        self.has_body = True
        """Whether some of the body is still to come."""

    async def receive(self) -> Message:
        connection = self._connection
        if connection.is_refused:
            return {"type": "http.disconnect"}
        if not self.has_body:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            await self.refuse(*_LATE)
            return {"type": "http.disconnect"}
        connection.unread = 0
        if not message.get("more_body", False):
            self.has_body = False
            connection.room.begin(connection)
        return message

    async def send(self, message: Message) -> None:
        connection = self._connection
        if connection.is_refused:
            return
        connection.has_started = True
        if not connection.transport.get_write_buffer_size():
            await self._send(message)
            return
        try:
            async with asyncio.timeout(FLUSH_S):
                await self._send(message)
        except TimeoutError:
            connection.abort()

    async def refuse(self, status: int, title: str, detail: str) -> None:
        """Answer in place of the application, and close the connection afterwards."""
        connection = self._connection
        if connection.is_refused:
            return
        if connection.has_started:
            connection.abort()
            return
        body, headers = problem_document(status, title, detail)
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})
        connection.is_refused = True
        connection.set_timer(CLOSE_S, connection.abort)


_NO_WORD = re.compile(r"[^a-z0-9]++")
_OF_BODIES = (b"content-length", b"transfer-encoding")
_LATE = (408, "Request timeout", "The request did not arrive in time. Send it again, without pauses.")
_LONG_URL = (414, "URI too long", f"The address is over {MAX_URL_BYTES} bytes. Shorten it.")
_LONG_HEADERS = (431, "Request header fields too large", f"The headers are over {MAX_HEAD_BYTES} bytes. Send fewer.")


def _check_head(scope: Scope) -> tuple[int, str, str] | None:
    """Why a complete head is refused: it may have come in one piece, which no parser bounds."""
    if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_URL_BYTES:
        return _LONG_URL
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEAD_BYTES:
        return _LONG_HEADERS
    return None


def problem_document(status: int, title: str, detail: str) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Body and headers of an error that is answered below the application. The connection ends with it."""
    kind = _NO_WORD.sub("-", title.lower())
    members = {"type": f"urn:longlead:problem:{kind}", "title": title, "status": status, "detail": detail}
    body = json.dumps(members).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    if status == 503:
        headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    return body, headers


def _guarded(base: type[asyncio.Protocol]) -> type[asyncio.Protocol]:
    return type("GuardedConnection", (GuardedConnection, base), {})


GuardedH11 = _guarded(H11Protocol)
"""On h11 alone, wherever httptools is installed too."""
