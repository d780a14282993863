"""Orders that people placed without the agent: while it may not order by itself, they are taken up without a question
from what vendors and the site report."""

from domain.events import LINE_EVENTS
from domain.lines.taking_in import COUNTED, RESTATED
from domain.orders import number_elsewhere, outside_number, outside_order
from domain.outstanding import ORDERED_ELSEWHERE
from domain.plain_json import text_in
from domain.procurement import Commercial, LineFile, OrderLine, PurchaseOrder, Row
from storage.rows import select
from tools.context import ActionContext

REPORTS = frozenset(name for name, model in LINE_EVENTS.items() if model.TELLS_OF_ORDER)
"""Events that tell of an order."""


async def take_up(context: ActionContext, file: LineFile) -> tuple[LineFile, list[Row]]:
    """The line's file with the order that the event tells of, and what is to be saved of it. The file as it is
    where the event tells of none, or the agent orders by itself: then an order that it did not place is asked about,
    unless a person has said that there is one: the line was put on hold until it is reported."""
    body = context.entry.body
    is_awaited = file.item.is_held and file.item.hold_note == ORDERED_ELSEWHERE
    # A person has said that what is reported was ordered outside.
    is_taken = context.entry.source == RESTATED and context.entry.event_id.endswith(COUNTED)
    if context.entry.event_type not in REPORTS or (context.building.orders_alone and not is_awaited and not is_taken):
        return file, []
    reference = text_in(body, "purchase_order") or text_in(body, "external_ref")
    if file.order_lines:
        return await _with_reference(context, file, reference)
    if file.item.commercial != Commercial.UNORDERED:
        return file, []
    number = outside_number(file.item, context.building, reference)
    standing = await _find_order(context, number, reference)
    if standing is not None and not standing.placed_outside:
        return file, []  # an order of ours, of another line
    key = (context.building.building_id, number if standing is None else standing.number)
    lines = await select(context.transaction.conn, OrderLine, "building_id = %s AND number = %s", key)
    if is_awaited:
        item = file.item.model_copy(update={"held_until": None, "hold_note": None})
        file = file.model_copy(update={"item": item})
    return outside_order(
        file,
        number=number,
        reference=reference,
        lines=lines,
        standing=standing,
        seq=context.seq,
    )


async def _find_order(context: ActionContext, number: str, reference: str | None) -> PurchaseOrder | None:
    """The order of the building that has this number, or else this number elsewhere."""
    where = "building_id = %s AND (number = %s OR external_ref = %s)"
    key = (context.building.building_id, number, reference)
    found = await select(context.transaction.conn, PurchaseOrder, where, key)
    return min(found, key=lambda order: (order.number != number, order.number), default=None)


async def _with_reference(context: ActionContext, file: LineFile, reference: str | None) -> tuple[LineFile, list[Row]]:
    """The number of an order that was taken up without one; not one that is another order's already."""
    order = file.order
    if order is None or not order.placed_outside or order.external_ref is not None or reference is None:
        return file, []
    if await _find_order(context, number_elsewhere(reference, context.building), reference) is not None:
        return file, []
    named = order.model_copy(update={"external_ref": reference})
    others = [other for other in file.orders if other.number != order.number]
    return file.model_copy(update={"orders": [*others, named]}), [named]
