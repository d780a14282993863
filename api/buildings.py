"""Buildings: created once, changed on the record, and shown with how far they are."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ValidationError

from api.approval_view import ApprovalView
from api.auth import AnyCaller, require_person
from api.bodies import MAX_BUILDING_BYTES, body
from api.building_view import BuildingSummary, BuildingView, WouldDoView
from api.held import Held, connection
from api.paging import Page, page_of
from api.parameters import BuildingId, Cursor, Limit
from api.problems import FieldProblem, InvalidBodyError, body_problems, documented
from api.procurement_view import FlagView
from domain.absent import no_building
from domain.buildings import Building, BuildingPatch, BuildingSpec
from domain.errors import ForbiddenError
from domain.principals import Principal
from runtime.resources import Resources
from storage import buildings, pages, procurement, watching
from storage.connection import Connection, Found, Parameter
from storage.lists import APPROVALS, BUILDINGS, FLAGS
from storage.pages import Listing
from storage.progress import progress

router = APIRouter(tags=["buildings"])

V = TypeVar("V", bound=BaseModel)

Creator = Annotated[Principal, Depends(require_person("admin", "create a building"))]
Changer = Annotated[Principal, Depends(require_person("admin", "change a building's policy, people or mode"))]

MAX_SHOWN = 500
"""Questions and flags shown with a building; the lists of their own show all."""


@router.post(
    "/buildings",
    status_code=201,
    summary="Create a building",
    responses={
        200: {"model": BuildingView, "description": "It was there with the same content."},
        **documented(409, 413, 422),
    },
)
async def create_building(request: Request, response: Response, resources: Held, caller: Creator) -> BuildingView:
    """Create a building with its schedule, and its agent with it. 409 if it exists with other content. Only people
    may: with it they say what its agent may do."""
    spec = await body(request, BuildingSpec, MAX_BUILDING_BYTES)
    _must_be_one_of_theirs(caller, spec.building_id)
    async with connection(resources) as conn:
        created = await buildings.create(conn, spec, resources.clock.now(), caller.author)
        response.status_code = 201 if created else 200
        response.headers["Location"] = f"/buildings/{spec.building_id}"
        return await _view(conn, spec.building_id, resources.clock.now())


@router.patch("/buildings/{building_id}", summary="Change a building", responses=documented(404, 409, 413, 422))
async def change_building(building_id: BuildingId, request: Request, resources: Held, caller: Changer) -> BuildingView:
    """Change policy, contacts, approvers or mode. The change is logged with who made it. Only people may. Switched from
    watch to live it orders nothing by itself that day: `would_do` lists what it does from the next working day on."""
    patch = await body(request, BuildingPatch)
    async with connection(resources) as conn:
        try:
            await buildings.change(conn, building_id, patch, caller.author, resources.clock.now())
        except ValidationError as error:
            raise InvalidBodyError(_policy_problems(error, patch)) from error
        return await _view(conn, building_id, resources.clock.now())


@router.get("/buildings", summary="List buildings", responses=documented(422))
async def list_buildings(
    resources: Held, caller: AnyCaller, limit: Limit = 100, cursor: Cursor = None
) -> Page[BuildingSummary]:
    """Every building, by id. Forks are listed with the building that they are forks of."""
    async with connection(resources) as conn:
        return await page_of(
            conn, BUILDINGS, BuildingSummary, theirs=caller.buildings, limit=limit, cursor=cursor, live=True
        )


@router.get("/buildings/{building_id}", summary="Read a building", responses=documented(404, 422))
async def get_building(building_id: BuildingId, resources: Held, _: AnyCaller) -> BuildingView:
    """A building with how far it is: lines by status, what it does now, and what waits for whom."""
    async with connection(resources) as conn:
        return await _view(conn, building_id, resources.clock.now())


async def page_of_building(
    resources: Resources,
    building_id: str,
    listing: Listing,
    view: type[V],
    *,
    limit: int,
    cursor: str | None,
    show: Callable[[list[Found]], Awaitable[list[V]]] | None = None,
    **filters: Parameter,
) -> Page[V]:
    """One page of what belongs to a building; `show` as in `page_of`.

    Raises:
        NotFoundError: there is no such building.
    """
    async with connection(resources) as conn:
        found = await page_of(
            conn,
            listing,
            view,
            theirs=None,  # the building is in the address, and the caller was let into it
            limit=limit,
            cursor=cursor,
            show=show,
            building_id=building_id,
            **filters,
        )
        if not found.data:
            await must_exist(conn, building_id)
        return found


async def must_exist(conn: Connection, building_id: str) -> None:
    """Raise NotFoundError when there is no such building."""
    row = await (await conn.execute("SELECT 1 FROM buildings WHERE building_id = %s", (building_id,))).fetchone()
    if row is None:
        raise no_building(building_id)


def _must_be_one_of_theirs(caller: Principal, building_id: str) -> None:
    """ForbiddenError for a key that is bound to other buildings, whether this one exists or not."""
    if not caller.may_enter(building_id):
        raise ForbiddenError(
            f"{caller.responder.name} is bound to buildings, and {building_id!r} is none of them. Add it to the key's "
            "`buildings` first."
        )


async def _view(conn: Connection, building_id: str, now: datetime) -> BuildingView:
    building = await procurement.building(conn, building_id)
    if building is None:
        raise no_building(building_id)
    found = await progress(conn, building_id)
    pending = await pages.page(conn, APPROVALS, limit=MAX_SHOWN, building_id=building_id, status="pending")
    flags = await pages.page(conn, FLAGS, limit=MAX_SHOWN, building_id=building_id, status="open")
    return BuildingView.model_validate(
        {
            **building.model_dump(),
            "mode": building.shown_mode,
            "going_live": building.going_live,
            "would_do": await _would_do(conn, building, now),
            "progress": asdict(found),
            "pending_approvals": [ApprovalView.model_validate(row) for row in pending.rows],
            "open_flags": [FlagView.model_validate(row) for row in flags.rows],
        }
    )


async def _would_do(conn: Connection, building: Building, now: datetime) -> WouldDoView | None:
    """What the agent would do, where it does not do it by itself."""
    if building.orders_alone:
        return None
    today = now.astimezone(building.zone).date()
    would_do = await watching.read_intentions(conn, building, today)
    return WouldDoView.model_validate(would_do.model_dump())


def _policy_problems(error: ValidationError, patch: BuildingPatch) -> list[FieldProblem]:
    return [
        FieldProblem(field=f"policy.{found.field}", message=found.message)
        for found in body_problems(error, patch.model_dump(mode="json")["policy"])
    ]
