"""A submittal was approved: record it; the order follows from the facts, or from a person's word."""

from typing import cast

from domain.events import SubmittalApproved
from domain.submittals import record_approval
from nodes.entry import entry_in, event_in, found, item_in
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.recording import record, report_in


async def issue_purchase_order(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry = entry_in(state)
    event = cast(SubmittalApproved, await event_in(toolbox, entry))
    return found(
        await record(
            toolbox,
            entry,
            item_in(state),
            lambda file, building: record_approval(file, event, report_in(entry, building)),
        )
    )
