"""The thread's past: its checkpoints with the entry and step each belongs to, and the state at one."""

from dataclasses import dataclass
from typing import Any, TypedDict

from graph.checkpoints import StudioSaver
from storage.connection import Connection, Parameter, select

# The page first, by the key of the table, and only then what belongs to each of its rows: so a page costs the same on
# a thread of any length.
PAGE = """
SELECT c.checkpoint_id, c.parent_checkpoint_id, c.metadata, c.checkpoint ->> 'ts' AS at,
       ran.nodes AS ran, ran.channels AS changed, coming.nodes AS coming, e.event_type, e.event_id, saved.rows AS rows
  FROM (SELECT * FROM checkpoints
         WHERE thread_id = %(thread_id)s AND checkpoint_ns = ''
           AND (%(before)s::text IS NULL OR checkpoint_id < %(before)s)
         ORDER BY checkpoint_id DESC LIMIT %(limit)s) c
  LEFT JOIN LATERAL (
       SELECT array_agg(DISTINCT w.task_path) AS nodes, array_agg(DISTINCT w.channel) AS channels
         FROM checkpoint_writes w
        WHERE w.thread_id = c.thread_id AND w.checkpoint_ns = c.checkpoint_ns
          AND w.checkpoint_id = c.parent_checkpoint_id) ran ON true
  LEFT JOIN LATERAL (
       SELECT array_agg(DISTINCT w.task_path) AS nodes FROM checkpoint_writes w
        WHERE w.thread_id = c.thread_id AND w.checkpoint_ns = c.checkpoint_ns
          AND w.checkpoint_id = c.checkpoint_id) coming ON true
  LEFT JOIN LATERAL (
       SELECT event_type, event_id FROM events
        WHERE building_id = %(building_id)s AND seq = (c.metadata ->> 'seq')::bigint) e ON true
  LEFT JOIN checkpoints p ON p.thread_id = c.thread_id AND p.checkpoint_ns = c.checkpoint_ns
                         AND p.checkpoint_id = c.parent_checkpoint_id
  LEFT JOIN LATERAL (
       SELECT array_agg(DISTINCT entity || '/' || id) AS rows FROM changes
        WHERE building_id = %(building_id)s AND position > (p.metadata ->> 'position')::bigint
          AND position <= (c.metadata ->> 'position')::bigint AND seq = (c.metadata ->> 'seq')::bigint) saved ON true
 ORDER BY c.checkpoint_id DESC"""


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
    """The state keys that the step wrote."""
    rows: list[str] | None
    """The rows that it saved, as `table/id`; None where the tables' position was not kept with both checkpoints."""


async def list_checkpoints(
    conn: Connection, building_id: str, thread_id: str, *, limit: int, before: str | None = None
) -> list[CheckpointSummary]:
    """Checkpoints of a building's thread, newest first; older than the checkpoint `before`, where it is given."""
    page: dict[str, Parameter] = {"building_id": building_id, "thread_id": thread_id, "before": before, "limit": limit}
    return [_summary(row) for row in await select(conn, _Listed, PAGE, page)]


class _Metadata(TypedDict, total=False):
    """What is read of a checkpoint's metadata."""

    step: int
    source: str
    seq: int
    generation: int
    position: int


@dataclass(frozen=True)
class _Listed:
    checkpoint_id: str
    parent_checkpoint_id: str | None
    metadata: _Metadata
    at: str
    ran: list[str] | None
    changed: list[str] | None
    coming: list[str] | None
    event_type: str | None
    event_id: str | None
    rows: list[str] | None


def _summary(row: _Listed) -> CheckpointSummary:
    metadata = row.metadata
    return CheckpointSummary(
        checkpoint_id=row.checkpoint_id,
        parent_id=row.parent_checkpoint_id,
        at=row.at,
        step=metadata.get("step", -1),
        nodes=_nodes(row.ran) or (["__start__"] if metadata.get("source") == "input" else []),
        seq=metadata.get("seq"),
        generation=metadata.get("generation"),
        event_type=row.event_type,
        event_id=row.event_id,
        live="seq" in metadata,
        next=_nodes(row.coming),
        rows=sorted(row.rows or []) if "position" in metadata else None,
        changed=sorted(c for c in row.changed or [] if not c.startswith(("branch:", "__"))),
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
