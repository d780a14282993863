"""Forks: what-ifs on a building as it was, compared with what really happened."""

from fastapi import APIRouter, Request, Response

from api.auth import AnyCaller, Approver
from api.bodies import body
from api.buildings import must_exist, page_of_building
from api.forks_view import DiffView, ForkBody, ForkView
from api.held import Held, connection
from api.paging import Page
from api.parameters import BuildingId, Cursor, ForkId, Limit
from api.problems import documented
from api.waiting import Waiting
from domain.comparison import compare
from domain.errors import UnavailableError
from domain.principals import Principal
from graph.forking import fork
from runtime.resources import Resources
from storage import diffs, forks, pages
from storage.audit import Signature
from storage.connection import Connection
from storage.lists import FORKS

router = APIRouter(tags=["forks"])

DELETE_WAIT_S = 5.0
"""How long a deletion waits for a worker that is just running the fork."""


@router.post(
    "/buildings/{building_id}/forks", status_code=201, summary="Make a fork", responses=documented(404, 409, 413, 422)
)
async def create_fork(
    building_id: BuildingId, request: Request, response: Response, resources: Held, caller: Approver
) -> ForkView:
    """Make a sandbox of the building as it was before an event, at a checkpoint, or as it is now. It is a building of
    its own: send it events and answers as any other. Nothing of it leaves Longlead, and the building stays as it is."""
    wanted = await body(request, ForkBody)
    async with connection(resources) as conn:
        made = await fork(
            conn,
            building_id,
            **wanted.model_dump(),
            signature=Signature(caller.author, resources.clock.now()),
        )
        response.headers["Location"] = f"/buildings/{made.fork_id}"
        return ForkView.model_validate(await pages.one(conn, FORKS, fork_id=made.fork_id))


@router.get("/buildings/{building_id}/forks", summary="List forks", responses=documented(404, 422))
async def list_forks(
    building_id: BuildingId, resources: Held, _: AnyCaller, limit: Limit = 100, cursor: Cursor = None
) -> Page[ForkView]:
    """The building's forks, the oldest first."""
    return await page_of_building(resources, building_id, FORKS, ForkView, limit=limit, cursor=cursor)


@router.get("/buildings/{building_id}/forks/{fork_id}/diff", summary="Compare a fork", responses=documented(404, 422))
async def compare_fork(building_id: BuildingId, fork_id: ForkId, resources: Held, _: AnyCaller) -> DiffView:
    """How the fork differs from what really happened since they parted."""
    async with connection(resources) as conn:
        found = await _fork(conn, building_id, fork_id)
        really, here = await diffs.sides(conn, found)
    return DiffView(
        **dict(compare(really, here)),
        fork_id=fork_id,
        building_id=building_id,
        after_event=found.last_seq,
        really_until=really.last_seq,
        here_until=here.last_seq,
    )


@router.delete(
    "/buildings/{building_id}/forks/{fork_id}",
    status_code=204,
    summary="Delete a fork",
    responses=documented(404, 409, 422, 503),
)
async def delete_fork(
    building_id: BuildingId, fork_id: ForkId, resources: Held, waiting: Waiting, caller: Approver
) -> None:
    """Delete the fork with everything that belongs to it. Forks of its own go first."""
    async with connection(resources) as conn:
        await must_exist(conn, building_id)
    if not await waiting.until(lambda: _deleted(resources, building_id, fork_id, caller), DELETE_WAIT_S):
        raise UnavailableError(f"A worker is just running fork {fork_id!r}. Nothing was deleted; try again.")


async def _deleted(resources: Resources, building_id: str, fork_id: str, caller: Principal) -> bool | None:
    signature = Signature(caller.author, resources.clock.now())
    async with connection(resources) as conn:
        return await forks.delete(conn, building_id, fork_id, signature) or None


async def _fork(conn: Connection, building_id: str, fork_id: str) -> forks.Begun:
    await must_exist(conn, building_id)
    return await forks.find(conn, building_id, fork_id)
