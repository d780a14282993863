"""Accept goods or terms as they are."""

from typing import Literal

from domain.actions.kinds import ActionKind, Reach, dispose_of_rejected, with_note
from domain.actions.shapes import ActionShape, NoteArguments
from domain.procurement import LineFile


class AcceptAsIs(ActionShape):
    """NCR disposition use-as-is, or accepting the vendor's terms as they are."""

    name: Literal["accept_as_is"]
    arguments: NoteArguments


def _check(file: LineFile, _arguments: NoteArguments) -> str | None:
    if file.has_rejected or file.order is not None:  # without a rejection: the vendor's terms
        return None
    return f"nothing of {file.item.shown} was rejected, and it has no order whose terms could be accepted"


KIND = ActionKind[NoteArguments](
    shape=AcceptAsIs,
    needs_a_person=True,
    is_persons_own=False,
    commits="accepts",
    is_reversible=False,
    only_undoes=False,
    reach=Reach.COMMITMENT,
    is_possible_when_removed=False,
    check=_check,
    change=dispose_of_rejected,
    of_the_case=("note",),
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
