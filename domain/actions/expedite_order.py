"""Speed an order up."""

from typing import Literal

from pydantic import Field

from domain.actions.kinds import ActionKind, Reach, always_possible, changes_nothing
from domain.actions.shapes import ActionShape, ItemArguments
from domain.text import Name


class ExpediteArguments(ItemArguments):
    method: Name | None = Field(None, description="How, such as air freight or overtime at the factory.")


class ExpediteOrder(ActionShape):
    """Have the vendor speed the order up."""

    name: Literal["expedite_order"]
    arguments: ExpediteArguments


KIND = ActionKind[ExpediteArguments](
    shape=ExpediteOrder,
    needs_a_person=True,
    is_persons_own=False,
    commits="nothing",
    is_reversible=False,
    only_undoes=False,
    reach=Reach.COMMITMENT,
    is_possible_when_removed=False,
    check=always_possible,
    change=changes_nothing,
    of_the_case=("method",),
    recipient=None,
    only_says=False,
    accompanies=False,
    order_document=None,
    phrase="have the vendor speed up {item}",
    done="asked {vendor} to speed it up",
    called="expedite, speed up, rush, beschleunigen, accelerez, acelerar, accelerare, versnellen",
    called_around="speed {} up",
    spoken=(
        r"\b(?:expedit\w*|speed\w*|rush|air ?freight|by air|faster|overtime|express|beschleunig\w*|luftfracht|"
        r"par avion|accelere\w*|acelera\w*|urgente)\b"
    ),
    from_reply=lambda wish: {"item": wish.item_id, "method": wish.words[:200] or None},
)
