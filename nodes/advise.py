"""Ask whoever may answer before a person is asked. An answer within authority takes the question's place in the plan,
one beyond it becomes the recommendation. Entered only where there is anybody to ask."""

from collections import Counter

from domain.plan import Ask, Step
from nodes.entry import entry_in, plan_in, planned
from nodes.state import BuildingState
from tools.advising import advised
from tools.context import Toolbox


async def advise(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry, steps, passes = entry_in(state), plan_in(state), state.get("passes", 0)
    plan: list[Step] = []
    questions = Counter(step.item_id for step in steps if isinstance(step, Ask) and step.item_id)
    for place, step in enumerate(steps):
        if isinstance(step, Ask) and step.advise:
            plan += await advised(toolbox, entry, step, place, passes, crowded=questions[step.item_id or ""] > 1)
        else:
            plan.append(step)
    return planned(plan)
