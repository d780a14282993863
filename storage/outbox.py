"""Messages on their way out: delivered at least once on each of their ways, each with its key, in the order written.

A message's ways are chosen once, in `deliver`; each way is a row of `deliveries` that is claimed for a while, attempted
without any transaction open, and then marked. Whoever dies in between leaves a lease that runs out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from domain.errors import ConflictError, NotFoundError
from domain.plain_json import JsonObject
from storage.audit import Act, Signature, audit_row
from storage.connection import Connection, select, select_one
from storage.pages import THEIRS, Listing
from storage.transaction import LOCK, building_from

BATCH = 200

DeliveryStatus = Literal["queued", "delivered", "dead", "withheld"]
"""What became of a message on one of its ways."""
MessageStatus = Literal[DeliveryStatus, "logged"]
"""What became of a message for outside; logged: it had no way."""

ROUTING_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('longlead.outbox.routing', 0)) AS got"

# The ledger knows which effect a message belongs to; its key begins with building and seq.
_MESSAGE = """
SELECT o.outbox_id, o.building_id, o.key, o.channel, o.recipient, o.subject, o.payload, o.created_at,
       a.action, a.kind, a.result
  FROM outbox o LEFT JOIN LATERAL (
       SELECT action, kind, result FROM actions
        WHERE building_id = o.building_id
          AND seq = substring(substr(o.key, length(o.building_id) + 2) FROM '^([0-9]{1,18}):')::bigint
          AND o.key = building_id || ':' || seq || ':' || action || ':' || item || ':' || ordinal LIMIT 1) a ON true"""

UNROUTED = f"""{_MESSAGE}
 WHERE o.status = 'queued' AND o.routed_at IS NULL ORDER BY o.outbox_id LIMIT {BATCH} FOR UPDATE OF o"""

# `withheld_because` is also set where some ways had delivered it, and the rest was withheld.
MESSAGE = f"{_MESSAGE} WHERE o.outbox_id = %s AND o.status <> 'withheld' AND o.withheld_because IS NULL"

# Checked a second time here: what was written for a sandbox, or in watch, is withheld from the start. While a building
# is to go live, the only message that is not is the one that says why it does not.
SANDBOXED = """
UPDATE outbox o SET status = 'withheld', withheld_because = CASE b.mode WHEN 'live' THEN 'watch' ELSE 'sandbox' END
  FROM buildings b
 WHERE o.status = 'queued' AND o.routed_at IS NULL AND b.building_id = o.building_id
   AND (b.mode <> 'live' OR (b.is_watching AND NOT b.goes_live))"""

# No way is left for it. It was delivered if an earlier attempt reached somebody; otherwise it is in the log alone.
LOG_ONLY = """
UPDATE outbox o SET routed_at = %s, status = CASE WHEN EXISTS (
       SELECT 1 FROM deliveries d WHERE d.outbox_id = o.outbox_id AND d.status = 'delivered')
       THEN 'delivered' ELSE 'logged' END
 WHERE outbox_id = ANY(%s)"""

ROUTED = "UPDATE outbox SET routed_at = %s WHERE outbox_id = ANY(%s)"

ADD = """
INSERT INTO deliveries (outbox_id, building_id, way, channel, lane, created_at) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (outbox_id, way) DO NOTHING"""

# The head of a lane stays `queued` while it is leased, so nothing behind it is claimed meanwhile.
CLAIM = """
UPDATE deliveries d SET lease = %(lease)s, leased_until = %(until)s, attempts = d.attempts + 1
  FROM (SELECT d.delivery_id FROM deliveries d
         WHERE d.status = 'queued' AND (d.not_before IS NULL OR d.not_before <= %(now)s)
           AND (d.leased_until IS NULL OR d.leased_until <= %(now)s) AND d.way <> ALL(%(busy)s::text[])
           AND NOT EXISTS (SELECT 1 FROM deliveries e
                            WHERE e.building_id = d.building_id AND e.lane = d.lane AND e.status = 'queued'
                              AND e.outbox_id < d.outbox_id)
         ORDER BY d.outbox_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED) due
 WHERE d.delivery_id = due.delivery_id
RETURNING d.delivery_id, d.outbox_id, d.building_id, d.way, d.channel, d.attempts"""

# Two ways of one message may end at the same moment: the second must see what the first wrote.
LOCK_MESSAGE = "SELECT 1 FROM outbox WHERE outbox_id = %s FOR UPDATE"

DELIVERED = """
UPDATE deliveries SET status = 'delivered', delivered_at = %s, error = NULL, not_before = NULL, leased_until = NULL
 WHERE delivery_id = %s AND status IN ('queued', 'withheld')"""

FAILED = """
UPDATE deliveries SET status = %s, error = %s, not_before = %s, leased_until = NULL
 WHERE delivery_id = %s AND status = 'queued' AND lease = %s"""

# What any way delivered is out: it is never called withheld, though the rest of it is.
SUM_UP = """
UPDATE outbox o SET attempts = s.attempts, error = s.error, delivered_at = s.delivered_at,
       withheld_because = CASE WHEN s.withheld > 0 THEN o.withheld_because END,
       status = CASE WHEN s.open > 0 THEN 'queued' WHEN s.withheld > 0 AND s.delivered = 0 THEN 'withheld'
                     WHEN s.dead > 0 THEN 'dead' ELSE 'delivered' END
  FROM (SELECT max(attempts) AS attempts, max(delivered_at) AS delivered_at,
               string_agg(channel || ': ' || error, '; ' ORDER BY delivery_id) AS error,
               count(*) FILTER (WHERE status = 'queued') AS open, count(*) FILTER (WHERE status = 'dead') AS dead,
               count(*) FILTER (WHERE status = 'withheld') AS withheld,
               count(*) FILTER (WHERE status = 'delivered') AS delivered
          FROM deliveries WHERE outbox_id = %(outbox_id)s) s
 WHERE o.outbox_id = %(outbox_id)s"""

LIVE_BUILDINGS = """
SELECT * FROM buildings WHERE mode = 'live' AND status = 'active' ORDER BY building_id LIMIT 1000"""
THEIR_VENDORS = """
SELECT DISTINCT v.building_id, v.vendor_id, v.name AS party, given.address
  FROM vendors v CROSS JOIN LATERAL unnest(
       ARRAY[coalesce(v.contact, v.name), v.contacts ->> 'logistics', v.contacts ->> 'escalation']) AS given (address)
 WHERE v.building_id = ANY(%s) AND given.address IS NOT NULL ORDER BY v.building_id, v.vendor_id, given.address"""

OWNER = "SELECT building_id FROM outbox WHERE outbox_id = %s"
FIND = "SELECT status, key FROM outbox WHERE outbox_id = %s FOR UPDATE"
FORGET_DEAD = "DELETE FROM deliveries WHERE outbox_id = %s AND status = 'dead'"
AGAIN = """
UPDATE outbox SET status = 'queued', withheld_because = NULL, routed_at = NULL, error = NULL WHERE outbox_id = %s"""

OUTBOX = Listing(
    """
SELECT r.outbox_id, r.building_id, r.key, r.recipient, r.subject, r.status, r.withheld_because, r.attempts, r.error,
       r.created_at, r.delivered_at,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'channel', d.channel, 'status', d.status, 'attempts', d.attempts, 'error', d.error,
                   'next_attempt_at', CASE WHEN d.status = 'queued' THEN d.not_before END,
                   'delivered_at', d.delivered_at) ORDER BY d.delivery_id), '[]')
          FROM deliveries d WHERE d.outbox_id = r.outbox_id) AS deliveries
  FROM outbox r""",
    {"outbox_id": int},
    {
        "building_id": "r.building_id = %(building_id)s",
        "status": "r.status = %(status)s",
        "outbox_id": "r.outbox_id = %(outbox_id)s",
        **THEIRS,
    },
)


@dataclass(frozen=True)
class Outgoing:
    """A message for outside. `key` is the ledger key, sent along as Idempotency-Key."""

    outbox_id: int
    building_id: str
    key: str
    channel: str
    recipient: str
    subject: str
    payload: dict[str, Any]
    created_at: datetime
    action: str | None = None
    """The effect that it belongs to, by its name in the ledger."""
    kind: str | None = None
    """fact, action or question: what the ledger calls that effect."""
    result: JsonObject | None = None
    """What that effect came to."""


@dataclass(frozen=True)
class Way:
    """One way out for a message. Within a lane of a building nothing overtakes."""

    name: str
    channel: str
    lane: str


@dataclass(frozen=True)
class Claimed:
    """A delivery that is ours to attempt until its lease runs out."""

    delivery_id: int
    outbox_id: int
    building_id: str
    way: str
    channel: str
    attempts: int
    lease: UUID


async def deliver(conn: Connection, now: datetime, send: Callable[[Outgoing], Sequence[Way] | None]) -> int:
    """Hand a batch of new messages to `send`: it answers with the ways that each is to go. One without a way is logged.

    Returns how many were handed over; 0 also while another process does it: it is done by one at a time, since a
    message must not be on its way before an earlier one has its ways.
    """
    async with conn.transaction():
        row = await (await conn.execute(ROUTING_LOCK)).fetchone()
        if not row or not row["got"]:
            return 0
        await conn.execute(SANDBOXED)
        rows = await select(conn, Outgoing, UNROUTED)
        ways = {row.outbox_id: send(row) or () for row in rows}
        if ways:
            await _store(conn, now, rows, ways)
    return len(rows)


async def _store(conn: Connection, now: datetime, rows: Sequence[Outgoing], ways: dict[int, Sequence[Way]]) -> None:
    added = [
        (row.outbox_id, row.building_id, way.name, way.channel, way.lane, now)
        for row in rows
        for way in ways[row.outbox_id]
    ]
    routed = [outbox_id for outbox_id, chosen in ways.items() if chosen]
    await conn.together(
        [
            (LOG_ONLY, (now, [outbox_id for outbox_id, chosen in ways.items() if not chosen])),
            (ROUTED, (now, routed)),
            *((ADD, values) for values in added),
            # Of a message that is sent again, all that is left to do may have been done before.
            *((SUM_UP, {"outbox_id": outbox_id}) for outbox_id in routed),
        ]
    )


@dataclass(frozen=True)
class Recipient:
    """Somebody whom a live building may write to: a role of its approvers or contacts, or a vendor."""

    building_id: str
    party: str
    address: str

    @property
    def in_words(self) -> str:
        return self.party if self.party == self.address else f"{self.party} ({self.address})"


async def recipients(conn: Connection) -> list[Recipient]:
    """Whom the live buildings may write to, of the first thousand buildings."""
    rows = await (await conn.execute(LIVE_BUILDINGS)).fetchall()
    buildings = [building_from(row) for row in rows]
    of_teams = [
        Recipient(building.building_id, party, building.address_of(party))
        for building in buildings
        for party in dict.fromkeys([*(approver.role for approver in building.approvers), *building.contacts])
    ]
    vendors = await (await conn.execute(THEIR_VENDORS, ([building.building_id for building in buildings],))).fetchall()
    return [*of_teams, *(Recipient(row["building_id"], row["party"], row["address"]) for row in vendors)]


async def claim(
    conn: Connection, now: datetime, *, lease_s: float, limit: int, busy: Sequence[str] = ()
) -> list[Claimed]:
    """Take deliveries that are due, the oldest first, at most one of each lane; none on the ways that are busy."""
    lease = uuid4()
    until = now + timedelta(seconds=lease_s)
    parameters = {"lease": lease, "until": until, "now": now, "busy": list(busy), "limit": limit}
    rows = await (await conn.execute(CLAIM, parameters)).fetchall()
    return [Claimed(**row, lease=lease) for row in rows]


async def message(conn: Connection, outbox_id: int) -> Outgoing | None:
    """The message itself; None when it was withheld meanwhile, or its building deleted."""
    return await select_one(conn, Outgoing, MESSAGE, (outbox_id,))


async def delivered(conn: Connection, claimed: Claimed, now: datetime) -> None:
    """It is out; that holds even when the lease had run out meanwhile."""
    async with conn.transaction():
        await conn.execute(LOCK_MESSAGE, (claimed.outbox_id,))
        await conn.execute(DELIVERED, (now, claimed.delivery_id))
        await conn.execute(SUM_UP, {"outbox_id": claimed.outbox_id})


async def failed(conn: Connection, claimed: Claimed, error: str, *, again_at: datetime | None) -> None:
    """It was not taken: it is tried again at `again_at`, or dead. Of no effect once somebody else has the lease."""
    status = "dead" if again_at is None else "queued"
    async with conn.transaction():
        await conn.execute(LOCK_MESSAGE, (claimed.outbox_id,))
        await conn.execute(FAILED, (status, error, again_at, claimed.delivery_id, claimed.lease))
        await conn.execute(SUM_UP, {"outbox_id": claimed.outbox_id})


async def retry(conn: Connection, outbox_id: int, signature: Signature) -> None:
    """Send a dead or logged message again, on the ways that it should go now and was not delivered on.

    Raises:
        NotFoundError: there is no such message.
        ConflictError: it is neither dead nor logged, or its building is in watch.
    """
    async with conn.transaction():
        owner = await (await conn.execute(OWNER, (outbox_id,))).fetchone()
        if owner is not None:
            # As every transaction on a building begins.
            building = await (await conn.execute(LOCK, (owner["building_id"],))).fetchone()
            if building is not None and building["is_watching"]:
                raise ConflictError(f"Building {owner['building_id']!r} is in watch: nothing is sent.")
        row = await (await conn.execute(FIND, (outbox_id,))).fetchone()
        if row is None or owner is None:
            raise NotFoundError(f"There is no message {outbox_id} in the outbox. List them with GET /outbox.")
        if row["status"] not in ("dead", "logged"):
            raise ConflictError(
                f"Message {outbox_id} is {row['status']}, and only one that is dead or logged can be retried.",
                message_status=row["status"],
            )
        await conn.execute(FORGET_DEAD, (outbox_id,))
        await conn.execute(AGAIN, (outbox_id,))
        act = Act("message_retried", str(outbox_id), {"key": row["key"]})
        await conn.execute(*audit_row(owner["building_id"], signature, act))
