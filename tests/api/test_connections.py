"""Nobody holds the service up by sending half a request, by waiting or by not reading: others are answered."""

import asyncio
import json
import math
import resource
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import APIRouter
from starlette.responses import Response

import runtime.connections
from runtime.connections import GuardedH11, Limits
from runtime.settings import Settings
from tests.api.office import APPROVED, EVENTS, SPEC, assert_problem
from tests.api.served import Served, serving

# The clients and the service are one process here: each connection takes two files.
MANY = min(1000, (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 300) // 2)
HEAD_S, BODY_S = 4.0, 5.0
HALF_HEAD = b"POST /buildings HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "
HALF_BODY = b'POST /buildings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n\r\n{"building'
UNWANTED_BODY = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n\r\n"

both_parsers = pytest.mark.parametrize("http", [None, GuardedH11], ids=["default", "h11"])


@contextmanager
def hurried(database: str, http: Any = None, **settings: Any) -> Iterator[Served]:
    """A service with short limits, a building and a worker that is alive."""
    limits = {"request_headers_timeout": HEAD_S, "request_body_timeout": BODY_S, "max_connections": MANY, **settings}
    with serving(database, http=http, **limits) as served:
        with psycopg.connect(database, autocommit=True) as conn:
            conn.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() + interval '1 h')")
        httpx.post(f"{served.url}/buildings", json=SPEC).raise_for_status()
        yield served


class Clients:
    """Many connections that send what they are told, and notice when they are closed."""

    def __init__(self, served: Served, count: int) -> None:
        self.sockets = [socket.create_connection(served.socket.getsockname()) for _ in range(count)]
        for opened in self.sockets:
            opened.setblocking(False)
        self.heard = dict.fromkeys(self.sockets, b"")
        self.gone: set[socket.socket] = set()

    def send(self, data: bytes) -> None:
        for opened in self.sockets:
            try:
                opened.send(data)
            except OSError:
                self.gone.add(opened)

    def look(self) -> int:
        """How many connections the service still holds."""
        for opened in self.sockets:
            try:
                while opened not in self.gone:
                    heard = opened.recv(65536)
                    if not heard:
                        self.gone.add(opened)
                    self.heard[opened] += heard
            except BlockingIOError:
                continue
            except OSError:
                self.gone.add(opened)
        return len(self.sockets) - len(self.gone)

    def close(self) -> None:
        for opened in self.sockets:
            opened.close()


@contextmanager
def clients(served: Served, count: int) -> Iterator[Clients]:
    opened = Clients(served, count)
    try:
        yield opened
    finally:
        opened.close()


def answer(heard: bytes) -> httpx.Response:
    """What a connection heard, as a response."""
    head, _, body = heard.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    headers = [tuple(found.split(": ", 1)) for found in lines]
    return httpx.Response(int(line.split()[1]), headers=headers, content=body)  # type: ignore[arg-type]


def assert_answers(served: Served) -> None:
    """Its health is told to a new client within a second. A busy machine may miss that twice."""
    for address in ("/readyz", "/healthz"):
        assert any(seconds_until(served, address) < 1.0 for _ in range(3)), address


def seconds_until(served: Served, address: str) -> float:
    """How long a new client waits for an answer."""
    began = time.monotonic()
    with closing(HTTPConnection("127.0.0.1", served.socket.getsockname()[1], timeout=10)) as client:
        try:
            client.request("GET", address)
            response = client.getresponse()
        except TimeoutError:
            return math.inf
        assert response.status == 200, response.read()
    return time.monotonic() - began


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.slow
@both_parsers
@pytest.mark.parametrize("half", [b"", HALF_HEAD, HALF_BODY, UNWANTED_BODY], ids=["nothing", "head", "body", "after"])
def test_a_thousand_half_requests_hold_nobody_up_and_are_gone_in_time(database: str, http: Any, half: bytes) -> None:
    with hurried(database, http) as served, clients(served, MANY) as crowd:
        crowd.send(half)
        assert_answers(served)
        began = time.monotonic()
        while crowd.look() and time.monotonic() - began < BODY_S + 10:
            if half:
                crowd.send(b"x")  # a byte a second must not move a deadline
            assert_answers(served)
            time.sleep(1.0)
        assert crowd.look() == 0
        assert not served.server or len(served.server.server_state.connections) <= 1


@both_parsers
@pytest.mark.parametrize("half", [HALF_HEAD, HALF_BODY], ids=["head", "body"])
def test_half_a_request_is_answered_408_with_a_problem_document(database: str, http: Any, half: bytes) -> None:
    short = {"request_headers_timeout": 0.3, "request_body_timeout": 0.3}
    with hurried(database, http, **short) as served, clients(served, 1) as crowd:
        crowd.send(half)
        assert eventually(lambda: crowd.look() == 0, 5)
        (heard,) = crowd.heard.values()
        assert_problem(answer(heard), 408, "did not arrive in time")
        assert_answers(served)


@both_parsers
def test_a_full_server_lets_go_of_the_connection_that_sent_nothing_for_longest(database: str, http: Any) -> None:
    with hurried(database, http, max_connections=20) as served, clients(served, 20) as first:
        first.send(HALF_HEAD)
        with clients(served, 5) as later:
            later.send(HALF_HEAD)
            assert eventually(lambda: first.look() == 15, 5)
            assert later.look() == 5
            assert_answers(served)


def test_connections_leave_room_for_the_files_that_the_process_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    for files, expected in ((1024, 824), (256, 128), (100_000, 1000), (resource.RLIM_INFINITY, 1000)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, files=files: (files, files))
        assert Limits.of(Settings()).connections == expected


@both_parsers
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 414),
        (b"GET /?" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 414),
        (b"GET /" + b"a" * 500_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 414),
        (b"GET /" + b"a" * 500_000, 414),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"a" * 500_000, 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is TLS\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon here\r\n\r\n", 400),
        (b"POST /buildings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ten\r\n\r\n", 400),
        (b"GET /no/such HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n", 404),
        (b"GET //no HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n", 404),
        (b"GET /buildings/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 404),
        (b"TRACE /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 405),
        (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", 200),
    ],
)
def test_whatever_is_refused_is_refused_with_a_problem_document(
    database: str, http: Any, sent: bytes, status: int
) -> None:
    with hurried(database, http) as served, clients(served, 1) as crowd:
        (opened,) = crowd.sockets
        opened.setblocking(True)
        opened.settimeout(5)
        try:
            opened.sendall(sent)
        except OSError:
            assert status in (414, 431)  # closed while it was still sending
        opened.setblocking(False)
        assert eventually(lambda: crowd.look() >= 0 and bool(crowd.heard[opened] or opened in crowd.gone), 5)
        time.sleep(0.05)
        crowd.look()
        if not crowd.heard[opened]:
            assert len(sent) > 100_000  # the refusal is lost where the client has not read it before it is cut off
            return
        response = answer(crowd.heard[opened])
        if status == 200:
            assert response.status_code == 200
        else:
            assert_problem(response, status)


@pytest.mark.slow
@both_parsers
def test_a_thousand_that_wait_hold_nobody_up(database: str, http: Any) -> None:
    with hurried(database, http, max_waiting=50, max_connections=MANY + 10) as served, clients(served, MANY) as crowd:
        body = json.dumps({**APPROVED, "event_id": None})
        lines = [f"POST {EVENTS} HTTP/1.1", "Host: 127.0.0.1", "Prefer: wait=60", f"Content-Length: {len(body)}"]
        crowd.send("\r\n".join([*lines, "", body]).encode())
        deadline = time.monotonic() + 30
        told = 0
        while told < MANY - 50 and time.monotonic() < deadline:
            assert_answers(served)
            crowd.look()
            time.sleep(0.3)
            told = sum(bool(heard) for heard in crowd.heard.values())
        assert told == MANY - 50
        answers = Counter(answer(heard).status_code for heard in crowd.heard.values() if heard)
        assert set(answers) <= {202, 503}  # 503: with the time to try again, where the database is too slow for it
        assert answers[202] > answers[503]
        for _ in range(3):
            assert_answers(served)
            assert httpx.get(f"{served.url}/buildings", timeout=2).status_code == 200
        assert served.app.state.waiting_room.waiting == 50
        crowd.close()  # those who have gone wait no longer
        assert eventually(lambda: served.app.state.waiting_room.waiting == 0, 5)


def test_those_who_wait_are_answered_when_the_service_ends(database: str) -> None:
    with hurried(database) as served, clients(served, 3) as crowd:
        body = json.dumps({**APPROVED, "event_id": None})
        lines = [f"POST {EVENTS} HTTP/1.1", "Host: 127.0.0.1", "Prefer: wait=60", f"Content-Length: {len(body)}"]
        crowd.send("\r\n".join([*lines, "", body]).encode())
        assert eventually(lambda: served.app.state.waiting_room.waiting == 3, 5)
        began = time.monotonic()
        served.stop()
        assert time.monotonic() - began < 5
        assert crowd.look() == 0
        assert {answer(heard).status_code for heard in crowd.heard.values()} == {202}


@both_parsers
def test_a_client_that_does_not_read_its_answer_is_cut_off(
    database: str, http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.connections, "FLUSH_S", 0.5)
    large, router = b"x" * 30_000_000, APIRouter()

    @router.get("/large")
    async def send_large() -> Response:
        return Response(large)

    with hurried(database, http) as served, clients(served, 3) as crowd:
        served.app.include_router(router)
        crowd.send(b"GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert served.server
        assert eventually(lambda: len(served.server.server_state.connections) >= 3, 5)  # type: ignore[union-attr]
        assert eventually(lambda: not served.server.server_state.connections, 5)  # type: ignore[union-attr]
        assert httpx.get(f"{served.url}/large").content == large


@both_parsers
def test_what_is_sent_ahead_of_an_answer_is_bounded(database: str, http: Any) -> None:
    router = APIRouter()

    @router.get("/slow")
    async def be_slow() -> None:
        await asyncio.sleep(3)

    with hurried(database, http) as served, clients(served, 1) as crowd:
        served.app.include_router(router)
        crowd.send(b"GET /slow HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /slow HTTP/1.1\r\nX-Endless: ")
        (opened,) = crowd.sockets
        opened.setblocking(True)
        opened.settimeout(1)
        with pytest.raises(OSError, match=r"reset|timed out|[Bb]roken"):
            opened.sendall(b"a" * 30_000_000)
        assert_answers(served)


def test_an_idle_connection_is_closed_after_a_few_seconds_and_used_again_until_then(database: str) -> None:
    with hurried(database) as served, clients(served, 1) as crowd:
        (opened,) = crowd.sockets
        for asked in range(1, 4):
            crowd.send(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert eventually(lambda asked=asked: crowd.look() == 1 and crowd.heard[opened].count(b'"ok"') == asked, 3)  # type: ignore[misc]
        assert eventually(lambda: crowd.look() == 0, 8)
