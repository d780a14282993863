"""Messages on their way out: delivered at least once, each with its key, in the order they were written."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.database import Connection

OPEN = """
SELECT outbox_id, building_id, key, channel, recipient, subject, payload FROM outbox
 WHERE status = 'queued' ORDER BY outbox_id LIMIT 200 FOR UPDATE SKIP LOCKED"""

DELIVERED = (
    "UPDATE outbox SET status = 'delivered', delivered_at = %s, attempts = attempts + 1 WHERE outbox_id = ANY(%s)"
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


async def deliver(conn: Connection, now: datetime, send: Callable[[Outgoing], None]) -> int:
    """Hand queued messages to `send`, and mark them. The log is the one channel so far."""
    async with conn.transaction():
        rows = await (await conn.execute(OPEN)).fetchall()
        if not rows:
            return 0
        for row in rows:
            send(Outgoing(**row))
        await conn.execute(DELIVERED, (now, [row["outbox_id"] for row in rows]))
    return len(rows)
