"""A message from outside is read by a model. The call is alone in its step, so that its result is kept with it."""

from domain.events import MessageReceived
from nodes.entry import entry_in, event_in, finding_in, found
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.reading_mails import read_mail, with_reading


async def read_message(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry = entry_in(state)
    event = await event_in(toolbox, entry)
    if not isinstance(event, MessageReceived):
        raise TypeError(f"read_message does not handle {entry.event_type}")
    return found(with_reading(finding_in(state), await read_mail(toolbox, entry, event)))
