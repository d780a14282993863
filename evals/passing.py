"""The passing of time: from one due moment to the next, with the very functions that the service's tick calls."""

from datetime import datetime
from zoneinfo import ZoneInfo

from storage import upkeep
from storage.database import Connection

# What of a building falls due next, after a moment: an answer, a hold, something that an order owes.
NEXT = """
SELECT LEAST(
       (SELECT min(LEAST(due_at, escalate_at)) FROM approvals
         WHERE building_id = %(building)s AND status = 'pending' AND LEAST(due_at, escalate_at) > %(after)s),
       (SELECT min(held_until::timestamp AT TIME ZONE %(zone)s) FROM items
         WHERE building_id = %(building)s AND NOT removed AND held_until::timestamp AT TIME ZONE %(zone)s > %(after)s),
       (SELECT min(chase_on::timestamp AT TIME ZONE %(zone)s) FROM milestones
         WHERE building_id = %(building)s AND met_on IS NULL AND chase_on::timestamp AT TIME ZONE %(zone)s > %(after)s)
       ) AS due"""


async def next_due(conn: Connection, building_id: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    """When something of the building next falls due; None when nothing will by itself."""
    found = await (await conn.execute(NEXT, {"building": building_id, "zone": str(zone), "after": after})).fetchone()
    due: datetime | None = found["due"] if found else None
    return due


async def tick(conn: Connection, building_id: str, now: datetime) -> int:
    """Put what is due into the building's inbox, as the service's tick does. How much that was."""
    entered = await upkeep.enter_expired_holds(conn, now, building_id)
    entered += await upkeep.enter_overdue(conn, now, building_id)
    return entered + await upkeep.enter_owed(conn, now, building_id)
