"""What every page does with its link: read it, and see that it still holds."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import wraps
from typing import ParamSpec
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import Response

from api.pages.rendering import page
from domain.buildings import Building
from domain.errors import ForbiddenError, LongleadError
from domain.principals import Principal
from runtime.keyring import Keyring
from runtime.links import EndedLinkError, ExpiredLinkError, Link, Linker, principal_of_link
from runtime.resources import Resources
from storage import links
from storage.connection import Connection
from storage.links import LinkUse, Use

P = ParamSpec("P")


def answered_by_page(handler: Callable[P, Awaitable[Response]]) -> Callable[P, Awaitable[Response]]:
    """Errors of a page are pages: whoever follows a link is a person."""

    @wraps(handler)
    async def shown(*args: P.args, **kwargs: P.kwargs) -> Response:
        try:
            return await handler(*args, **kwargs)
        except LongleadError as error:
            if error.status >= 500:
                raise
            return page("message.html", status=error.status, title=error.title, text=error.detail)

    return shown


async def let_in(request: Request, conn: Connection, linker: Linker, link: Link, building: Building) -> Principal:
    """Who looks or answers through a link. A refusal is put on record.

    Raises:
        ExpiredLinkError, EndedLinkError: it no longer holds.
    """
    resources: Resources = request.app.state.resources
    keyring: Keyring = request.app.state.keyring
    await keyring.refresh()
    now = resources.clock.now()
    try:
        return await principal_of_link(conn, keyring, linker, link, building, now)
    except (ExpiredLinkError, EndedLinkError) as error:
        await record_use(conn, link, building, "refused", now, error.detail)
        raise


async def record_use(
    conn: Connection, link: Link, building: Building, what: Use, at: datetime, why: str | None = None
) -> None:
    """Put on record what was done with a link."""
    who = link.audience
    use = LinkUse(building.building_id, link.purpose, link.subject, who.id, who.name, who.address, what, why)
    await links.record_use(conn, use, at)


def same_site(request: Request, public_url: str) -> None:
    """ForbiddenError when the form was sent from another site. There is no cookie that such a site could ride on, so
    it would have to know the link; this is the second lock."""
    origin = request.headers.get("origin")
    hosts = (request.headers.get("host"), urlsplit(public_url).netloc or None)  # a proxy may change the first
    fetched = request.headers.get("sec-fetch-site", "same-origin")
    if fetched not in ("same-origin", "none") or (
        origin is not None and (urlsplit(origin).netloc or "none") not in hosts
    ):
        raise ForbiddenError("This answer was sent from another site. Open the link itself and answer there.")


def log_path(linker: Linker, link: Link, building_id: str) -> str:
    """The building's log for the same person, good for as long as the link that led here."""
    return linker.path(Link("log", building_id, 0, link.audience, link.made_at, link.expires_at, link.subject))
