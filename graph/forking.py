"""Making a fork: the tables as of a moment, and a thread that begins at the checkpoint of that moment.

The checkpoint is copied with its id, so what is parked there stays parked, by the same interrupt id. Of the writes at
it only the open questions are copied: what its nodes came to in the parent must not count as done in the fork.
"""

from collections.abc import Callable
from typing import Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Interrupt

from graph.fork_points import point_at, point_before, point_now
from storage import forks
from storage.audit import Signature
from storage.connection import Connection, Statement
from storage.forks import Fork, ForkPoint
from storage.queue import wake

CHECKPOINT = """
INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata)
SELECT %(to)s, checkpoint_ns, checkpoint_id, NULL, type, checkpoint, metadata FROM checkpoints
 WHERE thread_id = %(from)s AND checkpoint_ns = '' AND checkpoint_id = %(id)s"""

BLOBS = """
SELECT b.channel, b.version, b.type, b.blob FROM checkpoints c
 CROSS JOIN LATERAL jsonb_each_text(c.checkpoint -> 'channel_versions') AS named
  JOIN checkpoint_blobs b ON b.thread_id = c.thread_id AND b.checkpoint_ns = c.checkpoint_ns
   AND b.channel = named.key AND b.version = named.value
 WHERE c.thread_id = %(from)s AND c.checkpoint_ns = '' AND c.checkpoint_id = %(id)s"""
PUT_BLOB = """
INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob) VALUES (%s, '', %s, %s, %s, %s)"""

QUESTIONS = """
SELECT task_id, task_path, idx, channel, type, blob FROM checkpoint_writes
 WHERE thread_id = %(from)s AND checkpoint_ns = '' AND checkpoint_id = %(id)s AND channel = '__interrupt__'"""
PUT_QUESTION = """
INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob)
VALUES (%s, '', %s, %s, %s, %s, %s, %s, %s)"""

_SERDE = JsonPlusSerializer()

NAMES_QUESTIONS = frozenset({"approval_id", "approvals", "also_pending", "renewed", "superseded"})
"""Keys of the state under which ids of questions stand, alone or in lists."""


async def fork(
    conn: Connection,
    building_id: str,
    *,
    before_event: int | None = None,
    checkpoint_id: str | None = None,
    signature: Signature,
    mode: str = "sandbox",
) -> Fork:
    """Make a sandbox of a building as it was before an entry, at a checkpoint, or (neither given) as it is now.

    Raises:
        NotFoundError: there is no such building, entry or checkpoint.
        ConflictError: entries before that point have not been processed yet.
        InvalidError: no fork can be made of that point; the message says why.
    """
    async with conn.transaction():
        await conn.execute(forks.SNAPSHOT)
        if checkpoint_id is not None:
            point = await point_at(conn, building_id, checkpoint_id)
        elif before_event is not None:
            point = await point_before(conn, building_id, before_event)
        else:
            point = await point_now(conn, building_id)
        made = await forks.create(conn, point, signature=signature, mode=mode)
        if point.checkpoint_id is not None:
            await _seed(conn, point, made)
        if made.in_hand is not None and mode == "sandbox":
            await wake(conn, made.fork_id)  # the run that was in hand goes on
    return made


async def _seed(conn: Connection, point: ForkPoint, made: Fork) -> None:
    """Copy the checkpoint with the values that it names, in the fork's own names."""
    parent = await (
        await conn.execute("SELECT thread_id::text FROM buildings WHERE building_id = %s", (made.parent_id,))
    ).fetchone()
    assert parent is not None
    at = {"from": parent["thread_id"], "to": made.thread_id, "id": point.checkpoint_id}
    await conn.execute(CHECKPOINT, at)
    blobs = await (await conn.execute(BLOBS, at)).fetchall()
    questions = await (await conn.execute(QUESTIONS, at)).fetchall()
    await conn.together([_blob(row, made) for row in blobs] + [_question(row, made, point) for row in questions])


def _blob(row: dict[str, Any], made: Fork) -> Statement:
    return PUT_BLOB, (made.thread_id, row["channel"], row["version"], *_own(row["type"], row["blob"], made))


def _question(row: dict[str, Any], made: Fork, point: ForkPoint) -> Statement:
    place = (made.thread_id, point.checkpoint_id, row["task_id"], row["task_path"], row["idx"], row["channel"])
    return PUT_QUESTION, (*place, *_own(row["type"], row["blob"], made))


def _own(type_: str, blob: bytes | None, made: Fork) -> tuple[str, bytes | None]:
    """A packed value with the building and its questions named as the fork's."""
    if blob is None or made.parent_id.encode() not in blob:
        return type_, blob
    value = _SERDE.loads_typed((type_, blob))
    return _SERDE.dumps_typed(renamed(value, made.parent_id, made.fork_id))


def renamed(value: Any, parent_id: str, fork_id: str) -> Any:
    """A value of the state with the building and the ids of its questions named as the fork's; text stays as it is."""

    def question(found: Any) -> Any:
        if isinstance(found, str) and found.startswith(f"{parent_id}-"):
            return fork_id + found[len(parent_id) :]
        return [question(one) for one in found] if isinstance(found, list) else walk(found)

    def walk(found: Any) -> Any:
        if isinstance(found, Interrupt):
            return Interrupt(value=walk(found.value), id=found.id)
        if isinstance(found, dict):
            return {key: _one(key, inner, question, walk) for key, inner in found.items()}
        return [walk(one) for one in found] if isinstance(found, (list, tuple)) else found

    def _one(key: Any, inner: Any, question: Callable[[Any], Any], walk: Callable[[Any], Any]) -> Any:
        if key == "building_id" and inner == parent_id:
            return fork_id
        return question(inner) if key in NAMES_QUESTIONS else walk(inner)

    return walk(value)
