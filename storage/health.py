"""Whether the service works: workers that show signs of life, what waits and for how long, what died."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.database import Connection

_WORKERS = """
SELECT count(*) AS workers FROM procrastinate_workers
 WHERE last_heartbeat > now() - make_interval(secs => %s)"""
_EVENTS = "SELECT status, event_type, count(*) AS events FROM events GROUP BY status, event_type ORDER BY 1, 2"
_OLDEST = "SELECT min(received_at) AS oldest FROM events WHERE status IN ('queued', 'running')"
_APPROVALS = "SELECT count(*) AS pending FROM approvals WHERE status = 'pending'"
_OUTBOX = "SELECT status, count(*) AS messages FROM outbox GROUP BY status ORDER BY 1"
_BUILDINGS = "SELECT count(*) AS buildings FROM buildings"


@dataclass(frozen=True)
class Snapshot:
    """The state of the whole service at one moment."""

    workers: int
    buildings: int
    events: list[tuple[str, str, int]]
    """(status, event_type, count)."""
    oldest_waiting: datetime | None
    pending_approvals: int
    outbox: list[tuple[str, int]]
    """(status, count)."""

    def events_with(self, status: str) -> int:
        return sum(count for found, _, count in self.events if found == status)


async def live_workers(conn: Connection, stalled_after: float) -> int:
    """How many workers gave a sign of life within `stalled_after` seconds."""
    return int((await _row(conn, _WORKERS, (stalled_after,)))["workers"])


async def snapshot(conn: Connection, stalled_after: float) -> Snapshot:
    """Count everything, in one pass over the inbox. For a scrape now and then, not for a request."""
    events = await (await conn.execute(_EVENTS)).fetchall()
    outbox = await (await conn.execute(_OUTBOX)).fetchall()
    return Snapshot(
        workers=await live_workers(conn, stalled_after),
        buildings=(await _row(conn, _BUILDINGS))["buildings"],
        events=[(row["status"], row["event_type"], row["events"]) for row in events],
        oldest_waiting=(await _row(conn, _OLDEST))["oldest"],
        pending_approvals=(await _row(conn, _APPROVALS))["pending"],
        outbox=[(row["status"], row["messages"]) for row in outbox],
    )


async def _row(conn: Connection, query: str, parameters: tuple[Any, ...] = ()) -> dict[str, Any]:
    row = await (await conn.execute(query, parameters)).fetchone()
    return row or {}
