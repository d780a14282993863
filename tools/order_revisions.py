"""Change orders: a purchase order's next revision, told to its vendor."""

from domain.actions import ReviseOrderArguments
from domain.errors import InvalidError
from domain.lines.projection import changed_rows
from domain.mail_subjects import order_subject
from domain.plain_json import JsonObject
from domain.procurement import Item, LineFile, OrderLine, money
from domain.revising_orders import revise_file, revise_lines
from storage.rows import select
from tools.context import ActionContext
from tools.orders import quantity_in_words


async def revise_purchase_order(context: ActionContext, arguments: ReviseOrderArguments) -> JsonObject:
    """The order's next revision, told to its vendor; the lines take over what was agreed."""
    conn, building_id = context.transaction.conn, context.building.building_id
    files = {line.item: await context.file(line.item) for line in arguments.lines}
    file = files[arguments.lines[0].item]
    number = file.number_of(arguments.order)
    order = next((order for order in file.orders if order.number == number), None)
    if order is None:
        raise InvalidError(f"{file.item.shown} has no order {arguments.order!r}.", "order")
    before = await select(conn, OrderLine, "building_id = %s AND number = %s", (building_id, order.number))
    revised, lines = revise_lines(before, order, arguments.lines, context.seq)
    changed = [(old, new) for old, new in zip(before, lines, strict=True) if old != new]
    if not changed:
        return {"purchase_order": order.number, "revision": order.revision, "already_revised": True}
    for old, new in changed:
        known = await context.file(new.item_id)
        context.save(*changed_rows(known, revise_file(known, revised, old, new, context.seq)))
    context.save(*_rest_of_group(file, lines, context.seq))
    lines = [line for line in lines if line.cancelled_on is None]
    vendor = file.vendor if file.vendor and file.vendor.vendor_id == order.vendor_id else None
    context.post(
        (vendor.contact_for("orders") or vendor.name) if vendor else order.vendor_id or "vendor",
        order_subject(order.number, file.item.name, quantity_in_words(lines), lines[0].required_by, revised.revision),
        {"purchase_order": revised.model_dump(mode="json"), "lines": [line.model_dump(mode="json") for line in lines]},
    )
    total = money(revised.total, revised.currency)
    return {"purchase_order": order.number, "revision": revised.revision, "total": total}


def _rest_of_group(file: LineFile, lines: list[OrderLine], seq: int) -> list[Item]:
    """Lines of the group that are not on its order, with the price that is now agreed."""
    on_it = {line.item_id for line in lines}
    price = next((line.group_total for line in lines if line.group and line.group == file.item.group), None)
    update = {"group_total": price, "caused_seq": seq}
    left = [other for other in file.group_lines if price is not None and other.item_id not in on_it]
    return [other.model_copy(update=update) for other in left if other.group_total != price]
