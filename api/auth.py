"""Who calls, and what they may do: known by their API key, or the local person while no keys are configured."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address, ip_address
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from domain.errors import ForbiddenError, UnauthorizedError
from domain.principals import LOCAL_PRINCIPAL, Principal, Role
from runtime.keyring import Keyring as Keyring
from runtime.keys import ApiKey
from runtime.resources import Resources


def open_keyring(resources: Resources) -> Keyring:
    """The keys of an app, which follow the file that they were read from."""
    settings = resources.settings

    def keep(keys: list[ApiKey]) -> None:
        settings.api_keys = keys

    return Keyring(settings.api_keys, clock=resources.clock, file=settings.keys_file, on_change=keep)


def authenticate(request: Request) -> Principal:
    """The caller of a request.

    Raises:
        UnauthorizedError: no key or an unknown one; or no keys are configured and the request is not a local one.
    """
    keyring: Keyring = request.app.state.keyring
    if not keyring:
        return _local(request)
    key = _sent_key(request)
    if key is None:
        raise UnauthorizedError("This service needs a key: send `Authorization: Bearer <key>` or `X-API-Key`.")
    return keyring.identify(key)


def require(role: Role) -> Callable[[Request], Awaitable[Principal]]:
    """A dependency that lets only callers of this role pass."""

    async def caller(request: Request) -> Principal:
        await request.app.state.keyring.refresh()
        found = authenticate(request)
        if not found.may(role):
            raise ForbiddenError(
                f"{found.responder.name} has the roles {', '.join(sorted(found.roles))}, and this needs {role!r}."
            )
        return found

    return caller


AnyCaller = Annotated[Principal, Depends(require("reader"))]
EventSender = Annotated[Principal, Depends(require("events"))]
Approver = Annotated[Principal, Depends(require("approver"))]
Admin = Annotated[Principal, Depends(require("admin"))]


def _sent_key(request: Request) -> str | None:
    header = request.headers.get("authorization", "")
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    if scheme.lower() == "basic":  # so that a browser can open /docs: any name, the key as password
        return _basic_password(value.strip())
    return request.headers.get("x-api-key") or None


def _basic_password(value: str) -> str | None:
    try:
        _, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return password or None


def _local(request: Request) -> Principal:
    """The person at this machine. A web page open in that person's browser is not: hence Host and Origin."""
    client = request.client
    names = [client.host if client else "", _host_name("//" + request.headers.get("host", ""))]
    if "origin" in request.headers:
        names.append(_host_name(request.headers["origin"]))
    if not all(map(is_loopback, names)):
        raise UnauthorizedError(
            "No keys are configured, so only this machine itself may call. Set LONGLEAD_API_KEYS to let others in."
        )
    return LOCAL_PRINCIPAL


def _host_name(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


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
