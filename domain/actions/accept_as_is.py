"""Accept goods or terms as they are."""

from typing import Literal

from domain.actions.kinds import ActionKind, Reach, with_note
from domain.actions.shapes import ActionShape, DispositionArguments
from domain.dispositions import Disposition, try_disposition
from domain.procurement import LineFile


class AcceptAsIs(ActionShape):
    """NCR disposition use-as-is, or accepting the vendor's terms as they are."""

    name: Literal["accept_as_is"]
    arguments: DispositionArguments


def _check(file: LineFile, _arguments: DispositionArguments) -> str | None:
    if file.has_rejected or file.order is not None:  # without a rejection: the vendor's terms
        return None
    return f"nothing of {file.item.shown} was rejected, and it has no order whose terms could be accepted"


def _change(file: LineFile, arguments: DispositionArguments) -> LineFile:
    return try_disposition(file, arguments.ncr_number, Disposition("accept", quantity=arguments.quantity))


KIND = ActionKind[DispositionArguments](
    shape=AcceptAsIs,
    needs_a_person=True,
    is_persons_own=False,
    commits="accepts",
    is_reversible=False,
    only_undoes=False,
    reach=Reach.COMMITMENT,
    is_possible_when_removed=False,
    check=_check,
    change=_change,
    of_the_case=("note", "ncr_number", "quantity"),
    recipient=None,
    only_says=False,
    accompanies=False,
    order_document=None,
    phrase="accept {item} as it is",
    done="accepted it as it is ({note})",
    called=(
        "use as is, accept as is, keep as is, take as is, use as it is, accept as it is, use as they are, "
        "accept as they are"
    ),
    called_around=(
        "use {} as is, accept {} as is, keep {} as is, use {} as it is, accept {} as it is, keep {} as it "
        "is, use {} as they are, accept {} as they are, keep {} as they are"
    ),
    spoken=(
        r"\b(?:as is|as it is|as they are|accept (?:it|them)|use (?:it|them)|keep (?:it|them)|"
        r"we can live with|so nehmen|so lassen|tel quel|en l'etat|tal cual|asi como)\b"
    ),
    from_reply=with_note,
)
