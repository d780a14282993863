"""A change order: the next revision of a purchase order, and the procurement lines once it is agreed."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from domain.actions import RevisedLine, ReviseOrderArguments
from domain.errors import InvalidError
from domain.money import line_total
from domain.procurement import Item, LineFile, Logistics, OrderLine, PurchaseOrder


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
    after = [_revise_line(line, changes.get(line.item_id)) for line in lines]
    totals = [line_total(line.unit_price, line.quantity, order.currency) for line in after]
    known = [total for total in totals if total is not None]
    total = sum(known, Decimal(0)) if len(known) == len(totals) else None
    update = {"revision": order.revision + 1, "total": total, "caused_seq": seq}
    return order.model_copy(update=update), after


def _revise_line(line: OrderLine, change: RevisedLine | None) -> OrderLine:
    return line if change is None else line.model_copy(update=change.model_dump(exclude={"item"}, exclude_none=True))


def revise_file(file: LineFile, arguments: ReviseOrderArguments) -> LineFile:
    """The line's file once an order of it is revised, as later actions of the same decision find it."""
    change = next((line for line in arguments.lines if line.item == file.item.item_id), None)
    lines = [_revise_line(line, change) if line.number == arguments.order else line for line in file.order_lines]
    return file.model_copy(update={"order_lines": lines})


def check_revision(file: LineFile, arguments: ReviseOrderArguments) -> str | None:
    """Why an order of this line cannot be revised so; None where it can."""
    item, number = file.item, arguments.order
    order = next((order for order in file.orders if order.number == number), None)
    line = next((line for line in file.order_lines if line.number == number), None)
    if order is None or line is None:
        others = " and ".join(dict.fromkeys(line.number for line in file.order_lines))
        return f"{item.shown} is not on {number}; " + (f"it is on {others}" if others else "it has no order")
    if order.status == "cancelled":
        return f"{number} is cancelled; order {item.shown} again instead"
    [twice, times], *_ = Counter(line.item for line in arguments.lines).most_common(1)
    if times > 1:
        return f"{twice} is listed {times} times; say all that changes of it at once"
    change = next(line for line in arguments.lines if line.item == item.item_id)
    if change.unit_price is not None and order.currency != item.currency:
        return (
            f"{number} is in {order.currency} and {item.shown} is priced in {item.currency}: cancel it and order again"
        )
    arrived = _arrived(file, line)
    if change.quantity is not None and change.quantity < arrived:
        return f"{arrived.normalize():f} of {item.shown} have arrived on {number}: it cannot be revised to fewer"
    return None


def _arrived(file: LineFile, line: OrderLine) -> Decimal:
    """How much of an order line is on site: all of it, where it is and nobody said how much came."""
    counted = file.received(line.round)
    if counted == 0 and line.round == file.item.round and file.item.logistics == Logistics.ON_SITE:
        return line.quantity or Decimal(0)
    return counted


def standing_lines(file: LineFile) -> list[OrderLine]:
    """The order lines of the line's orders that were not cancelled."""
    cancelled = {order.number for order in file.orders if order.status == "cancelled"}
    return [line for line in file.order_lines if line.number not in cancelled]


def ordered_in_all(file: LineFile) -> Decimal | None:
    """What the standing orders of the line order together; None where one of them names no quantity."""
    parts = [line.quantity for line in standing_lines(file)]
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(parts) else None


def item_after_revision(file: LineFile, before: OrderLine, after: OrderLine, seq: int) -> Item:
    """The line once its order was revised: it is what was agreed. Of several orders, the difference counts."""
    item = file.item
    quantity = after.quantity
    parts = (item.quantity, before.quantity, after.quantity)
    if len(standing_lines(file)) > 1 and None not in parts:
        quantity = item.quantity + after.quantity - before.quantity  # type: ignore[operator]
    changes: dict[str, Any] = {"caused_seq": seq}
    if after.quantity != before.quantity:
        changes["quantity"] = quantity
    if after.unit_price != before.unit_price:
        changes["unit_price"] = after.unit_price
    return item.model_copy(update=changes)
