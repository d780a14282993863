"""An answer given in Studio or another inbox UI: post it to the inbox, where the worker carries it out."""

from uuid import uuid4

from domain.answers import UnreadableAnswerError, read_answer
from domain.approvals import Answer
from domain.errors import ForbiddenError, LongleadError
from domain.principals import Principal
from nodes.state import BuildingState
from tools.answers import submit
from tools.context import Toolbox


async def post_answer(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    """What cannot be read, comes too late, or is answered by somebody who may not, is asked again with a remark."""
    try:
        person = await find_answering_person(toolbox)
        answer = _read(toolbox, state)
        async with toolbox.lock:
            accepted = await submit(
                toolbox.conn,
                person,
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


async def find_answering_person(toolbox: Toolbox) -> Principal:
    """The person who answers: the caller who started the run, never somebody whom state or request body name.

    Raises:
        ForbiddenError: nobody is known, or a program.
        UnauthorizedError: the key is no longer valid.
    """
    if toolbox.find_answerer is None:
        raise ForbiddenError("Nobody who may answer started this run.")
    principal = await toolbox.find_answerer()
    if not principal.is_person:
        raise ForbiddenError(f"{principal.responder.name} is a program: only a person answers in Studio.")
    return principal


def _read(toolbox: Toolbox, state: BuildingState) -> Answer:
    return read_answer(state.get("answer"), free_text=toolbox.models is not None)
