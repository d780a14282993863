"""Put a line on hold."""

from typing import Literal

from pydantic import Field

from domain.actions.kinds import ActionKind, Reach, always_possible, changes_nothing
from domain.actions.shapes import ActionShape, ItemArguments
from domain.text import PlannedDay, Text


class HoldArguments(ItemArguments):
    until: PlannedDay | None = Field(None, description="Ask again on this day; after the policy's time when absent.")
    note: Text | None = Field(None, description="Why.")


class HoldItem(ActionShape):
    """Do nothing with the item for now, and ask again later."""

    name: Literal["hold_item"]
    arguments: HoldArguments


KIND = ActionKind[HoldArguments](
    shape=HoldItem,
    needs_a_person=True,
    is_persons_own=False,
    commits="nothing",
    is_reversible=True,
    only_undoes=True,
    reach=Reach.ON_FILE,
    is_possible_when_removed=False,
    check=always_possible,
    change=changes_nothing,
    of_the_case=("until", "note"),
    recipient=None,
    only_says=False,
    accompanies=False,
    order_document=None,
    phrase="put {item} on hold",
    done="put it on hold until {held_until}",
    called=(
        "hold, wait, put on hold, hold on, pause, warten, abwarten, attendez, attendre, esperar, aspettare, wachten"
    ),
    called_around="put {} on hold",
    spoken=(
        r"\b(?:hold|held|wait\w*|pause|later|not yet|not now|until|till|warte\w*|abwarten|halte?\b|attend\w*|"
        r"espera\w*)\b"
    ),
    from_reply=lambda wish: {"item": wish.item_id, "until": wish.day, "note": wish.note},
)
