"""The passing of time: from one due moment to the next, with the very functions that the service's tick calls."""

from datetime import datetime
from zoneinfo import ZoneInfo

from storage import upkeep
from storage.connection import Connection

# When the day of a hold or of something owed begins for people, as upkeep counts it.
_DAY = f"(%s::timestamp + {upkeep.NIGHT}) AT TIME ZONE %%(zone)s"
_HELD, _CHASED = _DAY % "held_until", _DAY % "chase_on"

# What of a building falls due next, after a moment: an answer, a hold, something that an order owes.
NEXT = f"""
SELECT LEAST(
       (SELECT min(LEAST(due_at, escalate_at)) FROM approvals
         WHERE building_id = %(building)s AND status = 'pending' AND LEAST(due_at, escalate_at) > %(after)s),
       (SELECT min({_HELD}) FROM items JOIN buildings b USING (building_id)
         WHERE building_id = %(building)s AND NOT removed AND {_HELD} > %(after)s),
       (SELECT min({_CHASED}) FROM milestones JOIN buildings b USING (building_id)
         WHERE building_id = %(building)s AND met_on IS NULL AND {_CHASED} > %(after)s),
       (SELECT acts_from FROM buildings WHERE building_id = %(building)s AND acts_from > %(after)s)
       ) AS due"""


async def next_due(conn: Connection, building_id: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    """When something of the building next falls due; None when nothing will by itself."""
    about = {"building": building_id, "zone": str(zone), "after": after}
    found = await (await conn.execute(NEXT.encode(), about)).fetchone()
    due: datetime | None = found["due"] if found else None
    return due


async def tick(conn: Connection, building_id: str, now: datetime) -> int:
    """Put what is due into the building's inbox, as the service's tick does. How much that was."""
    entered = await upkeep.enter_expired_holds(conn, now, building_id)
    entered += await upkeep.enter_overdue(conn, now, building_id)
    entered += await upkeep.enter_owed(conn, now, building_id)
    return entered + await upkeep.enter_first_days(conn, now, building_id)
