"""Handing in an answer that was not given over REST: the same road, through the inbox."""

from uuid import uuid4

from domain.actions import Action, plain
from domain.approvals import Answer, Decision, Responder
from domain.errors import InvalidError, NotFoundError
from domain.procurement import find_item
from storage import approvals, procurement
from storage.approvals import AcceptedDecision
from storage.database import Connection
from tools.context import Toolbox

STUDIO = Responder(type="human", id="studio", name="Studio")


async def submit(toolbox: Toolbox, building_id: str, answer: Answer) -> AcceptedDecision:
    """Accept an answer from Studio into the building's inbox.

    Raises:
        NotFoundError: the approval is not one of this building.
        ConflictError: it was answered before, or its facts have changed.
        InvalidError: an action names a line that is not there.
    """
    async with toolbox.lock:
        if await approvals.building_of(toolbox.conn, answer.approval_id) != building_id:
            raise NotFoundError(f"There is no approval {answer.approval_id!r} in this building.")
        actions = await with_item_ids(toolbox.conn, building_id, answer.actions or [])
        return await approvals.decide(
            toolbox.conn,
            answer.approval_id,
            Decision(type=answer.type, responder=STUDIO, actions=actions, why=answer.message or ""),
            version=answer.version,
            event_id=f"{answer.approval_id}:{uuid4()}",
            now=toolbox.clock.now(),
        )


async def with_item_ids(conn: Connection, building_id: str, actions: list[Action]) -> list[dict[str, object]]:
    """Plain actions whose lines are named by id.

    Raises:
        InvalidError: an action names a line that the building does not have; the field says which.
    """
    names = await procurement.item_names(conn, building_id)
    made = []
    for number, action in enumerate(actions):
        one = plain(action)
        named = one["arguments"].get("item")
        if named is not None:
            found = find_item(named, names)
            if found is None:
                raise InvalidError(
                    f"There is no line {named!r} in building {building_id!r}.", f"actions.{number}.arguments.item"
                )
            one["arguments"]["item"] = found
        made.append(one)
    return made
