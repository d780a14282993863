"""The audit of a building: who created, changed, retried or deleted what."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.audit_view import AuditView
from api.auth import AnyCaller
from api.buildings import page_of_building
from api.held import Held
from api.paging import Page
from api.parameters import BuildingId, Cursor, Limit
from api.problems import documented
from storage.audit import What
from storage.lists import AUDIT

router = APIRouter(tags=["ledger"])


@router.get("/buildings/{building_id}/audit", summary="Read the audit", responses=documented(404, 422))
async def list_audit(
    building_id: BuildingId,
    resources: Held,
    _: AnyCaller,
    what: Annotated[What | None, Query(description="Only what was done in this way.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[AuditView]:
    """Who created, changed, retried, decided or deleted what, the newest first. It stays readable when the building is
    gone. Who sent an event is shown with the event, who decided what also in the decision log."""
    return await page_of_building(resources, building_id, AUDIT, AuditView, limit=limit, cursor=cursor, what=what)
