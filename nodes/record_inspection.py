"""An inspection passed or failed: record it; a failure is put to a person."""

from domain.events import InspectionFailed, InspectionPassed
from domain.inspections import record_failed, record_passed
from nodes.entry import entry_in, event_in, found, item_in
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.recording import record


async def record_inspection(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry = entry_in(state)
    event = await event_in(toolbox, entry)
    if isinstance(event, InspectionPassed):
        return found(
            await record(toolbox, entry, item_in(state), lambda file, _: record_passed(file, event, entry.seq))
        )
    if not isinstance(event, InspectionFailed):
        raise TypeError(f"record_inspection does not handle {entry.event_type}")
    return found(await record(toolbox, entry, item_in(state), lambda file, _: record_failed(file, event, entry.seq)))
