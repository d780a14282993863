"""An answer given in Studio or another inbox UI: post it to the inbox, where the worker carries it out."""

from domain.answers import UnreadableAnswerError, read_answer
from domain.approvals import Answer
from domain.errors import LongleadError
from nodes.state import BuildingState
from tools.answers import submit
from tools.context import Toolbox


async def post_answer(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    """What cannot be read, or comes too late, is asked again with a remark; nothing is lost."""
    try:
        accepted = await submit(toolbox, state["event"]["building_id"], _read(toolbox, state))
    except (UnreadableAnswerError, LongleadError) as error:
        return {"answer": None, "question": {**(state.get("question") or {}), "remark": str(error)}}
    return {
        "answer": None,
        "question": None,
        "outcome": {"note": f"answer accepted as entry {accepted.seq} of the inbox; the worker carries it out"},
    }


def _read(toolbox: Toolbox, state: BuildingState) -> Answer:
    return read_answer(state.get("answer"), free_text=toolbox.models is not None)
