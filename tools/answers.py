"""Handing in an answer. One way for every door: REST, the pages that links lead to, Studio and other inbox UIs."""

import asyncio
from datetime import datetime

from domain.actions import Action, places_of_items, plain
from domain.approvals import Answer, Approval, Decision, DecisionType, plain_answer
from domain.errors import ForbiddenError, InvalidError, NotFoundError
from domain.feasibility import find_obstacle
from domain.line_names import LineNames
from domain.plain_json import PlainAction
from domain.principals import Principal
from domain.questions.build import ncrs_asked_about
from storage import approvals, procurement
from storage.approvals import AcceptedDecision
from storage.connection import Connection
from tools.authority import require_authority
from tools.completing import with_vendor_ids

NO_MODEL = (
    "no model is configured to read free text, so only a plain yes or no can be read: answer yes or no, approve or "
    "reject, or choose what to do instead; nothing was stored"
)


async def submit(
    conn: Connection,
    principal: Principal,
    answer: Answer,
    *,
    event_id: str,
    reads_free_text: bool,
    now: datetime,
    building_id: str | None = None,
) -> AcceptedDecision:
    """Accept somebody's answer into the building's inbox, if they may give it.

    `event_id` repeats with a repeated request. `reads_free_text`: whether a model will read what is no plain yes or
    no. `building_id`: the building that the door belongs to, where it belongs to one.

    Raises:
        NotFoundError: there is no such approval here.
        InvalidError: the answer says too little, contradicts itself, or names a line that is not there.
        ForbiddenError: the caller may not decide that; it says who may.
        InvalidError: an action cannot be done as the facts are, after those before it; it says which, and why.
        ConflictError: it was answered before, its facts have changed, or a repeated request has another answer.
    """
    asked = await procurement.approval(conn, answer.approval_id)
    home = await approvals.building_of(conn, answer.approval_id)
    if asked is None or home is None or building_id not in (None, home):
        raise _no_approval(answer.approval_id)
    building = await procurement.building(conn, home)
    if building is None or not principal.may_enter(building.known_as):
        raise _no_approval(answer.approval_id)
    if not principal.may("approver"):
        who = principal.responder.name
        raise ForbiddenError(f"{who} lacks the role 'approver', which an answer needs; nothing was stored.")
    kind = _read_type(answer, principal, reads_free_text)
    decision = Decision(
        type=kind,
        responder=principal.responder,
        actions=await _chosen_actions(conn, home, asked, answer, kind),
        why=answer.message or "",
        occurred_at=answer.occurred_at,
        mandate=principal.mandate if principal.is_person else None,
    )
    repeated = await approvals.find_repeated(conn, home, asked, decision, event_id=event_id, version=answer.version)
    if repeated is not None:
        return repeated
    if kind != "respond":  # what is read in it later is checked when it is applied
        proposed = {"approve": asked.recommended, "edit": decision.actions}.get(kind, [])
        await require_authority(conn, building, principal, asked, proposed, now, approval_id=asked.approval_id)
        if asked.status == "pending" and answer.version in (None, asked.version):  # else it is refused as too late
            await _require_possible(conn, home, asked, proposed)
    return await approvals.decide(
        conn,
        asked.approval_id,
        decision,
        version=answer.version,
        event_id=event_id,
        now=now,
        via=principal.via,
    )


async def _require_possible(conn: Connection, building_id: str, asked: Approval, actions: list[PlainAction]) -> None:
    """Let only those actions pass that can be done now, in their order: what is accepted is done whole."""
    files = await procurement.files_of(conn, building_id, actions)
    about = ncrs_asked_about(asked.kind, asked.matter, files.get(asked.item_id or ""))
    obstacle = find_obstacle(files, actions, asked_about=about)
    if obstacle is not None:
        raise InvalidError(
            f"actions.{obstacle.number}: {obstacle}; nothing was done or stored", f"actions.{obstacle.number}"
        )


def _no_approval(approval_id: str) -> NotFoundError:
    return NotFoundError(f"There is no approval {approval_id!r} here. List the open ones with GET /approvals.")


def _read_type(answer: Answer, principal: Principal, reads_free_text: bool) -> DecisionType:
    """What the answer is: free text as far as it can be read here, a plain yes or no. More is left to a model, for
    people only: a program says what it wants in actions."""
    if answer.type != "respond":
        return answer.type
    if answer.message is None:
        raise InvalidError("message: type respond needs a message", "message")
    plainly = plain_answer(answer.message)
    if plainly is not None:
        return plainly
    if not reads_free_text:
        raise InvalidError(NO_MODEL, "message")
    if not principal.is_person:
        raise InvalidError("message: free text is read for people; a program sends type edit with actions", "message")
    return "respond"


async def _chosen_actions(
    conn: Connection, building_id: str, asked: Approval, answer: Answer, kind: DecisionType
) -> list[PlainAction]:
    """The actions of an edit; none of any other answer. Inbox UIs send the recommended ones back with any answer."""
    actions = await with_item_ids(conn, building_id, answer.actions or [])
    is_open = asked.status == "pending" and answer.version in (None, asked.version)
    if kind == "edit":
        if not actions:
            raise InvalidError("actions: type edit needs the actions that are to be done instead", "actions")
        return actions
    if actions and is_open and actions != asked.recommended:
        raise InvalidError("actions: only type edit takes actions other than the recommended ones", "actions")
    if kind == "approve" and is_open and not asked.recommended:
        raise InvalidError("type: nothing is recommended here that could be approved; use edit or reject", "type")
    return []


async def with_item_ids(conn: Connection, building_id: str, actions: list[Action]) -> list[PlainAction]:
    """Plain actions whose lines are named by id.

    Raises:
        InvalidError: an action names a line that the building does not have; the field says which.
    """
    if not actions:
        return []
    names = await procurement.item_names(conn, building_id)
    return await with_vendor_ids(conn, building_id, await asyncio.to_thread(_named_by_id, actions, names))


def _named_by_id(actions: list[Action], names: list[tuple[str, str]]) -> list[PlainAction]:
    """The actions with ids in place of names. Apart from the event loop: a building may have thousands of lines."""
    lines = LineNames(names)
    made = []
    for number, action in enumerate(actions):
        one = plain(action)
        for place in places_of_items(one):
            named = str(place["item"])
            found = lines.find(named)
            if found is None:
                field = f"actions.{number}.arguments.item"
                near = ", ".join(name for _, name in lines.closest(named))
                raise InvalidError(f"{field}: {named!r} is not a line of this building; closest are {near}", field)
            place["item"] = found
        made.append(one)
    return made
