"""What programs and rules have committed on a line since a person last answered about it: read from the ledger."""

from decimal import Decimal

from domain.actions.registry import COMMITTING
from domain.authority import Answerer
from domain.buildings import Building
from storage.connection import Connection

# An order counts with its total, goods that were accepted as they are with that of the line's order. Of a program its
# own count; of the building's rules those of all, since one delegation may serve several. What a person answered about
# the line, or did to it, settles what came before.
_COMMITTED = """
WITH settled AS (
    SELECT greatest(
        (SELECT max(decision_seq) FROM approvals
          WHERE building_id = %(building_id)s AND item_id = %(item_id)s AND decision ->> 'status' = 'applied'
            AND decision -> 'responder' ->> 'type' = 'human'),
        (SELECT max(seq) FROM actions
          WHERE building_id = %(building_id)s AND item = %(item_id)s AND kind = 'action'
            AND responder ->> 'type' = 'human')) AS seq)
SELECT coalesce(sum(o.total), 0) AS total,
       coalesce(bool_or(o.total IS NULL OR o.currency <> %(currency)s), false) AS unknown
  FROM actions a JOIN settled ON a.seq > coalesce(settled.seq, 0)
  LEFT JOIN LATERAL (
       SELECT p.total, p.currency FROM purchase_order_lines l JOIN purchase_orders p USING (building_id, number)
        WHERE l.building_id = a.building_id AND l.item_id = a.item
          AND (p.number = a.result ->> 'purchase_order' OR NOT a.result ? 'purchase_order' AND p.caused_seq <= a.seq)
        ORDER BY l.round DESC LIMIT 1) o ON true
 WHERE a.building_id = %(building_id)s AND a.item = %(item_id)s AND a.kind = 'action'
   AND a.action = ANY(%(committing)s) AND NOT a.result ?| '{already_ordered,would_do}'
   AND CASE WHEN %(is_rule)s THEN a.responder ->> 'id' LIKE 'rule:%%' ELSE a.responder ->> 'id' = %(responder)s END"""


async def committed_before(conn: Connection, building: Building, answerer: Answerer, item_id: str) -> Decimal | None:
    """The sum of those orders in the building's currency; None where one has no price, or one in another currency."""
    parameters = {
        "building_id": building.building_id,
        "item_id": item_id,
        "currency": building.currency,
        "committing": sorted(COMMITTING),
        "is_rule": not answerer.has_key and answerer.responder.type == "automated_rule",
        "responder": answerer.responder.id,
    }
    row = await (await conn.execute(_COMMITTED, parameters)).fetchone()
    assert row is not None
    return None if row["unknown"] else row["total"]
