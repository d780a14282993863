"""Move the day an item is required."""

from typing import Literal

from pydantic import Field

from domain.actions.kinds import ActionKind, Reach, always_possible, changes_nothing
from domain.actions.shapes import ActionShape, ItemArguments
from domain.text import PlannedDay


class RequiredByArguments(ItemArguments):
    required_by: PlannedDay = Field(description="The new day it is required on site.")


class ChangeRequiredBy(ActionShape):
    """Change the day the item is required: a new version of the schedule."""

    name: Literal["change_required_by"]
    arguments: RequiredByArguments


KIND = ActionKind[RequiredByArguments](
    shape=ChangeRequiredBy,
    needs_a_person=True,
    is_persons_own=False,
    commits="nothing",
    is_reversible=True,
    only_undoes=False,
    reach=Reach.ON_FILE,
    is_possible_when_removed=False,
    check=always_possible,
    change=changes_nothing,
    of_the_case=("required_by",),
    recipient=None,
    only_says=False,
    accompanies=False,
    order_document=None,
    phrase="move the required date of {item} to {required_by}",
    done="moved the required day from {before} to {required_by}: schedule version {schedule_version}",
    called="",
    called_around="",
    spoken=(
        r"\b(?:required|needed?|need it|move|push|shift|postpone|new date|slip|verschieb\w*|brauchen|"
        r"benotig\w*|repouss\w*|reporte\w*|necesit\w*|aplaz\w*|accept the (?:slip|delay))\b"
    ),
    from_reply=lambda wish: {"item": wish.item_id, "required_by": wish.day},
)
