"""The inbox entry in hand, typed again from the plain state."""

from typing import Any

from domain.events import Entry, Event
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.recording import Finding, zone_of


def entry_in(state: BuildingState) -> Entry:
    return Entry.model_validate(state["event"])


async def event_in(toolbox: Toolbox, entry: Entry) -> Event:
    """The typed event, with its days in the building's zone."""
    return entry.event(await zone_of(toolbox, entry))


def found(finding: Finding) -> BuildingState:
    return {"finding": vars(finding)}


def item_in(state: BuildingState) -> str:
    """The line in hand; classification has made sure of it."""
    item_id = state.get("item_id")
    if item_id is None:
        raise LookupError("a handler for an event about a line was reached without one")
    return item_id


def finding_in(state: BuildingState) -> Finding:
    """What recording came to; nothing where the run had ended, as in a state that is edited in Studio."""
    return Finding(**(state.get("finding") or {"note": ""}))


def fresh_run() -> dict[str, Any]:
    """The keys that every run starts anew; what an earlier run left there is not this one's."""
    return {
        "item_id": None,
        "finding": {},
        "settled": None,
        "reply": None,
        "plan": [],
        "done": [],
        "learned": False,
        "passes": 0,
        "again": [],
        "answer": None,
        "outcome": {},
    }
