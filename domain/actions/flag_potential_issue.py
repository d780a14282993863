"""Flag a line."""

from typing import Literal

from pydantic import Field

from domain.actions.kinds import ActionKind, Reach, always_possible, changes_nothing
from domain.actions.shapes import ActionShape, ItemArguments
from domain.schedule import Band
from domain.text import Text


class FlagArguments(ItemArguments):
    band: Band = Field(description="The schedule band that was reached.")
    detail: Text = Field(description="What a reader must know, with the dates.")


class FlagPotentialIssue(ActionShape):
    """Raise a flag on the line that people see."""

    name: Literal["flag_potential_issue"]
    arguments: FlagArguments


KIND = ActionKind[FlagArguments](
    shape=FlagPotentialIssue,
    needs_a_person=False,
    is_persons_own=False,
    commits="nothing",
    is_reversible=True,
    only_undoes=False,
    reach=Reach.ON_FILE,
    is_possible_when_removed=False,
    check=always_possible,
    change=changes_nothing,
    of_the_case=("detail",),
    recipient=None,
    only_says=True,
    accompanies=False,
    order_document=None,
    phrase="raise a flag on {item}",
    done="flagged it: {detail}",
    called="",
    called_around="",
    spoken=None,
    from_reply=None,
)
