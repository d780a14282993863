"""What a building in watch would do, and what of its past is asked again when it goes live."""

from datetime import date

from domain.buildings import Building
from domain.intentions import AnsweredInWatch, Standing, plan_of
from domain.watch import Intentions
from storage import procurement
from storage.connection import Connection, Parameter, Statement
from storage.notes import notes_not_asked
from storage.unsent import unsent_orders

# The lines of which something may follow when the building goes live: those to be ordered, those that show an order,
# and those of which something is late. What follows is for domain.intentions to say.
_LINES = """
SELECT i.item_id FROM items i
 WHERE i.building_id = %(building_id)s AND NOT i.removed
   AND (i.would_order IS NOT NULL
        OR (i.submittal = 'approved' AND i.commercial IN ('unordered', 'cancelled'))
        OR EXISTS (SELECT 1 FROM milestones m
                    WHERE m.building_id = i.building_id AND m.item_id = i.item_id AND m.round = i.round
                      AND m.met_on IS NULL AND m.due_on < %(today)s))
 ORDER BY i.item_id"""

# The last answers, of people and of rules, whose commitments were only told, or whose messages were withheld (nobody
# has received what the person had asked or said), where nobody has asked since.
_ANSWERED = """
SELECT DISTINCT ON (kind, item_id, matter) kind, item_id, subject FROM (
    SELECT kind, item_id, matter, subject, decision_seq AS seq FROM approvals
     WHERE building_id = %(building_id)s AND status = 'decided'
    UNION ALL
    SELECT kind, item_id, COALESCE(basis ->> 'matter', ''), basis -> 'subject', seq FROM decisions
     WHERE building_id = %(building_id)s AND type = 'act' AND basis ? 'subject') answered
 WHERE seq > %(since)s
   AND EXISTS (SELECT 1 FROM actions x WHERE x.building_id = %(building_id)s AND x.seq = answered.seq
                  AND x.kind = 'action' AND x.result ?| '{would_do,withheld}'
                  AND (answered.item_id IS NULL OR x.item IN ('', answered.item_id)))
   AND NOT EXISTS (SELECT 1 FROM approvals a WHERE a.building_id = %(building_id)s AND a.kind = answered.kind
                      AND a.item_id IS NOT DISTINCT FROM answered.item_id
                      AND (a.matter = answered.matter OR '' IN (a.matter, answered.matter))
                      AND a.raised_seq > answered.seq)
 ORDER BY kind, item_id, matter, seq DESC"""

# In the order in which the delivery job locks them.
_WITHHOLD_MESSAGES = """
UPDATE outbox SET status = 'withheld', withheld_because = 'watch'
 WHERE outbox_id IN (SELECT outbox_id FROM outbox WHERE building_id = %s AND status = 'queued'
                      ORDER BY outbox_id FOR UPDATE)"""
_WITHHOLD_DELIVERIES = "UPDATE deliveries SET status = 'withheld' WHERE building_id = %s AND status = 'queued'"
# Some ways had delivered it before: it is out, and only the rest is withheld. Its lock is held by now.
_PARTLY_DELIVERED = """
UPDATE outbox o SET delivered_at = d.delivered_at, status = CASE WHEN d.dead THEN 'dead' ELSE 'delivered' END
  FROM (SELECT outbox_id, max(delivered_at) AS delivered_at, bool_or(status = 'dead') AS dead FROM deliveries
         WHERE building_id = %s GROUP BY outbox_id
        HAVING bool_or(status = 'delivered') AND bool_or(status = 'withheld')) d
 WHERE o.outbox_id = d.outbox_id AND o.status = 'withheld'"""


async def read_standing(conn: Connection, building: Building, today: date) -> Standing:
    """What a building's intentions follow from; `today` in the building's zone."""
    building_id = building.building_id
    parameters: dict[str, Parameter] = {"building_id": building_id, "today": today}
    lines = await (await conn.execute(_LINES, parameters)).fetchall()
    item_ids = [line["item_id"] for line in lines]
    _, questions, files = await procurement.standing(conn, building_id, item_ids)
    answered = await answered_in_watch(conn, building_id, building.live_from_seq) if building.is_watching else []
    noted = frozenset(note.item_id for note in await notes_not_asked(conn, building_id, item_ids))
    never_sent = frozenset(order.item_id for order in await unsent_orders(conn, building_id))
    return Standing(files, questions, answered, noted, never_sent)


async def read_intentions(conn: Connection, building: Building, today: date) -> Intentions:
    """What the agent does next, were it to go live now, or when its first day live is over; `today` in the building's
    zone."""
    return plan_of(building, await read_standing(conn, building, today), today).intentions


async def answered_in_watch(conn: Connection, building_id: str, since: int) -> list[AnsweredInWatch]:
    """The questions that were answered after entry `since` with what was held back."""
    rows = await (await conn.execute(_ANSWERED, {"building_id": building_id, "since": since})).fetchall()
    return [AnsweredInWatch(**row) for row in rows]


def withholding(building_id: str) -> list[Statement]:
    """The statements that withhold for good what waits to be sent. An attempt that is under way may still succeed."""
    return [(each, (building_id,)) for each in (_WITHHOLD_MESSAGES, _WITHHOLD_DELIVERIES, _PARTLY_DELIVERED)]
