"""Orders that people placed without the agent: while it may not order by itself, they are taken up without a question
from what vendors and the site report."""

from domain.events import LINE_EVENTS
from domain.lines.taking_in import COUNTED, RESTATED
from domain.orders import outside_number, outside_order
from domain.outstanding import ORDERED_ELSEWHERE
from domain.plain_json import text_in
from domain.procurement import Commercial, LineFile, OrderLine, PurchaseOrder, Row
from storage.rows import select
from tools.context import ActionContext

REPORTS = frozenset(name for name, model in LINE_EVENTS.items() if model.TELLS_OF_ORDER)
"""Events that tell of an order."""

_OF_NUMBER = "building_id = %s AND number = %s"


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
        return _with_reference(file, reference)
    if file.item.commercial != Commercial.UNORDERED:
        return file, []
    number = outside_number(file.item, context.building, reference)
    key = (context.building.building_id, number)
    standing = await select(context.transaction.conn, PurchaseOrder, _OF_NUMBER, key)
    if standing and not standing[0].placed_outside:
        return file, []  # an order of ours, of another line
    lines = await select(context.transaction.conn, OrderLine, _OF_NUMBER, key)
    if is_awaited:
        item = file.item.model_copy(update={"held_until": None, "hold_note": None})
        file = file.model_copy(update={"item": item})
    return outside_order(
        file,
        number=number,
        reference=reference,
        lines=lines,
        standing=standing[0] if standing else None,
        seq=context.seq,
    )


def _with_reference(file: LineFile, reference: str | None) -> tuple[LineFile, list[Row]]:
    """The number of an order that was taken up without one."""
    order = file.order
    if order is None or not order.placed_outside or order.external_ref is not None or reference is None:
        return file, []
    named = order.model_copy(update={"external_ref": reference})
    others = [other for other in file.orders if other.number != order.number]
    return file.model_copy(update={"orders": [*others, named]}), [named]
