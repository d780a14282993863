"""How far a building is: its lines by status, what is being worked on, what waits for whom."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from storage import procurement
from storage.connection import Connection

_OPEN = """
SELECT seq, source, event_id, event_type, status, attempts, received_at, started_at, not_before FROM events
 WHERE building_id = %s AND status IN ('queued', 'running') ORDER BY seq LIMIT 20"""
_OPEN_COUNT = "SELECT count(*) AS open FROM events WHERE building_id = %s AND status IN ('queued', 'running')"
# An answer that was accepted holds its item until it has been applied.
_HOLDING = """
SELECT item_id, approval_id, kind, summary, asked_of, status FROM approvals
 WHERE building_id = %s AND holds_item AND item_id IS NOT NULL
   AND (status = 'pending' OR decision ->> 'status' = 'accepted')
 ORDER BY item_id, raised_seq, approval_id"""


@dataclass(frozen=True)
class Doing:
    """An entry that is open."""

    seq: int
    source: str
    event_id: str
    event_type: str
    status: str
    attempts: int
    received_at: datetime
    started_at: datetime | None
    not_before: datetime | None


@dataclass(frozen=True)
class Blocked:
    """A line that waits for a person: for an answer, or on hold."""

    item_id: str
    approval_id: str | None = None
    kind: str | None = None
    summary: str | None = None
    asked_of: str | None = None
    held_until: date | None = None
    status: str | None = None
    """Of the question."""


@dataclass(frozen=True)
class Progress:
    """What a building is doing now, read in one go."""

    lines: dict[str, int]
    doing: list[Doing]
    waiting: int
    blocked: list[Blocked]


async def progress(conn: Connection, building_id: str) -> Progress:
    """Read a building's progress; everything is empty for one that does not exist."""
    items = await procurement.items(conn, building_id)
    doing, count, holding = await conn.together((each, (building_id,)) for each in (_OPEN, _OPEN_COUNT, _HOLDING))
    blocked = [Blocked(**row) for row in holding]
    questioned = {line.item_id for line in blocked}
    blocked += [
        Blocked(item.item_id, held_until=item.held_until, summary=item.hold_note)
        for item in items
        if item.is_held and not item.removed and item.item_id not in questioned
    ]
    return Progress(
        lines=dict(Counter(item.status for item in items)),
        doing=[Doing(**row) for row in doing],
        waiting=count[0]["open"],
        blocked=blocked,
    )
