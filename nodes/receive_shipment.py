"""A shipment reached the site: record the receipt by quantity."""

from typing import cast

from domain.events import ShipmentArrivedSite
from domain.shipments import record_arrival
from nodes.entry import entry_in, event_in, found, item_in
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.recording import record, report_in


async def receive_shipment(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry = entry_in(state)
    event = cast(ShipmentArrivedSite, await event_in(toolbox, entry))
    return found(
        await record(
            toolbox,
            entry,
            item_in(state),
            lambda file, building: record_arrival(file, event, report_in(entry, building)),
        )
    )
