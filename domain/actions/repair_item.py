"""Have rejected goods repaired."""

from typing import Literal

from domain.actions.kinds import ActionKind, Reach, with_note
from domain.actions.shapes import ActionShape, DispositionArguments
from domain.dispositions import Disposition, try_disposition
from domain.procurement import LineFile


class RepairItem(ActionShape):
    """NCR disposition repair: mend it, then inspect it again."""

    name: Literal["repair_item"]
    arguments: DispositionArguments


def _check(file: LineFile, _arguments: DispositionArguments) -> str | None:
    return None if file.has_rejected else f"nothing of {file.item.shown} was rejected that could be repaired"


def _change(file: LineFile, arguments: DispositionArguments) -> LineFile:
    return try_disposition(file, arguments.ncr_number, Disposition("repair", quantity=arguments.quantity))


KIND = ActionKind[DispositionArguments](
    shape=RepairItem,
    needs_a_person=True,
    is_persons_own=False,
    commits="nothing",
    is_reversible=False,
    only_undoes=False,
    reach=Reach.ON_FILE,
    is_possible_when_removed=False,
    check=_check,
    change=_change,
    of_the_case=("note", "ncr_number", "quantity"),
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
