"""Can it be done now? The actions of a decision are tried in order on the lines' files before any of them is done."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain.actions import ACTION, Action, OrderArguments, RevisePurchaseOrder, items_named, plain
from domain.inspections import open_ncrs
from domain.procurement import Commercial, LineFile, OrderLine, PurchaseOrder, Quality
from domain.revising_orders import check_revision, revise_file
from domain.text import ON_FILE


@dataclass(frozen=True)
class Obstacle:
    """The first action of a list that cannot be done, and why, in a site manager's words."""

    number: int
    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


def find_obstacle(files: Mapping[str, LineFile], actions: Sequence[dict[str, Any]]) -> Obstacle | None:
    """The first of these actions that cannot be done after those before it; None where all can.

    A line whose file is not given is not checked.
    """
    now = dict(files)
    for number, plain_action in enumerate(actions):
        typed = ACTION.validate_python(plain_action, context=ON_FILE)
        for item_id in _lines_of(typed):
            file = now.get(item_id)
            if file is None:
                continue
            if (why := check_action(file, typed)) is not None:
                return Obstacle(number, typed.name, why)
            now[item_id] = apply_action(file, typed)
    return None


def check_action(file: LineFile, made: Action) -> str | None:
    """Why an action on a line cannot be done as its facts now are; None where it can."""
    if file.item.removed and made.name not in _ALSO_OF_REMOVED:
        return f"{file.item.shown} was taken out of the log"
    if isinstance(made.arguments, OrderArguments):
        quantity = made.arguments.quantity
        if quantity is not None and quantity <= 0:
            return f"the quantity must be above 0, not {quantity}"
    if isinstance(made, RevisePurchaseOrder):
        return check_revision(file, made.arguments)
    check = _CHECKS.get(made.name)
    return None if check is None else check(file)


def apply_action(file: LineFile, made: Action) -> LineFile:
    """The line's file as later actions of the same decision find it."""
    if isinstance(made, RevisePurchaseOrder):
        return revise_file(file, made.arguments)
    change = _CHANGES.get(made.name)
    return file if change is None else change(file)


def _lines_of(made: Action) -> list[str]:
    return items_named(plain(made))


_ALSO_OF_REMOVED = frozenset({"cancel_purchase_order", "request_information", "return_item"})
"""What may be done about a line that was taken out: its order still stands, its goods are still on site."""


def _has_rejected(file: LineFile) -> bool:
    return file.item.quality == Quality.FAILED or bool(open_ncrs(file))


def _check_cancel(file: LineFile) -> str | None:
    if file.order is None:
        return f"{file.item.shown} has no order to cancel"
    return f"{file.order.number} is already cancelled" if file.order.status == "cancelled" else None


def _check_tracking(file: LineFile) -> str | None:
    return None if file.item.is_ordered else f"{file.item.shown} has no order to track"


def _check_repair(file: LineFile) -> str | None:
    return None if _has_rejected(file) else f"nothing of {file.item.shown} was rejected that could be repaired"


def _check_return(file: LineFile) -> str | None:
    return None if _has_rejected(file) else f"nothing of {file.item.shown} was rejected that could be returned"


def _check_accept(file: LineFile) -> str | None:
    if _has_rejected(file) or file.order is not None:  # without a rejection: the vendor's terms
        return None
    return f"nothing of {file.item.shown} was rejected, and it has no order whose terms could be accepted"


_CHECKS: dict[str, Callable[[LineFile], str | None]] = {
    "cancel_purchase_order": _check_cancel,
    "start_tracking": _check_tracking,
    "repair_item": _check_repair,
    "return_item": _check_return,
    "accept_as_is": _check_accept,
}


def _cancel(file: LineFile) -> LineFile:
    current = file.order
    orders = [o.model_copy(update={"status": "cancelled"}) if o == current else o for o in file.orders]
    return _with_item(file.model_copy(update={"orders": orders}), commercial=Commercial.CANCELLED)


def _issue(file: LineFile) -> LineFile:
    return file if file.order is not None and file.item.is_ordered else _order(file)


def _order(file: LineFile) -> LineFile:
    """The line with a further order; its number and amount do not matter here."""
    round_, number = file.item.round + 1, f"order {file.item.round + 1}"
    order = PurchaseOrder(number=number, currency=file.item.currency, total=Decimal(0))
    line = OrderLine(number=number, line=1, item_id=file.item.item_id, round=round_)
    ordered = file.model_copy(update={"orders": [*file.orders, order], "order_lines": [*file.order_lines, line]})
    return _with_item(ordered, round=round_, commercial=Commercial.ORDERED, quality=Quality.NOT_INSPECTED)


def _dispose(file: LineFile) -> LineFile:
    """The line with a decision on all that was rejected."""
    inspections = [
        one.model_copy(update={"disposition": one.disposition or "decided"}) if one.status == "failed" else one
        for one in file.inspections
    ]
    return _with_item(file.model_copy(update={"inspections": inspections}), quality=Quality.NOT_INSPECTED)


def _remove(file: LineFile) -> LineFile:
    return _with_item(file, removed=True)


def _with_item(file: LineFile, **changed: Any) -> LineFile:
    return file.model_copy(update={"item": file.item.model_copy(update=changed)})


_CHANGES: dict[str, Callable[[LineFile], LineFile]] = {
    "issue_purchase_order": _issue,
    "reorder_item": _order,
    "cancel_purchase_order": _cancel,
    "repair_item": _dispose,
    "return_item": _dispose,
    "accept_as_is": _dispose,
    "remove_item": _remove,
}
