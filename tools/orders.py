"""Purchase orders: issued, ordered again, cancelled, tracked, expedited."""

from collections.abc import Sequence
from decimal import Decimal

from domain.actions import ExpediteArguments, ItemArguments, OrderArguments
from domain.actions.shapes import ReplacementArguments
from domain.counts import write_count
from domain.dispositions import Disposition
from domain.errors import InvalidError
from domain.lines.projection import adopt, changed_rows, last_day, project, with_account
from domain.mail_subjects import order_subject, vendor_subject
from domain.milestones import expected_of
from domain.orders import join_group_order, order_group, order_rows, rest_to_order
from domain.plain_json import JsonObject
from domain.procurement import ContactRole, FactRow, LineFile, OrderLine, PurchaseOrder, Row, money
from domain.revising_orders import cancel_line
from storage.rows import select
from tools.context import ActionContext
from tools.meant_ncrs import decide_on_ncrs
from tools.messages import say


async def issue_purchase_order(context: ActionContext, arguments: OrderArguments) -> JsonObject:
    """Order the line, once: where it is already on order, the standing order is the result."""
    file = await context.file(arguments.item)
    if file.order is not None and file.item.is_ordered and not file.item.is_short:
        return {"purchase_order": file.order.number, "already_ordered": True}
    if file.item.group is not None:
        return await order_lump_sum(context, file, arguments.quantity)
    return place_order(context, file, arguments.quantity or rest_to_order(file), [])


async def order_lump_sum(context: ActionContext, file: LineFile, quantity: Decimal | None) -> JsonObject:
    """Order all lines of the line's group on one order, at the group's price, and track the others. Where the group is
    on order already, the line joins that order; where the line itself was on it, what it still needs is an order of its
    own. `quantity`: how much of the line; None: what it still needs."""
    conn, building_id = context.transaction.conn, context.building.building_id
    where = "building_id = %s AND number IN (SELECT l.number FROM purchase_order_lines l WHERE l.building_id = %s "
    where += 'AND l."group" = %s AND l.cancelled_on IS NULL)'
    standing = [
        order
        for order in await select(conn, PurchaseOrder, where, (building_id, building_id, file.item.group))
        if order.status != "cancelled"
    ]
    if any(line.number == order.number for order in standing for line in file.order_lines):
        return place_order(context, file, quantity or rest_to_order(file), [])
    if standing:
        order = standing[-1]
        lines = await select(conn, OrderLine, "building_id = %s AND number = %s", (building_id, order.number))
        made = join_group_order(file, order, lines, context.seq, quantity=quantity)
    else:
        others = [await context.file(other.item_id) for other in file.group_lines if not other.is_ordered]
        made = order_group([file, *others], context.building, context.today, context.seq, quantity=quantity)
    context.save(*made.rows)
    issued, now = made.order.issued_on or context.today, context.now.astimezone(context.building.zone).date()
    for other in made.files[1:]:
        context.save(*expected_of(other, context.building, issued, now, context.seq))
    _send_order(context, file, made.order, made.lines)
    return {
        "purchase_order": made.order.number,
        "total": money(made.order.total, made.order.currency),
        "group": file.item.group,
        "items": [line.item_id for line in made.lines],
    }


def _send_order(context: ActionContext, file: LineFile, order: PurchaseOrder, lines: Sequence[OrderLine]) -> None:
    """An order of several lines to its vendor, without those that were cancelled."""
    live = [line for line in lines if line.cancelled_on is None]
    vendor = file.vendor if file.vendor and file.vendor.vendor_id == order.vendor_id else None
    first = min((line.required_by for line in live if line.required_by is not None), default=None)
    context.post(
        (vendor.contact_for("orders") or vendor.name) if vendor else order.vendor_id or "vendor",
        order_subject(order.number, file.item.name, f"{write_count(len(live), 'line')}", first, order.revision),
        {"purchase_order": order.model_dump(mode="json"), "lines": [line.model_dump(mode="json") for line in live]},
    )


async def reorder_item(context: ActionContext, arguments: ReplacementArguments) -> JsonObject:
    """Order a replacement. What was rejected and nobody has decided about goes back, and is replaced by it."""
    file = with_account(await context.file(arguments.item), context.seq)
    if file.item.group is not None and not file.item.is_ordered:
        return await order_lump_sum(context, file, arguments.quantity)
    returned = Disposition("return", "replaced", arguments.quantity)
    rows = await decide_on_ncrs(context, file, arguments.ncr_number, returned)
    if arguments.quantity is None and rows and file.item.quantity is not None:
        rejected = {ncr.ncr_id: ncr.undecided for ncr in file.open_ncrs}
        replaced = sum((row.quantity or rejected[row.details.ncr or ""] for row in rows), Decimal(0))
        return place_order(context, file, replaced, rows)
    return place_order(context, file, arguments.quantity, rows)


def place_order(
    context: ActionContext,
    file: LineFile,
    quantity: Decimal | None,
    decided: list[FactRow],
    *,
    is_free: bool = False,
) -> JsonObject:
    """Place a further order for the line, and send it to the vendor. `is_free`: in place of what he got back."""
    order, rows = order_rows(
        file,
        context.building,
        quantity=quantity,
        decided=decided,
        is_free=is_free,
        today=context.today,
        seq=context.seq,
    )
    context.save(*rows)
    vendor = file.vendor
    line = next(row for row in rows if isinstance(row, OrderLine) and row.number == order.number)
    context.post(
        (vendor.contact_for("orders") or vendor.name) if vendor else "vendor",
        order_subject(order.number, file.item.name, quantity_in_words(rows), file.item.required_by, order.revision),
        {"purchase_order": order.model_dump(mode="json"), "lines": [line.model_dump(mode="json")]},
    )
    return {"purchase_order": order.number, "total": money(order.total, order.currency)}


async def cancel_purchase_order(context: ActionContext, arguments: OrderArguments) -> JsonObject:
    """Cancel the line's current order, and tell the vendor."""
    file = await context.file(arguments.item)
    order = _current(file)
    if file.is_order_cancelled(order.number):
        return {"purchase_order": order.number, "already_cancelled": True}
    others = [line for line in file.other_order_lines if line.number == order.number and line.cancelled_on is None]
    if others:
        return _cancel_line(context, file, order, others)
    cancelled = order.model_copy(
        update={"status": "cancelled", "cancelled_on": max(context.today, last_day(file)), "caused_seq": context.seq}
    )
    orders = [cancelled if one.number == order.number else one for one in file.orders]
    known = adopt(file)
    context.save(*changed_rows(file, project(known.model_copy(update={"orders": orders}), context.seq)))
    text = f"Purchase order {order.number} is cancelled. {arguments.reason or ''}".strip()
    return {"purchase_order": order.number, **_to_vendor(context, file, "orders", text, "this order is cancelled")}


def _cancel_line(
    context: ActionContext, file: LineFile, order: PurchaseOrder, others: Sequence[OrderLine]
) -> JsonObject:
    """Take the line off an order that goes on for others: the vendor gets its next revision."""
    day = max(context.today, last_day(file))
    made, revised = cancel_line(adopt(file), order, day, context.seq)
    context.save(*changed_rows(file, made))
    _send_order(context, file, revised, others)
    total = money(revised.total, revised.currency)
    return {"purchase_order": revised.number, "revision": revised.revision, "total": total, "goes_on": len(others)}


async def expedite_order(context: ActionContext, arguments: ExpediteArguments) -> JsonObject:
    """Have the vendor speed the current order up."""
    file = await context.file(arguments.item)
    number = file.order.number if file.order else "your delivery"
    how = f" by {arguments.method}" if arguments.method else ""
    text = (
        f"Please expedite {number} ({file.item.shown}){how} and confirm the earliest date; it is required by "
        f"{file.item.required_by}."
    )
    needed = f", required by {file.item.required_by}" if file.item.required_by else ""
    return _to_vendor(context, file, "escalation", text, f"please expedite{needed}")


async def start_tracking(context: ActionContext, arguments: ItemArguments) -> JsonObject:
    """Expect the milestones of the current order; those already expected stay as they are."""
    file = await context.file(arguments.item)
    issued = file.issued_on(file.item.round) or context.today
    now = context.now.astimezone(context.building.zone).date()
    new = expected_of(file, context.building, issued, now, context.seq)
    context.save(*new)
    return {"milestones": {m.kind: None if m.due_on is None else m.due_on.isoformat() for m in new}}


def _current(file: LineFile) -> PurchaseOrder:
    if file.order is None:
        raise InvalidError(f"{file.item.shown} has no order that could be cancelled.", "item")
    return file.order


def quantity_in_words(rows: Sequence[Row]) -> str:
    """The quantity of an order's first line with its unit; empty where it has none."""
    line = next(row for row in rows if isinstance(row, OrderLine))
    if line.quantity is None:
        return ""
    return f"{line.quantity.normalize():f} {line.unit or ''}".strip()


def _to_vendor(context: ActionContext, file: LineFile, role: ContactRole, text: str, asked: str) -> JsonObject:
    vendor = file.vendor
    name = vendor.name if vendor else "vendor"
    subject = vendor_subject(file.order.number if file.order else None, file.item.name, asked)
    return say(
        context, name, text, file.item.item_id, address=vendor.contact_for(role) if vendor else None, subject=subject
    )
