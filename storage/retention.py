"""Retention: what has served is deleted in small bites, so that a building may run for years in a bounded database.

Of a thread stay: the checkpoints of its last events, everything young, and the state that the oldest of these events
began from. So time travel reaches that far back, and the live head, with the question it is parked at, is never near.
Facts are never deleted: `changes`, `decisions`, `actions`, `events` and `audit` have no statement here.
"""

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from storage.connection import Connection, Parameter, select_value
from storage.links import KEPT_DAYS

BATCH = 1000
"""Most rows that one transaction deletes."""


@dataclass(frozen=True)
class Policy:
    """What is kept. Of a thread both rules hold: what either of them keeps stays."""

    events: int = 200
    """Last events of a building whose checkpoints stay; at least one."""
    days: float = 30
    """Days for which every checkpoint stays."""
    finished_days: float = 7
    """Days for which ended jobs, messages that are delivered or logged, and workers that are gone stay."""


@dataclass
class Pruned:
    """What a pass deleted: (rows, bytes of their content) by table; and what it came by."""

    deleted: dict[str, tuple[int, int]] = field(default_factory=dict)
    threads: int = 0
    skipped: int = 0
    """Threads that were running, and are left to the next pass."""

    def add(self, table: str, rows: int, size: int) -> None:
        if rows:
            known = self.deleted.get(table, (0, 0))
            self.deleted[table] = (known[0] + rows, known[1] + size)

    @property
    def rows(self) -> int:
        return sum(rows for rows, _ in self.deleted.values())


@dataclass(frozen=True)
class KeptTable:
    """A table that is never pruned, as PostgreSQL last counted it, and its bytes on disk with its indexes."""

    table: str
    rows: int
    size_bytes: int


KEPT = ("facts", "lots", "nonconformances", "items", "changes", "events", "decisions", "actions")
"""What grows with what happens and stays for good: the facts of lines, what they amount to, and all images of rows."""

KEPT_SIZES = """
SELECT named.name AS table, greatest(c.reltuples, 0)::bigint AS rows, pg_total_relation_size(c.oid) AS bytes
  FROM unnest(%s::text[]) WITH ORDINALITY AS named (name, place)
  JOIN pg_class c ON c.oid = to_regclass(quote_ident(named.name))
 ORDER BY named.place"""


async def kept_tables(conn: Connection) -> list[KeptTable]:
    """The sizes of what is never pruned."""
    rows = await (await conn.execute(KEPT_SIZES, (list(KEPT),))).fetchall()
    return [KeptTable(row["table"], row["rows"], row["bytes"]) for row in rows]


# The oldest checkpoint of the live line that stays: the one that the oldest kept event began from. Reads the line
# from its end by the key of the table, and no further than needed. An event is what has one (seq, generation).
KEPT_FROM = """
SELECT checkpoint_id FROM (
       SELECT checkpoint_id, count(*) FILTER (WHERE ends) OVER (ORDER BY checkpoint_id DESC) AS events
         FROM (SELECT checkpoint_id,
                      metadata -> 'seq' IS DISTINCT FROM lag(metadata -> 'seq') OVER line
                   OR metadata -> 'generation' IS DISTINCT FROM lag(metadata -> 'generation') OVER line AS ends
                 FROM checkpoints
                WHERE thread_id = %(thread)s AND checkpoint_ns = '' AND metadata ? 'seq'
               WINDOW line AS (ORDER BY checkpoint_id DESC)) AS marked) AS counted
 WHERE events > %(events)s AND checkpoint_id < %(young)s
 ORDER BY checkpoint_id DESC LIMIT 1"""

# Ids begin with the clock of the machine that wrote them: the head is named, and stays whatever its clock said.
OLD_LINE = """
WITH gone AS (
    DELETE FROM checkpoints WHERE ctid = ANY(ARRAY(
           SELECT ctid FROM checkpoints
            WHERE thread_id = %(thread)s AND checkpoint_ns = '' AND metadata ? 'seq'
              AND checkpoint_id < %(kept)s AND checkpoint_id <> %(head)s
            ORDER BY checkpoint_id LIMIT %(batch)s))
    RETURNING pg_column_size(checkpoint) + pg_column_size(metadata) AS size)
SELECT count(*) AS rows, COALESCE(sum(size), 0)::bigint AS size FROM gone"""

# Also what a run in Studio left at a checkpoint that is gone.
OLD_WRITES = """
WITH gone AS (
    DELETE FROM checkpoint_writes WHERE ctid = ANY(ARRAY(
           SELECT w.ctid FROM checkpoint_writes w
            WHERE w.thread_id = %(thread)s AND w.checkpoint_ns = '' AND w.checkpoint_id < %(kept)s
              AND NOT EXISTS (SELECT 1 FROM checkpoints c
                               WHERE c.thread_id = w.thread_id AND c.checkpoint_ns = w.checkpoint_ns
                                 AND c.checkpoint_id = w.checkpoint_id)
            LIMIT %(batch)s))
    RETURNING pg_column_size(blob) AS size)
SELECT count(*) AS rows, COALESCE(sum(size), 0)::bigint AS size FROM gone"""

# A channel's value is kept once and named by every checkpoint until it changes. Its version begins with a number that
# grows along the line over all channels: so a value older than the oldest kept checkpoint is needed on the line only
# if that very checkpoint names it. Studio's checkpoints may name any, and are asked one by one.
OLD_BLOBS = """
WITH needed AS MATERIALIZED (
    SELECT DISTINCT named.key AS channel, named.value AS version
      FROM checkpoints c CROSS JOIN LATERAL jsonb_each_text(c.checkpoint -> 'channel_versions') AS named
     WHERE c.thread_id = %(thread)s AND c.checkpoint_ns = ''
       AND (c.checkpoint_id IN (%(kept)s, %(head)s) OR NOT c.metadata ? 'seq')),
newest AS MATERIALIZED (
    SELECT max(left(named.value, 32) COLLATE "C") AS number
      FROM checkpoints c CROSS JOIN LATERAL jsonb_each_text(c.checkpoint -> 'channel_versions') AS named
     WHERE c.thread_id = %(thread)s AND c.checkpoint_ns = '' AND c.checkpoint_id = %(kept)s),
gone AS (
    DELETE FROM checkpoint_blobs WHERE ctid = ANY(ARRAY(
           SELECT b.ctid FROM checkpoint_blobs b
            WHERE b.thread_id = %(thread)s AND b.checkpoint_ns = ''
              AND left(b.version, 32) COLLATE "C" < (SELECT number FROM newest)
              AND NOT EXISTS (SELECT 1 FROM needed n WHERE n.channel = b.channel AND n.version = b.version)
            LIMIT %(batch)s))
    RETURNING COALESCE(pg_column_size(blob), 0) AS size)
SELECT count(*) AS rows, COALESCE(sum(size), 0)::bigint AS size FROM gone"""

# What was run or edited in Studio long ago, with the values that nothing else names.
OLD_BESIDE = """
WITH old AS MATERIALIZED (
    SELECT checkpoint_id FROM checkpoints
     WHERE thread_id = %(thread)s AND checkpoint_ns = '' AND NOT metadata ? 'seq' AND checkpoint_id < %(young)s
     ORDER BY checkpoint_id LIMIT %(batch)s),
gone AS (
    DELETE FROM checkpoints c USING old
     WHERE c.thread_id = %(thread)s AND c.checkpoint_ns = '' AND c.checkpoint_id = old.checkpoint_id
    RETURNING c.checkpoint -> 'channel_versions' AS versions,
              pg_column_size(c.checkpoint) + pg_column_size(c.metadata) AS size),
writes AS (
    DELETE FROM checkpoint_writes w USING old
     WHERE w.thread_id = %(thread)s AND w.checkpoint_ns = '' AND w.checkpoint_id = old.checkpoint_id
    RETURNING pg_column_size(w.blob) AS size),
needed AS (
    SELECT DISTINCT named.key AS channel, named.value AS version
      FROM checkpoints c CROSS JOIN LATERAL jsonb_each_text(c.checkpoint -> 'channel_versions') AS named
     WHERE EXISTS (SELECT 1 FROM old) AND c.thread_id = %(thread)s AND c.checkpoint_ns = ''
       AND c.checkpoint_id NOT IN (SELECT checkpoint_id FROM old)),
named AS (SELECT DISTINCT v.key AS channel, v.value AS version FROM gone, jsonb_each_text(gone.versions) AS v),
blobs AS (
    DELETE FROM checkpoint_blobs b USING named
     WHERE b.thread_id = %(thread)s AND b.checkpoint_ns = ''
       AND b.channel = named.channel AND b.version = named.version
       AND NOT EXISTS (SELECT 1 FROM needed n WHERE n.channel = b.channel AND n.version = b.version)
    RETURNING COALESCE(pg_column_size(b.blob), 0) AS size)
SELECT 'checkpoints' AS name, count(*) AS rows, COALESCE(sum(size), 0)::bigint AS size FROM gone
UNION ALL SELECT 'checkpoint_writes', count(*), COALESCE(sum(size), 0)::bigint FROM writes
UNION ALL SELECT 'checkpoint_blobs', count(*), COALESCE(sum(size), 0)::bigint FROM blobs"""

# The very key of runtime/slots.py; it ends with the transaction.
TRY_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0)) AS got"

HEAD = """
SELECT checkpoint_id FROM checkpoints
 WHERE thread_id = %s AND checkpoint_ns = '' AND metadata ? 'seq'
 ORDER BY (metadata ->> 'step')::integer DESC, checkpoint_id DESC LIMIT 1"""

# What a pass has to look at: a building with more entries than are kept, if it has grown since it was pruned or if
# something that was kept for its youth has grown old; and what Studio left behind long ago. One statement for many
# threads: ten thousand that sleep cost what it takes to read their rows.
CANDIDATES = """
SELECT thread_id FROM (
       SELECT b.thread_id::text AS thread_id FROM buildings b LEFT JOIN pruned_threads p
              ON p.thread_id = b.thread_id::text
        WHERE b.last_seq > %(events)s AND (p.thread_id IS NULL OR b.last_seq > p.seq OR p.due_at <= %(now)s)
       UNION
       SELECT thread_id FROM checkpoints
        WHERE NOT metadata ? 'seq' AND checkpoint_ns = '' AND checkpoint_id < %(young)s) AS found
 WHERE thread_id > %(after)s ORDER BY thread_id LIMIT %(limit)s"""

LAST_SEQ = "SELECT last_seq FROM buildings WHERE thread_id = %s::uuid"

REACHED = """
INSERT INTO pruned_threads (thread_id, seq, due_at) VALUES (%(thread)s, %(seq)s, %(due)s)
    ON CONFLICT (thread_id) DO UPDATE SET seq = EXCLUDED.seq, due_at = EXCLUDED.due_at"""

OLDER = """
SELECT 1 FROM checkpoints
 WHERE thread_id = %(thread)s AND checkpoint_ns = '' AND metadata ? 'seq' AND checkpoint_id < %(kept)s LIMIT 1"""

NEXT_THREAD = "SELECT thread_id FROM checkpoints WHERE thread_id > %s ORDER BY thread_id LIMIT 1"

# Ended jobs go with their events (the engine's own cascade). A job without any event cannot be dated, and stays.
OLD_JOBS = """
WITH old AS MATERIALIZED (
    SELECT j.id, pg_column_size(j.*) AS size FROM procrastinate_jobs j
     WHERE j.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
       AND (SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id) < %(before)s LIMIT %(batch)s),
told AS (SELECT count(*) AS rows, sum(pg_column_size(e.*)) AS size
           FROM procrastinate_events e WHERE e.job_id IN (SELECT id FROM old)),
gone AS (DELETE FROM procrastinate_jobs WHERE id IN (SELECT id FROM old))
SELECT 'procrastinate_jobs' AS name, count(*) AS rows, COALESCE(sum(size), 0)::bigint AS size FROM old
UNION ALL SELECT 'procrastinate_events', rows, COALESCE(size, 0)::bigint FROM told"""

OLD_MESSAGES = """
WITH gone AS (
    DELETE FROM outbox WHERE outbox_id IN (
           (SELECT outbox_id FROM outbox WHERE status = 'delivered' AND delivered_at < %(before)s
             ORDER BY delivered_at LIMIT %(batch)s)
           UNION ALL
           (SELECT outbox_id FROM outbox WHERE status = 'logged' AND routed_at < %(before)s
             ORDER BY routed_at LIMIT %(batch)s))
    RETURNING pg_column_size(payload) + length(subject) + length(key) AS size)
SELECT 'outbox' AS name, count(*) AS rows, COALESCE(sum(size), 0)::bigint AS size FROM gone"""

OLD_WORKERS = """
WITH gone AS (
    DELETE FROM procrastinate_workers WHERE id IN (
           SELECT id FROM procrastinate_workers WHERE last_heartbeat < %(before)s LIMIT %(batch)s)
    RETURNING 16 AS size)
SELECT 'procrastinate_workers' AS name, count(*) AS rows, COALESCE(sum(size), 0)::bigint AS size FROM gone"""

OLD_LINK_USES = f"""
WITH gone AS (
    DELETE FROM link_uses WHERE use_id IN (
           SELECT use_id FROM link_uses WHERE at < %(now)s - interval '{KEPT_DAYS} days' ORDER BY at LIMIT %(batch)s)
    RETURNING pg_column_size(link_uses.*) AS size)
SELECT 'link_uses' AS name, count(*) AS rows, COALESCE(sum(size), 0)::bigint AS size FROM gone"""

# Of many workers one gets it. Its claim holds for ten minutes: then it is believed dead, and another goes on.
CLAIM = """
UPDATE upkeep SET due_at = %(now)s + interval '10 minutes' WHERE name = 'retention' AND due_at <= %(now)s
RETURNING place"""
LEAVE = "UPDATE upkeep SET due_at = %(due)s, place = %(place)s WHERE name = 'retention'"

MOST_CANDIDATES = 200
"""Threads that are asked for at once."""
LAST_ID = "g"
"""Greater than every id."""

_UUID_EPOCH = 0x01B21DD213814000
"""100 ns between 1582-10-15, where the time in a checkpoint's id begins, and 1970."""


def first_id_at(moment: datetime) -> str:
    """The least id of a checkpoint written at that moment: ids are UUIDs of version 6, ordered by their time."""
    ticks = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10 + _UUID_EPOCH
    digits = f"{ticks:015x}"
    return f"{digits[:8]}-{digits[8:12]}-6{digits[12:]}-8000-000000000000"


@dataclass
class Pruning:
    """One pass over threads and tables. It ends early at `stop_at` (of `time.monotonic`), between two bites."""

    conn: Connection
    policy: Policy
    now: datetime
    stop_at: float = float("inf")
    batch: int = BATCH
    pruned: Pruned = field(default_factory=Pruned)
    _running: set[str] = field(default_factory=set)

    async def threads(self) -> AsyncIterator[str]:
        """Prune every thread, one after the other; yields each that is finished."""
        after = ""
        while not self._late() and (thread_id := await self._next(after)) is not None:
            if not await self.thread(thread_id):
                return
            yield thread_id
            after = thread_id

    async def candidates(self, after: str) -> list[str]:
        """Threads after `after` that have something to prune, or may have; the first of them."""
        asked = {"events": self.policy.events, "now": self.now, "after": after, "limit": MOST_CANDIDATES}
        rows = await (await self.conn.execute(CANDIDATES, {**asked, "young": self._young()})).fetchall()
        return [str(row["thread_id"]) for row in rows]

    async def grown(self, after: str) -> tuple[str, bool]:
        """Prune the threads that have grown or grown old, those after `after`. Returns the last one that is finished,
        and whether it was the last of all."""
        while found := await self.candidates(after):
            for thread_id in found:
                seq = await select_value(self.conn, LAST_SEQ, (thread_id,))
                if self._late() or not await self.thread(thread_id):
                    return after, False
                if seq is not None and thread_id not in self._running:
                    await self._reached(thread_id, seq)
                after = thread_id
        return after, True

    async def _reached(self, thread_id: str, seq: int) -> None:
        """Note how far the thread is pruned: it is looked at again when it has grown, or when what was kept for its
        youth has grown older by a tenth of the days for which it is kept."""
        kept = await select_value(
            self.conn, KEPT_FROM, {"thread": thread_id, "young": LAST_ID, "events": max(1, self.policy.events)}
        )
        old = kept is not None and await select_value(self.conn, OLDER, {"thread": thread_id, "kept": kept})
        due: datetime | str = self.now + timedelta(days=self.policy.days / 10) if old else "infinity"
        await self.conn.execute(REACHED, {"thread": thread_id, "seq": seq, "due": due})

    def _young(self) -> str:
        return first_id_at(self.now - timedelta(days=self.policy.days))

    async def thread(self, thread_id: str) -> bool:
        """Prune one thread, unless it is running; False when the time was over before its end."""
        known: dict[str, Parameter] = {"thread": thread_id, "young": self._young(), "batch": self.batch}
        kept = await select_value(self.conn, KEPT_FROM, {**known, "events": max(1, self.policy.events)})
        head = await select_value(self.conn, HEAD, (thread_id,))
        statements = [("checkpoints", OLD_LINE), ("checkpoint_writes", OLD_WRITES), ("checkpoint_blobs", OLD_BLOBS)]
        try:
            for table, statement in statements if kept is not None else []:
                if not await self._all_of(statement, {**known, "kept": kept, "head": head}, table):
                    return False
            if not await self._all_of(OLD_BESIDE, known):
                return False
        except _RunningError:
            self.pruned.skipped += 1
            self._running.add(thread_id)
        self.pruned.threads += 1
        return True

    async def tables(self) -> bool:
        """Prune ended jobs, delivered messages, workers that are gone, old uses of links; False: time was over."""
        before = self.now - timedelta(days=self.policy.finished_days)
        known: dict[str, Parameter] = {"before": before, "now": self.now, "batch": self.batch}
        for statement in (OLD_JOBS, OLD_MESSAGES, OLD_WORKERS, OLD_LINK_USES):
            if not await self._all_of(statement, known):
                return False
        return True

    async def _all_of(self, statement: str, parameters: dict[str, Parameter], table: str = "") -> bool:
        """Delete bite by bite until nothing is left; False when the time was over."""
        while not self._late():
            if await self._bite(statement, parameters, table) < self.batch:
                return True
        return False

    async def _bite(self, statement: str, parameters: dict[str, Parameter], table: str) -> int:
        """One short transaction, on a thread under its lock; rows of the first table that it deleted."""
        async with self.conn.transaction():
            if "thread" in parameters and not await select_value(self.conn, TRY_LOCK, (parameters["thread"],)):
                raise _RunningError
            rows = await (await self.conn.execute(statement, parameters)).fetchall()
        for row in rows:
            self.pruned.add(row.get("name", table), row["rows"], row["size"])
        return int(rows[0]["rows"])

    def _late(self) -> bool:
        return time.monotonic() >= self.stop_at

    async def _next(self, after: str) -> str | None:
        thread_id: str | None = await select_value(self.conn, NEXT_THREAD, (after,))
        return thread_id


class _RunningError(Exception):
    """A worker holds the thread."""


async def prune_all(
    conn: Connection, policy: Policy, now: datetime, tell: Callable[[Pruned], None] = lambda _: None
) -> Pruned:
    """Prune everything, however long it takes; `tell` hears of the state after every thread."""
    pruning = Pruning(conn, policy, now)
    async for _ in pruning.threads():
        tell(pruning.pruned)
    await pruning.tables()
    return pruning.pruned


async def prune_when_due(
    conn: Connection, policy: Policy, now: datetime, *, every: timedelta, seconds: float
) -> Pruned | None:
    """Prune for at most `seconds`, if it is due and no other worker is at it. What is left goes on at the next call;
    after a whole pass it is due again `every` later. None when it was not due."""
    claimed = await (await conn.execute(CLAIM, {"now": now})).fetchone()
    if claimed is None:
        return None
    pruning, place = Pruning(conn, policy, now, time.monotonic() + seconds), str(claimed["place"])
    place, all_threads = await pruning.grown(place)
    whole = all_threads and await pruning.tables()
    left = {"due": now + every, "place": ""} if whole else {"due": now, "place": place}
    await conn.execute(LEAVE, left)
    return pruning.pruned
