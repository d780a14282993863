"""Links to the pages for people: made on request, messages bring theirs along; and ended before their time."""

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.auth import AnyCaller, require_person
from api.bodies import body
from api.buildings import must_exist, page_of_building
from api.entrance import is_theirs, must_be_theirs
from api.held import Held, connection
from api.paging import Page
from api.parameters import ApprovalId, BuildingId, Cursor, Limit
from api.problems import documented
from domain.absent import no_approval
from domain.buildings import MANAGER, Strict
from domain.errors import ForbiddenError
from domain.principals import Principal
from domain.text import Name
from runtime.links import Audience, Link, Linker, linker
from storage import links as stored
from storage import owners, procurement
from storage.approvals import building_of
from storage.audit import Act, Signature, audit_row
from storage.connection import Connection
from storage.links import Revocation, Scope, Use

router = APIRouter()

Asker = Annotated[Principal, Depends(require_person("approver", "ask for a link to a question"))]
LogAsker = Annotated[Principal, Depends(require_person("admin", "ask for a link to a log"))]
Revoker = Annotated[Principal, Depends(require_person("admin", "revoke links"))]


class LinkView(BaseModel):
    """A link to a page. Whoever has it can open the page, without a key."""

    url: str = Field(description="The address of the page.")
    expires_at: datetime = Field(description="Until when it opens.")


class LinkUseView(BaseModel):
    """What was done with a link."""

    page: Literal["approval", "log"] = Field(description="Which page it opens.")
    subject: str = Field(description="The question, or the building.")
    person: str = Field(description="Whom it was made for: a role, or the id of a key.")
    name: str = Field(description="Their name.")
    address: str = Field(description="A fingerprint of the address that it was made for.")
    what: Use = Field(description="shown, answered or refused.")
    why: str | None = Field(None, description="Why it was refused.")
    at: datetime = Field(description="When.")


class RevocationBody(Strict):
    """The body of `POST /links/revoke`: which links end. One of `all`, `approval_id` and `person`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"person": MANAGER}]})

    all: bool = Field(False, description="true: every link, or every link of the building that is named.")
    approval_id: Name | None = Field(None, description="Links to this question.")
    person: Name | None = Field(None, description="Links of this person: a role, or the id of a key.")
    building_id: Name | None = Field(None, description="Only those of this building and its forks.")

    @model_validator(mode="after")
    def _name_one(self) -> Self:
        if [self.all, self.approval_id is not None, self.person is not None].count(True) != 1:
            raise ValueError("give one of all, approval_id and person")
        return self

    @property
    def revocation(self) -> Revocation:
        scope: Scope = "all" if self.all else "person" if self.approval_id is None else "approval"
        return Revocation(scope, self.approval_id or self.person, self.building_id)


class RevocationView(BaseModel):
    """Links that no longer hold: those that were made until then."""

    scope: Scope = Field(description="all, approval or person.")
    subject: str | None = Field(description="The question or the person; null: all.")
    building_id: str | None = Field(description="Only those of this building and its forks; null: of any.")
    revoked_at: datetime = Field(description="Links made until then no longer open.")


@router.post(
    "/approvals/{approval_id}/link", summary="Link to a question", tags=["approvals"], responses=documented(404, 422)
)
async def link_to_approval(approval_id: ApprovalId, resources: Held, caller: Asker) -> LinkView:
    """A link to the page on which this person, the caller, can read and answer the question. It ends with their key."""
    now = resources.clock.now()
    async with connection(resources) as conn:
        asked = await procurement.approval(conn, approval_id)
        if asked is None:
            raise no_approval(approval_id)
        links = await linker(conn, resources.settings, now)
        link = links.make("approval", approval_id, asked.version, _caller(caller), now)
        await _record(conn, str(await building_of(conn, approval_id)), link, caller, now)
    return _view(links, link)


@router.post(
    "/buildings/{building_id}/log-link", summary="Link to a log", tags=["buildings"], responses=documented(404, 422)
)
async def link_to_log(building_id: BuildingId, resources: Held, caller: LogAsker) -> LinkView:
    """A link to the page that shows the building's procurement log, to pass on to who may see it. It ends with the
    caller's key."""
    now = resources.clock.now()
    async with connection(resources) as conn:
        await must_exist(conn, building_id)
        links = await linker(conn, resources.settings, now)
        link = links.make("log", building_id, 0, _caller(caller), now)
        await _record(conn, building_id, link, caller, now)
    return _view(links, link)


async def _record(conn: Connection, building_id: str, link: Link, caller: Principal, now: datetime) -> None:
    """Who made a link, and until when it is good; never the link, which is a secret."""
    detail = {"page": link.purpose, "expires_at": link.expires_at.isoformat()}
    await conn.execute(*audit_row(building_id, Signature(caller.author, now), Act("link_made", link.subject, detail)))


@router.post("/links/revoke", summary="Revoke links", tags=["approvals"], responses=documented(404, 413, 422))
async def revoke_links(request: Request, resources: Held, caller: Revoker) -> RevocationView:
    """End links before their time: all that were made until now, those to one question, or those of one person. The
    next message brings a new one. Only people may."""
    wanted = await body(request, RevocationBody)
    async with connection(resources) as conn:
        await _must_be_theirs(conn, caller, wanted)
        at = await stored.revoke(conn, wanted.revocation, "revoked by hand", caller.author)
    made = wanted.revocation
    return RevocationView(scope=made.scope, subject=made.subject, building_id=made.within, revoked_at=at)


async def _must_be_theirs(conn: Connection, caller: Principal, wanted: RevocationBody) -> None:
    """NotFoundError or ForbiddenError where links would end that are not the caller's to end."""
    if wanted.building_id is not None:
        await must_be_theirs(conn, caller, wanted.building_id)
        await must_exist(conn, wanted.building_id)
    if wanted.approval_id is not None:
        building_id = await owners.building_of_approval(conn, wanted.approval_id)
        if building_id is None or not await is_theirs(conn, caller, building_id):
            raise no_approval(wanted.approval_id)
    elif wanted.building_id is None and caller.buildings is not None:
        raise ForbiddenError(f"{caller.responder.name} is bound to buildings: name one of them as building_id.")


@router.get(
    "/buildings/{building_id}/link-uses", summary="Uses of links", tags=["buildings"], responses=documented(404, 422)
)
async def list_link_uses(
    building_id: BuildingId, resources: Held, _: AnyCaller, limit: Limit = 100, cursor: Cursor = None
) -> Page[LinkUseView]:
    """What was done with the links of a building, the oldest first; the same person's looking once an hour."""
    return await page_of_building(resources, building_id, stored.LINK_USES, LinkUseView, limit=limit, cursor=cursor)


def _caller(caller: Principal) -> Audience:
    return Audience(caller.responder.id, caller.responder.name, "caller", caller.credential)


def _view(links: Linker, link: Link) -> LinkView:
    return LinkView(url=links.url(link), expires_at=link.expires_at)
