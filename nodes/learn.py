"""Learn from a person's decision: a rule is made, confirmed or overruled; in time a delegation is asked for."""

from typing import Any

from nodes.entry import entry_in
from nodes.state import BuildingState
from tools import approvals
from tools.context import Toolbox
from tools.rules import learn_from
from tools.wording import word_rule


async def learn(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry, done = entry_in(state), list(state.get("done", []))
    settled: dict[str, Any] = state.get("settled") or {}
    learned = await learn_from(toolbox, entry, settled["approval_id"])
    if learned.get("made") is not None:
        await word_rule(toolbox, entry, learned["made"], str(settled.get("why", "")))
    subject = learned.get("ask")
    if subject is None:
        return {"learned": True}
    result = await approvals.ask(
        toolbox,
        entry,
        kind="delegation_request",
        item_id=None,
        subject=subject,
        refused=0,
        ordinal=0,
        number=sum(one["do"] == "ask" for one in done),
    )
    done.append({"name": "ask:delegation_request", "item": None, "do": "ask", "ordinal": 0, "result": result})
    return {"learned": True, "done": done}
