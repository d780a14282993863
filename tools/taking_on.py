"""Lines are taken on with what was known of them: the orders that they name, and what is asked and told of all of
them at once."""

from collections.abc import Iterable, Sequence
from datetime import UTC

from domain.buildings import Building
from domain.events import Entry
from domain.line_states import LineState
from domain.orders import number_elsewhere
from domain.procurement import LineFile, OrderLine, PurchaseOrder
from domain.taken_on import ask_about, say_taken_on
from domain.taking_on import Moment, OrderBook, order_key
from storage.rows import select
from storage.taken_on import lines_taken_on
from tools.context import ActionContext, Toolbox
from tools.line_files import read_files
from tools.recording import Finding, record_facts

_NAMED = """building_id = %s AND (
    number = ANY(%s)
    OR lower(regexp_replace(normalize(number, NFKC), '[[:space:]]', '', 'g')) = ANY(%s)
    OR lower(regexp_replace(normalize(external_ref, NFKC), '[[:space:]]', '', 'g')) = ANY(%s))"""
"""Orders by our number or by their number elsewhere, spelt as `order_key` does."""


def moment_of(context: ActionContext) -> Moment:
    """When the entry's lines are taken on: on the business day of the entry."""
    zone = context.building.zone
    return Moment(context.now.astimezone(zone).date(), context.now.astimezone(UTC), zone, context.seq)


async def read_order_book(context: ActionContext, states: Iterable[LineState]) -> OrderBook:
    """The orders on file that the states name, with their lines."""
    states = list(states)
    named = [order.number for state in states for order in state.orders]
    if not named:
        return OrderBook()
    building_id = context.building.building_id
    numbers = sorted({number_elsewhere(name, context.building) for name in named})
    keys = sorted({order_key(name) for name in named})
    conn = context.transaction.conn
    orders = await select(conn, PurchaseOrder, _NAMED, (building_id, numbers, keys, keys))
    found = sorted(order.number for order in orders)
    lines = await select(conn, OrderLine, "building_id = %s AND number = ANY(%s)", (building_id, found))
    book = OrderBook({order.number: order for order in orders})
    book.note(states)
    for line in lines:
        book.lines.setdefault(line.number, []).append(line)
    return book


async def look_at_taken_on(toolbox: Toolbox, entry: Entry) -> Finding:
    """What follows from lines that the building was created with."""

    async def act(context: ActionContext) -> Finding:
        ids = await lines_taken_on(context.transaction.conn, context.building.building_id)
        files = [file async for file in read_files(context, ids)]
        if not files:
            return Finding(note="no line was taken on", repeat=True)
        return finding_of(files, context.building, 0)

    return await record_facts(toolbox, entry, act)


def finding_of(files: Sequence[LineFile], building: Building, seq: int) -> Finding:
    """What is asked and told of lines that were taken on. Nothing else follows from them at once."""
    ids = [file.item.item_id for file in files]
    return Finding(
        note=f"{len(files)} lines taken on",
        looked_at=ids,
        ask=ask_about(files, seq),
        say=[say_taken_on(files, building)],
    )
