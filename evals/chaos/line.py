"""The rule on the threads: the checkpoints of a building are one line, and no entry goes on from another's middle."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg.rows import class_row
from pydantic import JsonValue

from evals.chaos.record import Connection, Record
from evals.chaos.violation import Violation

RULE = "the line is whole"

# In the order in which they were written: LangGraph's own ids begin with the writer's clock.
LINE = """
SELECT b.building_id, c.checkpoint_id AS id, c.parent_checkpoint_id AS parent, (c.metadata ->> 'step')::int AS step,
       (c.metadata ->> 'seq')::bigint AS seq, (c.metadata ->> 'generation')::int AS generation,
       c.metadata ->> 'source' AS source, e.type AS event_type, e.blob AS event, a.type AS asked_type, a.blob AS asked,
       EXISTS (SELECT 1 FROM checkpoint_writes w WHERE w.thread_id = c.thread_id AND w.checkpoint_ns = c.checkpoint_ns
                  AND w.checkpoint_id = c.checkpoint_id AND w.channel = '__interrupt__') AS parked
  FROM checkpoints c JOIN buildings b ON b.thread_id::text = c.thread_id
  LEFT JOIN checkpoint_blobs e ON e.thread_id = c.thread_id AND e.checkpoint_ns = c.checkpoint_ns
       AND e.channel = 'event' AND e.version = c.checkpoint -> 'channel_versions' ->> 'event'
  LEFT JOIN checkpoint_blobs a ON a.thread_id = c.thread_id AND a.checkpoint_ns = c.checkpoint_ns
       AND a.channel = 'approvals' AND a.version = c.checkpoint -> 'channel_versions' ->> 'approvals'
 WHERE c.checkpoint_ns = '' AND c.metadata ? 'seq'
 ORDER BY b.building_id, step, c.checkpoint_id"""

PENDING = "SELECT building_id, key, version FROM approvals WHERE status = 'pending'"
ENTRIES = "SELECT building_id, seq, status FROM events WHERE status = 'done'"
MOST_NAMED = 50
"""Open questions that a thread names; the tables have all."""

_serde = JsonPlusSerializer()


@dataclass(frozen=True)
class Point:
    """A checkpoint of a building."""

    building_id: str
    id: str
    parent: str | None
    step: int
    seq: int
    generation: int | None
    source: str
    event_type: str | None
    event: bytes | None
    asked_type: str | None
    asked: bytes | None
    parked: bool


@dataclass(frozen=True)
class _Asked:
    building_id: str
    key: str
    version: int


def line_rule(conn: Connection, _: Record) -> Iterator[Violation]:
    """Each checkpoint follows the one before it; entries follow in their order, each from the end of the one before;
    the head shows the questions that are open."""
    pending: dict[str, dict[str, int]] = {}
    with conn.cursor(row_factory=class_row(_Asked)) as questions:
        for one in questions.execute(PENDING):
            pending.setdefault(one.building_id, {})[one.key] = one.version
    with conn.cursor(row_factory=class_row(Point)) as points:
        found = points.execute(LINE).fetchall()
    ran: set[tuple[str, int]] = set()
    for building, group in groupby(found, key=lambda row: row.building_id):
        line = list(group)
        ran |= {(building, row.seq) for row in line}
        for what in (*_broken(line), *_mixed(line), *_forgotten(line[-1], pending.get(building, {}))):
            yield Violation(RULE, f"{building}: {what}")
    for row in conn.execute(ENTRIES):
        if (row["building_id"], row["seq"]) not in ran:
            yield Violation(RULE, f"{row['building_id']}: number {row['seq']} is done, and no checkpoint is of it")


def _broken(line: Sequence[Point]) -> Iterator[str]:
    """Two runs at the same time write two checkpoints after one."""
    for before, row in pairwise(line):
        if row.parent != before.id or row.step != before.step + 1:
            yield f"{row.id} (number {row.seq}) does not follow {before.id} (number {before.seq})"


def _mixed(line: Sequence[Point]) -> Iterator[str]:
    """An entry that goes on from another's checkpoint carries the other's event."""
    for row in line:
        if row.source == "input":
            continue
        event = _loaded(row.event_type, row.event)
        if (event.get("seq"), event.get("generation")) != (row.seq, row.generation):
            yield f"checkpoint {row.id} is of number {row.seq} and holds that of {event.get('seq')}"
    for before, row in pairwise(line):
        if (before.seq, before.generation) == (row.seq, row.generation):
            continue
        if row.seq < before.seq and not row.generation:  # only what is replayed comes later than its number
            yield f"number {row.seq} comes after {before.seq}"
        answered = before.parked and _loaded(row.event_type, row.event).get("event_type") == "Decision"
        if row.source != "input" and not answered:
            yield f"number {row.seq} went on from a checkpoint of {before.seq}"


def _forgotten(head: Point, pending: dict[str, int]) -> Iterator[str]:
    """The thread sleeps on its open questions, and on no others."""
    asked = _loaded(head.asked_type, head.asked)
    shown = {key: one["version"] for key, one in asked.items() if isinstance(one, dict)}
    if head.parked != bool(pending):
        yield f"its head is {'' if head.parked else 'not '}parked, with {len(pending)} questions open"
    elif len(pending) <= MOST_NAMED and shown != pending:
        yield f"its head shows {shown}, and open are {pending}"


def _loaded(kind: str | None, blob: bytes | None) -> dict[str, JsonValue]:
    loaded: dict[str, JsonValue] = {} if kind is None or blob is None else _serde.loads_typed((kind, blob)) or {}
    return loaded
