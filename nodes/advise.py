"""Ask whoever may answer before a person is asked. An answer within authority takes the question's place in the plan,
one beyond it becomes the recommendation. Entered only where there is anybody to ask."""

from collections import Counter
from typing import Any

from nodes.entry import entry_in
from nodes.state import BuildingState
from tools.advising import advised
from tools.context import Toolbox


async def advise(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry, passes = entry_in(state), state.get("passes", 0)
    plan: list[dict[str, Any]] = []
    lines = Counter(step["item_id"] for step in state["plan"] if step["do"] == "ask" and step["item_id"])
    for place, step in enumerate(state["plan"]):
        if step.get("advise"):
            crowded = lines[step["item_id"]] > 1
            plan += await advised(toolbox, entry, step, place, passes, crowded=crowded)
        else:
            plan.append(step)
    return {"plan": plan}
