"""Where a fork may part from a building: before an entry, at a checkpoint, or now. Read from inbox and live line."""

from dataclasses import replace
from typing import Any

from domain.errors import ConflictError, InvalidError, NotFoundError
from graph.whole_writes import BRANCH
from storage.as_of import Moment
from storage.connection import Connection
from storage.forks import ForkPoint, begins, check_within
from storage.inbox import INTERNAL
from tools.decisions import known_below

BUILDING = "SELECT building_id, thread_id::text, last_seq, position FROM buildings WHERE building_id = %s"
FIRST_OPEN = "SELECT min(seq) AS seq FROM events WHERE building_id = %s AND status IN ('queued', 'running')"

# Where an entry of older versions began is not on its row: after the entry before it, before its own first change.
ENTRY = """
SELECT e.seq, e.generation, e.status, e.position,
       COALESCE(e.began, first.position - 1, before.position, 0) AS began
  FROM events e
  LEFT JOIN LATERAL (SELECT max(o.position) AS position FROM events o
                      WHERE e.began IS NULL AND o.building_id = e.building_id AND o.seq < e.seq AND o.generation = 0
                        AND o.position <= e.position) before ON true
  LEFT JOIN LATERAL (SELECT min(c.position) AS position FROM changes c
                      WHERE e.began IS NULL AND c.building_id = e.building_id AND c.seq = e.seq
                        AND c.position > COALESCE(before.position, 0) AND c.position <= e.position) first ON true
 WHERE e.building_id = %s AND e.seq = %s"""

# Entries are taken in order, so the last that had ended at a position tells all: but those that were tried again later.
LAST_ENDED = """
SELECT COALESCE(max(seq), 0) AS seq FROM events
 WHERE building_id = %s AND status IN ('done', 'dead') AND position <= %s AND generation = 0"""
_LINE = "thread_id = %(thread)s AND checkpoint_ns = '' AND metadata ? 'seq'"
_RUN = "(metadata ->> 'seq')::bigint = %(seq)s AND (metadata ->> 'generation')::bigint = %(generation)s"
# Of entries that were tried again: which had died there, and in which of their runs. The live line tells, by steps; as
# does the entry that told a person of it. Where the line is not kept any more, so do the positions in `changes`.
DIED = f"""
SELECT e.seq, LEAST(e.generation - 1, COALESCE(GREATEST(line.newest, told.newest), e.generation - 1)) AS generation
  FROM events e CROSS JOIN LATERAL (
       SELECT max((metadata ->> 'generation')::integer)
                  FILTER (WHERE (metadata ->> 'step')::integer < %(before_step)s::bigint) AS newest,
              min((metadata ->> 'step')::integer)
                  FILTER (WHERE (metadata ->> 'generation')::integer = e.generation) AS last_run
         FROM checkpoints WHERE {_LINE} AND (metadata ->> 'seq')::bigint = e.seq) line
  CROSS JOIN LATERAL (
       SELECT max(split_part(event_id, ':', 3)::integer) AS newest FROM events
        WHERE building_id = e.building_id AND source = '{INTERNAL}' AND event_type = 'Event_Failed'
          AND starts_with(event_id, 'failed:' || e.seq || ':') AND seq <= %(last)s) told
 WHERE e.building_id = %(building_id)s AND e.generation > 0 AND e.seq <= %(last)s
   AND (e.status IN ('queued', 'running')
        OR CASE WHEN %(before_step)s::bigint IS NULL OR line.last_run IS NULL
                THEN e.position IS NULL OR e.position > %(position)s ELSE line.last_run >= %(before_step)s::bigint END)
 ORDER BY e.seq"""

CHECKPOINT = """
SELECT checkpoint_id, metadata, checkpoint -> 'channel_values' AS inline FROM checkpoints
 WHERE thread_id = %s AND checkpoint_ns = '' AND checkpoint_id = %s"""

# The checkpoint at which a run began: the one before its first. None of the run on the line: it has not begun, or its
# checkpoints were deleted.
BEFORE_RUN = f"""
SELECT c.checkpoint_id, c.metadata, c.checkpoint_id = run.parent_checkpoint_id AS exact, run.step
  FROM (SELECT (metadata ->> 'step')::integer AS step, parent_checkpoint_id FROM checkpoints
         WHERE {_LINE} AND {_RUN}
         ORDER BY (metadata ->> 'step')::integer LIMIT 1) run
  LEFT JOIN LATERAL (
       SELECT checkpoint_id, metadata FROM checkpoints
        WHERE {_LINE} AND (metadata ->> 'step')::integer < run.step
        ORDER BY (metadata ->> 'step')::integer DESC, checkpoint_id DESC LIMIT 1) c ON true"""
NEAREST = f"""
SELECT checkpoint_id, metadata FROM checkpoints
 WHERE {_LINE} AND (metadata ->> 'seq')::bigint < %(seq)s
 ORDER BY (metadata ->> 'step')::integer DESC, checkpoint_id DESC LIMIT 1"""
AFTER = f"""
SELECT 1 FROM checkpoints
 WHERE {_LINE} AND {_RUN} AND (metadata ->> 'step')::integer > %(step)s LIMIT 1"""
NEVER = 2**40
"""A step that no line has come to."""

FIRST_NODES = frozenset({"classify_event", "read_reply", "apply_decision"})
"""Where a run begins. Until one of these has ended, the state still counts the looks of the run before."""
NODES_AFTER_DECIDING = frozenset({"carry_out", "remember", "summarise", "await_approval", "post_answer"})
"""Nodes that begin when all of a look's decisions are stored. `learn` is none: it comes between two looks."""


async def point_now(conn: Connection, building_id: str) -> ForkPoint:
    """Before the first entry that has not been processed."""
    building = await _building(conn, building_id)
    first = await _one(conn, FIRST_OPEN, (building_id,))
    if first["seq"] is not None:
        return await point_before(conn, building_id, first["seq"])
    return await _between(conn, building, building["position"], building["last_seq"])


async def point_before(conn: Connection, building_id: str, seq: int) -> ForkPoint:
    """Before an entry of the inbox was processed; before its last run, where it died and was tried again.

    Raises:
        NotFoundError: there is no such building or entry.
        ConflictError: entries before it have not been processed yet.
        InvalidError: the building is a fork that begins later.
    """
    building = await _building(conn, building_id)
    first = (await _one(conn, FIRST_OPEN, (building_id,)))["seq"]
    if first is not None and seq > first:
        raise ConflictError(f"Event {first} of {building_id!r} is still to be processed: fork before it, or wait.")
    if seq == building["last_seq"] + 1:
        return await point_now(conn, building_id)
    entry = await _row(conn, ENTRY, (building_id, seq))
    if entry is None:
        raise NotFoundError(f"Building {building_id!r} has no event {seq}; its last one is {building['last_seq']}.")
    position = entry["began"] if entry["position"] is not None else _began(entry, building)
    last = seq - 1
    if entry["generation"]:
        last = max(seq, (await _one(conn, LAST_ENDED, (building_id, position)))["seq"])
    run = await _row(conn, BEFORE_RUN, _run_of(building, entry))
    point = await _moment(conn, building, position, last, _first_step(run, entry))
    return await _with_state_before(conn, building, point, entry, run)


def _first_step(run: dict[str, Any] | None, entry: dict[str, Any]) -> int | None:
    """The first step of an entry's run on the live line; None where its checkpoints are gone."""
    if run is not None:
        return int(run["step"])
    return NEVER if entry["status"] in ("queued", "running") else None


def _run_of(building: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    return {"thread": building["thread_id"], "seq": entry["seq"], "generation": entry["generation"]}


def _began(entry: dict[str, Any], building: dict[str, Any]) -> int:
    """Where an open entry begins, or will begin."""
    began: int = entry["began"] if entry["status"] == "running" else building["position"]
    return began


async def _between(conn: Connection, building: dict[str, Any], position: int, last: int) -> ForkPoint:
    """After everything that was processed: the state is the live head."""
    point = await _moment(conn, building, position, last, NEVER)
    return await _nearest(conn, building, point, last + 1, exact=True)


async def _moment(
    conn: Connection, building: dict[str, Any], position: int, last: int, before_step: int | None
) -> ForkPoint:
    """The tables' moment. `before_step`: the first step of the live line that comes after it; None: not known."""
    moment = Moment(building["building_id"], position, last)
    check_within(await begins(conn, moment.building_id), moment)
    about = {"building_id": moment.building_id, "thread": building["thread_id"], "position": position, "last": last}
    rows = await (await conn.execute(DIED, {**about, "before_step": before_step})).fetchall()
    return ForkPoint(moment, died={row["seq"]: row["generation"] for row in rows})


async def _with_state_before(
    conn: Connection,
    building: dict[str, Any],
    point: ForkPoint,
    entry: dict[str, Any],
    found: dict[str, Any] | None,
) -> ForkPoint:
    if found is None:
        open_ = entry["status"] in ("queued", "running")
        return await _nearest(conn, building, point, point.moment.last_seq + 1, exact=open_)
    if found["checkpoint_id"] is not None and found["exact"]:
        return replace(point, checkpoint_id=found["checkpoint_id"], state_seq=found["metadata"]["seq"])
    if found["checkpoint_id"] is None and entry["seq"] == 1:
        return point  # nothing ran before the first entry: the thread begins here
    return await _nearest(conn, building, point, entry["seq"], exact=False)


async def _nearest(
    conn: Connection, building: dict[str, Any], point: ForkPoint, before: int, *, exact: bool
) -> ForkPoint:
    """The newest checkpoint of an entry before `before`; what is lost by that is said."""
    found = await _row(conn, NEAREST, {"thread": building["thread_id"], "seq": before})
    if found is None:
        if before == 1 or (exact and point.moment.last_seq == 0):
            return point
        note = "The agent's state of that moment is no longer kept: its thread begins anew. The tables are as of then."
        return replace(point, exact=False, note=note)
    of = found["metadata"]["seq"]
    known = replace(point, checkpoint_id=found["checkpoint_id"], state_seq=of)
    if exact:
        return known
    note = (
        "The agent's state of that moment is no longer kept: it is the nearest older one, of "
        f"event {of}. The tables are as of then."
    )
    return replace(known, exact=False, note=note)


async def point_at(conn: Connection, building_id: str, checkpoint_id: str) -> ForkPoint:
    """At a checkpoint of the live line: after its entry, or in the middle of its run, which then goes on in the fork.

    Raises:
        NotFoundError: there is no such building or checkpoint.
        InvalidError: it was made in Studio, or the building is a fork that begins later.
    """
    building = await _building(conn, building_id)
    found = await _row(conn, CHECKPOINT, (building["thread_id"], checkpoint_id))
    if found is None:
        raise NotFoundError(
            f"Building {building_id!r} has no checkpoint {checkpoint_id!r}. "
            f"List them with GET /buildings/{building_id}/history."
        )
    metadata = found["metadata"]
    if "seq" not in metadata:
        raise InvalidError(
            "This checkpoint was made in Studio, where nothing acts, so no tables belong to it: fork the live "
            "checkpoint that it began from.",
            "checkpoint_id",
        )
    run = _run_of(building, metadata)
    entry = await _row(conn, ENTRY, (building_id, metadata["seq"]))
    if entry is None:
        raise NotFoundError(f"Building {building_id!r} no longer has event {metadata['seq']}.")
    ended = (
        await _row(conn, AFTER, {**run, "step": metadata["step"]}) is None
        and entry["status"] == "done"
        and entry["generation"] == metadata["generation"]
    )
    position = metadata.get("position", entry["position"] if ended else None)
    if position is None:
        point = await point_before(conn, building_id, metadata["seq"])
        note = "This checkpoint was written by an older version, which did not keep the tables' position: the fork is "
        return replace(point, exact=False, note=note + f"as of before event {metadata['seq']}.")
    return await _at(conn, building, found, position, ended=ended)


async def _at(
    conn: Connection, building: dict[str, Any], found: dict[str, Any], position: int, *, ended: bool
) -> ForkPoint:
    metadata, building_id = found["metadata"], building["building_id"]
    last = seq = metadata["seq"]
    if metadata["generation"]:
        last = max(seq, (await _one(conn, LAST_ENDED, (building_id, position)))["seq"])
    point = await _moment(conn, building, position, last, metadata["step"])
    died = {entry: generation for entry, generation in point.died.items() if entry != seq}
    known = replace(point, checkpoint_id=found["checkpoint_id"], state_seq=seq, died=died)
    if ended:
        return known
    return replace(
        known,
        in_hand=seq,
        generation=metadata["generation"],
        decided=_decided(metadata.get("source"), found["inline"]),
    )


def _decided(source: str | None, values: dict[str, Any]) -> int:
    """Below which step the run's decisions were stored when a checkpoint was made. The checkpoint itself names the
    nodes that follow: what its parent wrote is pruned some day, and a fork has no parent checkpoint."""
    following = {name.removeprefix(BRANCH) for name in values if name.startswith(BRANCH)}
    passes = values.get("passes") or 0
    if source == "input" or following & FIRST_NODES:
        return known_below(0, "nothing")
    if not following or following & NODES_AFTER_DECIDING:
        return known_below(passes, "all")
    return known_below(passes, "facts" if "advise" in following else "nothing")


async def _building(conn: Connection, building_id: str) -> dict[str, Any]:
    row = await _row(conn, BUILDING, (building_id,))
    if row is None:
        raise NotFoundError(f"There is no building {building_id!r}. List the buildings with GET /buildings.")
    return row


async def _row(conn: Connection, query: str, parameters: Any) -> dict[str, Any] | None:
    return await (await conn.execute(query, parameters)).fetchone()


async def _one(conn: Connection, query: str, parameters: Any) -> dict[str, Any]:
    return await _row(conn, query, parameters) or {}
