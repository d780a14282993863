"""Entries that Longlead writes to itself: a hold ran out, an answer is overdue, an event could not be processed."""

from typing import Any

from nodes.entry import entry_in, found
from nodes.state import BuildingState
from tools.approvals import remind
from tools.context import Toolbox
from tools.recording import Finding


async def follow_up(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry = entry_in(state)
    if entry.event_type == "Hold_Expired":
        asked: dict[str, Any] = {"kind": "hold_expired", "item_id": state.get("item_id"), "subject": {}}
        return found(Finding(note="the hold has run out", ask=[asked]))
    if entry.event_type == "Approval_Overdue":
        reminded = await remind(toolbox, entry)
        return found(Finding(note="nobody needs reminding" if "moot" in reminded else "the answer is overdue"))
    asked = {"kind": "event_failed", "item_id": None, "subject": entry.body}
    return found(Finding(note=f"event {entry.body.get('event_id')} could not be processed", ask=[asked]))
