"""A change order: the next revision of a purchase order, and the procurement lines once it is agreed."""

from collections.abc import Sequence
from decimal import Decimal

from domain.actions import RevisedLine
from domain.errors import InvalidError
from domain.lines.projection import recount
from domain.money import line_total
from domain.procurement import Item, LineFile, OrderLine, PurchaseOrder


def revise_lines(
    lines: Sequence[OrderLine], order: PurchaseOrder, revised: Sequence[RevisedLine], seq: int
) -> tuple[PurchaseOrder, list[OrderLine]]:
    """The next revision of an order, with all of its lines.

    Raises:
        InvalidError: the order is cancelled, or a line is not one of it.
    """
    if order.status == "cancelled":
        raise InvalidError(f"{order.number} is cancelled: it cannot be revised.", "order")
    changes = {line.item: line for line in revised}
    if strange := sorted(changes.keys() - {line.item_id for line in lines}):
        raise InvalidError(f"{strange[0]} is not on {order.number}.", "lines")
    after = [changes[line.item_id].apply_to(line) if line.item_id in changes else line for line in lines]
    totals = [line_total(line.unit_price, line.quantity, order.currency) for line in after]
    known = [total for total in totals if total is not None]
    total = sum(known, Decimal(0)) if len(known) == len(totals) else None
    update = {"revision": order.revision + 1, "total": total, "caused_seq": seq}
    return order.model_copy(update=update), after


def standing_lines(file: LineFile) -> list[OrderLine]:
    """The order lines of the line's orders that were not cancelled."""
    cancelled = {order.number for order in file.orders if order.status == "cancelled"}
    return [line for line in file.order_lines if line.number not in cancelled]


def ordered_in_all(file: LineFile) -> Decimal | None:
    """What the standing orders of the line order together; None where one of them names no quantity."""
    parts = [line.quantity for line in standing_lines(file)]
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(parts) else None


def revise_file(file: LineFile, order: PurchaseOrder, before: OrderLine, after: OrderLine, seq: int) -> LineFile:
    """The line's file once its order was revised: the lots follow what is ordered."""
    orders = [order if one.number == order.number else one for one in file.orders]
    lines = [after if (one.number, one.line) == (after.number, after.line) else one for one in file.order_lines]
    revised = file.model_copy(update={"orders": orders, "order_lines": lines})
    return recount(revised, item_after_revision(file, before, after, seq), seq)


def item_after_revision(file: LineFile, before: OrderLine, after: OrderLine, seq: int) -> Item:
    """The line once its order was revised: it is what was agreed. Of several orders, the difference counts."""
    item = file.item
    quantity = after.quantity
    parts = (item.quantity, before.quantity, after.quantity)
    if len(standing_lines(file)) > 1 and None not in parts:
        quantity = item.quantity + after.quantity - before.quantity  # type: ignore[operator]
    changes: dict[str, Decimal | int | None] = {"caused_seq": seq}
    if after.quantity != before.quantity:
        changes["quantity"] = quantity
    if after.unit_price != before.unit_price:
        changes["unit_price"] = after.unit_price
    return item.model_copy(update=changes)
