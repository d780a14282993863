"""A vendor acknowledged an order: record the promise, and what departs from the order."""

from typing import cast

from domain.events import PurchaseOrderAcknowledged
from domain.orders import record_acknowledgement
from nodes.entry import entry_in, event_in, found, item_in
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.recording import record, report_in


async def acknowledge_order(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry = entry_in(state)
    event = cast(PurchaseOrderAcknowledged, await event_in(toolbox, entry))
    return found(
        await record(
            toolbox,
            entry,
            item_in(state),
            lambda file, building: record_acknowledgement(file, event, report_in(entry, building)),
        )
    )
