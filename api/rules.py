"""Rules that were learned from people's answers: read, changed, switched off, overruled."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.auth import AnyCaller, require_person
from api.bodies import body
from api.event_view import EventView
from api.held import Held, connection
from api.paging import Page, page_of
from api.parameters import Cursor, Limit
from api.problems import documented
from api.rule_view import AcceptedOverruling, OverrulingBody, RulePatch, RuleView
from domain.absent import no_rule
from domain.errors import ConflictError, ForbiddenError
from domain.plain_json import PlainAction, as_json
from domain.principals import Principal
from domain.rules import RuleStatus, split_id
from domain.text import Name
from storage import inbox, pages, procurement, teaching
from storage.connection import Connection
from storage.inbox import Accepted
from storage.lists import EVENTS, RULES
from tools.answers import with_item_ids
from tools.authority import Matter, require_authority

router = APIRouter(tags=["rules"])

RuleId = Annotated[Name, Path(description="The rule.", examples=["office-renovation-r17"])]

RuleChanger = Annotated[Principal, Depends(require_person("approver", "change a rule"))]
Overruler = Annotated[Principal, Depends(require_person("approver", "overrule a rule"))]

SOURCE = "longlead.overruled"
"""Source of the inbox entries that overrulings become; the public endpoint refuses it."""


@router.get("/rules", summary="List rules", responses=documented(422))
async def list_rules(
    resources: Held,
    caller: AnyCaller,
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
            theirs=caller.buildings,
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
async def change_rule(rule_id: RuleId, request: Request, resources: Held, caller: RuleChanger) -> RuleView:
    """Word a rule otherwise, switch it off or on, share it, or say whether it may decide alone. Only people may."""
    patch = await body(request, RulePatch)
    if patch.shared and caller.buildings is not None:
        raise ForbiddenError(f"{caller.responder.name} is bound to buildings: only who may see all may share a rule.")
    async with connection(resources) as conn:
        await teaching.change_rule(conn, rule_id, patch.change(), caller.author, resources.clock.now())
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
    rule_id: RuleId, request: Request, response: Response, resources: Held, caller: Overruler
) -> AcceptedOverruling:
    """Say that what a rule decided alone was wrong: it only recommends again, its delegation is suspended, and your
    actions are carried out instead. Without any you are asked what is to become of it."""
    given = await body(request, OverrulingBody)
    building_id, name = split_id(rule_id)
    async with connection(resources) as conn:
        decided = await teaching.decision_to_overrule(conn, rule_id, given.entry)
        actions = await with_item_ids(conn, building_id, given.actions or [])
        building = await procurement.building(conn, building_id)
        if building is not None:
            matter = Matter(decided["kind"], decided["item_id"])
            await require_authority(conn, building, caller, matter, actions, resources.clock.now())
        accepted = await inbox.accept(
            conn,
            building_id,
            source=SOURCE,
            event_id=f"{rule_id}:{decided['seq']}",
            event_type="Rule_Overruled",
            body={
                "rule_id": name,
                "decided_seq": decided["seq"],
                "actions": as_json(actions),
                "why": given.message or "",
                "responder": caller.responder.model_dump(mode="json"),
                "mandate": caller.mandate.model_dump(mode="json"),
            },
            now=resources.clock.now(),
            sent_by=caller.author,
        )
        if not accepted.created:
            response.status_code = 200
            await _same_again(conn, building_id, accepted, actions)
    return AcceptedOverruling(event_id=accepted.event_id, seq=accepted.seq, decided_at=decided["seq"])


async def _same_again(conn: Connection, building_id: str, accepted: Accepted, actions: list[PlainAction]) -> None:
    """ConflictError where the decision was overruled before, by other actions than now: those are not carried out."""
    entry = await pages.one(conn, EVENTS, building_id=building_id, seq=accepted.seq)
    before = None if entry is None else EventView.model_validate(entry).body["actions"]
    if before is not None and before != as_json(actions):
        raise ConflictError(
            f"This decision was overruled before, with other actions: it is entry {accepted.seq}. Nothing was stored.",
            seq=accepted.seq,
        )


async def _rule(conn: Connection, rule_id: str) -> RuleView:
    building_id, name = split_id(rule_id)
    row = await pages.one(conn, RULES, building_id=building_id, rule_id=name)
    if row is None:
        raise no_rule(rule_id)
    return RuleView.model_validate(row)
