"""What every page does with its link: read it, and see that it still belongs to somebody."""

from collections.abc import Awaitable, Callable
from functools import wraps
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import Response

from api.pages.rendering import page
from domain.approvals import Responder
from domain.buildings import Building
from domain.errors import ForbiddenError, LongleadError
from domain.principals import Principal
from runtime.links import Link, Linker, holder


def answered_by_page(handler: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    """Errors of a page are pages: whoever follows a link is a person."""

    @wraps(handler)
    async def shown(*args: object, **kwargs: object) -> Response:
        try:
            return await handler(*args, **kwargs)
        except LongleadError as error:
            if error.status >= 500:
                raise
            return page("message.html", status=error.status, title=error.title, text=error.detail)

    return shown


def still_theirs(link: Link, building: Building) -> None:
    """ForbiddenError when somebody else has the role by now: the link went to who had it."""
    audience = link.audience
    if audience.kind == "role" and holder(building, audience.id).name != audience.name:
        raise ForbiddenError(
            f"This link was made for {audience.name}, who is no longer {audience.id.replace('_', ' ')} of this "
            "building. Whoever is now gets a link of their own with the next message."
        )


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
    return linker.path(Link("log", building_id, 0, link.audience, link.expires_at))


def principal_of(link: Link) -> Principal:
    """The person a link was made for: they answer within the limit of their role in the approver chain."""
    audience = link.audience
    person = Responder(type="human", id=audience.id, name=audience.name)
    return Principal(person, "link", frozenset({"approver"}), approver=audience.id if audience.kind == "role" else None)
