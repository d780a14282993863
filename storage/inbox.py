"""The inbox of a building: accepted once, numbered, taken strictly in order, and never lost."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from psycopg.types.json import Jsonb
from pydantic import ValidationError

from domain.approvals import Approval
from domain.earlier_digests import earlier_digests_of_body
from domain.errors import ConflictError, LeaseLostError
from domain.event_content import MARK, digest_of_body
from domain.events import EVENT, Entry, NamedLine
from domain.plain_json import JsonObject
from domain.principals import Author
from domain.questions import matter_on_file
from domain.text import ON_FILE
from storage.connection import Connection, Parameter, Rows, Statement, select_one
from storage.procurement import line_file
from storage.queue import wake
from storage.rows import select
from storage.transaction import BuildingTransaction, building_transaction

FIND = """
SELECT seq, status, body, body_hash FROM events WHERE building_id = %s AND source = %s AND event_id = %s"""

INSERT = """
INSERT INTO events (building_id, seq, source, event_id, event_type, body, body_hash, received_at, sent_by)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"""

TAKE_NUMBER = "UPDATE buildings SET last_seq = %s WHERE building_id = %s"

# Raised by every drain when it starts. It waits for whoever is just adding an entry, which is what makes "a drain
# job is already waiting" a promise that the entry will be seen.
BUMP_EPOCH = "UPDATE buildings SET epoch = epoch + 1 WHERE building_id = %s RETURNING epoch, thread_id, time_zone"

# Lines change by entries alone, so between taking the entry and running it this stays what it is.
TAKEN = """seq, generation, source, event_id, event_type, body, received_at, attempts, failures, outages,
       (SELECT item_id FROM items
         WHERE items.building_id = events.building_id AND NOT removed
           AND (item_id = events.body ->> 'item' OR name = events.body ->> 'item')
         ORDER BY item_id <> events.body ->> 'item' LIMIT 1) AS item_id"""
"""What is read of an entry that is taken (`claimed`), with the line that has exactly the id, or else the name, that it
names."""

CLAIM = f"""
UPDATE events SET status = 'running', attempts = attempts + 1, started_at = %(now)s,
       began = COALESCE(began, (SELECT position FROM buildings WHERE building_id = %(building_id)s))
 WHERE building_id = %(building_id)s
   AND seq = (SELECT min(seq) FROM events
               WHERE building_id = %(building_id)s AND status IN ('queued', 'running') AND seq > %(beyond)s)
   AND (not_before IS NULL OR not_before <= %(now)s)
RETURNING {TAKEN}"""

OPEN = "SELECT 1 FROM events WHERE building_id = %s AND status IN ('queued', 'running') LIMIT 1"

# Only the drain that bumped the epoch last may finish an event: one that was believed dead cannot do so behind
# its successor's back. Taking the building's row keeps the lock order of every other transaction.
FINISH = """
WITH own AS (SELECT position FROM buildings WHERE building_id = %(building_id)s AND epoch = %(epoch)s
                FOR NO KEY UPDATE)
UPDATE events SET status = %(status)s, outcome = %(outcome)s, error = %(error)s, failures = failures + %(failed)s,
       outages = outages + %(outage)s, not_before = %(not_before)s, finished_at = %(now)s, position = own.position
  FROM own WHERE building_id = %(building_id)s AND seq = %(seq)s
RETURNING 1"""

# The same for an entry that is done, and the next one claimed: one statement and one commit between two entries. An
# entry that is being added meanwhile is not seen, and has queued a drain of its own.
FINISH_AND_CLAIM = f"""
WITH own AS (SELECT position FROM buildings WHERE building_id = %(building_id)s AND epoch = %(epoch)s
                FOR NO KEY UPDATE),
ended AS (
    UPDATE events SET status = 'done', outcome = %(outcome)s, error = NULL, not_before = NULL, finished_at = %(now)s,
           position = own.position
      FROM own WHERE building_id = %(building_id)s AND seq = %(seq)s
    RETURNING 1 AS one),
claimed AS (
    UPDATE events SET status = 'running', attempts = attempts + 1, started_at = %(now)s,
           began = COALESCE(began, own.position)
      FROM own WHERE building_id = %(building_id)s
       AND seq = (SELECT min(seq) FROM events
                   WHERE building_id = %(building_id)s AND status IN ('queued', 'running') AND seq <> %(seq)s
                     AND seq > %(beyond)s)
       AND (not_before IS NULL OR not_before <= %(now)s)
    RETURNING {TAKEN})
SELECT claimed.* FROM ended LEFT JOIN claimed ON true"""

# Starts that a fault of the database ended are not counted, unless another drain has begun since.
EXCUSE = """
UPDATE events SET attempts = attempts - LEAST(%(starts)s, attempts - failures)
 WHERE building_id = %(building_id)s AND status = 'running' AND attempts > failures
   AND EXISTS (SELECT 1 FROM buildings WHERE building_id = %(building_id)s AND epoch = %(epoch)s)"""


@dataclass(frozen=True)
class Accepted:
    """An entry of the inbox; `created` is False when it had been there before."""

    event_id: str
    seq: int
    status: str
    created: bool


async def accept(
    conn: Connection,
    building_id: str,
    *,
    source: str,
    event_id: str,
    event_type: str,
    body: JsonObject,
    now: datetime,
    sent_by: Author | None = None,
) -> Accepted:
    """Store an entry and wake the building, in one transaction. From here it cannot be lost. `sent_by`: the caller,
    where one sent it.

    Raises:
        NotFoundError: there is no such building.
        ConflictError: the building is closed, or this source sent another body under that id.
    """
    digest = digest_of_body(body)  # before the building is locked: it takes a while for a large body
    async with building_transaction(conn, building_id) as transaction:
        return await add(
            transaction,
            source=source,
            event_id=event_id,
            event_type=event_type,
            body=body,
            now=now,
            sent_by=sent_by,
            digest=digest,
        )


class _Known(NamedTuple):
    seq: int
    status: str
    body: JsonObject
    body_hash: str


async def add(
    transaction: BuildingTransaction,
    *,
    source: str,
    event_id: str,
    event_type: str,
    body: JsonObject,
    now: datetime,
    seq: int | None = None,
    sent_by: Author | None = None,
    digest: str | None = None,
) -> Accepted:
    """Store an entry in the caller's transaction, which holds the building's row, and wake the building.

    `seq`: the number that it has on record, where it is run again; the next one else. `digest`: of the body, where it
    is known already.

    Raises:
        ConflictError: the building is closed, or this source sent another body under that id.
    """
    conn, building = transaction.conn, transaction.building
    key = (building.building_id, source, event_id)
    known = await select_one(conn, _Known, FIND, key)
    digest = digest or digest_of_body(body)
    if known is not None:
        if not source.startswith(OWN_SOURCES) and not _says_the_same(known, body, digest):
            other = _OTHER_BODY.format(source=source, event_id=event_id, seq=known.seq)
            raise ConflictError(other, seq=known.seq)
        return Accepted(event_id, known.seq, known.status, created=False)
    if building.status == "closed":
        raise ConflictError(f"Building {building.building_id!r} is closed and accepts nothing more.")
    number = transaction.last_seq + 1 if seq is None else seq
    transaction.last_seq = max(transaction.last_seq, number)
    author = None if sent_by is None else Jsonb(sent_by.model_dump())
    row = (building.building_id, number, source, event_id, event_type, Jsonb(body), digest, now, author)
    await conn.together([(INSERT, row), (TAKE_NUMBER, (transaction.last_seq, building.building_id))])
    if building.mode != "replay":
        await wake(conn, building.building_id)
    return Accepted(event_id, number, "queued", created=True)


OWN_SOURCES = "longlead"
"""How the sources of entries begin that Longlead writes itself, under ids of its own making: there the id alone says
what is meant."""

_OTHER_BODY = (
    "Source {source!r} sent an event {event_id!r} before, with another body: it is entry {seq}. Nothing was stored. "
    "Send a different event under an id of its own; send this one again as it was."
)


def _says_the_same(known: _Known, body: JsonObject, digest: str) -> bool:
    """Whether a body is the one that is on file. The digest tells, also where the stored body was made anonymous; where
    an earlier version made it, the stored body or a digest made as then."""
    stored = known.body_hash
    if digest == stored or stored.startswith(MARK):
        return digest == stored
    return digest == digest_of_body(known.body) or stored in earlier_digests_of_body(body)


@dataclass(frozen=True)
class Lease:
    """A drain's hold on a building's inbox, valid until the next drain begins."""

    building_id: str
    epoch: int
    thread_id: str
    time_zone: str


async def is_open(conn: Connection, building_id: str) -> bool:
    """Whether any entry of the building waits or is being processed."""
    return await (await conn.execute(OPEN, (building_id,))).fetchone() is not None


async def begin_drain(conn: Connection, building_id: str) -> Lease | None:
    """Raise the building's epoch; None when the building is gone."""
    row = await (await conn.execute(BUMP_EPOCH, (building_id,))).fetchone()
    if row is None:
        return None
    return Lease(building_id, row["epoch"], str(row["thread_id"]), row["time_zone"])


@dataclass(frozen=True)
class Claimed:
    """The entry that is next, marked as running."""

    entry: Entry
    attempts: int
    failures: int
    outages: int = 0
    """Of the failures, those that something outside caused."""

    @property
    def own_failures(self) -> int:
        """Failures that nothing outside caused."""
        return self.failures - self.outages


async def claim(conn: Connection, lease: Lease, now: datetime, *, beyond: int = 0) -> Claimed | None:
    """Take the first open entry with a number beyond that; None when there is none, or when it is not yet due (backing
    off)."""
    parameters: dict[str, Parameter] = {"building_id": lease.building_id, "now": now, "beyond": beyond}
    taken = await select_one(conn, Taken, CLAIM, parameters)
    return None if taken is None else claimed(lease, taken)


@dataclass(frozen=True)
class Taken:
    """The row of an entry as it was marked as running: the columns of TAKEN."""

    seq: int
    generation: int
    source: str
    event_id: str
    event_type: str
    body: JsonObject
    received_at: datetime
    attempts: int
    failures: int
    outages: int
    item_id: str | None


def claimed(lease: Lease, row: Taken) -> Claimed:
    """An entry as it was marked as running."""
    line = None if row.item_id is None else NamedLine(named=str(row.body["item"]), item_id=row.item_id)
    entry = Entry(
        building_id=lease.building_id,
        seq=row.seq,
        generation=row.generation,
        source=row.source,
        event_id=row.event_id,
        event_type=row.event_type,
        body=row.body,
        received_at=row.received_at,
        time_zone=lease.time_zone,
        line=line,
    )
    return Claimed(entry, row.attempts, row.failures, row.outages)


async def finish(
    conn: Connection,
    lease: Lease,
    seq: int,
    *,
    status: str,
    now: datetime,
    outcome: JsonObject | None = None,
    error: str | None = None,
    failed: bool = False,
    outage: bool = False,
    not_before: datetime | None = None,
    along: Statement | None = None,
) -> None:
    """Write how an entry ended: `done`, `dead`, or `queued` again with a time before which it is not tried. `outage`:
    it failed by something outside. `along` is a statement that is committed with it.

    Raises:
        LeaseLostError: another drain has begun since.
    """
    parameters: dict[str, Parameter] = {
        "building_id": lease.building_id,
        "epoch": lease.epoch,
        "seq": seq,
        "status": status,
        "outcome": None if outcome is None else Jsonb(outcome),
        "error": error,
        "failed": int(failed),
        "outage": int(outage),
        "not_before": not_before,
        "now": now,
    }
    if not await _ended(conn, (FINISH, parameters), along):
        raise _lost(lease)


async def finish_and_claim(
    conn: Connection,
    lease: Lease,
    seq: int,
    *,
    now: datetime,
    outcome: JsonObject,
    along: Statement | None = None,
    beyond: int = 0,
) -> Claimed | None:
    """Write that an entry is done, and take the next open one with a number beyond that; None when there is none that
    may be taken now. `along` is a statement that is committed with it.

    Raises:
        LeaseLostError: another drain has begun since; nothing was written or taken.
    """
    parameters: dict[str, Parameter] = {
        "building_id": lease.building_id,
        "epoch": lease.epoch,
        "seq": seq,
        "now": now,
        "beyond": beyond,
        "outcome": Jsonb(outcome),
    }
    ended = await _ended(conn, (FINISH_AND_CLAIM, parameters), along)
    if not ended:
        raise _lost(lease)
    (row,) = ended
    return None if row["seq"] is None else claimed(lease, Taken(**row))


async def _ended(conn: Connection, ending: Statement, along: Statement | None) -> Rows:
    """Both statements in one message and one commit; the row of the one that ends the entry, where it was ended."""
    *_, ended = await conn.together([ending] if along is None else [along, ending])
    return ended


def _lost(lease: Lease) -> LeaseLostError:
    return LeaseLostError(f"Another worker has taken over building {lease.building_id!r}.")


async def excuse(conn: Connection, lease: Lease, starts: int = 1) -> None:
    """Take back starts of the entry that is processed: they ended by a fault of the database, not of its own."""
    await conn.execute(EXCUSE, {"building_id": lease.building_id, "epoch": lease.epoch, "starts": starts})


async def bury(conn: Connection, lease: Lease, entry: Entry, *, error: str, now: datetime) -> None:
    """Give an entry up: dead, its decision's question asked again, and a person told by an entry of its own.

    If that entry dies too, or the building is closed, its row alone tells.

    Raises:
        LeaseLostError: another drain has begun since.
    """
    async with building_transaction(conn, lease.building_id, entry.seq) as transaction:
        await finish(conn, lease, entry.seq, status="dead", now=now, error=error, failed=True)
        if entry.event_type == "Event_Failed":
            return
        if entry.event_type == "Decision":
            await _reopen(transaction, entry)
        if transaction.building.status == "closed":
            return
        await add(
            transaction,
            source=INTERNAL,
            event_id=f"failed:{entry.seq}:{entry.generation}",
            event_type="Event_Failed",
            body=_failure(entry, error),
            now=now,
        )


INTERNAL = "longlead.internal"
"""Source of entries that Longlead writes to itself; the public endpoint refuses it."""


def _failure(entry: Entry, error: str) -> JsonObject:
    """What a person is told of a dead entry; an event of the public kinds can be sent again as it was, unless what is
    wrong with it is that it cannot be read."""
    told: JsonObject = {
        "event_id": entry.event_id,
        "source": entry.source,
        "event_type": entry.event_type,
        "seq": entry.seq,
        "error": error[:1000],
    }
    again = not entry.source.startswith("longlead") and _is_readable(entry.body)
    return {**told, "event": entry.body} if again else told


def _is_readable(body: JsonObject) -> bool:
    try:
        EVENT.validate_python(body, context=ON_FILE)
    except ValidationError:
        return False
    return True


async def _reopen(transaction: BuildingTransaction, entry: Entry) -> None:
    """A decision that could not be applied or carried out gives its question back, unless a newer one took its
    place: of a line, kind and matter one question is pending."""
    rows = await select(transaction.conn, Approval, "approval_id = %s", (str(entry.body["approval_id"]),))
    for approval in rows:
        decision = approval.decision or {}
        if approval.status != "decided" or decision.get("event_id") != entry.event_id:
            continue
        if await _newer(transaction, approval):
            transaction.save(approval.outdate())
            continue
        given_back = {"status": "pending", "decision": None, "decision_seq": None, "version": approval.version + 1}
        transaction.save(approval.model_copy(update=given_back))


async def _newer(transaction: BuildingTransaction, approval: Approval) -> bool:
    if approval.item_id is None:
        return False
    conn, building_id = transaction.conn, transaction.building.building_id
    file = await line_file(conn, building_id, approval.item_id)
    matter = matter_on_file(approval, file)
    pending = "building_id = %s AND item_id = %s AND kind = %s AND status = 'pending'"
    alike = await select(conn, Approval, pending, (building_id, approval.item_id, approval.kind))
    return any(matter_on_file(other, file) == matter for other in alike)
