"""Have rejected goods repaired."""

from typing import Literal

from domain.actions.kinds import ActionKind, Reach, dispose_of_rejected, with_note
from domain.actions.shapes import ActionShape, NoteArguments
from domain.procurement import LineFile


class RepairItem(ActionShape):
    """NCR disposition repair: mend it, then inspect it again."""

    name: Literal["repair_item"]
    arguments: NoteArguments


def _check(file: LineFile, _arguments: NoteArguments) -> str | None:
    return None if file.has_rejected else f"nothing of {file.item.shown} was rejected that could be repaired"


KIND = ActionKind[NoteArguments](
    shape=RepairItem,
    needs_a_person=True,
    is_persons_own=False,
    commits="nothing",
    is_reversible=False,
    only_undoes=False,
    reach=Reach.ON_FILE,
    is_possible_when_removed=False,
    check=_check,
    change=dispose_of_rejected,
    of_the_case=("note",),
    recipient=None,
    only_says=False,
    accompanies=False,
    order_document=None,
    phrase="have {item} repaired",
    done="put the disposition on file: {disposition} ({note})",
    called=(
        "repair, fix, have repaired, reparieren, reparieren lassen, reparez, reparer, reparar, riparare, repareren"
    ),
    called_around="have {} repaired",
    spoken=r"\b(?:repair\w*|fix(?:ed)?|mend\w*|touch\w* up|rework\w*|reparier\w*|nachbesser\w*|repar\w*)\b",
    from_reply=with_note,
)
