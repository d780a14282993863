"""Reading a fork and its parent so that they can be compared: what stands, and what came since they parted."""

from typing import NamedTuple

from domain.approvals import Approval
from domain.comparison import DecisionMade, EventSeen, MessageSaid, OrderState, Side
from domain.plain_json import JsonObject
from domain.procurement import Item
from storage.connection import Connection
from storage.connection import select as found
from storage.forks import Begun
from storage.rows import select

ORDERS = """
SELECT l.item_id, l.round, o.number, o.status, l.quantity, l.unit, o.total, o.currency, o.issued_on
  FROM purchase_order_lines l JOIN purchase_orders o USING (building_id, number)
 WHERE l.building_id = %s ORDER BY l.item_id, l.round"""

DECISIONS = """
SELECT seq, item_id, kind, type, actions, responder, why FROM decisions
 WHERE building_id = %s AND (seq > %s OR seq = %s) ORDER BY seq, generation, step"""

EVENTS = """
SELECT seq, event_type, event_id, body ->> 'item' AS item, status, body FROM events
 WHERE building_id = %s AND seq > %s ORDER BY seq"""

MESSAGES = """
SELECT DISTINCT ON (id) data FROM changes
 WHERE building_id = %s AND position > %s AND entity = 'messages' ORDER BY id, position DESC"""


async def sides(conn: Connection, fork: Begun) -> tuple[Side, Side]:
    """(reality, fork) of a row of `forks`, in one snapshot."""
    async with conn.transaction():
        await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return await _side(conn, fork.parent_id, fork), await _side(conn, fork.fork_id, fork)


async def _side(conn: Connection, building_id: str, fork: Begun) -> Side:
    of = "building_id = %s"
    messages = await found(conn, _Image, MESSAGES, (building_id, fork.position))
    events = await found(conn, EventSeen, EVENTS, (building_id, fork.last_seq))
    return Side(
        building_id=building_id,
        last_seq=max((event.seq for event in events), default=fork.last_seq),
        items=await select(conn, Item, of, (building_id,)),
        orders=await found(conn, OrderState, ORDERS, (building_id,)),
        approvals=await select(conn, Approval, of, (building_id,), "raised_seq, key"),
        messages=sorted(
            (MessageSaid.model_validate(row.data) for row in messages), key=lambda one: (one.caused_seq, one.text)
        ),
        decisions=await found(conn, DecisionMade, DECISIONS, (building_id, fork.last_seq, fork.in_hand)),
        events=events,
    )


class _Image(NamedTuple):
    data: JsonObject
