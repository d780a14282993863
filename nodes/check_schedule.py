"""A shipment left the factory, or its ETA changed: record it and compare it with the schedule."""

from domain.events import EtaChanged, ShipmentDepartedFactory
from domain.shipments import record_departure, record_eta
from nodes.entry import entry_in, event_in, found, item_in
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.recording import record, report_in


async def check_schedule(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry = entry_in(state)
    event = await event_in(toolbox, entry)
    if isinstance(event, ShipmentDepartedFactory):
        return found(
            await record(
                toolbox,
                entry,
                item_in(state),
                lambda file, building: record_departure(file, event, report_in(entry, building)),
            )
        )
    if not isinstance(event, EtaChanged):
        raise TypeError(f"check_schedule does not handle {entry.event_type}")
    return found(
        await record(
            toolbox,
            entry,
            item_in(state),
            lambda file, building: record_eta(file, event, report_in(entry, building)),
        )
    )
