"""Somebody answered a question: apply the answer, if the facts are still those it was given on."""

from domain.replies import Reply
from domain.settlement import Applied, KeptOpen, Settlement
from nodes.entry import entry_in, found, fresh_run
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.recording import Finding
from tools.settling import settle


async def apply_decision(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry = entry_in(state)
    settled = await settle(toolbox, entry, _reply_in(state))
    items = [settled.item_id] if settled.item_id else []
    finding = found(Finding(note=_note(settled), items=items))
    return {**fresh_run(), **finding, "item_id": settled.item_id, "settled": settled.plain()}


def _reply_in(state: BuildingState) -> Reply | None:
    """What was read of an answer in free words; None of any other answer."""
    if state["event"]["body"]["decision"]["type"] != "respond":
        return None
    reply = state.get("reply")
    return Reply("ask_again") if reply is None else Reply(**reply)


def _note(settled: Settlement) -> str:
    if isinstance(settled, KeptOpen):
        return f"the question stays open: {settled.kept_open.replace('_', ' ')}"
    return "decision applied" if isinstance(settled, Applied) else f"decision outdated: {settled.why}"
