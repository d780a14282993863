"""The inbox entry in hand, typed again from the plain state."""

from collections.abc import Sequence

from domain.events import Entry, Event
from domain.plan import DONE, PLAN, Done, Step
from domain.settlement import SETTLEMENT, Settlement
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.recording import Finding, zone_of


def entry_in(state: BuildingState) -> Entry:
    return Entry.model_validate(state["event"])


async def event_in(toolbox: Toolbox, entry: Entry) -> Event:
    """The typed event, with its days in the building's zone."""
    return entry.event(await zone_of(toolbox, entry))


def found(finding: Finding) -> BuildingState:
    return {"finding": finding.plain()}


def item_in(state: BuildingState) -> str:
    """The line in hand; classification has made sure of it."""
    item_id = state.get("item_id")
    if item_id is None:
        raise LookupError("a handler for an event about a line was reached without one")
    return item_id


def finding_in(state: BuildingState) -> Finding:
    """What recording came to; nothing where the run had ended, as in a state that is edited in Studio."""
    return Finding.model_validate(state.get("finding") or {"note": ""})


def settlement_in(state: BuildingState) -> Settlement | None:
    """What became of the answer in hand; None where the entry is none."""
    settled = state.get("settled")
    return None if settled is None else SETTLEMENT.validate_python(settled)


def plan_in(state: BuildingState) -> list[Step]:
    """The steps that are decided and not yet carried out."""
    return PLAN.validate_python(state["plan"])


def planned(steps: Sequence[Step]) -> BuildingState:
    return {"plan": [step.model_dump(mode="json") for step in steps]}


def done_in(state: BuildingState) -> list[Done]:
    """The steps that this run has carried out."""
    return DONE.validate_python(state.get("done", []))


def fresh_run() -> BuildingState:
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
