"""The checkpoint saver of a building's live line, and the one that Studio gets.

The live line is the checkpoints whose metadata has `seq`. Only a worker writes such; runs and edits from Studio have
none, so they can never become what the next event builds on.
"""

from collections.abc import Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg.rows import DictRow

LIVE_HEAD = """
SELECT checkpoint_id, metadata FROM checkpoints
 WHERE thread_id = %s AND checkpoint_ns = %s AND metadata ? 'seq' ORDER BY checkpoint_id DESC LIMIT 1"""

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


class LiveSaver(AsyncPostgresSaver):
    """The worker's saver: without a checkpoint id, *latest* is the newest checkpoint that a worker wrote."""

    SELECT_SQL = SELECT_BY_KEY

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        configurable = config["configurable"]
        if configurable.get("checkpoint_id"):
            return await super().aget_tuple(config)
        head = await self.head(configurable["thread_id"], configurable.get("checkpoint_ns", ""))
        if head is None:
            return None
        at_head: RunnableConfig = {
            **config,
            "configurable": {**configurable, "checkpoint_id": head["checkpoint_id"]},
        }
        return await super().aget_tuple(at_head)

    async def head(self, thread_id: str, namespace: str = "") -> DictRow | None:
        """`checkpoint_id` and `metadata` of the live head; None on a thread that no worker has run."""
        async with self._cursor() as cursor:
            await cursor.execute(LIVE_HEAD, (thread_id, namespace))
            return await cursor.fetchone()


class StudioSaver(LiveSaver):
    """Studio's saver: sees the live line, and can never write to it, whatever metadata a run inherits."""

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        cleaned: Any = {key: value for key, value in metadata.items() if key not in LIVE_KEYS}
        return await super().aput(_without_live_keys(config), checkpoint, cleaned, new_versions)


LIVE_KEYS: Sequence[str] = ("seq", "generation")


def _without_live_keys(config: RunnableConfig) -> RunnableConfig:
    """The saver merges a run's metadata and configurable values into the checkpoint's: both are cleaned."""
    cleaned: RunnableConfig = {**config}
    if "metadata" in config:
        cleaned["metadata"] = _without(config["metadata"])
    if "configurable" in config:
        cleaned["configurable"] = _without(config["configurable"])
    return cleaned


def _without(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in LIVE_KEYS}
