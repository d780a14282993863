"""Which event is it, and about which line? Typed events pass straight through; what stays unclear goes to a person."""

from domain.outside import quoted
from domain.plan import RaisedQuestion
from nodes.entry import entry_in, found, fresh_run
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.lookup import look_up_item
from tools.recording import Finding


async def classify_event(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    """Start a run: find the line that is named. A name that no line has is asked about, never guessed."""
    entry = entry_in(state)
    run = fresh_run()
    named = entry.body.get("item")
    if named is None or entry.event_type == "Human_Input":
        return run
    match = await look_up_item(toolbox, entry, str(named))
    if match.item_id is not None:
        return {**run, "item_id": match.item_id}
    subject = {
        "named": named,
        "event": entry.body,
        "event_id": entry.event_id,
        "source": entry.source,
        "closest": match.closest,
        "text": f"{entry.event_type} about {quoted(str(named))}",
    }
    asked = RaisedQuestion(kind="item_unknown", subject=subject)
    return {**run, **found(Finding(note=f"no line is named {quoted(str(named))}", ask=[asked]))}
