"""Track an order's milestones."""

from typing import Literal

from domain.actions.kinds import ActionKind, Reach, changes_nothing
from domain.actions.shapes import ActionShape, ItemArguments
from domain.procurement import LineFile


class StartTracking(ActionShape):
    """Expect the milestones of the current order: acknowledge, ship, arrive, inspect."""

    name: Literal["start_tracking"]
    arguments: ItemArguments


def _check(file: LineFile, _arguments: ItemArguments) -> str | None:
    return None if file.item.is_ordered else f"{file.item.shown} has no order to track"


KIND = ActionKind[ItemArguments](
    shape=StartTracking,
    needs_a_person=False,
    is_persons_own=False,
    commits="nothing",
    is_reversible=True,
    only_undoes=False,
    reach=Reach.ON_ORDER,
    is_possible_when_removed=False,
    check=_check,
    change=changes_nothing,
    of_the_case=(),
    recipient=None,
    only_says=False,
    accompanies=True,
    order_document=None,
    phrase="follow up the order of {item}",
    done="tracks it: {milestones}",
    called="",
    called_around="",
    spoken=None,
    from_reply=None,
)
