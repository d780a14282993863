"""Delegations: what people allow to be decided without asking; granted and revoked by people only."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from api.auth import AnyCaller, require_person
from api.bodies import body
from api.delegation_view import DelegationBody, DelegationView
from api.entrance import must_be_theirs
from api.held import Held, connection
from api.paging import Page, page_of
from api.parameters import Cursor, Limit
from api.problems import documented
from domain.absent import no_building, no_delegation
from domain.actions import DelegationArguments
from domain.errors import InvalidError
from domain.plain_json import PlainAction
from domain.principals import Principal
from domain.rules import TO_RULES, Delegation, DelegationStatus, full_id, split_id
from domain.text import Name
from runtime.resources import Resources
from storage import pages, procurement, teaching
from storage.connection import Connection
from storage.lists import DELEGATIONS
from tools.authority import Matter, require_authority

router = APIRouter(tags=["rules"])

Granter = Annotated[Principal, Depends(require_person("approver", "delegate"))]
Revoker = Annotated[Principal, Depends(require_person("approver", "revoke a delegation"))]
DelegationId = Annotated[Name, Path(description="The delegation.", examples=["office-renovation-d21"])]


@router.get("/delegations", summary="List delegations", responses=documented(422))
async def list_delegations(
    resources: Held,
    caller: AnyCaller,
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
            theirs=caller.buildings,
            limit=limit,
            cursor=cursor,
            building_id=building_id,
            status=status,
            live=True if building_id is None else None,
        )


@router.post("/delegations", status_code=201, summary="Delegate", responses=documented(404, 413, 422))
async def grant(request: Request, resources: Held, caller: Granter) -> DelegationView:
    """Allow a kind of question to be decided without asking, within bounds. Only people may."""
    given = await body(request, DelegationBody)
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
        await must_be_theirs(conn, caller, given.building_id)
        await _within_own_limit(conn, caller, given, now)
        name = await teaching.grant(conn, given.building_id, given.item, made, caller.author, now)
        return await _delegation(conn, full_id(given.building_id, name))


@router.delete("/delegations/{delegation_id}", summary="Revoke a delegation", responses=documented(404, 422))
async def revoke(delegation_id: DelegationId, resources: Held, caller: Revoker) -> DelegationView:
    """Take a delegation back: from now on you are asked again. It stays on file as revoked."""
    async with connection(resources) as conn:
        await teaching.revoke(conn, delegation_id, caller.author, resources.clock.now())
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


async def _within_own_limit(conn: Connection, caller: Principal, given: DelegationBody, now: datetime) -> None:
    """ForbiddenError where somebody delegates more than they may decide themselves."""
    building = await procurement.building(conn, given.building_id)
    if building is None:
        raise no_building(given.building_id)
    arguments = given.model_dump(mode="json", include=set(DelegationArguments.model_fields), exclude_none=True)
    grants: PlainAction = {"name": "grant_delegation", "arguments": arguments}
    await require_authority(conn, building, caller, Matter("delegation_request"), [grants], now)


async def _delegation(conn: Connection, delegation_id: str) -> DelegationView:
    building_id, name = split_id(delegation_id)
    row = await pages.one(conn, DELEGATIONS, building_id=building_id, delegation_id=name)
    if row is None:
        raise no_delegation(delegation_id)
    return DelegationView.model_validate(row)
