"""Looking back: the checkpoints of a building's thread, and the state at one."""

from fastapi import APIRouter

from api.auth import AnyCaller
from api.held import Held, connection
from api.history_view import CheckpointView, StateView
from api.paging import Page
from api.parameters import BuildingId, CheckpointCursor, CheckpointId, Limit
from api.problems import documented
from domain.absent import no_building
from domain.errors import NotFoundError
from graph.history import list_checkpoints, state_at
from storage import procurement
from storage.connection import Connection

router = APIRouter(tags=["history"])


@router.get("/buildings/{building_id}/history", summary="List checkpoints", responses=documented(404, 422))
async def list_history(
    building_id: BuildingId,
    resources: Held,
    _: AnyCaller,
    limit: Limit = 100,
    cursor: CheckpointCursor = None,
) -> Page[CheckpointView]:
    """The agent's steps, the newest first, each with the event it belongs to and what it changed."""
    async with connection(resources) as conn:
        thread_id = await _thread(conn, building_id)
        found = await list_checkpoints(conn, building_id, thread_id, limit=limit + 1, before=cursor)
    views = [CheckpointView.model_validate(checkpoint) for checkpoint in found[:limit]]
    more = len(found) > limit
    return Page[CheckpointView](data=views, next_cursor=views[-1].checkpoint_id if more else None)


@router.get(
    "/buildings/{building_id}/history/{checkpoint_id}",
    summary="Read the state at a checkpoint",
    responses=documented(404, 422),
)
async def get_state(building_id: BuildingId, checkpoint_id: CheckpointId, resources: Held, _: AnyCaller) -> StateView:
    """The agent's state as it was at one step."""
    async with connection(resources) as conn:
        state = await state_at(conn, await _thread(conn, building_id), checkpoint_id)
    if state is None:
        raise NotFoundError(
            f"Building {building_id!r} has no checkpoint {checkpoint_id!r}. "
            f"List them with GET /buildings/{building_id}/history."
        )
    return StateView(building_id=building_id, checkpoint_id=checkpoint_id, state=state)


async def _thread(conn: Connection, building_id: str) -> str:
    building = await procurement.building(conn, building_id)
    if building is None:
        raise no_building(building_id)
    return building.thread_id
