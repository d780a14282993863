"""Links to the pages for people, made on request; messages bring theirs along."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.audit_author import signature_of
from api.auth import Admin, Approver, Caller
from api.buildings import must_exist
from api.held import Held, connection
from api.parameters import ApprovalId, BuildingId
from api.problems import documented
from domain.errors import ForbiddenError, NotFoundError
from runtime.links import Audience, Link, Linker, linker
from storage import procurement
from storage.approvals import building_of
from storage.audit import Act, audit_row
from storage.connection import Connection

router = APIRouter()


class LinkView(BaseModel):
    """A link to a page. Whoever has it can open the page, without a key."""

    url: str = Field(description="The address of the page.")
    expires_at: datetime = Field(description="Until when it opens.")


@router.post(
    "/approvals/{approval_id}/link", summary="Link to a question", tags=["approvals"], responses=documented(404, 422)
)
async def link_to_approval(approval_id: ApprovalId, resources: Held, caller: Approver) -> LinkView:
    """A link to the page on which this person, the caller, can read and answer the question."""
    if caller.responder.type != "human":
        raise ForbiddenError(f"The page is for people; {caller.responder.name} is {caller.responder.type}.")
    now = resources.clock.now()
    async with connection(resources) as conn:
        asked = await procurement.approval(conn, approval_id)
        if asked is None:
            raise NotFoundError(f"There is no approval {approval_id!r}. List the open ones with GET /approvals.")
        links = await linker(conn, resources.settings, now)
        link = links.make("approval", approval_id, asked.version, _caller(caller), now)
        await _record(conn, str(await building_of(conn, approval_id)), link, caller, now)
    return _view(links, link)


@router.post(
    "/buildings/{building_id}/log-link", summary="Link to a log", tags=["buildings"], responses=documented(404, 422)
)
async def link_to_log(building_id: BuildingId, resources: Held, caller: Admin) -> LinkView:
    """A link to the page that shows the building's procurement log, to pass on to who may see it."""
    now = resources.clock.now()
    async with connection(resources) as conn:
        await must_exist(conn, building_id)
        links = await linker(conn, resources.settings, now)
        link = links.make("log", building_id, 0, _caller(caller), now)
        await _record(conn, building_id, link, caller, now)
    return _view(links, link)


async def _record(conn: Connection, building_id: str, link: Link, caller: Caller, now: datetime) -> None:
    """Who made a link, and until when it is good; never the link, which is a secret."""
    detail = {"page": link.purpose, "expires_at": link.expires_at.isoformat()}
    await conn.execute(*audit_row(building_id, signature_of(caller, now), Act("link_made", link.subject, detail)))


def _caller(caller: Caller) -> Audience:
    return Audience(caller.responder.id, caller.responder.name, "caller")


def _view(links: Linker, link: Link) -> LinkView:
    return LinkView(url=links.url(link), expires_at=link.expires_at)
