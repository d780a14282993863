"""Take a line out of the log."""

from typing import Literal

from domain.actions.kinds import ActionKind, Reach, always_possible, with_note
from domain.actions.shapes import ActionShape, NoteArguments
from domain.procurement import LineFile


class RemoveItem(ActionShape):
    """Take the line out of the procurement log and the schedule."""

    name: Literal["remove_item"]
    arguments: NoteArguments


def _change(file: LineFile, _arguments: NoteArguments) -> LineFile:
    return file.model_copy(update={"item": file.item.model_copy(update={"removed": True})})


KIND = ActionKind[NoteArguments](
    shape=RemoveItem,
    needs_a_person=True,
    is_persons_own=False,
    commits="nothing",
    is_reversible=False,
    only_undoes=False,
    reach=Reach.ON_FILE,
    is_possible_when_removed=False,
    check=always_possible,
    change=_change,
    of_the_case=("note",),
    recipient=None,
    only_says=False,
    accompanies=False,
    order_document=None,
    phrase="take {item} out of the log",
    done="took it out of the log",
    called="remove, take out, drop, entfernen, streichen, supprimez, retirar, eliminar, verwijderen",
    called_around="take {} out, take {} out of the schedule, take {} out of the log",
    spoken=(
        r"\b(?:remov\w+|take (?:it|them|the \w+) out|drop (?:it|them)|out of the schedule|delete|"
        r"no longer need\w*|without (?:it|them)|streich\w*|herausnehm\w*|entfern\w*|retire\w*|supprim\w*|"
        r"quit\w*|elimin\w*)\b"
    ),
    from_reply=with_note,
)
