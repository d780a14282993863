"""Rules that were learned from people's answers: read, changed, switched off, overruled."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from api.audit_author import author_of
from api.auth import AnyCaller, Caller
from api.auth import Approver as ApproverCaller
from api.bodies import body
from api.held import Held, connection
from api.paging import Page, page_of
from api.parameters import Cursor, Limit
from api.problems import documented
from api.rule_view import AcceptedOverruling, OverrulingBody, RulePatch, RuleView
from domain.errors import ConflictError, ForbiddenError, NotFoundError
from domain.rules import RuleStatus, split_id
from domain.text import Name
from storage import inbox, pages, teaching
from storage.connection import Connection
from storage.inbox import Accepted
from storage.lists import EVENTS, RULES
from tools.answers import with_item_ids

router = APIRouter(tags=["rules"])

RuleId = Annotated[Name, Path(description="The rule.", examples=["office-renovation-r17"])]

SOURCE = "longlead.overruled"
"""Source of the inbox entries that overrulings become; the public endpoint refuses it."""


@router.get("/rules", summary="List rules", responses=documented(422))
async def list_rules(
    resources: Held,
    _: AnyCaller,
    building_id: Annotated[Name | None, Query(description="Only those of this building.")] = None,
    kind: Annotated[Name | None, Query(description="Only those for this kind of question.")] = None,
    status: Annotated[RuleStatus | None, Query(description="Only those with this status.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[RuleView]:
    """What buildings have learned from people's answers, the oldest first."""
    async with connection(resources) as conn:
        return await page_of(
            conn,
            RULES,
            RuleView,
            limit=limit,
            cursor=cursor,
            building_id=building_id,
            kind=kind,
            status=status,
            live=True if building_id is None else None,
        )


@router.get("/rules/{rule_id}", summary="Read a rule", responses=documented(404, 422))
async def get_rule(rule_id: RuleId, resources: Held, _: AnyCaller) -> RuleView:
    """A rule with the decision that it was learned from, and how it has fared since."""
    async with connection(resources) as conn:
        return await _rule(conn, rule_id)


@router.patch("/rules/{rule_id}", summary="Change a rule", responses=documented(404, 413, 422))
async def change_rule(rule_id: RuleId, request: Request, resources: Held, caller: ApproverCaller) -> RuleView:
    """Word a rule otherwise, switch it off or on, share it, or say whether it may decide alone. Only people may."""
    patch = await body(request, RulePatch)
    must_be_a_person(caller, "change a rule")
    async with connection(resources) as conn:
        await teaching.change_rule(conn, rule_id, patch.change(), author_of(caller), resources.clock.now())
        return await _rule(conn, rule_id)


@router.post(
    "/rules/{rule_id}/overrule",
    status_code=202,
    summary="Overrule a rule's decision",
    response_description="Taken; it is carried out in its turn.",
    responses={
        200: {"model": AcceptedOverruling, "description": "This decision was overruled before."},
        **documented(404, 409, 413, 422),
    },
)
async def overrule(
    rule_id: RuleId, request: Request, response: Response, resources: Held, caller: ApproverCaller
) -> AcceptedOverruling:
    """Say that what a rule decided alone was wrong: it only recommends again, its delegation is suspended, and your
    actions are carried out instead. Without any you are asked what is to become of it."""
    given = await body(request, OverrulingBody)
    must_be_a_person(caller, "overrule a rule")
    building_id, name = split_id(rule_id)
    async with connection(resources) as conn:
        decided = await teaching.decision_to_overrule(conn, rule_id, given.entry)
        actions = await with_item_ids(conn, building_id, given.actions or [])
        accepted = await inbox.accept(
            conn,
            building_id,
            source=SOURCE,
            event_id=f"{rule_id}:{decided['seq']}",
            event_type="Rule_Overruled",
            body={
                "rule_id": name,
                "decided_seq": decided["seq"],
                "actions": actions,
                "why": given.message or "",
                "responder": caller.responder.model_dump(mode="json"),
            },
            now=resources.clock.now(),
            sent_by=author_of(caller),
        )
        if not accepted.created:
            response.status_code = 200
            await _same_again(conn, building_id, accepted, actions)
    return AcceptedOverruling(event_id=accepted.event_id, seq=accepted.seq, decided_at=decided["seq"])


async def _same_again(conn: Connection, building_id: str, accepted: Accepted, actions: list[dict[str, Any]]) -> None:
    """ConflictError where the decision was overruled before, by other actions than now: those are not carried out."""
    entry = await pages.one(conn, EVENTS, building_id=building_id, seq=accepted.seq)
    if entry is not None and entry["body"]["actions"] != actions:
        raise ConflictError(
            f"This decision was overruled before, with other actions: it is entry {accepted.seq}. Nothing was stored.",
            seq=accepted.seq,
        )


def must_be_a_person(caller: Caller, what: str) -> None:
    """ForbiddenError for a program: nobody widens their own authority."""
    if caller.responder.type != "human":
        raise ForbiddenError(f"Only a person may {what}; {caller.responder.name} is {caller.responder.type}.")


async def _rule(conn: Connection, rule_id: str) -> RuleView:
    building_id, name = split_id(rule_id)
    row = await pages.one(conn, RULES, building_id=building_id, rule_id=name)
    if row is None:
        raise NotFoundError(f"There is no rule {rule_id!r}. List the rules with GET /rules.")
    return RuleView.model_validate(row)
