"""Handing in an answer that was not given over REST: the same road, through the inbox."""

from typing import Any
from uuid import uuid4

from domain.actions import Action, plain
from domain.approvals import Answer, Approval, Decision
from domain.errors import InvalidError, NotFoundError
from domain.principals import Principal
from domain.procurement import find_item
from storage import approvals, procurement
from storage.approvals import AcceptedDecision
from storage.connection import Connection
from tools.context import Toolbox
from tools.lookup import closest


async def submit(toolbox: Toolbox, building_id: str, answer: Answer, principal: Principal) -> AcceptedDecision:
    """Accept a principal's answer from Studio into the building's inbox.

    Raises:
        NotFoundError: the approval is not one of this building.
        ConflictError: it was answered before, or its facts have changed.
        InvalidError: an action names a line that is not there, or the answer contradicts itself.
    """
    async with toolbox.lock:
        asked = await procurement.approval(toolbox.conn, answer.approval_id)
        if asked is None or await approvals.building_of(toolbox.conn, answer.approval_id) != building_id:
            raise NotFoundError(f"There is no approval {answer.approval_id!r} in this building.")
        actions = await with_item_ids(toolbox.conn, building_id, answer.actions or [])
        return await approvals.decide(
            toolbox.conn,
            answer.approval_id,
            Decision(
                type=answer.type,
                responder=principal.responder,
                actions=_decided(asked, answer, actions),
                why=answer.message or "",
                mandate=principal.mandate if principal.is_person else None,
            ),
            version=answer.version,
            event_id=f"{answer.approval_id}:{uuid4()}",
            now=toolbox.clock.now(),
        )


def _decided(asked: Approval, answer: Answer, actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The actions of an edit. UIs send the recommended ones back with any answer; changed, they are no approval.

    Raises:
        InvalidError: an approval of other actions than were asked about, or of none.
    """
    if answer.type == "edit":
        return actions
    if asked.status == "pending" and asked.version == answer.version:
        if actions and actions != asked.recommended:
            raise InvalidError(f"These are not the recommended actions: send them as edit, not {answer.type}.", "type")
        if answer.type == "approve" and not asked.recommended:
            raise InvalidError("Nothing is recommended here that could be approved: send edit or reject.", "type")
    return []


async def with_item_ids(conn: Connection, building_id: str, actions: list[Action]) -> list[dict[str, Any]]:
    """Plain actions whose lines are named by id.

    Raises:
        InvalidError: an action names a line that the building does not have; the field says which.
    """
    if not actions:
        return []
    names = await procurement.item_names(conn, building_id)
    made = []
    for number, action in enumerate(actions):
        one = plain(action)
        named = one["arguments"].get("item")
        if named is not None:
            found = find_item(named, names)
            if found is None:
                field = f"actions.{number}.arguments.item"
                near = ", ".join(name for _, name in closest(named, names))
                raise InvalidError(f"{field}: {named!r} is not a line of this building; closest are {near}", field)
            one["arguments"]["item"] = found
        made.append(one)
    return made
