"""Plan an inspection."""

from typing import Literal

from pydantic import Field

from domain.actions.kinds import ActionKind, Reach, always_possible, changes_nothing
from domain.actions.shapes import ActionShape, ItemArguments
from domain.text import PlannedDay


class InspectionArguments(ItemArguments):
    on: PlannedDay = Field(description="The day of the inspection.")


class ScheduleInspection(ActionShape):
    """Plan the inspection of what has arrived and was not inspected."""

    name: Literal["schedule_inspection"]
    arguments: InspectionArguments


KIND = ActionKind[InspectionArguments](
    shape=ScheduleInspection,
    needs_a_person=False,
    is_persons_own=False,
    commits="nothing",
    is_reversible=True,
    only_undoes=False,
    reach=Reach.ON_FILE,
    is_possible_when_removed=False,
    check=always_possible,
    change=changes_nothing,
    of_the_case=("on",),
    recipient=None,
    only_says=False,
    accompanies=True,
    order_document=None,
    phrase="plan the inspection of {item} for {on}",
    done="planned the inspection for {on}",
    called="",
    called_around="",
    spoken=r"\b(?:re-?inspect\w*|inspect\w*|inspektion|prufung|abnahme|prufen|inspeccion\w*)\b",
    from_reply=lambda wish: {"item": wish.item_id, "on": wish.day},
)
