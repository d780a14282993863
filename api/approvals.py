"""Questions to people: read, and answered once."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Query, Request, Response

from api.approval_view import AcceptedDecisionView, ApprovalView
from api.audit_author import author_of
from api.auth import AnyCaller, Approver
from api.bodies import body
from api.held import Held, connection
from api.paging import Page, page_of
from api.parameters import ApprovalId, Cursor, IdempotencyKey, Limit, Prefer
from api.problems import documented
from api.waiting import APPLIED, until, wait_of
from domain.approvals import ApprovalStatus, Decision, DecisionBody, Responder, plain_answer
from domain.errors import ForbiddenError, InvalidError, NotFoundError
from domain.text import Name
from runtime.resources import Resources
from storage import approvals, pages, procurement
from storage.connection import Connection
from storage.lists import APPROVALS, EVENTS
from tools.answers import with_item_ids
from tools.authority import authority_of

router = APIRouter(tags=["approvals"])

NO_MODEL = (
    "no model is configured to read free text: answer with a plain yes or no, with type approve or reject, or "
    "with type edit and the actions to do instead; nothing was stored"
)


@router.get("/approvals", summary="List approvals", responses=documented(422))
async def list_approvals(
    resources: Held,
    _: AnyCaller,
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
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> AcceptedDecisionView:
    """Answer a question. The first answer counts: a later one gets 409 with the decision that stands."""
    answer = await body(request, DecisionBody)
    event_id = f"{approval_id}:{idempotency_key}" if idempotency_key else str(uuid4())
    async with connection(resources) as conn:
        asked = await _approval(conn, approval_id)
        accepted = await _first_answer(conn, asked, event_id) if idempotency_key else None
        if accepted is None:
            now = resources.clock.now()
            models = resources.settings.has_readers
            decision = await _decision(conn, asked, answer, caller.responder, now, models)
            taken = await approvals.decide(
                conn,
                approval_id,
                decision,
                version=answer.version,
                event_id=event_id,
                now=now,
                via=author_of(caller).via,
            )
            accepted = _accepted(approval_id, event_id, taken.seq, taken.approval.version)
    if seconds := wait_of(prefer):
        settled = await until(lambda: _settled(resources, asked, accepted), seconds)
        if settled is not None:
            response.status_code = 200
            response.headers.update(APPLIED)
            return accepted.model_copy(update=settled)
    return accepted


async def _approval(conn: Connection, approval_id: str) -> ApprovalView:
    row = await pages.one(conn, APPROVALS, approval_id=approval_id)
    if row is None:
        raise NotFoundError(f"There is no approval {approval_id!r}. List the open ones with GET /approvals.")
    return ApprovalView.model_validate(row)


def _accepted(approval_id: str, event_id: str, seq: int, version: int) -> AcceptedDecisionView:
    return AcceptedDecisionView(approval_id=approval_id, event_id=event_id, seq=seq, status="accepted", version=version)


async def _first_answer(conn: Connection, asked: ApprovalView, event_id: str) -> AcceptedDecisionView | None:
    """What a request of the same Idempotency-Key was answered; None when it is the first."""
    entry = await _entry(conn, asked, event_id)
    if entry is None:
        return None
    return _accepted(asked.approval_id, event_id, entry["seq"], entry["body"]["version"])


async def _entry(conn: Connection, asked: ApprovalView, event_id: str) -> dict[str, Any] | None:
    return await pages.one(conn, EVENTS, building_id=asked.building_id, source=approvals.SOURCE, event_id=event_id)


async def _settled(
    resources: Resources, asked: ApprovalView, accepted: AcceptedDecisionView
) -> dict[str, str | None] | None:
    """What became of an answer: its status, and what is said to it; None while it waits for its turn."""
    async with connection(resources) as conn:
        entry = await _entry(conn, asked, accepted.event_id)
        if entry is None or entry["status"] not in ("done", "dead"):
            return None
        if entry["status"] == "dead":
            return {"status": "failed"}
        outcome = entry["outcome"] or {}
        stated = outcome.get("decision")
        if stated in ("answered", "asked_again"):
            return {"status": stated, "answer": outcome.get("answer")}
        if stated not in ("applied", "outdated"):
            standing = (await _approval(conn, asked.approval_id)).decision
            stated = standing.status if standing and standing.event_id == accepted.event_id else "outdated"
    return {"status": "outdated" if stated == "outdated" else "applied"}


async def _decision(
    conn: Connection, asked: ApprovalView, answer: DecisionBody, responder: Responder, now: datetime, models: bool
) -> Decision:
    """The answer as a decision; InvalidError where it says too little, or names what does not exist."""
    kind = _read_answer(answer, responder, models) if answer.type == "respond" else answer.type
    if answer.actions is not None and kind != "edit":
        raise InvalidError("actions: only type edit takes actions", "actions")
    if kind == "edit" and not answer.actions:
        raise InvalidError("actions: type edit needs the actions that are to be done instead", "actions")
    if kind == "approve" and asked.status == "pending" and not asked.recommended:
        raise InvalidError("type: nothing is recommended here that could be approved; use edit or reject", "type")
    actions = await with_item_ids(conn, asked.building_id, answer.actions or [])
    await _within_authority(conn, asked, responder, kind, actions, now)
    return Decision(
        type=kind,
        responder=responder,
        actions=actions,
        why=answer.message or "",
        occurred_at=answer.occurred_at,
    )


async def _within_authority(
    conn: Connection,
    asked: ApprovalView,
    responder: Responder,
    kind: str,
    actions: list[dict[str, Any]],
    now: datetime,
) -> None:
    """ForbiddenError where a program answers what only a person may, and nobody delegated to it."""
    if responder.type == "human":
        return
    building = await procurement.building(conn, asked.building_id)
    approval = await procurement.approval(conn, asked.approval_id)
    if building is None or approval is None:
        raise NotFoundError(f"There is no approval {asked.approval_id!r}. List the open ones with GET /approvals.")
    proposed = actions or approval.recommended
    authority = await authority_of(conn, building, responder, approval, proposed, now)
    if not authority.allowed:
        raise ForbiddenError(f"{authority.policy_line}; {responder.name} is {responder.type}.")


def _read_answer(answer: DecisionBody, responder: Responder, models: bool) -> Literal["approve", "reject", "respond"]:
    """A free-text answer as far as it can be read here: a plain yes or no. More is left to a model, for people only:
    a program says what it wants in actions."""
    if answer.message is None:
        raise InvalidError("message: type respond needs a message", "message")
    kind = plain_answer(answer.message)
    if kind is not None:
        return kind
    if not models:
        raise InvalidError(NO_MODEL, "message")
    if responder.type != "human":
        raise InvalidError("message: free text is read for people; a program sends type edit with actions", "message")
    return "respond"
