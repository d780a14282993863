"""Send rejected goods back."""

from typing import Literal

from pydantic import Field

from domain.actions.kinds import ActionKind, Reach, with_note
from domain.actions.shapes import ActionShape, DispositionArguments
from domain.dispositions import Disposition, try_disposition
from domain.procurement import LineFile


class ReturnArguments(DispositionArguments):
    then: Literal["owed", "replaced", "credited"] | None = Field(
        None,
        description="What the vendor does: delivers again on the same order (owed, when absent), on another order "
        "(replaced), or pays back (credited).",
    )


class ReturnItem(ActionShape):
    """NCR disposition return: send it back to the vendor."""

    name: Literal["return_item"]
    arguments: ReturnArguments


def _check(file: LineFile, _arguments: ReturnArguments) -> str | None:
    return None if file.has_rejected else f"nothing of {file.item.shown} was rejected that could be returned"


def _change(file: LineFile, arguments: ReturnArguments) -> LineFile:
    return try_disposition(
        file, arguments.ncr_number, Disposition("return", arguments.then or "owed", arguments.quantity)
    )


KIND = ActionKind[ReturnArguments](
    shape=ReturnItem,
    needs_a_person=True,
    is_persons_own=False,
    commits="nothing",
    is_reversible=False,
    only_undoes=False,
    reach=Reach.COMMITMENT,
    is_possible_when_removed=True,
    check=_check,
    change=_change,
    of_the_case=("note", "ncr_number", "quantity", "then"),
    recipient=None,
    only_says=False,
    accompanies=False,
    order_document=None,
    phrase="send {item} back",
    done="put the disposition on file: {disposition} ({note})",
    called=("return, send back, zuruckschicken, zurucksenden, renvoyez, renvoyer, devolver, restituire, terugsturen"),
    called_around="send {} back, send {} back to the vendor, return {} to the vendor",
    spoken=(
        r"\b(?:return\w*|(?:send|sent) (?:it |them )?back|back to the (?:vendor|factory)|zuruck\w*|renvoy\w*|"
        r"devuelv\w*|devolver)\b"
    ),
    from_reply=with_note,
)
