"""A superstep's checkpoint with its nodes' writes in one statement: one message, one commit.

The stock saver writes row by row in a pipeline, which sends and waits for each row on its own, hands the packing to a
thread, and commits a node's writes apart from the checkpoint that follows at once. A building's state is small and
its steps have one node each. So the rows are packed in place, sent as arrays, and a node's writes wait for their
checkpoint: a run that is cut off in between does the step again, which the ledger makes harmless, and finds nothing
half written. Interrupts, answers and errors are written at once, since no checkpoint follows them.

Its metadata also tells the building's position in `changes`: a fork at this checkpoint has the tables as of there.
The checkpoint of an input waits too, for that of the step that does no more than spread the input over the channels:
a run that is cut off in between has not begun, and its entry starts again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg.types.json import Jsonb

POSITION = """COALESCE(
        (SELECT jsonb_build_object('position', position) FROM buildings WHERE thread_id = %(thread)s::text::uuid), '{}')"""

PUT = f"""
INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
VALUES (%(thread)s, %(ns)s, %(id)s, %(parent)s, %(checkpoint)s, %(metadata)s::jsonb || {POSITION})
    ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id)
    DO UPDATE SET checkpoint = EXCLUDED.checkpoint, metadata = EXCLUDED.metadata"""

BEFORE = f"""
INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
VALUES (%(thread)s, %(ns)s, %(before_id)s, %(before_parent)s, %(before_checkpoint)s,
        %(before_metadata)s::jsonb || {POSITION})
    ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id) DO NOTHING"""

BLOBS = """
INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
SELECT %(thread)s::text, %(ns)s::text, new.* FROM unnest(
       %(channels)b::text[], %(versions)b::text[], %(types)b::text[], %(blobs)b::bytea[]) AS new
    ON CONFLICT (thread_id, checkpoint_ns, channel, version) DO NOTHING"""

WRITES = """
INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob)
SELECT %(thread)s::text, %(ns)s::text, %(parent)s::text, new.* FROM unnest(
       %(tasks)b::text[], %(paths)b::text[], %(places)b::int[], %(written)b::text[], %(written_types)b::text[],
       %(written_blobs)b::bytea[]) AS new
    ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) """
KEEP_FIRST = "DO NOTHING"
KEEP_LAST = "DO UPDATE SET channel = EXCLUDED.channel, type = EXCLUDED.type, blob = EXCLUDED.blob"

_BLOB_COLUMNS = ("channels", "versions", "types", "blobs")
_WRITE_COLUMNS = ("tasks", "paths", "places", "written", "written_types", "written_blobs")

Place = tuple[str, str, str | None]
"""Thread, namespace and checkpoint."""


@dataclass
class _Held:
    """Writes of the step that runs at a checkpoint, waiting for the next one."""

    place: Place
    rows: list[tuple[Any, ...]] = field(default_factory=list)


@dataclass
class _Input:
    """The checkpoint of an input, waiting for the next one."""

    place: Place
    id: str
    checkpoint: Jsonb
    metadata: Jsonb
    blobs: list[tuple[Any, ...]]


class WholeWrites(AsyncPostgresSaver):
    """Writes the very rows that the stock saver writes. For one run at a time, as a worker's slot has it."""

    _held: _Held | None = None
    _input: _Input | None = None
    _passed: Place | None = None
    """The checkpoint whose step was written last."""

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        self._held = self._input = None  # a run begins: what an earlier one left behind was cut off
        return await super().aget_tuple(config)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        place = _place(config)
        inline, packed = _parted(checkpoint["channel_values"])
        new = {channel: version for channel, version in new_versions.items() if channel in packed}
        blobs = [row[2:] for row in self._dump_blobs(place[0], place[1], packed, new)]
        saved = Jsonb({**checkpoint, "channel_values": inline})
        told = Jsonb(get_serializable_checkpoint_metadata(config, metadata))
        if metadata.get("source") == "input":
            self._input = _Input(place, checkpoint["id"], saved, told, blobs)
        else:
            await self._put(place, checkpoint["id"], saved, told, blobs)
        self._passed = place
        return {"configurable": {"thread_id": place[0], "checkpoint_ns": place[1], "checkpoint_id": checkpoint["id"]}}

    async def _put(
        self, place: Place, id_: str, checkpoint: Jsonb, metadata: Jsonb, blobs: list[tuple[Any, ...]]
    ) -> None:
        """Write a checkpoint, the writes that led to it, and the input that these began with."""
        held, self._held = self._held, None
        before, self._input = self._input, None
        writes = held.rows if held is not None and held.place == place else []
        if before is not None:
            blobs = before.blobs + blobs
        parameters = {
            **_at(place),
            "id": id_,
            "checkpoint": checkpoint,
            "metadata": metadata,
            **({} if before is None else _of_input(before)),
            **_columns(_BLOB_COLUMNS, blobs),
            **_columns(_WRITE_COLUMNS, writes),
        }
        async with self._cursor() as cursor:
            await cursor.execute(_put(before is not None, bool(blobs), bool(writes)), parameters)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        place = _place(config)
        rows = [row[3:] for row in self._dump_writes(place[0], place[1], str(place[2]), task_id, task_path, writes)]
        if not rows:
            return
        if place != self._passed and not any(channel in WRITES_IDX_MAP for channel, _ in writes):
            if self._held is None or self._held.place != place:
                self._held = _Held(place)
            self._held.rows += rows
            return
        if self._input is not None:
            await self._put_input(self._input)
        again = KEEP_FIRST
        if all(channel in WRITES_IDX_MAP for channel, _ in writes):  # one place for each such channel: the last wins
            again, rows = KEEP_LAST, list({row[2]: row for row in rows}.values())
        async with self._cursor() as cursor:
            await cursor.execute(WRITES + again, {**_at(place), **_columns(_WRITE_COLUMNS, rows)})

    async def _put_input(self, given: _Input) -> None:
        """Write the input's checkpoint alone: something is to be written at it at once."""
        self._input = None
        await self._put(given.place, given.id, given.checkpoint, given.metadata, given.blobs)


@cache
def _put(before: bool, blobs: bool, writes: bool) -> str:
    parts = [("before", BEFORE)] * before + [("packed", BLOBS)] * blobs + [("written", WRITES + KEEP_FIRST)] * writes
    return f"WITH {', '.join(f'{name} AS ({part})' for name, part in parts)} {PUT}" if parts else PUT


def _place(config: RunnableConfig) -> Place:
    at = config["configurable"]
    return at["thread_id"], at.get("checkpoint_ns", ""), at.get("checkpoint_id")


def _at(place: Place) -> dict[str, Any]:
    return dict(zip(("thread", "ns", "parent"), place, strict=True))


def _of_input(before: _Input) -> dict[str, Any]:
    return {
        "before_id": before.id,
        "before_parent": before.place[2],
        "before_checkpoint": before.checkpoint,
        "before_metadata": before.metadata,
    }


def _parted(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What goes into the checkpoint's own row, and what is packed beside it."""
    inline = {key: value for key, value in values.items() if value is None or isinstance(value, str | int | float)}
    return inline, {key: value for key, value in values.items() if key not in inline}


def _columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    """The rows as one array for each column; nothing where there are none."""
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) if rows else {}
