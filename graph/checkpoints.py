"""The checkpoint saver of a building's live line, and the one that Studio gets.

The live line is the checkpoints whose metadata has `seq`. Only a worker writes such; runs and edits from Studio have
none, so they can never become what the next event builds on.
"""

from collections.abc import Sequence
from typing import cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint, CheckpointTuple
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg.rows import DictRow

from graph.routes import HANDLERS
from graph.whole_writes import WholeWrites
from storage.connection import Connection, Statement

# By step, which counts up along the line: checkpoint ids begin with the clock of the machine that wrote them, and a
# worker whose clock is behind must not write its steps behind the head.
OF_LIVE_HEAD = """
 WHERE thread_id = %s AND checkpoint_ns = %s AND metadata ? 'seq'
 ORDER BY (metadata ->> 'step')::integer DESC, checkpoint_id DESC LIMIT 1"""

# The stock query joins a checkpoint's channels with all blobs of the thread by a hash join when the planner's
# statistics are off, and grows with the thread's age. Looked up by key it does not.
SELECT_BY_KEY = """
select
    thread_id,
    checkpoint,
    checkpoint_ns,
    checkpoint_id,
    parent_checkpoint_id,
    metadata,
    (
        select array_agg(array[bl.channel::bytea, bl.type::bytea, bl.blob])
        from jsonb_each_text(checkpoint -> 'channel_versions') as wanted
        cross join lateral (
            select b.channel, b.type, b.blob from checkpoint_blobs b
            where b.thread_id = checkpoints.thread_id
                and b.checkpoint_ns = checkpoints.checkpoint_ns
                and b.channel = wanted.key
                and b.version = wanted.value
            limit 1
        ) as bl
    ) as channel_values,
    (
        select
        array_agg(array[cw.task_id::text::bytea, cw.channel::bytea, cw.type::bytea, cw.blob,
                        convert_to(cw.task_path, 'UTF8'), cw.idx::text::bytea])
        from checkpoint_writes cw
        where cw.thread_id = checkpoints.thread_id
            and cw.checkpoint_ns = checkpoints.checkpoint_ns
            and cw.checkpoint_id = checkpoints.checkpoint_id
    ) as pending_writes
from checkpoints """


class LineReader(AsyncPostgresSaver):
    """Without a checkpoint id, *latest* is the newest checkpoint that a worker wrote."""

    SELECT_SQL = SELECT_BY_KEY

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        configurable = config["configurable"]
        if configurable.get("checkpoint_id"):
            return await super().aget_tuple(config)
        thread = (configurable["thread_id"], configurable.get("checkpoint_ns", ""))
        async with self._cursor() as cursor:
            await cursor.execute(self.SELECT_SQL + OF_LIVE_HEAD, thread, binary=True)
            row = await cursor.fetchone()
        return None if row is None else await self._load_checkpoint_tuple(row)

    async def _load_checkpoint_tuple(self, value: DictRow) -> CheckpointTuple:
        """As the stock saver does, which hands the unpacking to a thread: for so little that takes longer."""
        at = {"thread_id": value["thread_id"], "checkpoint_ns": value["checkpoint_ns"]}
        before = value["parent_checkpoint_id"]
        inline, packed = value["checkpoint"].get("channel_values") or {}, self._load_blobs(value["channel_values"])
        return CheckpointTuple(
            {"configurable": {**at, "checkpoint_id": value["checkpoint_id"]}},
            cast(Checkpoint, {**value["checkpoint"], "channel_values": {**inline, **packed}}),
            value["metadata"],
            {"configurable": {**at, "checkpoint_id": before}} if before else None,
            self._load_writes(value["pending_writes"]),
        )


REPEATABLE = frozenset({"classify_event", "await_approval", "decide", "remember"})
"""Nodes that only read, or write what is found again under its own key and stands (`decide` its decisions, `remember`
its recollections), and change no row of the log. Cut off before or in them, the steps since the last written
checkpoint are done again and come to the same."""

ACTING = frozenset({*HANDLERS.values(), "apply_decision", "carry_out", "learn"})
"""Nodes that change something, each time in a transaction under a key of its own (`tools.effects.run_effect`), and that
ask no model before they do. The first one also commits the checkpoint that led to them: the one is never there without
the other. Where they find nothing to do, it is as with those that only read."""


class LiveSaver(WholeWrites, LineReader):
    """The worker's saver."""

    _head: CheckpointTuple | None = None
    """The live head as it was just read, or written, under the thread's lock: for the run that begins there."""

    def __init__(self, conn: Connection) -> None:
        super().__init__(conn, REPEATABLE | ACTING)

    def look_afresh(self) -> None:
        """Others may have run the thread: called when its lock was taken."""
        self._head = None

    async def head(self, thread_id: str) -> CheckpointTuple | None:
        """The live head; None on a thread that no worker has run. The run that follows at once, under the same lock,
        begins from what was read here, and the next run from what this one wrote: a head without interrupts is read
        once in a drain."""
        latest: RunnableConfig = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}
        if self._head is None or not _is_latest_of(latest, self._head):
            self._head = None
            self._head = await self.aget_tuple(latest)
        return self._head

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        head, self._head = self._head, None
        if head is not None and _is_latest_of(config, head):
            self._drop()
            return head
        return await super().aget_tuple(config)

    def take_last(self) -> Statement | None:
        """The statement that writes what waits when a run has ended, where something does. It is the caller's now. What
        it writes is the head, since a paused run has nothing left to write."""
        ended = bool(self._steps)
        statement = self._take()
        self._head = self._newest if ended else None
        return statement


def _is_latest_of(config: RunnableConfig, read: CheckpointTuple) -> bool:
    asked, found = config["configurable"], read.config["configurable"]
    return (
        not asked.get("checkpoint_id")
        and asked["thread_id"] == found["thread_id"]
        and asked.get("checkpoint_ns", "") == found["checkpoint_ns"]
    )


# What Studio writes. The database itself keeps it off the live line: whatever metadata a run brings along, inherits or
# copies, `seq` and `generation` are taken out of it, and a live checkpoint is never written again.
PUT_BESIDE = """
INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
VALUES (%s, %s, %s, %s, %s, %s::jsonb - ARRAY['seq', 'generation'])
ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id)
DO UPDATE SET checkpoint = EXCLUDED.checkpoint, metadata = EXCLUDED.metadata WHERE NOT checkpoints.metadata ? 'seq'"""

# A run that starts at a live checkpoint would leave its nodes' results there, as if the worker had got that far: after
# an answer that could not be read, the open question was no longer shown. So at a live checkpoint they are dropped.
PUT_WRITES_BESIDE = """
INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob)
SELECT * FROM (VALUES (%s::text, %s::text, %s::text, %s::text, %s::text, %s::int, %s::text, %s::text, %s::bytea))
           AS w (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob)
 WHERE NOT EXISTS (
       SELECT 1 FROM checkpoints c
        WHERE c.thread_id = w.thread_id AND c.checkpoint_ns = w.checkpoint_ns AND c.checkpoint_id = w.checkpoint_id
          AND c.metadata ? 'seq')
ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) """
KEEP_FIRST = "DO NOTHING"
KEEP_LAST = "DO UPDATE SET channel = EXCLUDED.channel, type = EXCLUDED.type, blob = EXCLUDED.blob"

DELETE_BESIDE = (
    """
DELETE FROM checkpoint_writes w USING checkpoints c
 WHERE c.thread_id = %s AND NOT c.metadata ? 'seq'
   AND w.thread_id = c.thread_id AND w.checkpoint_ns = c.checkpoint_ns AND w.checkpoint_id = c.checkpoint_id""",
    "DELETE FROM checkpoints WHERE thread_id = %s AND NOT metadata ? 'seq'",
)


class StudioSaver(LineReader):
    """Studio's saver: sees the live line, and can neither add to it nor take from it."""

    UPSERT_CHECKPOINTS_SQL = PUT_BESIDE
    INSERT_CHECKPOINT_WRITES_SQL = PUT_WRITES_BESIDE + KEEP_FIRST
    UPSERT_CHECKPOINT_WRITES_SQL = PUT_WRITES_BESIDE + KEEP_LAST

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The live head; on a thread that no worker has run, the newest that Studio wrote there."""
        return await super().aget_tuple(config) or await AsyncPostgresSaver.aget_tuple(self, config)

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete what Studio wrote to the thread. The channels' values stay for the retention of the live line."""
        async with self._cursor() as cursor, cursor.connection.transaction():
            for statement in DELETE_BESIDE:
                await cursor.execute(statement, (thread_id,))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Refused: the stock one deletes the live head when Studio's checkpoint is newer.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("Longlead keeps its threads itself; delete a thread to drop what Studio wrote to it.")
