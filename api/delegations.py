"""Delegations: what people allow to be decided without asking; granted and revoked by people only."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from api.audit_author import author_of
from api.auth import AnyCaller
from api.auth import Approver as ApproverCaller
from api.bodies import body
from api.delegation_view import DelegationBody, DelegationView
from api.held import Held, connection
from api.paging import Page, page_of
from api.parameters import Cursor, Limit
from api.problems import documented
from api.rules import must_be_a_person
from domain.errors import InvalidError, NotFoundError
from domain.rules import TO_RULES, Delegation, DelegationStatus, full_id, split_id
from domain.text import Name
from runtime.resources import Resources
from storage import pages, teaching
from storage.connection import Connection
from storage.lists import DELEGATIONS

router = APIRouter(tags=["rules"])

DelegationId = Annotated[Name, Path(description="The delegation.", examples=["office-renovation-d21"])]


@router.get("/delegations", summary="List delegations", responses=documented(422))
async def list_delegations(
    resources: Held,
    _: AnyCaller,
    building_id: Annotated[Name | None, Query(description="Only those of this building.")] = None,
    status: Annotated[DelegationStatus | None, Query(description="Only those with this status.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[DelegationView]:
    """What people have delegated, the oldest first."""
    async with connection(resources) as conn:
        return await page_of(
            conn,
            DELEGATIONS,
            DelegationView,
            limit=limit,
            cursor=cursor,
            building_id=building_id,
            status=status,
            live=True if building_id is None else None,
        )


@router.post("/delegations", status_code=201, summary="Delegate", responses=documented(404, 413, 422))
async def grant(request: Request, resources: Held, caller: ApproverCaller) -> DelegationView:
    """Allow a kind of question to be decided without asking, within bounds. Only people may."""
    given = await body(request, DelegationBody)
    must_be_a_person(caller, "delegate")
    now = resources.clock.now()
    expires_at = _end(given, now)
    _known(resources, given.granted_to)

    def made(name: str, item_id: str | None) -> Delegation:
        return Delegation(
            delegation_id=name,
            item_id=item_id,
            granted_by=caller.responder.name,
            granted_at=now,
            expires_at=expires_at,
            **given.model_dump(exclude={"building_id", "item", "days", "expires_at"}),
        )

    async with connection(resources) as conn:
        name = await teaching.grant(conn, given.building_id, given.item, made, author_of(caller), now)
        return await _delegation(conn, full_id(given.building_id, name))


@router.delete("/delegations/{delegation_id}", summary="Revoke a delegation", responses=documented(404, 422))
async def revoke(delegation_id: DelegationId, resources: Held, caller: ApproverCaller) -> DelegationView:
    """Take a delegation back: from now on you are asked again. It stays on file as revoked."""
    must_be_a_person(caller, "revoke a delegation")
    async with connection(resources) as conn:
        await teaching.revoke(conn, delegation_id, author_of(caller), resources.clock.now())
        return await _delegation(conn, delegation_id)


def _end(given: DelegationBody, now: datetime) -> datetime | None:
    if given.expires_at is not None and given.days is not None:
        raise InvalidError("expires_at: give either expires_at or days", "expires_at")
    if given.days is not None:
        return now + timedelta(days=given.days)
    if given.expires_at is None:
        return None
    ends = given.expires_at if given.expires_at.tzinfo else given.expires_at.replace(tzinfo=UTC)
    if ends <= now:
        raise InvalidError("expires_at: lies in the past", "expires_at")
    return ends


def _known(resources: Resources, granted_to: str) -> None:
    """InvalidError for a key that nobody has."""
    programs = {key.id for key in resources.settings.api_keys if key.type != "human"}
    if granted_to != TO_RULES and granted_to not in programs:
        raise InvalidError(f"granted_to: {granted_to!r} is neither `rules` nor the id of a program's key", "granted_to")


async def _delegation(conn: Connection, delegation_id: str) -> DelegationView:
    building_id, name = split_id(delegation_id)
    row = await pages.one(conn, DELEGATIONS, building_id=building_id, delegation_id=name)
    if row is None:
        raise NotFoundError(f"There is no delegation {delegation_id!r}. List them with GET /delegations.")
    return DelegationView.model_validate(row)
