"""Buildings whose past is pruned: desks, edits as from Studio, pasts of any length, and what must hold afterwards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from graph.building import build
from graph.checkpoints import StudioSaver
from graph.history import CheckpointSummary, list_checkpoints, state_at
from storage.buildings import thread_id
from storage.connection import Connection
from storage.retention import Policy, Pruned, Pruning, first_id_at
from tests.agent.desk import Desk, FixedClock, make_drainer
from tools.context import Toolbox

LATER = datetime.now(UTC) + timedelta(days=365)
"""When everything that a test wrote is old."""

LATEST_ONLY = Policy(events=1, days=1, finished_days=1)

# Events of six steps each, before everything that the thread really has: each step writes three values anew, and
# names the other thirteen.
PAST = """
WITH steps AS MATERIALIZED (
    SELECT n, %(first)s::bigint + n * 1000 AS ticks, (n - 1) / 6 - %(events)s AS seq
      FROM generate_series(1, %(events)s * 6) AS n),
ids AS MATERIALIZED (
    SELECT n, seq, overlay(overlay(lpad(to_hex(ticks), 15, '0') PLACING '-6' FROM 13 FOR 0) PLACING '-' FROM 9 FOR 0)
               || '-8000-000000000000' AS id FROM steps),
named AS MATERIALIZED (
    SELECT n, 'channel' || c AS channel, ' ' || lpad(GREATEST(n - (n + c) %% 5, 0)::text, 31, '0') || '.0' AS version
      FROM steps CROSS JOIN generate_series(0, 15) AS c),
blobs AS (
    INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
    SELECT DISTINCT %(thread)s, '', channel, version, 'bytes', decode(repeat(md5(version || channel), 20), 'hex')
      FROM named),
writes AS (
    INSERT INTO checkpoint_writes (
           thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob)
    SELECT %(thread)s, '', id, 'task', '~__pregel_pull, decide', w, 'channel' || w, 'bytes',
           decode(repeat('ab', 200), 'hex')
      FROM ids CROSS JOIN generate_series(1, 4) AS w)
INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
SELECT %(thread)s, '', id, lag(id) OVER (ORDER BY n),
       jsonb_build_object('v', 4, 'id', id, 'ts', '2026-01-01T00:00:00+00:00', 'channel_values', '{}'::jsonb,
                          'channel_versions', versions,
                          'versions_seen', '{}'::jsonb),
       jsonb_build_object('seq', seq, 'generation', 0, 'step', n, 'source', 'loop')
  FROM ids JOIN (SELECT n, jsonb_object_agg(channel, version) AS versions FROM named GROUP BY n) AS of_step USING (n)"""

UNRESOLVED = """
SELECT count(*) AS found FROM checkpoints c CROSS JOIN LATERAL jsonb_each_text(c.checkpoint -> 'channel_versions') v
 WHERE c.thread_id = %s AND NOT EXISTS (
       SELECT 1 FROM checkpoint_blobs b
        WHERE b.thread_id = c.thread_id AND b.channel = v.key AND b.version = v.value)"""

UNNAMED = """
SELECT count(*) AS found FROM checkpoint_blobs b
 WHERE b.thread_id = %(thread)s AND NOT EXISTS (
       SELECT 1 FROM checkpoints c
        WHERE c.thread_id = b.thread_id AND c.checkpoint -> 'channel_versions' ->> b.channel = b.version)"""

LOOSE_WRITES = """
SELECT count(*) AS found FROM checkpoint_writes w
 WHERE w.thread_id = %s AND NOT EXISTS (
       SELECT 1 FROM checkpoints c WHERE c.thread_id = w.thread_id AND c.checkpoint_id = w.checkpoint_id)"""

TABLES = {
    "events": "seq",
    "changes": "position",
    "actions": "seq, action, item, ordinal",
    "decisions": "seq, generation, step",
    "approvals": "key",
    "items": "item_id",
    "purchase_orders": "number",
    "outbox": "key",
}


@dataclass
class Archive:
    """One database with any number of buildings."""

    conninfo: str
    conn: Connection
    desks: list[Desk] = field(default_factory=list)

    def desk(self, building_id: str) -> Desk:
        clock = FixedClock()
        desk = Desk(self.conn, make_drainer(self.conninfo, clock), clock, building_id)
        self.desks.append(desk)
        return desk

    async def close(self) -> None:
        for desk in self.desks:
            await desk.drainer.slots.close()
        await self.conn.close()

    async def prune(self, desk: Desk, policy: Policy = LATEST_ONLY, now: datetime = LATER, batch: int = 1000) -> Pruned:
        """Prune the desk's thread."""
        pruning = Pruning(self.conn, policy, now, batch=batch)
        assert await pruning.thread(thread_id(desk.building_id))
        return pruning.pruned

    async def add_past(self, desk: Desk, events: int, ended: datetime) -> None:
        """Give the thread a past of that many events, six steps each, ended at that moment."""
        length = timedelta(microseconds=100 * events * 6)
        digits = first_id_at(ended - length).replace("-", "")
        first = int(digits[:12] + digits[13:16], 16)
        await self.conn.execute(PAST, {"thread": thread_id(desk.building_id), "events": events, "first": first})

    async def edit(self, desk: Desk, checkpoint_id: str | None = None) -> str:
        """Edit the thread's state as Studio does; the id of the checkpoint that this wrote."""
        toolbox = Toolbox(conn=self.conn, clock=desk.clock, acts=False)
        graph = build(toolbox, for_edits=True).compile(checkpointer=StudioSaver(self.conn))
        at = {"thread_id": thread_id(desk.building_id), "checkpoint_ns": ""}
        if checkpoint_id is not None:
            at["checkpoint_id"] = checkpoint_id
        made = await graph.aupdate_state({"configurable": at}, {"outcome": {"edited": True}}, as_node="remember")
        return str(made["configurable"]["checkpoint_id"])

    async def count(self, table: str, desk: Desk) -> int:
        return await self._number(f"SELECT count(*) AS found FROM {table} WHERE thread_id = %s", desk)

    async def assert_whole(self, desk: Desk) -> None:
        """Every checkpoint that is left has all that it has ever had, and nothing is left over."""
        present = await self.history(desk)
        for entry in present:
            assert await state_at(self.conn, thread_id(desk.building_id), entry.checkpoint_id) is not None
        assert await self._number(LOOSE_WRITES, desk) == 0

    async def states(self, desk: Desk) -> dict[str, Any]:
        """Every state of the thread, by its checkpoint."""
        found = {}
        for entry in await self.history(desk):
            found[entry.checkpoint_id] = await state_at(self.conn, thread_id(desk.building_id), entry.checkpoint_id)
        return found

    async def history(self, desk: Desk) -> list[CheckpointSummary]:
        return await list_checkpoints(self.conn, desk.building_id, thread_id(desk.building_id), limit=100_000)

    async def unnamed_blobs(self, desk: Desk) -> int:
        row = await (await self.conn.execute(UNNAMED, {"thread": thread_id(desk.building_id)})).fetchone()
        return 0 if row is None else int(row["found"])

    async def rows(self, desk: Desk) -> dict[str, list[Any]]:
        """What the building's tables say, without its name and wall times."""
        found = {}
        for table, order in TABLES.items():
            query = f"SELECT to_jsonb(t) AS row FROM {table} t WHERE building_id = %s ORDER BY {order}"
            rows = await (await self.conn.execute(query, (desk.building_id,))).fetchall()
            found[table] = [_plain(row["row"], desk.building_id) for row in rows]
        return found

    async def _number(self, query: str, desk: Desk) -> int:
        row = await (await self.conn.execute(query, (thread_id(desk.building_id),))).fetchone()
        assert row is not None
        return int(row["found"])

    @asynccontextmanager
    async def running(self, desk: Desk, other: Connection) -> AsyncIterator[None]:
        """The thread's lock is held, as by a worker."""
        key = (thread_id(desk.building_id),)
        await other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", key)
        yield
        await other.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", key)


def _plain(value: Any, building_id: str) -> Any:
    if isinstance(value, dict):
        left_out = ("outbox_id", "args_hash", "body_hash", "fingerprint")
        return {key: _plain(part, building_id) for key, part in sorted(value.items()) if key not in left_out}
    if isinstance(value, list):
        return [_plain(part, building_id) for part in value]
    if isinstance(value, str):
        return value.replace(building_id, "BUILDING").replace(thread_id(building_id), "THREAD")
    return value
