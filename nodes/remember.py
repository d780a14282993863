"""Close the run: what it taught, how the entry ended, and which questions are open now, as the table says."""

from pydantic import JsonValue

from domain.approvals import Approval
from domain.plain_json import JsonObject, as_json, object_in, text_in
from domain.settlement import Applied, KeptOpen
from nodes.entry import done_in, entry_in, finding_in, settlement_in
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.decisions import all_open_questions
from tools.recollections import recollect
from tools.summaries import LOOK_EVERY, TEXTS, is_due


async def remember(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry, finding = entry_in(state), finding_in(state)
    await recollect(toolbox, entry, finding, settlement_in(state))
    open_ = await all_open_questions(toolbox, state["event"]["building_id"])
    return {
        "plan": [],
        "finding": {},
        "approvals": {approval.key: _brief(approval) for approval in open_[:MOST_SHOWN]},
        "question": _shown(open_),
        "outcome": _outcome(state),
        "memory": await _measured(toolbox, state),
    }


async def _measured(toolbox: Toolbox, state: BuildingState) -> JsonObject:
    """Whether the messages need shortening. Looked at after a text from somebody, else only now and then: most
    entries say little."""
    entry, memory = entry_in(state), state.get("memory") or {"summary": 0, "steps": 0}
    steps = memory["steps"] + len(state.get("done", []))
    if not toolbox.acts or (steps < LOOK_EVERY and entry.event_type not in TEXTS):
        return {**memory, "steps": steps, "due": False}
    return {**memory, "steps": 0, "due": await is_due(toolbox, entry)}


MOST_SHOWN = 50
"""Questions that the state names; the table holds all."""


def _brief(approval: Approval) -> JsonObject:
    return {"kind": approval.kind, "item_id": approval.item_id, "version": approval.version}


def _shown(open_: list[Approval]) -> JsonObject | None:
    """The most urgent question: the one whose item is needed first, then the oldest."""
    if not open_:
        return None

    def urgency(approval: Approval) -> tuple[str, int]:
        needed = text_in(object_in(approval.evidence, "dates"), "required_by")
        return (needed or "9999", approval.raised_seq)

    top = min(open_, key=urgency)
    also: list[JsonValue] = [approval.key for approval in open_ if approval.key != top.key]
    return {
        "key": top.key,
        "kind": top.kind,
        "item_id": top.item_id,
        "version": top.version,
        "summary": top.summary,
        "recommended": as_json(top.recommended),
        "options": [option.model_dump(mode="json") for option in top.options],
        "also_pending": also[:MOST_SHOWN],
    }


def _outcome(state: BuildingState) -> JsonObject:
    """What clients read of a processed event."""
    finding, done, settled = finding_in(state), done_in(state), settlement_in(state)
    acts = [one for one in done if one.do == "action"]
    asked = [one.result["approval_id"] for one in done if one.do == "ask" and "approval_id" in one.result]
    outcome: JsonObject = {
        "note": finding.note,
        "actions": [one.name for one in acts if "would_do" not in one.result],
        "approvals": asked,
    }
    for told in ("would_do", "withheld"):
        if names := [one.name for one in acts if told in one.result]:
            outcome[told] = [*names]
    if isinstance(settled, KeptOpen):
        outcome |= {"decision": settled.kept_open, "answer": settled.told}
    elif settled is not None:
        outcome["decision"] = "applied" if isinstance(settled, Applied) else "outdated"
    return outcome
