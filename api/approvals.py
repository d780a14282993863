"""Questions to people: read, and answered once."""

import hashlib
import json
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Query, Request, Response

from api.approval_view import AcceptedDecisionView, ApprovalView
from api.auth import AnyCaller, Approver
from api.bodies import body
from api.event_view import EventView
from api.held import Held, connection
from api.paging import Page, page_of
from api.parameters import ApprovalId, Cursor, IdempotencyKey, Limit, Prefer
from api.problems import documented
from api.waiting import APPLIED, Waiting, wait_of
from domain.absent import no_approval
from domain.approvals import Answer, ApprovalStatus, DecisionBody, Responder
from domain.plain_json import JsonObject
from domain.text import Name
from runtime.resources import Resources
from storage import approvals, pages, procurement
from storage.connection import Connection
from storage.lists import APPROVALS, EVENTS
from tools.answers import submit

router = APIRouter(tags=["approvals"])


@router.get("/approvals", summary="List approvals", responses=documented(422))
async def list_approvals(
    resources: Held,
    caller: AnyCaller,
    status: Annotated[ApprovalStatus | None, Query(description="Only those with this status.")] = None,
    building_id: Annotated[Name | None, Query(description="Only those of this building.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[ApprovalView]:
    """Questions to people, the oldest first. Those of a fork are listed only where it is named."""
    async with connection(resources) as conn:
        return await page_of(
            conn,
            APPROVALS,
            ApprovalView,
            theirs=caller.buildings,
            limit=limit,
            cursor=cursor,
            status=status,
            building_id=building_id,
            live=True if building_id is None else None,
        )


@router.get("/approvals/{approval_id}", summary="Read an approval", responses=documented(404, 422))
async def get_approval(approval_id: ApprovalId, resources: Held, _: AnyCaller) -> ApprovalView:
    """A question with its evidence, its options and, once answered, its decision."""
    async with connection(resources) as conn:
        return await _approval(conn, approval_id)


@router.post(
    "/approvals/{approval_id}/decision",
    status_code=202,
    summary="Answer an approval",
    response_model_exclude_none=True,
    response_description="Taken; it is applied in its turn.",
    responses={
        200: {
            "model": AcceptedDecisionView,
            "description": "With `Prefer: wait`: it was applied, or found outdated.",
        },
        **documented(404, 409, 413, 422),
    },
)
async def decide(
    approval_id: ApprovalId,
    request: Request,
    response: Response,
    resources: Held,
    caller: Approver,
    waiting: Waiting,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> AcceptedDecisionView:
    """Answer a question. The first answer counts: a later one gets 409 with the decision that stands.

    An Idempotency-Key is its sender's own. Repeated with the same answer it gets the first response; with another
    answer 409.
    """
    answer = await body(request, DecisionBody)
    event_id = _event_id(approval_id, caller.responder, idempotency_key)
    async with connection(resources) as conn:
        asked = await _approval(conn, approval_id)
        taken = await submit(
            conn,
            caller,
            Answer(approval_id=approval_id, **answer.model_dump()),
            event_id=event_id,
            reads_free_text=resources.settings.has_readers,
            now=resources.clock.now(),
        )
    accepted = AcceptedDecisionView(
        approval_id=approval_id, event_id=event_id, seq=taken.seq, status="accepted", version=taken.version
    )
    if (seconds := wait_of(prefer)) and waiting.has_room:
        settled = await waiting.until(lambda: _settled(resources, asked, accepted), seconds)
        if settled is not None:
            response.status_code = 200
            response.headers.update(APPLIED)
            return accepted.model_copy(update=settled)
    return accepted


async def _approval(conn: Connection, approval_id: str) -> ApprovalView:
    row = await pages.one(conn, APPROVALS, approval_id=approval_id)
    if row is None:
        raise no_approval(approval_id)
    return ApprovalView.model_validate(row)


def _event_id(approval_id: str, responder: Responder, key: str | None) -> str:
    """The id of the answer's entry. A key names an answer of one sender: another sender's is a request of its own."""
    if key is None:
        return str(uuid4())
    sender = json.dumps([responder.type, responder.id, key])
    return f"{approval_id}:{hashlib.sha256(sender.encode()).hexdigest()[:32]}"


async def _entry(conn: Connection, asked: ApprovalView, event_id: str) -> EventView | None:
    row = await pages.one(conn, EVENTS, building_id=asked.building_id, source=approvals.SOURCE, event_id=event_id)
    return None if row is None else EventView.model_validate(row)


async def _settled(resources: Resources, asked: ApprovalView, accepted: AcceptedDecisionView) -> JsonObject | None:
    """What became of an answer: its status, what is said to it, and what watch held back; None while it waits for its
    turn."""
    async with connection(resources) as conn:
        entry = await _entry(conn, asked, accepted.event_id)
        if entry is None or entry.status not in ("done", "dead"):
            return None
        if entry.status == "dead":
            return {"status": "failed"}
        outcome = entry.outcome or {}
        stated = outcome.get("decision")
        if stated in ("answered", "asked_again"):
            return {"status": stated, "answer": outcome.get("answer")}
        if stated not in ("applied", "outdated"):
            standing = (await _approval(conn, asked.approval_id)).decision
            stated = standing.status if standing and standing.event_id == accepted.event_id else "outdated"
        if stated == "outdated":
            return {"status": "outdated"}
        held_back = [*outcome.get("would_do", []), *outcome.get("withheld", [])]
        building = await procurement.building(conn, asked.building_id) if held_back else None
    return {"status": "applied", "would_do": held_back if building and building.is_watching else None}
