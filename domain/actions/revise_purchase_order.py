"""Revise an order: a change order."""

from collections import Counter
from decimal import Decimal
from typing import Literal

from pydantic import Field

from domain.actions.kinds import ActionKind, Reach
from domain.actions.shapes import ActionShape, ItemArguments
from domain.buildings import Strict
from domain.procurement import LineFile, Logistics, OrderLine
from domain.text import Money, Name, PlannedDay, Quantity, Text


class RevisedLine(ItemArguments):
    quantity: Quantity | None = Field(None, description="The new quantity; as ordered when absent.")
    unit_price: Money | None = Field(None, description="The new price for one unit; as ordered when absent.")
    group_total: Money | None = Field(
        None, description="The new price of the whole lump sum that the line is in; as ordered when absent."
    )
    required_by: PlannedDay | None = Field(None, description="The new required day; as ordered when absent.")

    def apply_to(self, line: OrderLine) -> OrderLine:
        """The order line with what changes of it."""
        return line.model_copy(update=self.model_dump(exclude={"item"}, exclude_none=True))


class ReviseOrderArguments(Strict):
    order: Name = Field(description="Number of the purchase order.")
    lines: list[RevisedLine] = Field(min_length=1, max_length=100, description="The lines that change.")
    reason: Text | None = Field(None, description="Why.")


class RevisePurchaseOrder(ActionShape):
    """Change order: the order's next revision, with other quantities, prices or required days."""

    name: Literal["revise_purchase_order"]
    arguments: ReviseOrderArguments


def _check(file: LineFile, arguments: ReviseOrderArguments) -> str | None:
    item, number = file.item, file.number_of(arguments.order)
    order = next((order for order in file.orders if order.number == number), None)
    line = next((line for line in file.order_lines if line.number == number), None)
    if order is None or line is None:
        others = " and ".join(dict.fromkeys(line.number for line in file.order_lines))
        return f"{item.shown} is not on {number}; " + (f"it is on {others}" if others else "it has no order")
    if file.is_order_cancelled(order.number):
        return f"{number} is cancelled; order {item.shown} again instead"
    [twice, times], *_ = Counter(line.item for line in arguments.lines).most_common(1)
    if times > 1:
        return f"{twice} is listed {times} times; say all that changes of it at once"
    change = next(line for line in arguments.lines if line.item == item.item_id)
    if change.unit_price is not None and order.currency != item.currency:
        return (
            f"{number} is in {order.currency} and {item.shown} is priced in {item.currency}: cancel it and order again"
        )
    if line.group is None and change.group_total is not None:
        return f"{item.shown} is in no lump sum on {number}: say its unit_price"
    if line.group is not None and change.unit_price is not None:
        return f"{item.shown} has its price in the lump sum {line.group!r}: say the new group_total"
    named = {other.group_total for other in arguments.lines if other.group_total is not None}
    if line.group is not None and len(named) > 1:
        return f"the lump sum {line.group!r} is given {len(named)} prices: it has one"
    arrived = _count_arrived(file, line)
    if change.quantity is not None and change.quantity < arrived:
        return f"{arrived.normalize():f} of {item.shown} have arrived on {number}: it cannot be revised to fewer"
    return None


def _count_arrived(file: LineFile, line: OrderLine) -> Decimal:
    """How much of an order line is on site: all of it, where it is and nobody said how much came."""
    counted = file.received(line.round)
    if counted == 0 and line.round == file.item.round and file.item.logistics == Logistics.ON_SITE:
        return line.quantity or Decimal(0)
    return counted


def _change(file: LineFile, arguments: ReviseOrderArguments) -> LineFile:
    change = next((line for line in arguments.lines if line.item == file.item.item_id), None)
    if change is None:
        return file
    number = file.number_of(arguments.order)
    lines = [change.apply_to(line) if line.number == number else line for line in file.order_lines]
    return file.model_copy(update={"order_lines": lines})


KIND = ActionKind[ReviseOrderArguments](
    shape=RevisePurchaseOrder,
    needs_a_person=True,
    is_persons_own=False,
    commits="revises",
    is_reversible=False,
    only_undoes=False,
    reach=Reach.COMMITMENT,
    is_possible_when_removed=False,
    check=_check,
    change=_change,
    of_the_case=("order", "lines", "reason"),
    recipient=None,
    only_says=False,
    accompanies=False,
    order_document="revised",
    phrase="revise the order {order}",
    done="revised {purchase_order}: revision {revision}, {total}",
    called="",
    called_around="",
    spoken=None,
    from_reply=None,
)
