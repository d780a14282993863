"""Links to the pages for people, made on request; messages bring theirs along."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.auth import Admin, Approver
from api.buildings import must_exist
from api.held import Held, connection
from api.parameters import ApprovalId, BuildingId
from api.problems import documented
from domain.errors import ForbiddenError, NotFoundError
from domain.principals import Principal
from runtime.links import Audience, Link, Linker, linker
from storage import procurement

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
    return _view(links, links.make("approval", approval_id, asked.version, _caller(caller), now))


@router.post(
    "/buildings/{building_id}/log-link", summary="Link to a log", tags=["buildings"], responses=documented(404, 422)
)
async def link_to_log(building_id: BuildingId, resources: Held, caller: Admin) -> LinkView:
    """A link to the page that shows the building's procurement log, to pass on to who may see it."""
    now = resources.clock.now()
    async with connection(resources) as conn:
        await must_exist(conn, building_id)
        links = await linker(conn, resources.settings, now)
    return _view(links, links.make("log", building_id, 0, _caller(caller), now))


def _caller(caller: Principal) -> Audience:
    return Audience(caller.responder.id, caller.responder.name, "caller")


def _view(links: Linker, link: Link) -> LinkView:
    return LinkView(url=links.url(link), expires_at=link.expires_at)
