"""Calls that a web page makes through somebody's browser: only the service's own pages may, and only with JSON.

A browser tells where a page comes from (`Origin`, `Sec-Fetch-Site`). A page of another site can send simple requests
without asking first, and the browser adds what it knows of the service: the address of this machine, a password.
"""

from urllib.parse import urlsplit

from fastapi import Request

from domain.errors import ForbiddenError, LongleadError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PORTS = {"http": 80, "https": 443}
_OWN_FETCHES = frozenset({"same-origin", "none"})

Origin = tuple[str, str, int]
"""Scheme, host and port."""


class UnsupportedTypeError(LongleadError):
    """The body is not JSON by its Content-Type. Send `Content-Type: application/json`."""

    status = 415
    title = "Unsupported media type"


def refuse_foreign_pages(request: Request, public_url: str) -> None:
    """Let a page's request change something only where the page is the service's own.

    Raises:
        ForbiddenError: the page is of another origin.
        UnsupportedTypeError: the body is of a type that is not read as JSON.
    """
    if request.method in SAFE_METHODS:
        return
    sent = sent_origins(request)
    own = own_origins(request, public_url)
    if any(origin not in own for origin in sent) or is_foreign_fetch(request):
        raise ForbiddenError(
            "This call comes from a web page of another site. Only the service's own pages may change something: "
            "their origin is that of the request's Host, or LONGLEAD_PUBLIC_URL."
        )
    _refuse_other_types(request, by_browser=bool(sent) or "sec-fetch-site" in request.headers)


def sent_origins(request: Request) -> list[Origin | None]:
    """The origins that the request says it comes from; None for one that names no site, such as `null`."""
    named = request.headers.getlist("origin") or request.headers.getlist("referer")
    return [origin_of(one) for one in named]


def is_foreign_fetch(request: Request) -> bool:
    """Whether a browser says that a page of another origin asks."""
    return any(value.strip().lower() not in _OWN_FETCHES for value in request.headers.getlist("sec-fetch-site"))


def own_origins(request: Request, public_url: str) -> set[Origin]:
    """The service's own origins, behind a proxy that ends TLS as well."""
    host = request.headers.get("host", "")
    named = [f"{request.url.scheme}://{host}", f"https://{host}", public_url]
    return {origin for origin in map(origin_of, named) if origin is not None}


def origin_of(address: str) -> Origin | None:
    """Scheme, host and port of an address; None where it names no web site."""
    try:
        parts = urlsplit(address.strip())
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or port is None or "@" in parts.netloc:
        return None
    return parts.scheme, host, port


def _refuse_other_types(request: Request, *, by_browser: bool) -> None:
    """A page can send text, forms and files without asking first, so of a browser only JSON is read. Scripts send
    what they like; `curl -d` says that it sends a form."""
    given = [value.partition(";")[0].strip().lower() for value in request.headers.getlist("content-type")]
    has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    refused = [kind for kind in given if not (_is_json(kind) if by_browser else _may_be_json(kind))]
    if refused or (by_browser and has_body and not given):
        kind = repr(refused[0]) if refused else "a body without Content-Type"
        raise UnsupportedTypeError(f"This is not read: {kind:.100}. Send Content-Type: application/json.")


def _is_json(kind: str) -> bool:
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _may_be_json(kind: str) -> bool:
    return kind != "text/plain" and not kind.startswith("multipart/")
