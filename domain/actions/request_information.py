"""Ask somebody a question."""

from typing import Literal

from pydantic import Field

from domain.actions.kinds import ActionKind, Reach, always_possible, changes_nothing
from domain.actions.shapes import ActionShape, ItemArguments
from domain.procurement import ContactRole
from domain.text import Name, Text


class InformationArguments(ItemArguments):
    to: Name = Field(description="Who is asked: vendor, project_manager, ...")
    question: Text = Field(description="The question.")
    contact: ContactRole | None = Field(
        None,
        description="Whom at the vendor: orders, logistics or escalation. When absent, orders before the item is "
        "ordered, and logistics after.",
    )


class RequestInformation(ActionShape):
    """Ask the vendor or somebody on the project a question."""

    name: Literal["request_information"]
    arguments: InformationArguments


KIND = ActionKind[InformationArguments](
    shape=RequestInformation,
    needs_a_person=False,
    is_persons_own=False,
    commits="nothing",
    is_reversible=True,
    only_undoes=False,
    reach=Reach.MESSAGE,
    is_possible_when_removed=True,
    check=always_possible,
    change=changes_nothing,
    of_the_case=("question",),
    recipient="to",
    only_says=True,
    accompanies=False,
    order_document=None,
    phrase="ask {to}: {question}",
    done="asked {to}: {question}",
    called="",
    called_around="",
    spoken=r"\b(?:ask|find out|get a quote|request|frag\w*|demand\w*|pregunt\w*)\b",
    from_reply=lambda wish: {"item": wish.item_id, "to": "vendor", "question": wish.note},
)
