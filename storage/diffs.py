"""Reading a fork and its parent so that they can be compared: what stands, and what came since they parted."""

from typing import Any

from domain.approvals import Approval
from domain.comparison import DecisionMade, EventSeen, MessageSaid, OrderState, Side
from domain.procurement import Item
from storage.connection import Connection
from storage.rows import select

ORDERS = """
SELECT l.item_id, l.round, o.number, coalesce(l.status, o.status) AS status, l.quantity, l.unit, l."group", o.total,
       o.currency, o.issued_on
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


async def sides(conn: Connection, fork: dict[str, Any]) -> tuple[Side, Side]:
    """(reality, fork) of a row of `forks`, in one snapshot."""
    async with conn.transaction():
        await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return await _side(conn, fork["parent_id"], fork), await _side(conn, fork["fork_id"], fork)


async def _side(conn: Connection, building_id: str, fork: dict[str, Any]) -> Side:
    of = "building_id = %s"
    messages = await _rows(conn, MESSAGES, (building_id, fork["position"]))
    events = await _rows(conn, EVENTS, (building_id, fork["last_seq"]))
    return Side(
        building_id=building_id,
        last_seq=max((row["seq"] for row in events), default=fork["last_seq"]),
        items=await select(conn, Item, of, (building_id,)),
        orders=[OrderState(**row) for row in await _rows(conn, ORDERS, (building_id,))],
        approvals=await select(conn, Approval, of, (building_id,), "raised_seq, key"),
        messages=sorted(
            (MessageSaid.model_validate(row["data"]) for row in messages), key=lambda one: (one.caused_seq, one.text)
        ),
        decisions=[
            DecisionMade(**row)
            for row in await _rows(conn, DECISIONS, (building_id, fork["last_seq"], fork["in_hand"]))
        ],
        events=[EventSeen(**row) for row in events],
    )


async def _rows(conn: Connection, query: str, parameters: Any) -> list[dict[str, Any]]:
    return await (await conn.execute(query, parameters)).fetchall()
