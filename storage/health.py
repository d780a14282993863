"""Whether the service works: workers that show signs of life, what waits and for how long, what died, what was done.

Nothing here counts the whole inbox: what is open is read by partial indexes, what has ended from `event_totals`, which
a trigger keeps by building. So a scrape costs the same after ten million events.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple

from storage.connection import Connection, select, select_value
from storage.workers import WorkerProcess, list_processes

LATENCY_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
"""Upper bounds in seconds of the histograms in `event_totals`, as the trigger has them."""

MOST_LISTED = 20
"""Rows of each list of a report."""

_WORKERS = """
SELECT count(*) AS workers FROM procrastinate_workers
 WHERE last_heartbeat > now() - make_interval(secs => %s)"""
_OPEN = "SELECT status, event_type, count(*) AS events FROM events WHERE status IN ('queued', 'running') GROUP BY 1, 2"
# What is dead, asked and counted is of live buildings: what a fork comes to is nobody's emergency.
_LIVE = "JOIN buildings b ON b.building_id = {}.building_id AND b.mode = 'live'"
_DEAD = f"""
SELECT e.status, e.event_type, count(*) AS events FROM events e {_LIVE.format("e")}
 WHERE e.status = 'dead' GROUP BY 1, 2"""
_ENDED = (
    "SELECT ended AS status, event_type, sum(events)::bigint AS events FROM event_totals GROUP BY 1, 2 ORDER BY 1, 2"
)
_OLDEST = "SELECT min(received_at) AS oldest FROM events WHERE status IN ('queued', 'running')"
_APPROVALS = f"""
SELECT kind, count(*) AS pending,
       count(*) FILTER (WHERE due_at <= %(now)s OR escalate_at <= %(now)s OR escalation_level > 0) AS overdue
  FROM approvals a {_LIVE.format("a")} WHERE a.status = 'pending' GROUP BY kind ORDER BY kind"""
_OUTBOX = """
SELECT status, count(*) AS messages FROM outbox WHERE status IN ('queued', 'logged', 'dead')
 GROUP BY status ORDER BY status"""
_BUILDINGS = "SELECT count(*) AS buildings FROM buildings WHERE mode = 'live'"
_BUCKETS = ", ".join(
    f"ARRAY[{', '.join(f'sum({column}[{place}])::bigint' for place in range(1, len(LATENCY_BOUNDS) + 2))}] AS {column}"
    for column in ("received_within", "started_within")
)
_LATENCIES = f"""
SELECT event_type, sum(received_s) AS received_s, sum(started_s) AS started_s, {_BUCKETS}
  FROM event_totals WHERE ended = 'done' GROUP BY event_type ORDER BY event_type"""

# A worker's jobs and the entry that each is at.
_AT_WORK = """
SELECT w.id AS worker, p.host, p.pid, w.last_heartbeat, j.task_name AS task, j.lock AS building_id,
       e.seq, e.event_type, e.started_at
  FROM procrastinate_workers w
  LEFT JOIN workers p ON p.worker_id = w.id
  LEFT JOIN procrastinate_jobs j ON j.worker_id = w.id AND j.status = 'doing'
  LEFT JOIN LATERAL (SELECT seq, event_type, started_at FROM events
                      WHERE building_id = j.lock AND status = 'running' ORDER BY seq LIMIT 1) e ON true
 ORDER BY w.id, j.id"""
# With the entry that the others wait for: where it failed, its error and when it is tried again.
_MOST_WAITING = """
SELECT w.*, head.event_id, head.event_type, head.error, head.not_before
  FROM (SELECT building_id, count(*) AS waiting, min(received_at) AS oldest, min(seq) AS seq FROM events
         WHERE status IN ('queued', 'running') GROUP BY building_id ORDER BY waiting DESC, oldest LIMIT %s) w
  JOIN events head USING (building_id, seq) ORDER BY w.waiting DESC, w.oldest"""
_DEAD_LETTERS = f"""
SELECT e.building_id, e.seq, e.event_id, e.event_type, e.finished_at, e.error FROM events e {_LIVE.format("e")}
 WHERE e.status = 'dead' ORDER BY e.finished_at DESC NULLS LAST LIMIT %s"""
_DEAD_MESSAGES = """
SELECT outbox_id, building_id, recipient, subject, error FROM outbox
 WHERE status = 'dead' ORDER BY outbox_id DESC LIMIT %s"""


@dataclass(frozen=True)
class Snapshot:
    """The state of the whole service at one moment."""

    workers: int
    buildings: int
    events: Sequence[tuple[str, str, int]]
    """(status, event_type, count) of what is queued, running or dead now."""
    ended: Sequence[tuple[str, str, int]]
    """(done, dead or retried; event_type; count) of how entries ended until now."""
    oldest_waiting: datetime | None
    approvals: Sequence[tuple[str, int, int]]
    """(kind, pending, overdue): reminded, escalated, or about to be."""
    outbox: Sequence[tuple[str, int]]
    """(status, count) of messages that wait, that nobody took, or that are in the log alone."""

    def events_with(self, status: str) -> int:
        return sum(count for found, _, count in self.events if found == status)

    def ended_as(self, how: str) -> int:
        return sum(count for found, _, count in self.ended if found == how)

    @property
    def pending_approvals(self) -> int:
        return sum(pending for _, pending, _ in self.approvals)

    @property
    def overdue_approvals(self) -> int:
        return sum(overdue for _, _, overdue in self.approvals)


@dataclass(frozen=True)
class Latency:
    """How long the entries of a type took until they were done."""

    event_type: str
    seconds: float
    """Their sum."""
    within: list[int]
    """How many took no longer than each bound, and in the end how many there are."""


class _Events(NamedTuple):
    status: str
    event_type: str
    events: int


class _Approvals(NamedTuple):
    kind: str
    pending: int
    overdue: int


class _Messages(NamedTuple):
    status: str
    messages: int


@dataclass(frozen=True)
class _Latencies:
    event_type: str
    received_s: float
    started_s: float
    received_within: list[int]
    started_within: list[int]


async def live_workers(conn: Connection, stalled_after: float) -> int:
    """How many workers gave a sign of life within `stalled_after` seconds."""
    return int(await select_value(conn, _WORKERS, (stalled_after,)))


async def snapshot(conn: Connection, stalled_after: float, now: datetime) -> Snapshot:
    """Count what is open, and add up what has ended."""
    events = sorted(await select(conn, _Events, _OPEN) + await select(conn, _Events, _DEAD))
    return Snapshot(
        workers=await live_workers(conn, stalled_after),
        buildings=await select_value(conn, _BUILDINGS),
        events=events,
        ended=await select(conn, _Events, _ENDED),
        oldest_waiting=await select_value(conn, _OLDEST),
        approvals=await select(conn, _Approvals, _APPROVALS, {"now": now}),
        outbox=await select(conn, _Messages, _OUTBOX),
    )


async def latencies(conn: Connection) -> tuple[list[Latency], list[Latency]]:
    """By type of event: the time since it was received, and since its last start."""
    rows = await select(conn, _Latencies, _LATENCIES)
    since_received = [Latency(row.event_type, row.received_s, list(accumulate(row.received_within))) for row in rows]
    since_started = [Latency(row.event_type, row.started_s, list(accumulate(row.started_within))) for row in rows]
    return since_received, since_started


@dataclass(frozen=True)
class AtWork:
    """A job of a worker and the entry that it is at; of an idle worker, nothing but the worker."""

    worker: int
    host: str | None
    pid: int | None
    last_heartbeat: datetime
    task: str | None
    building_id: str | None
    seq: int | None
    event_type: str | None
    started_at: datetime | None


@dataclass(frozen=True)
class Waiting:
    """A building with many open entries, and the one that the others wait for."""

    building_id: str
    waiting: int
    oldest: datetime
    seq: int
    event_id: str
    event_type: str
    error: str | None
    not_before: datetime | None


@dataclass(frozen=True)
class DeadLetter:
    """An entry that was given up."""

    building_id: str
    seq: int
    event_id: str
    event_type: str
    finished_at: datetime | None
    error: str | None


@dataclass(frozen=True)
class DeadMessage:
    """A message for outside that was given up."""

    outbox_id: int
    building_id: str
    recipient: str
    subject: str
    error: str | None


@dataclass(frozen=True)
class Report:
    """A snapshot for people, with names: the longest lists are cut at twenty rows."""

    snapshot: Snapshot
    worker_processes: list[WorkerProcess]
    """Where each runs, since when and in which version; its slots: allowed, open, in use."""
    at_work: list[AtWork]
    """A row for each job of each worker, one without a job for an idle worker."""
    most_waiting: list[Waiting]
    dead_letters: list[DeadLetter]
    dead_messages: list[DeadMessage]


async def report(conn: Connection, stalled_after: float, now: datetime) -> Report:
    """What `longlead status` says."""
    return Report(
        snapshot=await snapshot(conn, stalled_after, now),
        worker_processes=await list_processes(conn),
        at_work=await select(conn, AtWork, _AT_WORK),
        most_waiting=await select(conn, Waiting, _MOST_WAITING, (MOST_LISTED,)),
        dead_letters=await select(conn, DeadLetter, _DEAD_LETTERS, (MOST_LISTED,)),
        dead_messages=await select(conn, DeadMessage, _DEAD_MESSAGES, (MOST_LISTED,)),
    )
