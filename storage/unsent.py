"""Orders that are on file and were never sent: watch withheld their message while it was still queued."""

from dataclasses import dataclass

from storage.connection import Connection

# `l` is the order's line. The seq of an order that the vendor has not acknowledged is that of the entry that placed
# it, so its message is found by its ledger key.
_WITHHELD = """
  FROM purchase_order_lines l JOIN purchase_orders p ON p.building_id = l.building_id AND p.number = l.number
  JOIN actions x ON x.building_id = p.building_id AND x.seq = p.caused_seq AND x.item = l.item_id
       AND x.kind = 'action' AND x.result ->> 'purchase_order' = p.number
  JOIN outbox o ON o.building_id = x.building_id AND o.status = 'withheld' AND o.withheld_because = 'watch'
       AND o.key = x.building_id || ':' || x.seq || ':' || x.action || ':' || x.item || ':' || x.ordinal
 WHERE p.status = 'issued' AND NOT p.placed_outside"""

IS_UNSENT = f"""EXISTS (SELECT 1 {_WITHHELD}
       AND l.building_id = m.building_id AND l.item_id = m.item_id AND l.round = m.round)"""
"""Whether a milestone `m` is one of an order that was never sent: nobody owes anything for that."""

_ORDERS = f"""
SELECT DISTINCT p.number, l.item_id {_WITHHELD} AND l.building_id = %s ORDER BY p.number, l.item_id"""


@dataclass(frozen=True)
class UnsentOrder:
    """An order that its vendor never received, and the line that it is for."""

    number: str
    item_id: str


async def unsent_orders(conn: Connection, building_id: str) -> list[UnsentOrder]:
    """The building's orders that watch kept from being sent. One that its vendor acknowledged is none any more."""
    rows = await (await conn.execute(_ORDERS.encode(), (building_id,))).fetchall()
    return [UnsentOrder(**row) for row in rows]
