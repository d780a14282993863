"""An event is taken back. It stays on file; so far it is only recorded that it was wrong, and why."""

from domain.events import EventVoided
from domain.outside import quoted
from nodes.entry import entry_in, event_in, found
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.recording import record_note


async def void_event(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry = entry_in(state)
    event = await event_in(toolbox, entry)
    if not isinstance(event, EventVoided):
        raise TypeError(f"void_event does not handle {entry.event_type}")
    text = f"Event {quoted(event.event_id)} of {quoted(event.source)} is taken back: {event.reason}"
    return found(await record_note(toolbox, entry, party=entry.source, text=text, items=[]))
