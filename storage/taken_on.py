"""Lines that were taken on with an entry: which they are, and which of them have goods without a verdict."""

from storage.connection import Connection

_TAKEN_ON = """
SELECT DISTINCT i.item_id FROM items i
 WHERE i.building_id = %s AND i.taken_on IS NOT NULL AND NOT i.removed ORDER BY i.item_id"""

_WAITING = """
SELECT DISTINCT r.item_id FROM receipts r
  JOIN items i ON i.building_id = r.building_id AND i.item_id = r.item_id AND NOT i.removed
  JOIN lots l ON l.building_id = r.building_id AND l.item_id = r.item_id AND l.shipment_id = r.shipment_id
             AND l.state = 'on_site' AND NOT l.is_gone
 WHERE r.building_id = %s AND r.is_taken_on AND NOT r.is_voided AND r.caused_seq = %s ORDER BY r.item_id"""


async def lines_taken_on(conn: Connection, building_id: str) -> list[str]:
    """Ids of the lines that were taken on, without those that were taken out."""
    rows = await (await conn.execute(_TAKEN_ON, (building_id,))).fetchall()
    return [row["item_id"] for row in rows]


async def lines_waiting(conn: Connection, building_id: str, seq: int) -> list[str]:
    """Ids of the lines with goods on site that came with entry `seq` and have no verdict."""
    rows = await (await conn.execute(_WAITING, (building_id, seq))).fetchall()
    return [row["item_id"] for row in rows]
