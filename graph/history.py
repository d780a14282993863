"""The thread's past: its checkpoints with the entry and step each belongs to, and the state at one."""

from dataclasses import dataclass
from typing import Any

from graph.checkpoints import StudioSaver
from storage.database import Connection

PAGE = """
SELECT c.checkpoint_id, c.parent_checkpoint_id, c.metadata, c.checkpoint ->> 'ts' AS at,
       ran.nodes AS ran, ran.channels AS changed, coming.nodes AS coming, e.event_type, e.event_id
  FROM checkpoints c
  LEFT JOIN LATERAL (
       SELECT array_agg(DISTINCT w.task_path) AS nodes, array_agg(DISTINCT w.channel) AS channels
         FROM checkpoint_writes w
        WHERE w.thread_id = c.thread_id AND w.checkpoint_ns = c.checkpoint_ns
          AND w.checkpoint_id = c.parent_checkpoint_id) ran ON true
  LEFT JOIN LATERAL (
       SELECT array_agg(DISTINCT w.task_path) AS nodes FROM checkpoint_writes w
        WHERE w.thread_id = c.thread_id AND w.checkpoint_ns = c.checkpoint_ns
          AND w.checkpoint_id = c.checkpoint_id) coming ON true
  LEFT JOIN buildings b ON b.thread_id = c.thread_id::uuid
  LEFT JOIN events e ON e.building_id = b.building_id AND e.seq = (c.metadata ->> 'seq')::bigint
 WHERE c.thread_id = %(thread_id)s AND c.checkpoint_ns = ''
   AND (%(before)s::text IS NULL OR c.checkpoint_id < %(before)s)
 ORDER BY c.checkpoint_id DESC LIMIT %(limit)s"""


@dataclass(frozen=True)
class CheckpointSummary:
    """One checkpoint of a thread."""

    checkpoint_id: str
    parent_id: str | None
    at: str
    step: int
    nodes: list[str]
    """The nodes whose end this checkpoint marks; `__start__` for the entry's arrival."""
    seq: int | None
    generation: int | None
    event_type: str | None
    event_id: str | None
    live: bool
    """Written by a worker; False for what was run or edited in Studio."""
    next: list[str]
    """The nodes that ran, or wait, from here."""
    changed: list[str]
    """The state keys that those nodes wrote."""


async def list_checkpoints(
    conn: Connection, thread_id: str, *, limit: int, before: str | None = None
) -> list[CheckpointSummary]:
    """Checkpoints of a thread, newest first; older than the checkpoint `before`, where it is given."""
    rows = await (await conn.execute(PAGE, {"thread_id": thread_id, "before": before, "limit": limit})).fetchall()
    return [_summary(row) for row in rows]


def _summary(row: dict[str, Any]) -> CheckpointSummary:
    metadata = row["metadata"]
    return CheckpointSummary(
        checkpoint_id=row["checkpoint_id"],
        parent_id=row["parent_checkpoint_id"],
        at=row["at"],
        step=metadata.get("step", -1),
        nodes=_nodes(row["ran"]) or (["__start__"] if metadata.get("source") == "input" else []),
        seq=metadata.get("seq"),
        generation=metadata.get("generation"),
        event_type=row["event_type"],
        event_id=row["event_id"],
        live="seq" in metadata,
        next=_nodes(row["coming"]),
        changed=sorted(c for c in row["changed"] or [] if not c.startswith(("branch:", "__"))),
    )


def _nodes(paths: list[str] | None) -> list[str]:
    """Node names out of LangGraph's task paths, such as `~__pregel_pull, decide`."""
    return sorted({path.rsplit(", ", 1)[-1] for path in paths or [] if path})


async def state_at(conn: Connection, thread_id: str, checkpoint_id: str) -> dict[str, Any] | None:
    """The state at a checkpoint; None when there is no such checkpoint."""
    found = await StudioSaver(conn).aget_tuple(
        {"configurable": {"thread_id": thread_id, "checkpoint_ns": "", "checkpoint_id": checkpoint_id}}
    )
    if found is None:
        return None
    values = found.checkpoint["channel_values"]
    return {key: value for key, value in values.items() if not key.startswith(("branch:", "__"))}
