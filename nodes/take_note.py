"""A note of the team is kept as evidence; a message from outside is put to a person, unless a model can read it."""

from domain.events import HumanInput, MessageReceived
from domain.plain_json import JsonObject
from domain.plan import RaisedQuestion
from nodes.entry import entry_in, event_in, found
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.lookup import items_mentioned, look_up_item
from tools.recording import record_note

MAX_LINES = 50
"""Lines on which one note is kept; a note that names more is kept on the building."""


async def take_note(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry = entry_in(state)
    event = await event_in(toolbox, entry)
    if isinstance(event, MessageReceived):
        sender = event.sender or entry.source
        finding = await record_note(toolbox, entry, party=sender, text=event.text, items=[])
        subject: JsonObject = {"text": event.text, "sender": sender, "source": entry.source, "event_id": entry.event_id}
        finding.unread = toolbox.models is not None
        finding.ask = [RaisedQuestion(kind="event_unclear", subject=subject)]
        return found(finding)
    if not isinstance(event, HumanInput):
        raise TypeError(f"take_note does not handle {entry.event_type}")
    named = None if event.item is None else (await look_up_item(toolbox, entry, event.item)).item_id
    items = [named] if named else await items_mentioned(toolbox, entry.building_id, event.text)
    about = items if len(items) <= MAX_LINES else []
    return found(await record_note(toolbox, entry, party=entry.source, text=event.text, items=about))
