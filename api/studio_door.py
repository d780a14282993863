"""The door of LangGraph's dev server: every request and every WebSocket passes here before anything else sees it.

A browser lets any page send requests to this machine. So the door looks at where a request comes from (Host, Origin,
Sec-Fetch-Site) before it looks at who sends it (key), and refuses routes that it does not know.
"""

import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from starlette.datastructures import Headers, QueryParams
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.auth import names_a_proxy
from domain.errors import ForbiddenError, LongleadError, UnauthorizedError
from domain.principals import Principal
from runtime.studio_caller import KEYLESS_PRINCIPAL, Caller, Right
from runtime.studio_secret import REGISTRAR_HEADER

STUDIO_ORIGINS = frozenset({"https://smith.langchain.com", "https://eu.smith.langchain.com"})
"""Studio's page; langgraph.json names the same for CORS."""

API_PREFIX = "/longlead"

CALLER = "longlead.studio.caller"
"""Where the door leaves the caller in the ASGI scope."""

_LOCAL_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
_LOCAL_CLIENTS = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})

_ROUTES = re.compile(r"/(ok|info|metrics|docs|openapi\.json|(assistants|threads|runs|store)(/.*)?)?")
"""All that is served beside the API; the server's own /deploy and /internal are not."""
_READING_POSTS = re.compile(
    r"/assistants/(search|count|[^/]+/versions)"
    r"|/threads/(search|count|[^/]+/(history|state/checkpoint|stream/events))"
    r"|/runs/crons/(search|count)"
    r"|/store/(items/search|namespaces)"
)
_REGISTERING = frozenset({("GET", "/ok"), ("POST", "/threads"), ("POST", "/threads/search")})


class Keys(Protocol):
    """The configured keys (runtime.keyring.Keyring); false if there are none."""

    def __bool__(self) -> bool: ...

    def caller(self, key: str) -> Principal | None: ...


@dataclass(frozen=True)
class Gate:
    """What the door checks against."""

    keys: Keys
    registrar_secret: str | None


FindGate = Callable[[], Awaitable[Gate]]
"""Finds the keys as they are now; only once the server has started."""


class Door:
    """ASGI middleware around the whole server."""

    def __init__(self, app: ASGIApp, find_gate: FindGate) -> None:
        self._app = app
        self._find_gate = find_gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            caller = await admit(Visit.of(scope), self._find_gate)
        except LongleadError as error:
            await _refuse(error, scope, receive, send)
            return
        if caller is not None:
            scope[CALLER] = caller
        await self._app(scope, receive, send)


Place = Literal["here", "page", "studio"]
"""Where a request comes from: no web page, a page of this very server, or Studio's page."""


@dataclass(frozen=True)
class Visit:
    """What the door looks at of a request."""

    method: str
    """The HTTP method; WEBSOCKET for a WebSocket."""
    path: str
    query: QueryParams
    scheme: str
    client: str
    is_internal: bool
    """Whether the server calls itself, past its own authentication."""
    headers: Headers

    @classmethod
    def of(cls, scope: Scope) -> "Visit":
        """Read a request's ASGI scope."""
        is_socket = scope["type"] == "websocket"
        client = scope.get("client")
        return cls(
            method="WEBSOCKET" if is_socket else scope["method"],
            path=scope["path"],
            query=QueryParams(scope["query_string"]),
            scheme="https" if scope["scheme"] in ("https", "wss") else "http",
            client=client[0] if client else "",
            is_internal=bool(scope.get("root_path")),
            headers=Headers(scope=scope),
        )

    @property
    def is_for_api(self) -> bool:
        """Whether Longlead's own API answers it, which has authentication of its own."""
        return self.path == API_PREFIX or self.path.startswith(API_PREFIX + "/")

    @property
    def needed_rights(self) -> frozenset[Right]:
        """The rights that open its route; one is enough. A route that is not known to read, writes."""
        is_read = self.method in ("GET", "HEAD") or (self.method == "POST" and _READING_POSTS.fullmatch(self.path))
        cancels = self.query.get("cancel_on_disconnect", "0").lower() not in ("", "0", "false")
        right: Right = "read" if is_read and not cancels else "write"
        return frozenset({right, "register"} if (self.method, self.path) in _REGISTERING else {right})

    @property
    def is_preflight(self) -> bool:
        """Whether a browser asks if a page may send a request; it sends no key with that."""
        return self.method == "OPTIONS" and "access-control-request-method" in self.headers


async def admit(visit: Visit, find_gate: FindGate) -> Caller | None:
    """The caller of a request; None where another authentication follows or no caller is needed.

    Raises:
        ForbiddenError: it comes from a page, a name or a proxy that may not call here, or the caller may not do this.
        UnauthorizedError: no key, or an unknown one.
    """
    place = find_place(visit)
    if visit.is_for_api:
        if place == "studio":
            raise ForbiddenError("Studio's page has no business with Longlead's API.")
        return None
    if visit.is_preflight and place == "studio":
        return None
    gate = await find_gate()
    caller = _identify(visit, gate, place, find_gate)
    if not _ROUTES.fullmatch(visit.path):
        raise ForbiddenError(f"{visit.path} is not served here.")
    if not visit.needed_rights & caller.rights:
        raise ForbiddenError(_explain_missing_right(caller, visit, gate))
    return caller


def find_place(visit: Visit) -> Place:
    """Where a request comes from.

    Raises:
        ForbiddenError: from a foreign page, or under a foreign name (DNS rebinding).
    """
    hosts, origins = visit.headers.getlist("host"), visit.headers.getlist("origin")
    if visit.is_internal:
        raise ForbiddenError("The server does not call itself.")
    if len(hosts) != 1 or not _LOCAL_HOST.fullmatch(hosts[0]):
        raise ForbiddenError("This server answers as localhost or 127.0.0.1 only.")
    if not origins:
        _refuse_foreign_fetch(visit)
        return "here"
    if origins == [f"{visit.scheme}://{hosts[0].lower()}"]:
        return "page"
    if len(origins) == 1 and origins[0] in STUDIO_ORIGINS:
        return "studio"
    raise ForbiddenError("Web pages of other origins may not call this server.")


def _refuse_foreign_fetch(visit: Visit) -> None:
    """Browsers send GET requests of any page without Origin, as for an image. They say so in Sec-Fetch-Site. A link
    in a mail may lead to the API's own pages.

    Raises:
        ForbiddenError: a foreign page sends this.
    """
    site = visit.headers.get("sec-fetch-site", "none")
    follows_link = visit.is_for_api and visit.method == "GET" and visit.headers.get("sec-fetch-mode") == "navigate"
    if site not in ("none", "same-origin") and not follows_link:
        raise ForbiddenError("Web pages of other origins may not call this server.")


def _identify(visit: Visit, gate: Gate, place: Place, find_gate: FindGate) -> Caller:
    sent = visit.headers.get(REGISTRAR_HEADER)
    if sent is not None:
        return _identify_registrar(sent, gate, place)
    if not gate.keys:
        return _identify_local_person(visit, place)
    return _identify_by_key(visit.headers, gate, find_gate)


def _identify_registrar(sent: str, gate: Gate, place: Place) -> Caller:
    expected = gate.registrar_secret
    if expected is None or place != "here" or not hmac.compare_digest(sent.encode(), expected.encode()):
        raise UnauthorizedError("This is not the secret of the `longlead studio` that runs.")
    return Caller("longlead-studio", "longlead studio", frozenset({"register"}))


def _identify_local_person(visit: Visit, place: Place) -> Caller:
    if visit.client not in _LOCAL_CLIENTS:
        raise UnauthorizedError("No keys are configured, so only this machine itself may call. Set LONGLEAD_API_KEYS.")
    if names_a_proxy(visit.headers):
        raise UnauthorizedError("No keys are configured, so no proxy may call for others. Set LONGLEAD_API_KEYS.")

    async def find_principal() -> Principal:
        return KEYLESS_PRINCIPAL

    rights: frozenset[Right] = frozenset({"read"} if place == "studio" else {"read", "write"})
    person = KEYLESS_PRINCIPAL.responder
    return Caller(person.id, person.name, rights, find_principal)


def _identify_by_key(headers: Headers, gate: Gate, find_gate: FindGate) -> Caller:
    key = _sent_key(headers)
    if key is None:
        raise UnauthorizedError("This server needs a key: send `Authorization: Bearer <key>` or `X-API-Key`.")

    async def find_principal() -> Principal:
        return _find_holder(key, (await find_gate()).keys)

    principal = _find_holder(key, gate.keys)
    if principal.buildings is not None:
        raise ForbiddenError("This key is for some buildings only, and Studio shows all of them.")
    rights: frozenset[Right] = frozenset({"read", "write"} if principal.may("approver") else {"read"})
    return Caller(principal.responder.id, principal.responder.name, rights, find_principal)


def _find_holder(key: str, keys: Keys) -> Principal:
    principal = keys.caller(key)
    if principal is None:
        raise UnauthorizedError("This key is not known here. Check LONGLEAD_API_KEYS of the service.")
    return replace(principal, via="studio")


def _sent_key(headers: Headers) -> str | None:
    """The key of a request. A name and password (Basic) are not read: a browser sends those for any page."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    return headers.get("x-api-key") or None


def _explain_missing_right(caller: Caller, visit: Visit, gate: Gate) -> str:
    if "register" in caller.rights:
        return "The registrar only tells the server of threads."
    if not gate.keys:
        return "Without keys Studio's page may only read. Set LONGLEAD_API_KEYS, and give the page your key."
    return f"{caller.display_name} may read here; {visit.method} {visit.path} needs the role 'approver'."


async def _refuse(error: LongleadError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": error.detail[:120]})
        return
    headers = {"www-authenticate": "Bearer"} if error.status == 401 else {}
    origin = Headers(scope=scope).get("origin")
    if origin in STUDIO_ORIGINS:  # so that Studio's page can show what was wrong
        headers |= {"access-control-allow-origin": origin, "vary": "Origin"}
    await JSONResponse({"detail": error.detail}, status_code=error.status, headers=headers)(scope, receive, send)
