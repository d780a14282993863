"""Take the oldest messages into the rolling summary: only reached when they have passed their budget."""

from nodes.entry import entry_in
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.summaries import compact


async def summarise(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    version = await compact(toolbox, entry_in(state))
    memory = {**state["memory"], "due": False}
    return {"memory": memory if version is None else {**memory, "summary": version}}
