"""Cancel an item's order."""

from typing import Literal

from domain.actions.kinds import ActionKind, Reach
from domain.actions.shapes import ActionShape, OrderArguments
from domain.procurement import Commercial, LineFile


class CancelPurchaseOrder(ActionShape):
    """Cancel the item's current order. An order with lines of other items goes on without this one; the price of a
    lump sum stays until it is revised."""

    name: Literal["cancel_purchase_order"]
    arguments: OrderArguments


def _check(file: LineFile, _arguments: OrderArguments) -> str | None:
    if file.order is None:
        return f"{file.item.shown} has no order to cancel"
    number = file.order.number
    return f"{number} is already cancelled" if file.is_order_cancelled(number) else None


def _change(file: LineFile, _arguments: OrderArguments) -> LineFile:
    current = file.order
    orders = [o.model_copy(update={"status": "cancelled"}) if o == current else o for o in file.orders]
    item = file.item.model_copy(update={"commercial": Commercial.CANCELLED})
    return file.model_copy(update={"item": item, "orders": orders})


KIND = ActionKind[OrderArguments](
    shape=CancelPurchaseOrder,
    needs_a_person=True,
    is_persons_own=False,
    commits="nothing",
    is_reversible=False,
    only_undoes=True,
    reach=Reach.COMMITMENT,
    is_possible_when_removed=True,
    check=_check,
    change=_change,
    of_the_case=("quantity", "reason"),
    recipient=None,
    only_says=False,
    accompanies=False,
    order_document="cancelled",
    phrase="cancel the order of {item}",
    done="cancelled {purchase_order}",
    called="cancel, stornieren, annulez, annuler, cancelar, annullare, annuleren",
    called_around="",
    spoken=r"\b(?:cancel\w*|stornier\w*|annul\w*|cancela\w*)\b",
    from_reply=lambda wish: {"item": wish.item_id, "reason": wish.note},
)
