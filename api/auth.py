"""Who calls, and what they may do: known by their API key, or the local person while no keys are configured."""

import re
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv6Address, ip_address
from typing import Annotated

from fastapi import Depends, Request

from api.browsers import is_foreign_fetch, origin_of, refuse_foreign_pages, sent_origins
from api.entrance import enter
from domain.errors import ForbiddenError, UnauthorizedError
from domain.principals import LOCAL_PRINCIPAL, Principal, Role, roles_for_event
from runtime.keyring import Keyring
from runtime.keys import ApiKey
from runtime.resources import Resources

PROXY_HEADERS = frozenset(
    {"forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-originating-ip", "x-remote-ip"}
    | {"x-remote-addr", "x-proxyuser-ip", "true-client-ip", "cf-connecting-ip", "cf-ray", "cdn-loop"}
    | {"fastly-client-ip", "fly-client-ip", "x-azure-clientip", "x-envoy-external-address", "x-original-host"}
)
"""Headers that a proxy adds, beside those that begin with `x-forwarded`."""


_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?")


def names_a_proxy(headers: Iterable[str]) -> bool:
    """Whether one of these header names, in small letters, is one that a proxy adds."""
    return any(name in PROXY_HEADERS or name.startswith("x-forwarded") for name in headers)


def open_keyring(resources: Resources) -> Keyring:
    """The keys of an app, which follow the file that they were read from."""
    settings = resources.settings

    def keep(keys: list[ApiKey]) -> None:
        settings.api_keys = keys

    return Keyring(settings.api_keys, clock=resources.clock, file=settings.keys_file, on_change=keep)


async def authenticate(request: Request) -> Principal:
    """The caller of a request.

    Raises:
        UnauthorizedError: no key, an unknown or an expired one; or no keys are configured and the request is not a
            local one.
        ForbiddenError: a web page of another site would change something.
        UnsupportedTypeError: its body is of a type that is not read as JSON.
    """
    keyring: Keyring = request.app.state.keyring
    await keyring.refresh()
    if not keyring:
        _refuse_other_machines(request)
    refuse_foreign_pages(request, request.app.state.resources.settings.public_url if keyring else "")
    if not keyring:
        return LOCAL_PRINCIPAL
    key = _sent_key(request)
    if key is None:
        raise UnauthorizedError("This service needs a key: send `Authorization: Bearer <key>` or `X-API-Key`.")
    return keyring.identify(key)


def require(*roles: Role, person_to: str | None = None) -> Callable[[Request], Awaitable[Principal]]:
    """A dependency that lets only callers with one of these roles pass, and only to what is theirs.

    `person_to` says what no program may do, whatever its roles: nobody widens their own authority.
    """

    async def caller(request: Request) -> Principal:
        found = await authenticate(request)
        if not any(found.may(role) for role in roles):
            raise ForbiddenError(f"{_has_roles(found)}, and this needs {' or '.join(map(repr, roles))}.")
        if person_to is not None and not found.is_person:
            raise ForbiddenError(f"Only a person may {person_to}; {found.responder.name} is {found.responder.type}.")
        await enter(request, found)
        return found

    return caller


def require_person(role: Role, to: str) -> Callable[[Request], Awaitable[Principal]]:
    """A dependency for what widens authority: only people with the role pass, never a program's key."""
    return require(role, person_to=to)


AnyCaller = Annotated[Principal, Depends(require("reader"))]
EventSender = Annotated[Principal, Depends(require("events", "receiver", "expediter"))]
Approver = Annotated[Principal, Depends(require("approver"))]
Admin = Annotated[Principal, Depends(require("admin"))]


def must_send(caller: Principal, event_type: str) -> None:
    """ForbiddenError for an event of a type that the caller's roles do not send."""
    if not caller.may_send(event_type):
        needed = " or ".join(map(repr, roles_for_event(event_type)))
        raise ForbiddenError(f"{_has_roles(caller)}, and {event_type} needs {needed}.")


def must_change_vendors(caller: Principal) -> None:
    """ForbiddenError for vendors in an event of somebody who may not add or change them: they decide where orders go,
    and which need no question."""
    if not (caller.is_person and caller.may("admin")):
        raise ForbiddenError(
            f"{_has_roles(caller)}; only a person with the role 'admin' adds or changes vendors, since that decides "
            "where orders go. Send the items without vendors."
        )


def _has_roles(caller: Principal) -> str:
    return f"{caller.responder.name} has the roles {', '.join(sorted(caller.roles))}"


def _sent_key(request: Request) -> str | None:
    """The key of the request. Never Basic: a browser adds a password that it once sent to every call of any page."""
    header = request.headers.get("authorization", "")
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    return request.headers.get("x-api-key") or None


def _refuse_other_machines(request: Request) -> None:
    """Only the person at this machine passes: neither another machine, nor a proxy that stands for one, nor a web
    page in that person's browser.

    Raises:
        UnauthorizedError: it is not that person.
    """
    host = request.headers.get("host", "")
    client = request.client.host if request.client else ""
    if not (is_loopback(client) and is_loopback(_host_name(host))):
        raise UnauthorizedError(
            "No keys are configured, so only this machine itself may call. Set LONGLEAD_API_KEYS to let others in."
        )
    if names_a_proxy(request.headers):
        raise UnauthorizedError(
            "This call came through a proxy, and no keys are configured: who sent it is not known. Set "
            "LONGLEAD_API_KEYS to run behind a proxy."
        )
    own = origin_of(f"{request.url.scheme}://{host}")
    if is_foreign_fetch(request) or any(origin != own for origin in sent_origins(request)):
        raise UnauthorizedError(
            "No keys are configured, and this call comes from a web page that is not the service's own. Set "
            "LONGLEAD_API_KEYS, and have the page's server send a key."
        )


def _host_name(host: str) -> str:
    """The name in a Host header; empty where it is not exactly a name, maybe with a port."""
    found = _HOST.fullmatch(host)
    return found["name"].strip("[]") if found else ""


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine itself."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped  # Python 3.11 does not look through the mapping itself
    return address.is_loopback
