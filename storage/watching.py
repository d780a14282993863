"""What a building in watch would do, and what of its past is asked again when it goes live."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.watch import Intentions
from storage.connection import Connection, Statement
from storage.unsent import IS_UNSENT

# What it shows and could place now: the line is free, and nothing of it is on order.
_ORDERS = """
SELECT i.item_id, i.name AS item, i.would_order FROM items i
 WHERE i.building_id = %(building_id)s AND i.would_order IS NOT NULL AND NOT i.removed AND i.held_until IS NULL
   AND i.submittal = 'approved' AND i.commercial = 'unordered'
   AND NOT EXISTS (SELECT 1 FROM approvals a WHERE a.building_id = i.building_id AND a.item_id = i.item_id
                      AND a.holds_item AND (a.status = 'pending' OR a.decision ->> 'status' = 'accepted'))
 ORDER BY i.required_by, i.item_id"""

# Of each line the last milestone that is past: domain.milestones.past_due.
_CHASES = f"""
SELECT * FROM (
    SELECT DISTINCT ON (m.item_id) m.item_id, i.name AS item, m.kind AS milestone, m.due_on::text,
           m.chase_on::text AS "on", i.required_by
      FROM milestones m JOIN items i USING (building_id, item_id)
     WHERE m.building_id = %(building_id)s AND m.round = i.round AND m.met_on IS NULL AND m.due_on < %(today)s
       AND NOT i.removed AND i.commercial IN ('ordered', 'acknowledged')
       AND NOT (i.logistics = 'on_site' AND i.quality IN ('passed', 'accepted_as_is')) AND NOT {IS_UNSENT}
     ORDER BY m.item_id, array_position(ARRAY['acknowledge', 'ship', 'arrive', 'inspect'], m.kind) DESC) past
 ORDER BY required_by, item_id"""

# The last answers, of people and of rules, whose commitments were only told, where nobody has asked since.
_ANSWERED = """
SELECT DISTINCT ON (kind, item_id) kind, item_id, subject FROM (
    SELECT kind, item_id, subject, decision_seq AS seq FROM approvals
     WHERE building_id = %(building_id)s AND status = 'decided'
    UNION ALL
    SELECT kind, item_id, basis -> 'subject', seq FROM decisions
     WHERE building_id = %(building_id)s AND type = 'act' AND basis ? 'subject') answered
 WHERE seq > %(since)s
   AND EXISTS (SELECT 1 FROM actions x WHERE x.building_id = %(building_id)s AND x.seq = answered.seq
                  AND x.kind = 'action' AND x.result ? 'would_do'
                  AND (answered.item_id IS NULL OR x.item = answered.item_id))
   AND NOT EXISTS (SELECT 1 FROM approvals a WHERE a.building_id = %(building_id)s AND a.kind = answered.kind
                      AND a.item_id IS NOT DISTINCT FROM answered.item_id AND a.raised_seq > answered.seq)
 ORDER BY kind, item_id, seq DESC"""

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


@dataclass(frozen=True)
class AnsweredInWatch:
    """A question whose answer came to nothing, since it was given in watch."""

    kind: str
    item_id: str | None
    subject: dict[str, Any]


async def read_intentions(conn: Connection, building_id: str, today: date) -> Intentions:
    """What the agent would do now, or will do when its first day live is over; `today` in the building's zone."""
    parameters = {"building_id": building_id, "today": today}
    orders, chases = await conn.together([(_ORDERS, parameters), (_CHASES, parameters)])
    return Intentions.model_validate(
        {"orders": [{**row["would_order"], "item_id": row["item_id"], "item": row["item"]} for row in orders]}
        | {"chases": chases}
    )


async def answered_in_watch(conn: Connection, building_id: str, since: int) -> list[AnsweredInWatch]:
    """The questions that were answered after entry `since` with commitments that were held back."""
    rows = await (await conn.execute(_ANSWERED, {"building_id": building_id, "since": since})).fetchall()
    return [AnsweredInWatch(**row) for row in rows]


def withholding(building_id: str) -> list[Statement]:
    """The statements that withhold for good what waits to be sent. An attempt that is under way may still succeed."""
    return [(each, (building_id,)) for each in (_WITHHOLD_MESSAGES, _WITHHOLD_DELIVERIES, _PARTLY_DELIVERED)]
