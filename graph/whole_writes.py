"""Supersteps' checkpoints and their nodes' writes, several in one statement: one message, one commit.

The stock saver writes row by row in a pipeline, which sends and waits for each row on its own, hands the packing to a
thread, and commits a node's writes apart from the checkpoint that follows at once. A building's state is small and
its steps have one node each. So the rows are packed in place, sent as arrays, and a node's writes wait for their
checkpoint: a run that is cut off in between does the step again, which the ledger makes harmless, and finds nothing
half written. Interrupts, answers and errors are written at once, since no checkpoint follows them.

A checkpoint waits too where what follows it may just as well be done again: the input's, the one that leads to a node
that is repeatable, the one that leads to the pause for a person (it goes with the interrupt), and the last one of a
run (it goes with the end of the inbox entry, see `LiveSaver.take_last`). One that leads to a node which acts is
committed with the first thing it does (`going_along`). Cut off in between, the run goes on from where it had been
written, and finds again what it has done. Before a language model is asked, everything is written.

Its metadata also tells the building's position in `changes`: a fork at this checkpoint has the tables as of there.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from inspect import signature
from random import getrandbits
from typing import Any

import orjson
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

from storage.arrays import Blobs, documents, integers, register_arrays, texts
from storage.connection import Connection, Statement

PUT = """
INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
SELECT %(thread)s::text, %(ns)s::text, new.id, new.parent, new.checkpoint, new.metadata || COALESCE(
       (SELECT jsonb_build_object('position', position) FROM buildings WHERE thread_id = %(thread)s::text::uuid), '{}')
  FROM unnest(%(ids)b, %(parents)b, %(checkpoints)b, %(metadata)b) AS new (id, parent, checkpoint, metadata)
    ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id)
    DO UPDATE SET checkpoint = EXCLUDED.checkpoint, metadata = EXCLUDED.metadata"""

BLOBS = """
INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
SELECT %(thread)s::text, %(ns)s::text, new.* FROM unnest(
       %(channels)b, %(versions)b, %(types)b, %(blobs)b) AS new
    ON CONFLICT (thread_id, checkpoint_ns, channel, version) DO NOTHING"""

WRITES = """
INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob)
SELECT %(thread)s::text, %(ns)s::text, new.* FROM unnest(
       %(at)b, %(tasks)b, %(paths)b, %(places)b, %(written)b, %(written_types)b, %(written_blobs)b) AS new
    ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) """
KEEP_FIRST = "DO NOTHING"
KEEP_LAST = "DO UPDATE SET channel = EXCLUDED.channel, type = EXCLUDED.type, blob = EXCLUDED.blob"

BRANCH = "branch:to:"
"""How LangGraph names the channel that leads to a node."""

Thread = tuple[str, str]
"""Thread and namespace."""


@dataclass(frozen=True)
class _Step:
    """A checkpoint that is not yet written."""

    id: str
    parent: str | None
    checkpoint: bytes
    metadata: bytes
    blobs: list[tuple[Any, ...]]


class WholeWrites(AsyncPostgresSaver):
    """Writes the very rows that the stock saver writes. For one run at a time, as a worker's slot has it.

    `lets_wait` names the nodes that begin though the checkpoint that leads to them is not yet written: it waits for the
    next one, or goes along with what they do. The last one of a run waits for whoever ran it to `_take` it.
    """

    def __init__(self, conn: Connection, lets_wait: frozenset[str] = frozenset()) -> None:
        super().__init__(conn)
        register_arrays(conn)
        self._connection = conn
        self._lets_wait = lets_wait
        self._thread: Thread | None = None
        self._steps: list[_Step] = []
        self._writes: list[tuple[Any, ...]] = []
        self._passed: str | None = None
        """The checkpoint whose step came last."""
        self._newest: CheckpointTuple | None = None
        """The newest checkpoint as it is stored, but for the position in its metadata."""

    @property
    def waits(self) -> bool:
        """Whether there is something that is not yet written."""
        return bool(self._steps or self._writes)

    def get_next_version(self, current: str | None, channel: None) -> str:
        """Counts as the stock saver does, so that either goes on from what the other wrote. What keeps the values of
        two branches apart is shorter: a checkpoint names some fifty versions, and most of its row is their names."""
        counted = 0 if current is None else int(current.partition(".")[0])
        return f"{counted + 1:032}.{getrandbits(32):08x}"

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        self._drop()
        return await super().aget_tuple(config)

    def _drop(self) -> None:
        """A run begins: what an earlier one left behind was cut off."""
        self._steps, self._writes, self._passed = [], [], None

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        self._thread, parent = _place(config)
        inline, packed = _parted(checkpoint["channel_values"])
        new = {channel: version for channel, version in new_versions.items() if channel in packed}
        blobs = [row[2:] for row in self._dump_blobs(*self._thread, packed, new)]
        saved = orjson.dumps({**checkpoint, "channel_values": inline})
        told = get_serializable_checkpoint_metadata(config, metadata)
        self._steps.append(_Step(checkpoint["id"], parent, saved, orjson.dumps(told), blobs))
        self._passed = parent
        thread, ns = self._thread
        at: RunnableConfig = {
            "configurable": {"thread_id": thread, "checkpoint_ns": ns, "checkpoint_id": checkpoint["id"]}
        }
        self._newest = CheckpointTuple(at, checkpoint, told, config, [])
        if not self._may_wait(checkpoint):
            await self._put()
        return at

    def _may_wait(self, checkpoint: Checkpoint) -> bool:
        """Whether no node follows but such as may begin before it is written."""
        following = {name.removeprefix(BRANCH) for name in checkpoint["channel_values"] if name.startswith(BRANCH)}
        return following <= self._lets_wait

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        self._thread, at = _place(config)
        rows = [row[2:] for row in self._dump_writes(*self._thread, str(at), task_id, task_path, writes)]
        if not rows:
            return
        self._writes += rows
        if any(channel in WRITES_IDX_MAP for channel, _ in writes) or at == self._passed:
            await self._put()

    @contextmanager
    def going_along(self) -> Iterator[Statement | None]:
        """The statement that writes what waits, for a transaction within this block: when it ends undisturbed, that is
        written; else it still waits."""
        waiting = self._steps, self._writes
        try:
            yield self._take()
        except BaseException:
            self._steps, self._writes = waiting
            raise

    async def _put(self) -> None:
        statement = self._take()
        if statement is not None:
            async with self.lock:
                await self._connection.execute(*statement)

    def _take(self) -> Statement | None:
        """The statement that writes what waits, where something does; it no longer waits."""
        if self._thread is None or not self.waits:
            return None
        steps, self._steps = self._steps, []
        rows, self._writes = self._writes, []
        again = KEEP_FIRST
        if not steps and all(row[4] in WRITES_IDX_MAP for row in rows):  # one place for each: the last one wins
            again, rows = KEEP_LAST, list({(row[0], row[1], row[3]): row for row in rows}.values())
        blobs = list({(row[0], row[1]): row for step in steps for row in step.blobs}.values())
        parameters = dict(zip(("thread", "ns"), self._thread, strict=True))
        return _statement(bool(steps), bool(blobs), again if rows else ""), {
            **parameters,
            **(_of_steps(steps) if steps else {}),
            **(_of_blobs(blobs) if blobs else {}),
            **(_of_writes(rows) if rows else {}),
        }


# LangGraph asks for it in each run, to see whether it takes `task_path`.
setattr(WholeWrites.aput_writes, "__signature__", signature(WholeWrites.aput_writes))  # noqa: B010


@cache
def _statement(steps: bool, blobs: bool, written: str) -> bytes:
    parts = [("packed", BLOBS)] * blobs + [("written", WRITES + written)] * bool(written) + [("put", PUT)] * steps
    *before, (_, last) = parts
    text = f"WITH {', '.join(f'{name} AS ({part})' for name, part in before)} {last}" if before else last
    return text.encode()


def _place(config: RunnableConfig) -> tuple[Thread, str | None]:
    at = config["configurable"]
    return (at["thread_id"], at.get("checkpoint_ns", "")), at.get("checkpoint_id")


def _parted(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What goes into the checkpoint's own row, and what is packed beside it."""
    inline = {key: value for key, value in values.items() if value is None or isinstance(value, str | int | float)}
    return inline, {key: value for key, value in values.items() if key not in inline}


def _of_steps(steps: list[_Step]) -> dict[str, Any]:
    return {
        "ids": texts([step.id for step in steps]),
        "parents": texts([step.parent for step in steps]),
        "checkpoints": documents([step.checkpoint for step in steps]),
        "metadata": documents([step.metadata for step in steps]),
    }


def _of_blobs(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    channels, versions, types, blobs = zip(*rows, strict=True)
    return {"channels": texts(channels), "versions": texts(versions), "types": texts(types), "blobs": Blobs(blobs)}


def _of_writes(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    at, tasks, paths, places, written, types, blobs = zip(*rows, strict=True)
    return {
        "at": texts(at),
        "tasks": texts(tasks),
        "paths": texts(paths),
        "places": integers(places),
        "written": texts(written),
        "written_types": texts(types),
        "written_blobs": Blobs(blobs),
    }
