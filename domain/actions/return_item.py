"""Send rejected goods back."""

from typing import Literal

from domain.actions.kinds import ActionKind, Reach, dispose_of_rejected, with_note
from domain.actions.shapes import ActionShape, NoteArguments
from domain.procurement import LineFile


class ReturnItem(ActionShape):
    """NCR disposition return: send it back to the vendor."""

    name: Literal["return_item"]
    arguments: NoteArguments


def _check(file: LineFile, _arguments: NoteArguments) -> str | None:
    return None if file.has_rejected else f"nothing of {file.item.shown} was rejected that could be returned"


KIND = ActionKind[NoteArguments](
    shape=ReturnItem,
    needs_a_person=True,
    is_persons_own=False,
    commits="nothing",
    is_reversible=False,
    only_undoes=False,
    reach=Reach.COMMITMENT,
    is_possible_when_removed=True,
    check=_check,
    change=dispose_of_rejected,
    of_the_case=("note",),
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
