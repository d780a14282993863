"""Move the project's end."""

from typing import Literal

from pydantic import Field

from domain.actions.kinds import ActionKind, Reach, always_possible, changes_nothing
from domain.actions.shapes import ActionShape
from domain.buildings import Strict
from domain.text import PlannedDay


class ProjectEndArguments(Strict):
    end_date: PlannedDay = Field(description="The new project end.")


class ChangeProjectEnd(ActionShape):
    """Change the project's end: a new version of the schedule."""

    name: Literal["change_project_end"]
    arguments: ProjectEndArguments


KIND = ActionKind[ProjectEndArguments](
    shape=ChangeProjectEnd,
    needs_a_person=True,
    is_persons_own=False,
    commits="nothing",
    is_reversible=False,
    only_undoes=False,
    reach=Reach.ON_FILE,
    is_possible_when_removed=False,
    check=always_possible,
    change=changes_nothing,
    of_the_case=("end_date",),
    recipient=None,
    only_says=False,
    accompanies=False,
    order_document=None,
    phrase="move the project's end to {end_date}",
    done="moved the project's end from {before} to {end_date}: schedule version {schedule_version}",
    called="",
    called_around="",
    spoken=r"\b(?:project end|completion|end date|finish date|projektende|fin du projet)\b",
    from_reply=lambda wish: {"end_date": wish.day},
)
