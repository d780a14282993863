"""Order an item."""

from typing import Literal

from domain.actions.kinds import ActionKind, Reach, add_order, always_possible, on_the_line
from domain.actions.shapes import ActionShape, OrderArguments
from domain.procurement import LineFile


class IssuePurchaseOrder(ActionShape):
    """Order the item: a new purchase order, once for each item and round."""

    name: Literal["issue_purchase_order"]
    arguments: OrderArguments


def _change(file: LineFile, _arguments: OrderArguments) -> LineFile:
    return file if file.order is not None and file.item.is_ordered else add_order(file)


KIND = ActionKind[OrderArguments](
    shape=IssuePurchaseOrder,
    needs_a_person=False,
    is_persons_own=False,
    commits="orders",
    is_reversible=False,
    only_undoes=False,
    reach=Reach.COMMITMENT,
    is_possible_when_removed=False,
    check=always_possible,
    change=_change,
    of_the_case=("quantity", "reason"),
    recipient=None,
    only_says=False,
    accompanies=False,
    order_document="issued",
    phrase="order {item}",
    done="issued {purchase_order} to {vendor}, {total}",
    called=(
        "order, issue, place, release, bestellen, bestell, bestelle, commandez, commander, pidalo, pedir, "
        "ordina, ordinare, go ahead with the order, place the order, issue the order, release the order, "
        "issue the po, place the po, release the po"
    ),
    called_around="",
    spoken=(
        r"\b(?:issue|place|release|send)\b.{0,20}\b(?:po|order)|\border (?:it|them|anyway|now)|\bbestell\w*|"
        r"\bcommand(?:e|ez|er)\b|\b(?:pide|pedir|pidalo)\b"
    ),
    from_reply=on_the_line,
)
