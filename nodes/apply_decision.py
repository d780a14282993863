"""Somebody answered a question: apply the answer, if the facts are still those it was given on."""

from typing import Any, cast

from nodes.entry import entry_in, fresh_run
from nodes.state import BuildingState
from tools.approvals import settle
from tools.context import Toolbox
from tools.recording import Finding


async def apply_decision(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    settled: dict[str, Any] = await settle(toolbox, entry_in(state))
    run = cast(BuildingState, fresh_run())
    item_id = settled.get("item_id")
    note = "decision applied" if settled.get("applied") else f"decision outdated: {settled.get('why')}"
    return {
        **run,
        "item_id": item_id,
        "settled": settled,
        "finding": vars(Finding(note=note, items=[item_id] if item_id else [])),
    }
