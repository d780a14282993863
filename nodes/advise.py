"""Ask whoever may answer before a person is asked. An answer within authority takes the question's place in the plan,
one beyond it becomes the recommendation. Entered only where there is anybody to ask."""

from typing import Any

from nodes.entry import entry_in
from nodes.state import BuildingState
from tools.advising import advised
from tools.context import Toolbox


async def advise(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry, passes = entry_in(state), state.get("passes", 0)
    plan: list[dict[str, Any]] = []
    for place, step in enumerate(state["plan"]):
        plan += await advised(toolbox, entry, step, place, passes) if step.get("advise") else [step]
    return {"plan": plan}
