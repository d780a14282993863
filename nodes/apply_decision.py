"""Somebody answered a question: apply the answer, if the facts are still those it was given on."""

from typing import Any, cast

from domain.replies import Reply
from nodes.entry import entry_in, fresh_run
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.recording import Finding
from tools.settling import settle

_UNREAD: dict[str, Any] = {"means": "ask_again"}


async def apply_decision(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry, reply = entry_in(state), state.get("reply")
    in_words = entry.body["decision"]["type"] == "respond"
    settled: dict[str, Any] = await settle(toolbox, entry, Reply(**(reply or _UNREAD)) if in_words else None)
    run = cast(BuildingState, fresh_run())
    item_id = settled.get("item_id")
    note = "decision applied" if settled.get("applied") else f"decision outdated: {settled.get('why')}"
    if settled.get("kept_open"):
        note = f"the question stays open: {settled['kept_open'].replace('_', ' ')}"
    return {
        **run,
        "item_id": item_id,
        "settled": settled,
        "finding": vars(Finding(note=note, items=[item_id] if item_id else [])),
    }
