"""An answer given in Studio or another inbox UI: post it to the inbox, where the worker carries it out."""

from uuid import uuid4

from domain.answers import UnreadableAnswerError, read_answer
from domain.approvals import Answer, Responder
from domain.errors import LongleadError
from domain.principals import Principal
from nodes.state import BuildingState
from tools.answers import submit
from tools.context import Toolbox

STUDIO = Principal(Responder(type="human", id="studio", name="Studio"), "studio", frozenset({"approver"}))


async def post_answer(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    """What cannot be read, or comes too late, is asked again with a remark; nothing is lost."""
    try:
        answer = _read(toolbox, state)
        async with toolbox.lock:
            accepted = await submit(
                toolbox.conn,
                STUDIO,
                answer,
                event_id=f"{answer.approval_id}:{uuid4()}",
                reads_free_text=toolbox.models is not None,
                now=toolbox.clock.now(),
                building_id=state["event"]["building_id"],
            )
    except (UnreadableAnswerError, LongleadError) as error:
        return {"answer": None, "question": {**(state.get("question") or {}), "remark": str(error)}}
    return {
        "answer": None,
        "question": None,
        "outcome": {"note": f"answer accepted as entry {accepted.seq} of the inbox; the worker carries it out"},
    }


def _read(toolbox: Toolbox, state: BuildingState) -> Answer:
    return read_answer(state.get("answer"), free_text=toolbox.models is not None)
