"""The page of a building's procurement log: what is where, what waits for whom, what the agent did last."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.approval_view import ApprovalView
from api.held import Held, connection
from api.ledger_view import LedgerEntry
from api.pages.links import answered_by_page, let_in, record_use
from api.pages.rendering import page
from api.procurement_view import show_items
from domain.errors import NotFoundError
from domain.outside import shown_name
from runtime.links import linker
from storage import pages, procurement
from storage.connection import Connection
from storage.lists import APPROVALS, ITEMS
from storage.pages import Listing

router = APIRouter(include_in_schema=False)

MOST_LINES = 500
LAST_ACTIONS = 20

LAST = """
SELECT building_id, seq, action, item, ordinal, arguments, result, responder, at FROM actions
 WHERE building_id = %s AND kind = 'action' ORDER BY position DESC, seq DESC, ordinal DESC LIMIT %s"""

TONES = {
    "released": "good",
    "clear": "good",
    "tight": "warn",
    "on_hold": "warn",
    "conflict": "bad",
    "failed_inspection": "bad",
    "submittal_rejected": "bad",
    "cancelled": "bad",
}


@router.get("/pages/log/{token}")
@answered_by_page
async def show(token: str, request: Request, resources: Held) -> Response:
    """The log as it stands."""
    now = resources.clock.now()
    async with connection(resources) as conn:
        links = await linker(conn, resources.settings, now)
        link = links.read("log", token)
        building = await procurement.building(conn, link.subject)
        if building is None:
            raise NotFoundError("This building is no longer on file.")
        await let_in(request, conn, links, link, building)
        await record_use(conn, link, building, "shown", now)
        lines = await pages.page(conn, ITEMS, limit=MOST_LINES, building_id=link.subject, removed=False)
        items = [item.model_dump(mode="json") for item in await show_items(lines.rows)]
        questions = await _open(conn, APPROVALS, link.subject)
        done = await (await conn.execute(LAST, (link.subject, LAST_ACTIONS))).fetchall()
        names = {item_id: shown_name(name) for item_id, name in await procurement.item_names(conn, link.subject)}
    return page(
        "log.html",
        title=f"{building.name}: procurement log",
        building=building,
        zone=building.zone,
        now=now,
        items=items,
        more=lines.after is not None,
        questions=questions,
        done=[LedgerEntry.model_validate(row).model_dump() for row in done],
        names=names,
        tones=TONES,
        link=link,
    )


async def _open(conn: Connection, listing: Listing, building_id: str) -> list[ApprovalView]:
    found = await pages.page(conn, listing, limit=MOST_LINES, building_id=building_id, status="pending")
    return [ApprovalView.model_validate(row) for row in found.rows]
