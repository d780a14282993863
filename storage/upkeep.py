"""Keeping house: entries that nobody takes, what is due (holds, answers, milestones, first days live), and what ended
jobs leave."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from domain.plain_json import JsonObject
from storage import inbox
from storage.connection import Connection, Parameter, select
from storage.queue import wake
from storage.transaction import BuildingTransaction, building_transaction
from storage.unsent import IS_UNSENT

# A building with an entry that may be taken and no drain job, waiting or running.
FORGOTTEN = """
SELECT DISTINCT e.building_id FROM events e JOIN buildings b ON b.building_id = e.building_id AND b.mode <> 'replay'
 WHERE e.status IN ('queued', 'running') AND (e.not_before IS NULL OR e.not_before <= %s)
   AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs j
                    WHERE j.queueing_lock = e.building_id AND j.status IN ('todo', 'doing'))
 LIMIT 500"""

# Days begin in the building's own zone, and for people when the quiet hours of the night are over.
NIGHT = """CASE WHEN b.policy -> 'quiet_hours' ->> 'start' > b.policy -> 'quiet_hours' ->> 'end'
                       OR b.policy -> 'quiet_hours' ->> 'start' = '00:00'
                     THEN (b.policy -> 'quiet_hours' ->> 'end')::interval ELSE '0' END"""
MORNING = f"""(%(now)s::timestamptz AT TIME ZONE b.time_zone
              - {NIGHT})::date"""

EXPIRED_HOLDS = f"""
SELECT i.building_id, i.item_id, i.held_until FROM items i JOIN buildings b USING (building_id)
 WHERE i.held_until IS NOT NULL AND NOT i.removed AND b.status = 'active' AND b.mode = 'live'
   AND i.held_until <= {MORNING}
   AND (%(only)s::text IS NULL OR i.building_id = %(only)s)
   AND NOT EXISTS (SELECT 1 FROM approvals a WHERE a.building_id = i.building_id AND a.item_id = i.item_id
                      AND a.kind = 'hold_expired' AND a.status = 'pending')
   AND NOT EXISTS (SELECT 1 FROM events e WHERE e.building_id = i.building_id AND e.source = %(internal)s
                      AND e.event_id = 'hold:' || i.item_id || ':' || i.held_until || ':' || i.caused_seq)
 LIMIT 500"""


# What is due on open questions. An entry that is already in the inbox is not entered again.
OVERDUE = """
SELECT a.building_id, a.approval_id, LEAST(a.due_at, a.escalate_at) AS due
  FROM approvals a JOIN buildings b USING (building_id)
 WHERE a.status = 'pending' AND LEAST(a.due_at, a.escalate_at) <= %(now)s AND b.status = 'active' AND b.mode = 'live'
   AND (%(only)s::text IS NULL OR a.building_id = %(only)s)
   AND NOT EXISTS (SELECT 1 FROM events e WHERE e.building_id = a.building_id AND e.source = %(internal)s
                      AND e.event_id = 'overdue:' || a.approval_id || ':'
                                       || extract(epoch FROM LEAST(a.due_at, a.escalate_at)))
 ORDER BY due LIMIT 500"""


# What an order owes and nobody has reported, by the building's own day. One that was never sent owes nothing, until its
# vendor acknowledges it all the same.
OWED = f"""
SELECT m.building_id, m.item_id, m.round, m.kind, m.chase_on
  FROM milestones m JOIN buildings b USING (building_id)
 WHERE m.met_on IS NULL AND m.chase_on IS NOT NULL
   AND m.chase_on <= {MORNING}
   AND (%(only)s::text IS NULL OR m.building_id = %(only)s)
   AND b.status = 'active' AND b.mode = 'live' AND NOT {IS_UNSENT}
   AND NOT EXISTS (SELECT 1 FROM events e WHERE e.building_id = m.building_id AND e.source = %(internal)s
                      AND e.event_id = 'owed:' || m.item_id || ':' || m.round || ':' || m.kind || ':' || m.chase_on)
 ORDER BY m.chase_on LIMIT 500"""


# Buildings whose first day of being live is over.
FIRST_DAYS = """
SELECT b.building_id, b.acts_from FROM buildings b
 WHERE b.acts_from <= %(now)s AND b.status = 'active' AND b.mode = 'live'
   AND (%(only)s::text IS NULL OR b.building_id = %(only)s)
   AND NOT EXISTS (SELECT 1 FROM events e WHERE e.building_id = b.building_id AND e.source = %(internal)s
                      AND e.event_id = 'first-day:' || b.live_from_seq)
 LIMIT 500"""


# Whether the duties that take longer have something to do: one index entry each.
WAITING = """
SELECT EXISTS (SELECT 1 FROM outbox WHERE status = 'queued') AS messages,
       EXISTS (SELECT 1 FROM upkeep WHERE name = 'retention' AND due_at <= %s) AS retention"""

# A job is three versions of a row, and three of what the engine notes of it, and lives for milliseconds. PostgreSQL's
# own rounds come once a minute, and later where large tables keep its workers busy: so these small ones, which every
# fetch reads, would grow with the database. A file keeps the size of its busiest moment, so they are swept after so
# many jobs and not after so long. Ends at once where another round is at them; takes no lock that a job waits for.
SWEEP = "VACUUM (SKIP_LOCKED, TRUNCATE FALSE) procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers"


@dataclass(frozen=True)
class Waiting:
    """Which of them have."""

    messages: bool
    retention: bool


async def waiting(conn: Connection, now: datetime) -> Waiting:
    """Whether messages wait to be delivered, and whether retention is due."""
    row = await (await conn.execute(WAITING, (now,))).fetchone()
    return Waiting(**row) if row else Waiting(messages=False, retention=False)


async def sweep(conn: Connection) -> None:
    """Make the room of ended jobs usable again. On a connection without an open transaction."""
    await conn.execute(SWEEP)


async def wake_forgotten(conn: Connection, now: datetime) -> list[str]:
    """Wake buildings whose entries nobody is going to take: after a crash, a backoff, a lost job."""
    rows = await (await conn.execute(FORGOTTEN, (now,))).fetchall()
    woken = []
    for row in rows:
        async with building_transaction(conn, row["building_id"]):
            if await wake(conn, row["building_id"]):
                woken.append(str(row["building_id"]))
    return woken


async def enter_expired_holds(conn: Connection, now: datetime, only: str | None = None) -> int:
    """Put an entry into the inbox for every hold that has run out, once."""
    rows = await select(conn, _Hold, EXPIRED_HOLDS.encode(), _given(now, only))
    for row in rows:
        await _enter(conn, row, now)
    return len(rows)


async def enter_overdue(conn: Connection, now: datetime, only: str | None = None) -> int:
    """Put an entry into the inbox for every question whose reminder or escalation is due, once."""
    rows = await select(conn, _Overdue, OVERDUE.encode(), _given(now, only))
    for row in rows:
        event_id = f"overdue:{row.approval_id}:{row.due.timestamp():.6f}"
        body: JsonObject = {"approval_id": row.approval_id, "due": row.due.isoformat()}
        async with building_transaction(conn, row.building_id) as transaction:
            await _put(transaction, "Approval_Overdue", event_id, body, now)
    return len(rows)


async def enter_owed(conn: Connection, now: datetime, only: str | None = None) -> int:
    """Put an entry into the inbox for every milestone that is overdue, once for each day it is chased on."""
    rows = await select(conn, _Owed, OWED.encode(), _given(now, only))
    for row in rows:
        event_id = f"owed:{row.item_id}:{row.round}:{row.kind}:{row.chase_on}"
        body: JsonObject = {"item": row.item_id, "round": row.round, "milestone": row.kind}
        async with building_transaction(conn, row.building_id) as transaction:
            await _put(transaction, "Milestone_Overdue", event_id, body, now)
    return len(rows)


async def enter_first_days(conn: Connection, now: datetime, only: str | None = None) -> int:
    """Put an entry into the inbox of every building whose first day of being live is over, once."""
    rows = await select(conn, _FirstDay, FIRST_DAYS.encode(), _given(now, only))
    for row in rows:
        async with building_transaction(conn, row.building_id) as transaction:
            building = transaction.building
            if building.acts_from == row.acts_from:  # nobody has gone back to watch since
                event_id = f"first-day:{building.live_from_seq}"
                await _put(transaction, "First_Day_Ended", event_id, {}, now)
    return len(rows)


class _Hold(NamedTuple):
    building_id: str
    item_id: str
    held_until: date


class _Overdue(NamedTuple):
    building_id: str
    approval_id: str
    due: datetime


class _Owed(NamedTuple):
    building_id: str
    item_id: str
    round: int
    kind: str
    chase_on: date


class _FirstDay(NamedTuple):
    building_id: str
    acts_from: datetime


def _given(now: datetime, only: str | None) -> dict[str, Parameter]:
    """The parameters of what is due, in all buildings or in only one."""
    return {"now": now, "internal": inbox.INTERNAL, "only": only}


async def _enter(conn: Connection, row: _Hold, now: datetime) -> None:
    async with building_transaction(conn, row.building_id) as transaction:
        item = await (
            await conn.execute(
                "SELECT held_until, caused_seq FROM items WHERE building_id = %s AND item_id = %s",
                (row.building_id, row.item_id),
            )
        ).fetchone()
        if item is None or item["held_until"] != row.held_until:
            return
        event_id = f"hold:{row.item_id}:{row.held_until}:{item['caused_seq']}"
        body: JsonObject = {"item": row.item_id, "held_until": row.held_until.isoformat()}
        await _put(transaction, "Hold_Expired", event_id, body, now)


async def _put(
    transaction: BuildingTransaction, event_type: str, event_id: str, body: JsonObject, now: datetime
) -> None:
    """An entry that Longlead writes to itself; the event id keeps it from being entered twice."""
    await inbox.add(transaction, source=inbox.INTERNAL, event_id=event_id, event_type=event_type, body=body, now=now)
