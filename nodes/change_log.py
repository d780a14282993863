"""The log as a whole changed: a revised schedule, lines added, changed or removed, the building closed."""

from domain.events import ItemsChanged, ScheduleRevised
from nodes.entry import entry_in, event_in, found
from nodes.state import BuildingState
from tools import log
from tools.context import Toolbox


async def change_log(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry = entry_in(state)
    event = await event_in(toolbox, entry)
    if isinstance(event, ScheduleRevised):
        return found(await log.revise_schedule(toolbox, entry, event))
    if isinstance(event, ItemsChanged):
        return found(await log.change_items(toolbox, entry, event))
    return found(await log.close_building(toolbox, entry))
