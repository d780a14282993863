"""Order a replacement."""

from typing import Literal

from domain.actions.kinds import ActionKind, Reach, add_order, always_possible, on_the_line
from domain.actions.shapes import ActionShape, ReplacementArguments
from domain.dispositions import Disposition, try_disposition
from domain.procurement import LineFile


class ReorderItem(ActionShape):
    """Order a replacement: opens the item's next round with an order of its own."""

    name: Literal["reorder_item"]
    arguments: ReplacementArguments


def _change(file: LineFile, arguments: ReplacementArguments) -> LineFile:
    returned = Disposition("return", "replaced", arguments.quantity)
    return add_order(try_disposition(file, arguments.ncr_number, returned))


KIND = ActionKind[ReplacementArguments](
    shape=ReorderItem,
    needs_a_person=True,
    is_persons_own=False,
    commits="orders",
    is_reversible=False,
    only_undoes=False,
    reach=Reach.COMMITMENT,
    is_possible_when_removed=False,
    check=always_possible,
    change=_change,
    of_the_case=("quantity", "reason", "ncr_number"),
    recipient=None,
    only_says=False,
    accompanies=False,
    order_document="issued",
    phrase="order a replacement for {item}",
    done="ordered the replacement: {purchase_order} to {vendor}, {total}",
    called=(
        "replace, reorder, re order, order a replacement, go ahead with the replacement, order again, order "
        "the replacement, ersetzen, ersetze, ersatz bestellen, remplacez, remplacer, reemplazar, sostituire, "
        "vervangen, do the replacement"
    ),
    called_around="",
    spoken=(
        r"\b(?:re-?order\w*|replac\w+|new one|order (?:it |them )?again|ersetz\w*|ersatz|austausch\w*|"
        r"remplac\w*|reemplaz\w*)\b"
    ),
    from_reply=on_the_line,
)
