"""What is on record of a building, to be run again on a fork: entries, answers, people's changes, models' answers."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from domain.approvals import Approval, Decision
from domain.event_content import digest_of_body
from domain.plain_json import JsonObject
from storage import approvals, inbox, replayed_changes
from storage.approvals import AcceptedDecision
from storage.connection import Connection, Parameter, select, select_one, select_value
from storage.inbox import Claimed, Lease
from storage.replayed_changes import Change

# In the order in which they were processed: one that died and was tried again has its place where it was tried last.
# `acted`: its first effect there; what people changed before that (while it failed, say) its run has found.
ENTRIES = """
WITH found AS (
    SELECT seq, source, event_id, event_type, body, body_hash, received_at, sent_by, status, generation, position,
           COALESCE(started_at, received_at) AS started_at,
           LEAST(position, COALESCE(began, max(position) OVER (
                 ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)) AS began
      FROM events WHERE building_id = %(building_id)s AND status IN ('done', 'dead') AND seq > %(after)s)
SELECT found.*, COALESCE(first.position, found.began) AS acted FROM found
  CROSS JOIN LATERAL (SELECT min(position) AS position FROM actions a
                       WHERE a.building_id = %(building_id)s AND a.seq = found.seq AND a.position > found.began) first
 ORDER BY began, seq"""

# The image of a question as its answer was accepted: with the facts that it was given on.
ACCEPTED = """
SELECT DISTINCT ON (seq) seq, position, data FROM changes
 WHERE building_id = %s AND seq > %s AND entity = 'approvals' AND data ->> 'status' = 'decided'
   AND (data ->> 'decision_seq')::bigint = seq AND data -> 'decision' ->> 'status' = 'accepted'
 ORDER BY seq, position"""

# Of a call that was made again the answer that came, else how it last ended.
ANSWERS = """
SELECT DISTINCT ON (seq, worker, ordinal, tier, request_hash) seq, worker, tier, request_hash, model, outcome, detail,
       answer
  FROM model_calls WHERE building_id = %s
 ORDER BY seq, worker, ordinal, tier, request_hash, outcome <> 'answered', call_id"""

INSERT = """
INSERT INTO events (building_id, seq, source, event_id, event_type, body, body_hash, received_at, sent_by, not_before)
VALUES (%(building_id)s, %(seq)s, %(source)s, %(event_id)s, %(event_type)s, %(body)s, %(body_hash)s, %(received_at)s,
        %(sent_by)s, %(not_before)s)
ON CONFLICT DO NOTHING"""
# At once as the inbox marks what it hands out.
TAKE = f"""
INSERT INTO events (building_id, seq, source, event_id, event_type, body, body_hash, received_at, sent_by, status,
                    attempts, started_at, began)
VALUES (%(building_id)s, %(seq)s, %(source)s, %(event_id)s, %(event_type)s, %(body)s, %(body_hash)s, %(received_at)s,
        %(sent_by)s, 'running', 1, %(now)s, (SELECT position FROM buildings WHERE building_id = %(building_id)s))
ON CONFLICT DO NOTHING
RETURNING {inbox.TAKEN}"""
NUMBERED = "UPDATE buildings SET last_seq = GREATEST(last_seq, %s) WHERE building_id = %s"
NEVER = datetime(9000, 1, 1, tzinfo=UTC)

DUE = """
UPDATE events SET not_before = NULL, body = COALESCE(%s, body), body_hash = COALESCE(%s, body_hash)
 WHERE building_id = %s AND seq = %s"""
DROP = "DELETE FROM events WHERE building_id = %s AND seq = %s AND status = 'queued'"
STATUS = "SELECT status FROM events WHERE building_id = %s AND seq = %s"
RESTATED = """
SELECT arguments FROM actions
 WHERE building_id = %s AND seq = %s AND action = 'restate_event'
   AND building_id || ':' || seq || ':' || action || ':' || item || ':' || ordinal = %s"""


@dataclass(frozen=True)
class Recorded:
    """An entry on record."""

    seq: int
    source: str
    event_id: str
    event_type: str
    body: JsonObject
    body_hash: str
    received_at: datetime
    sent_by: JsonObject | None
    status: str
    generation: int
    position: int
    started_at: datetime
    began: int
    acted: int


@dataclass(frozen=True)
class Acceptance:
    """An answer on record: the question as it stood, and where in the building's past it was accepted."""

    seq: int
    position: int
    asked: Approval


class _Accepted(NamedTuple):
    seq: int
    position: int
    data: JsonObject


@dataclass(frozen=True)
class ModelAnswer:
    """How a call of a model ended."""

    seq: int
    worker: str
    tier: int
    request_hash: str
    model: str
    outcome: Any
    """`answered`, or why there was no answer, as `tools.models` names it."""
    detail: str | None
    answer: str | None


@dataclass(frozen=True)
class Record:
    """All that is to be run again of one building."""

    building_id: str
    entries: list[Recorded]
    acceptances: dict[int, Acceptance]
    changes: list[Change]
    answers: list[ModelAnswer]
    """What models said, in order."""

    @property
    def last_seq(self) -> int:
        return max((entry.seq for entry in self.entries), default=0)


async def read(conn: Connection, building_id: str, after_seq: int, after_position: int) -> Record:
    """What is on record after a point."""
    entries = await select(conn, Recorded, ENTRIES, {"building_id": building_id, "after": after_seq})
    accepted = await select(conn, _Accepted, ACCEPTED, (building_id, after_seq))
    runs = [(entry.began, entry.position) for entry in entries]
    return Record(
        building_id,
        entries,
        {row.seq: Acceptance(row.seq, row.position, Approval.model_validate(row.data)) for row in accepted},
        await replayed_changes.read(conn, building_id, after_position, runs),
        await select(conn, ModelAnswer, ANSWERS, (building_id,)),
    )


async def enter(conn: Connection, fork_id: str, entry: Recorded, event_id: str) -> None:
    """Put a recorded entry into the fork's inbox, under its own number. It is not to be taken before its `release`."""
    await conn.execute(INSERT, {**_row(fork_id, entry), "event_id": event_id, "not_before": NEVER})


async def take(conn: Connection, lease: Lease, entry: Recorded, body: JsonObject, now: datetime) -> Claimed | None:
    """Put a recorded entry into the fork's inbox, under its own number, and take it at once; None where the fork has
    one of this number or id already."""
    parameters = {**_row(lease.building_id, entry), "body": Jsonb(body), "now": now}
    taken = await select_one(conn, inbox.Taken, TAKE, parameters)
    return None if taken is None else inbox.claimed(lease, taken)


def _row(fork_id: str, entry: Recorded) -> dict[str, Parameter]:
    names = ("seq", "source", "event_id", "event_type", "body_hash", "received_at")
    named = {name: getattr(entry, name) for name in names}
    sent_by = None if entry.sent_by is None else Jsonb(entry.sent_by)
    return {"building_id": fork_id, **named, "body": Jsonb(entry.body), "sent_by": sent_by}


async def make_room(conn: Connection, fork_id: str, last_seq: int) -> None:
    """Numbers up to this one are the record's: what the fork enters by itself comes after them."""
    await conn.execute(NUMBERED, (last_seq, fork_id))


async def release(conn: Connection, fork_id: str, seq: int, body: JsonObject | None = None) -> None:
    """An entry that waited is to be taken now; with `body`, as the fork worded it."""
    given = (None, None) if body is None else (Jsonb(body), digest_of_body(body))
    await conn.execute(DUE, (*given, fork_id, seq))


async def drop(conn: Connection, fork_id: str, seq: int) -> None:
    await conn.execute(DROP, (fork_id, seq))


async def status_of(conn: Connection, fork_id: str, seq: int) -> str | None:
    row = await (await conn.execute(STATUS, (fork_id, seq))).fetchone()
    return None if row is None else str(row["status"])


async def restated(conn: Connection, fork_id: str, seq: int, event_id: str) -> JsonObject | None:
    """What the fork's own run of an entry restated under this id; None where it did not."""
    arguments: JsonObject | None = await select_value(conn, RESTATED, (fork_id, seq, event_id))
    return arguments


async def answer(
    conn: Connection, standing: Approval, entry: Recorded, decision: Decision, now: datetime
) -> AcceptedDecision:
    """Give an answer to the fork's question, as the recorded entry."""
    return await approvals.decide(
        conn,
        standing.approval_id,
        decision,
        version=None,
        event_id=entry.event_id,
        now=now,
        seq=entry.seq,
    )
