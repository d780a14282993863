"""A submittal was rejected: record it and tell the responsible person."""

from typing import cast

from domain.events import SubmittalRejected
from domain.submittals import record_rejection
from nodes.entry import entry_in, event_in, found, item_in
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.recording import record, report_in


async def reject_submittal(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry = entry_in(state)
    event = cast(SubmittalRejected, await event_in(toolbox, entry))
    return found(
        await record(
            toolbox,
            entry,
            item_in(state),
            lambda file, building: record_rejection(file, event, report_in(entry, building)),
        )
    )
