"""Keeps the ordinary suite from asking real models: such a call is refused, and fails the test that made it.

An agent takes a refused call calmly, as it takes a dead server: it abstains and goes on. So a refusal alone would be
noticed by nobody; it is noted here, and a fixture of every test looks.
"""

import os
import socket
import sys
import weakref
from typing import Any

import httpx

ASKED_FOR = ("/chat/completions", "/responses", "/completions", "/embeddings")
"""How the paths end that a model is asked on."""

refused: list[str] = []
"""Calls that were refused since the last look."""

_bound: "weakref.WeakSet[socket.socket]" = weakref.WeakSet()


class LiveCallError(RuntimeError):
    """A test would have asked something real."""


def forbid() -> None:
    """From now on this process reaches models' servers of its own making, and nothing beyond this machine. What the
    environment says of models is forgotten."""
    for name in [name for name in os.environ if name.startswith(("OPENAI_", "LONGLEAD_MODELS", "LONGLEAD_EMBEDDING"))]:
        del os.environ[name]
    sys.addaudithook(_watch)
    send = httpx.AsyncHTTPTransport.handle_async_request

    async def checked(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(ASKED_FOR) and request.url.port not in _own_ports():
            _refuse(f"{request.url.host}:{request.url.port}")
        return await send(self, request)

    httpx.AsyncHTTPTransport.handle_async_request = checked  # type: ignore[method-assign]


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.bind":
        _bound.add(arguments[0])
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        _stay_here(str(arguments[1][0]))
    elif event == "socket.getaddrinfo":
        _stay_here(arguments[0].decode() if isinstance(arguments[0], bytes) else str(arguments[0] or ""))


def _stay_here(host: str) -> None:
    if not (host.startswith("127.") or host in ("::1", "localhost", "", "0.0.0.0", "::")):
        _refuse(host)


def _own_ports() -> set[int]:
    """Ports of servers that this very process has opened."""
    return {one.getsockname()[1] for one in list(_bound) if one.fileno() >= 0 and one.family == socket.AF_INET}


def _refuse(where: str) -> None:
    refused.append(where)
    raise LiveCallError(f"a test would reach {where}: only `make test-live` asks a real model")
