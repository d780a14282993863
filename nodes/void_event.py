"""An event is taken back: its facts leave the account; it stays on file."""

from domain.events import EventVoided
from nodes.entry import entry_in, event_in, found
from nodes.state import BuildingState
from tools import voiding
from tools.context import Toolbox


async def void_event(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry = entry_in(state)
    event = await event_in(toolbox, entry)
    if not isinstance(event, EventVoided):
        raise TypeError(f"void_event does not handle {entry.event_type}")
    return found(await voiding.void_event(toolbox, entry, event))
