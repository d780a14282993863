"""An inspection passed or failed: record the verdict; a failure is put to a person."""

from domain import inspections
from domain.events import InspectionFailed, InspectionPassed
from nodes.entry import entry_in, event_in, found, item_in
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.recording import record, report_in


async def record_inspection(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry = entry_in(state)
    event = await event_in(toolbox, entry)
    if not isinstance(event, (InspectionPassed, InspectionFailed)):
        raise TypeError(f"record_inspection does not handle {entry.event_type}")
    return found(
        await record(
            toolbox,
            entry,
            item_in(state),
            lambda file, building: inspections.record_inspection(file, event, report_in(entry, building)),
        )
    )
