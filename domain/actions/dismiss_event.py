"""Leave a report as it is."""

from typing import Literal

from pydantic import Field

from domain.actions.kinds import ActionKind, Reach, always_possible, changes_nothing
from domain.actions.shapes import ActionShape
from domain.buildings import Strict
from domain.text import Text


class DismissArguments(Strict):
    note: Text | None = Field(None, description="Why nothing needs doing.")


class DismissEvent(ActionShape):
    """Leave what was reported as it is: nothing needs doing."""

    name: Literal["dismiss_event"]
    arguments: DismissArguments


KIND = ActionKind[DismissArguments](
    shape=DismissEvent,
    needs_a_person=False,
    is_persons_own=False,
    commits="nothing",
    is_reversible=False,
    only_undoes=True,
    reach=Reach.ON_FILE,
    is_possible_when_removed=False,
    check=always_possible,
    change=changes_nothing,
    of_the_case=("note",),
    recipient=None,
    only_says=False,
    accompanies=False,
    order_document=None,
    phrase="leave the report as it is",
    done="left the report as it is",
    called="",
    called_around="",
    spoken=(
        r"\b(?:leave it|ignore it|nothing (?:needs|to do)|forget it|dismiss|no action|nichts tun|ignorier\w*|"
        r"rien a faire|nada)\b"
    ),
    from_reply=lambda wish: {"note": wish.note},
)
