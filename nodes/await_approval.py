"""Wait for a person: show the most urgent question and sleep. Nothing else happens here, since the node runs again
from its top on every resume."""

from langgraph.types import interrupt

from domain.approvals import DECISION_TYPES
from domain.counts import write_count
from domain.plain_json import JsonObject, objects_in
from nodes.state import BuildingState
from tools.context import Toolbox

# What the inbox UIs call the four kinds of answers.
ALLOWED = list(DECISION_TYPES)
UI_CONFIG = {"allow_accept": True, "allow_edit": True, "allow_respond": True, "allow_ignore": False}


async def await_approval(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    """The worker resumes with the inbox entry of a decision; Studio and other UIs with an answer of theirs."""
    answer = interrupt(payload(state))
    if toolbox.acts:
        return {"event": answer, "question": None}
    return {"answer": {} if answer is None else answer}


def payload(state: BuildingState) -> JsonObject:
    """The question in LangChain's human-in-the-loop shape, with the twin keys that the common inbox UIs read.

    An answer must carry `approval_id` and `version`; they are in `args`, which those UIs send back.
    """
    question = state.get("question") or {}
    approval_id = approval_id_of(state["event"]["building_id"], question["key"])
    args: JsonObject = {
        "approval_id": approval_id,
        "version": question["version"],
        "actions": question["recommended"],
    }
    name = question["kind"]
    return {
        "action_requests": [{"name": name, "args": args, "arguments": args, "description": _description(question)}],
        "review_configs": [
            {
                "action_name": name,
                "actionName": name,
                "allowed_decisions": [*ALLOWED],
                "allowedDecisions": [*ALLOWED],
                "config": UI_CONFIG,
            }
        ],
        "approval_id": approval_id,
        "version": question["version"],
        "also_pending": [approval_id_of(state["event"]["building_id"], key) for key in question["also_pending"]],
        **({"remark": question["remark"]} if question.get("remark") else {}),
    }


def approval_id_of(building_id: str, key: str) -> str:
    """The global id of a question that the state names by `seq.ordinal`."""
    return f"{building_id}-{key.replace('.', '-')}"


def _description(question: JsonObject) -> str:
    lines = [str(question["summary"]), ""]
    for number, option in enumerate(objects_in(question, "options")):
        days_late = option["days_late"]
        late = "" if days_late is None else f", {write_count(int(str(days_late)), 'day')} late"
        arrival = f" (there on {option['arrival']}{late}; cost {option['cost']})" if option["arrival"] else ""
        lines.append(f"{number + 1}. {option['title']}{arrival}")
    return "\n".join(lines)
