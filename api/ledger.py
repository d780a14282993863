"""What the agent did, and what was decided: the two logs, in order."""

from fastapi import APIRouter

from api.auth import AnyCaller
from api.buildings import page_of_building
from api.held import Held
from api.ledger_view import DecisionEntry, LedgerEntry
from api.paging import Page
from api.parameters import BuildingId, Cursor, Limit, OfEvent, Source
from api.problems import documented
from storage.lists import ACTIONS, DECISIONS

router = APIRouter(tags=["ledger"])


@router.get("/buildings/{building_id}/actions", summary="Read the ledger", responses=documented(404, 422))
async def list_actions(
    building_id: BuildingId,
    resources: Held,
    _: AnyCaller,
    event_id: OfEvent = None,
    source: Source = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[LedgerEntry]:
    """What the agent did, in the order in which it was done."""
    return await page_of_building(
        resources,
        building_id,
        ACTIONS,
        LedgerEntry,
        limit=limit,
        cursor=cursor,
        event_id=event_id,
        source=source,
    )


@router.get("/buildings/{building_id}/decisions", summary="Read the decision log", responses=documented(404, 422))
async def list_decisions(
    building_id: BuildingId,
    resources: Held,
    _: AnyCaller,
    event_id: OfEvent = None,
    source: Source = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[DecisionEntry]:
    """What rules, models and people decided, with their reasons, in order."""
    return await page_of_building(
        resources,
        building_id,
        DECISIONS,
        DecisionEntry,
        limit=limit,
        cursor=cursor,
        event_id=event_id,
        source=source,
    )
