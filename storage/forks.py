"""Forks: sandboxes of a building as it was. Made from `changes`, never from the rows of today; gone without a trace.

The parent is only read, in one snapshot. The fork is a building of its own from its first row on: its questions have
ids of its own, its orders are numbered as the parent's, and what it writes for outside is withheld.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic_core import to_jsonable_python

from domain.errors import ConflictError, InvalidError, NotFoundError
from domain.plain_json import JsonObject
from domain.procurement import Row
from storage import long_term
from storage.as_of import LATEST, Moment
from storage.audit import Act, Signature, audit_row
from storage.buildings import thread_id
from storage.connection import Connection, Parameter, select_one
from storage.ledger import args_hash
from storage.rows import TABLES
from storage.transaction import LOCK

REBUILT = frozenset(table.name for table in TABLES.values())
"""Tables that a fork gets from `changes`."""
COPIED = frozenset({"events", "changes", "actions", "decisions", "model_calls"})
"""Tables of which a fork gets what was there then."""
EMPTY = frozenset({"outbox", "deliveries", "event_totals", "model_totals", "link_uses", "audit"})
"""Tables of a building that a fork begins without: what was sent, counted or done by people was the parent's."""
UNREFERENCED = ("event_totals", "model_totals")
"""Tables whose rows do not go with their building by themselves."""
KEPT = frozenset({"audit"})
"""Tables whose rows stay when their building goes: who made and deleted a fork can still be read."""
OF_THREAD = ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "pruned_threads")

SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"

_NEXT_NUMBER = "SELECT nextval(pg_get_serial_sequence('forks', 'number')) AS number"

# Before the first image (buildings of older versions have none of their beginning) its orders were not yet counted.
_BUILDING = """
INSERT INTO buildings (building_id, name, thread_id, mode, origin, status, time_zone, currency, working_week, contacts,
                       approvers, policy, schedule_version, po_counter, is_watching, goes_live, live_from_seq,
                       acts_from, spec_hash, created_at, last_seq, position)
SELECT %(fork_id)s, b.name, %(thread_id)s, %(mode)s, COALESCE(b.origin, b.building_id),
       COALESCE(i.data ->> 'status', 'active'), b.time_zone, b.currency, b.working_week,
       COALESCE(i.data -> 'contacts', f.data -> 'contacts', b.contacts),
       COALESCE(i.data -> 'approvers', f.data -> 'approvers', b.approvers),
       COALESCE(i.data -> 'policy', f.data -> 'policy', b.policy),
       COALESCE((i.data ->> 'schedule_version')::int, 1), COALESCE((i.data ->> 'po_counter')::int, 0),
       COALESCE((i.data ->> 'is_watching')::boolean, false), COALESCE((i.data ->> 'goes_live')::boolean, false),
       COALESCE((i.data ->> 'live_from_seq')::bigint, 0), (i.data ->> 'acts_from')::timestamptz,
       b.spec_hash, %(now)s, %(last_seq)s, %(position)s
  FROM buildings b
  LEFT JOIN LATERAL (SELECT data FROM changes WHERE building_id = b.building_id AND entity = 'buildings'
                        AND position <= %(position)s ORDER BY position DESC LIMIT 1) i ON true
  LEFT JOIN LATERAL (SELECT data FROM changes WHERE i.data IS NULL AND building_id = b.building_id
                        AND entity = 'buildings' ORDER BY position LIMIT 1) f ON true
 WHERE b.building_id = %(building_id)s"""

_FORK = """
INSERT INTO forks (number, fork_id, parent_id, position, last_seq, in_hand, checkpoint_id, state_seq, exact, note,
                   created_by, created_at) OVERRIDING SYSTEM VALUE
VALUES (%(number)s, %(fork_id)s, %(building_id)s, %(position)s, %(last_seq)s, %(in_hand)s, %(checkpoint_id)s,
        %(state_seq)s, %(exact)s, %(note)s, %(created_by)s, %(now)s)"""


_LAST_ENDED = """
SELECT COALESCE(max(seq), 0) AS seq FROM events
 WHERE building_id = %(building_id)s AND position <= %(position)s AND seq <= %(last_seq)s"""


def _renamed(column: str) -> str:
    """A JSON column in which the parent's questions are named as the fork's. As jsonb writes it, the text of a key and
    its value is found nowhere inside a string."""
    key = '\'"approval_id": "\''
    return f"replace({column}::text, {key} || %(building_id)s::text || '-', {key} || %(fork_id)s::text || '-')::jsonb"


def _own(column: str) -> str:
    """A column that holds the id of one of the parent's questions, as the fork's."""
    return f"%(fork_id)s::text || substr({column}, length(%(building_id)s::text) + 1)"


_CHANGES = f"""
INSERT INTO changes (building_id, position, seq, entity, id, data)
SELECT %(fork_id)s::text, c.position, c.seq, c.entity, CASE c.entity WHEN 'approvals' THEN {_own("c.id")} ELSE c.id END,
       {_renamed("c.data")}
  FROM ({LATEST}) latest JOIN changes c ON c.building_id = %(building_id)s::text AND c.position = latest.position"""

# An entry that died and was tried again later is dead in between; the one in hand waits for its run to go on.
_EVENTS = f"""
INSERT INTO events (building_id, seq, source, event_id, event_type, body, body_hash, received_at, status, generation,
                    attempts, failures, not_before, started_at, finished_at, error, outcome, position, began,
                    sent_by)
SELECT %(fork_id)s::text, e.seq, e.source, e.event_id, e.event_type,
       CASE WHEN e.body ? 'approval_id' THEN {_renamed("e.body")} ELSE e.body END, e.body_hash, e.received_at,
       was.status, was.generation,
       CASE was.status WHEN 'queued' THEN 0 ELSE e.attempts END,
       CASE was.status WHEN 'queued' THEN 0 ELSE e.failures END,
       NULL, e.started_at, CASE was.status WHEN 'queued' THEN NULL ELSE e.finished_at END,
       CASE was.status WHEN 'dead' THEN COALESCE(e.error, 'it had died there, and was tried again later') END,
       CASE WHEN was.status <> 'done' THEN NULL
            WHEN jsonb_array_length(e.outcome -> 'approvals') > 0 THEN
                 jsonb_set(e.outcome, '{{approvals}}', replace((e.outcome -> 'approvals')::text,
                           '"' || %(building_id)s::text || '-', '"' || %(fork_id)s::text || '-')::jsonb)
            ELSE e.outcome END,
       LEAST(e.position, %(position)s), LEAST(e.began, %(position)s), e.sent_by
  FROM events e CROSS JOIN LATERAL (
       SELECT CASE WHEN e.seq = %(in_hand)s::bigint THEN 'queued'
                   WHEN %(died)s::jsonb ? e.seq::text THEN 'dead' ELSE e.status END,
              CASE WHEN e.seq = %(in_hand)s::bigint THEN %(generation)s
                   ELSE COALESCE((%(died)s::jsonb ->> e.seq::text)::integer, e.generation) END
       ) AS was (status, generation)
 WHERE e.building_id = %(building_id)s::text AND e.seq <= %(last_seq)s"""

_ACTIONS = f"""
INSERT INTO actions (building_id, seq, action, item, ordinal, kind, args_hash, arguments, result, responder, position,
                     at)
SELECT %(fork_id)s::text, seq, action,
       CASE WHEN action IN ('settle', 'remind', 'announce') THEN {_own("item")} ELSE item END,
       ordinal, kind, args_hash, CASE WHEN kind = 'question' THEN {_renamed("arguments")} ELSE arguments END,
       CASE WHEN action = 'review' THEN replace(result::text, '"' || %(building_id)s::text || '-',
                                                '"' || %(fork_id)s::text || '-')::jsonb
            WHEN kind = 'question' THEN {_renamed("result")} ELSE result END, responder, position, at
  FROM actions WHERE building_id = %(building_id)s::text AND seq <= %(last_seq)s AND position <= %(position)s"""

_DECISIONS = f"""
INSERT INTO decisions (building_id, seq, generation, step, item_id, approval_id, type, kind, responder, why,
                       confidence, actions, at, basis, fingerprint, tokens)
SELECT %(fork_id)s::text, d.seq, d.generation, d.step, d.item_id, {_own("d.approval_id")}, d.type, d.kind, d.responder,
       d.why, d.confidence, d.actions, d.at, d.basis, d.fingerprint, d.tokens
  FROM decisions d JOIN events e ON e.building_id = %(fork_id)s::text AND e.seq = d.seq
 WHERE d.building_id = %(building_id)s::text AND d.seq <= %(last_seq)s AND d.generation <= e.generation
   AND (d.seq IS DISTINCT FROM %(in_hand)s::bigint OR d.generation < e.generation OR d.step < %(decided)s)"""

# So that what was asked of a model is not asked again where a run goes on.
_MODEL_CALLS = """
INSERT INTO model_calls (building_id, seq, worker, ordinal, tier, request_hash, model, outcome, detail, answer,
                         input_tokens, output_tokens, cost, took_s, day, at)
SELECT %(fork_id)s::text, seq, worker, ordinal, tier, request_hash, model, outcome, detail, answer, input_tokens,
       output_tokens, cost, took_s, day, at
  FROM model_calls WHERE building_id = %(building_id)s::text AND seq <= %(last_seq)s"""

# What an entry did that is to go on, or may be tried again, is found by its key with its arguments.
_RENAMED_ARGUMENTS = """
SELECT a.seq, a.action, a.item, a.ordinal, a.arguments FROM actions a JOIN events e USING (building_id, seq)
 WHERE a.building_id = %s AND e.status <> 'done' AND a.action IN ('settle', 'remind', 'announce')"""
_HASH = """
UPDATE actions SET args_hash = %s WHERE building_id = %s AND seq = %s AND action = %s AND item = %s AND ordinal = %s"""


@dataclass(frozen=True)
class ForkPoint:
    """Where a fork parts from its parent: between two entries, or within the run of one."""

    moment: Moment
    died: Mapping[int, int] = field(default_factory=dict)
    """Entries that had died there, and were tried again later; each with its generation there."""
    in_hand: int | None = None
    """The entry whose run is to go on."""
    generation: int = 0
    """Which run of it."""
    decided: int = 0
    """Decisions of that run are known below this step."""
    checkpoint_id: str | None = None
    """Of the parent's thread, where the state comes from; None: the thread begins anew."""
    state_seq: int | None = None
    exact: bool = True
    """Whether that checkpoint is of this very moment."""
    note: str | None = None


@dataclass(frozen=True)
class Fork:
    """A sandbox that was made."""

    fork_id: str
    parent_id: str
    thread_id: str
    moment: Moment
    in_hand: int | None


async def create(conn: Connection, point: ForkPoint, *, signature: Signature, mode: str = "sandbox") -> Fork:
    """The fork's building and all its rows, in the caller's transaction (a SNAPSHOT); its thread is the caller's. That
    somebody made it is recorded with its parent, but for a replay: that is a backtest's own."""
    parent = point.moment.building_id
    row = await (await conn.execute(_NEXT_NUMBER)).fetchone()
    origin = await (await conn.execute("SELECT origin FROM buildings WHERE building_id = %s", (parent,))).fetchone()
    if row is None or origin is None:
        raise NotFoundError(f"There is no building {parent!r}. List the buildings with GET /buildings.")
    fork_id = _named(origin["origin"] or parent, row["number"])
    parameters: dict[str, Parameter] = {
        "fork_id": fork_id,
        "thread_id": thread_id(fork_id),
        "mode": mode,
        "number": row["number"],
        "created_by": Jsonb(signature.by.model_dump(exclude={"via"})),
        "now": signature.at,
        **vars(point.moment),
        **{name: value for name, value in vars(point).items() if name != "moment"},
        "died": Jsonb({str(seq): generation for seq, generation in point.died.items()}),
    }
    defaults: dict[type[Row], dict[str, Parameter]] = {
        kind: {"fork_id": fork_id, "defaults": Jsonb(_defaults(kind))} for kind in TABLES
    }
    await conn.together(
        [
            *((statement, parameters) for statement in (_BUILDING, _FORK, _CHANGES)),
            *((_rebuild(kind), given) for kind, given in defaults.items()),
            *((statement, parameters) for statement in (_EVENTS, _ACTIONS, _DECISIONS, _MODEL_CALLS)),
        ]
    )
    if mode == "sandbox":
        parted = {"after_event": point.moment.last_seq, "checkpoint_id": point.checkpoint_id}
        await conn.execute(*audit_row(parent, signature, Act("fork_made", fork_id, parted)))
    if point.died or point.in_hand is not None:
        await _hash_again(conn, fork_id)
    await long_term.copy_memory(conn, parent, fork_id, await _remembered(conn, point))
    return Fork(fork_id, parent, thread_id(fork_id), point.moment, point.in_hand)


async def _remembered(conn: Connection, point: ForkPoint) -> int:
    """The last entry that the building remembered at that moment: one in hand has yet to be remembered."""
    if point.in_hand is not None:
        return point.in_hand - 1
    row = await (await conn.execute(_LAST_ENDED, vars(point.moment))).fetchone()
    return int(row["seq"]) if row else 0


def _named(origin: str, number: int) -> str:
    """The fork's id: a slug, as every building's."""
    ending = f"-fork-{number}"
    return origin[: 63 - len(ending)] + ending


@cache
def _rebuild(kind: type[Row]) -> bytes:
    """The rows of a kind from the fork's own `changes`; what an image of an older version lacks has its default."""
    table = sql.Identifier(TABLES[kind].name)
    columns = sql.SQL(", ").join(map(sql.Identifier, kind.model_fields))
    query = sql.SQL(
        "INSERT INTO {table} (building_id, {columns}) SELECT c.fork, {columns} FROM ("
        "SELECT r.*, c.building_id AS fork FROM changes c "
        "CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, %(defaults)s || c.data) r "
        "WHERE c.building_id = %(fork_id)s AND c.entity = {name}) c"
    )
    return query.format(table=table, columns=columns, name=sql.Literal(TABLES[kind].name)).as_bytes()


@cache
def _defaults(kind: type[Row]) -> JsonObject:
    return {
        name: to_jsonable_python(field.get_default(call_default_factory=True))
        for name, field in kind.model_fields.items()
        if not field.is_required()
    }


async def _hash_again(conn: Connection, fork_id: str) -> None:
    rows = await (await conn.execute(_RENAMED_ARGUMENTS, (fork_id,))).fetchall()
    for row in rows:
        key = (fork_id, row["seq"], row["action"], row["item"], row["ordinal"])
        await conn.execute(_HASH, (args_hash(row["arguments"]), *key))


FORK = "SELECT * FROM forks WHERE parent_id = %s AND fork_id = %s"
CHILDREN = "SELECT fork_id FROM forks WHERE parent_id = %s ORDER BY number"
# The very key of runtime/slots.py: while a worker runs the fork, it is left alone.
TRY_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0)) AS got"
# A drain that is running ends by itself, and its job with it.
MEMORY = "DELETE FROM store WHERE prefix = %s OR prefix LIKE %s"  # a fork remembers under its own thread
JOBS = "DELETE FROM procrastinate_jobs WHERE lock = %s AND status <> 'doing'"


@dataclass(frozen=True)
class Begun:
    """A row of `forks`: of which building it is a fork, and where it begins."""

    number: int
    fork_id: str
    parent_id: str
    position: int
    last_seq: int
    in_hand: int | None
    checkpoint_id: str | None
    state_seq: int | None
    exact: bool
    note: str | None
    created_by: JsonObject
    created_at: datetime


async def find(conn: Connection, parent_id: str, fork_id: str) -> Begun:
    """A fork's row.

    Raises:
        NotFoundError: the building has no such fork.
    """
    row = await select_one(conn, Begun, FORK, (parent_id, fork_id))
    if row is None:
        raise NotFoundError(
            f"Building {parent_id!r} has no fork {fork_id!r}. List them with GET /buildings/{parent_id}/forks."
        )
    return row


async def begins(conn: Connection, building_id: str) -> Begun | None:
    """Where a building begins that is a fork itself; None for any other."""
    return await select_one(conn, Begun, "SELECT * FROM forks WHERE fork_id = %s", (building_id,))


async def delete(conn: Connection, parent_id: str, fork_id: str, signature: Signature | None = None) -> bool:
    """Delete a fork with all that belongs to it, but for the audit. False while a worker is at it: to be tried again.
    `signature`: the caller's, where one asked for it.

    Raises:
        NotFoundError: the building has no such fork.
        ConflictError: it has forks of its own.
    """
    async with conn.transaction():
        await find(conn, parent_id, fork_id)
        thread = thread_id(fork_id)
        locked = await (await conn.execute(TRY_LOCK, (thread,))).fetchone()
        if locked is None or not locked["got"]:
            return False
        await conn.execute(LOCK, (fork_id,))
        await _refuse_with_children(conn, fork_id)
        await conn.together(
            [
                (JOBS, (fork_id,)),
                *((f"DELETE FROM {table} WHERE thread_id = %s", (thread,)) for table in OF_THREAD),
                (MEMORY, (f"buildings.{thread}", f"buildings.{thread}.%")),
                *((f"DELETE FROM {table} WHERE building_id = %s", (fork_id,)) for table in UNREFERENCED),
                ("DELETE FROM buildings WHERE building_id = %s", (fork_id,)),
                *([] if signature is None else [audit_row(parent_id, signature, Act("fork_deleted", fork_id))]),
            ]
        )
    return True


async def _refuse_with_children(conn: Connection, fork_id: str) -> None:
    children = [row["fork_id"] for row in await (await conn.execute(CHILDREN, (fork_id,))).fetchall()]
    if children:
        raise ConflictError(f"Fork {fork_id!r} has forks of its own: delete {', '.join(children)} first.")


def check_within(begun: Begun | None, moment: Moment) -> None:
    """A fork knows its past only from where it begins.

    Raises:
        InvalidError: the moment is before that.
    """
    if begun is not None and moment.position < begun.position:
        raise InvalidError(
            f"{moment.building_id!r} is a fork that begins after event {begun.last_seq}; "
            f"for an earlier point fork {begun.parent_id!r}.",
            "before_event",
        )


async def set_mode(conn: Connection, fork_ids: Sequence[str], mode: str) -> None:
    """Make forks ordinary sandboxes once a backtest is through with them."""
    await conn.execute(
        "UPDATE buildings SET mode = %s WHERE building_id = ANY(%s) AND mode <> 'live'", (mode, list(fork_ids))
    )
