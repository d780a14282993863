"""Tell a team."""

from typing import Literal

from pydantic import Field

from domain.actions.kinds import ActionKind, Reach, always_possible, changes_nothing
from domain.actions.shapes import ActionShape
from domain.buildings import MANAGER, Strict
from domain.text import Name, Text


class NotifyArguments(Strict):
    team: Name = Field(description="Role or team, such as receiving or project_manager.")
    message: Text = Field(description="The message.")
    item: Name | None = Field(None, description="The line it is about.")


class NotifyTeam(ActionShape):
    """Tell a team."""

    name: Literal["notify_team"]
    arguments: NotifyArguments


KIND = ActionKind[NotifyArguments](
    shape=NotifyTeam,
    needs_a_person=False,
    is_persons_own=False,
    commits="nothing",
    is_reversible=True,
    only_undoes=False,
    reach=Reach.MESSAGE,
    is_possible_when_removed=False,
    check=always_possible,
    change=changes_nothing,
    of_the_case=("message",),
    recipient="team",
    only_says=True,
    accompanies=False,
    order_document=None,
    phrase="tell {team}: {message}",
    done="told {team}: {message}",
    called="",
    called_around="",
    spoken=(
        r"\b(?:tell|told|inform\w*|notif\w+|let \w+(?: \w+)? know|sag\w* \w+ bescheid|informier\w*|prevenez|"
        r"avis\w*)\b"
    ),
    from_reply=lambda wish: {"team": MANAGER, "message": wish.note, "item": wish.item_id},
)
