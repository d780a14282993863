"""Replaying an event that died: the same entry, in its old place, as a new generation."""

from dataclasses import dataclass

from domain.approvals import Approval
from domain.errors import ConflictError, NotFoundError
from storage.audit import Act, Signature, record_audit
from storage.connection import Connection
from storage.queue import wake
from storage.rows import select
from storage.transaction import BuildingTransaction, building_transaction

FIND = "SELECT seq, source, status FROM events WHERE building_id = %s AND event_id = %s ORDER BY seq"

# A new generation is a new run to the graph: the first one's checkpoints and decisions do not bind it.
REQUEUE = """
UPDATE events SET status = 'queued', generation = generation + 1, attempts = 0, failures = 0, outages = 0,
       not_before = NULL, started_at = NULL, finished_at = NULL, error = NULL, outcome = NULL, began = NULL
 WHERE building_id = %s AND seq = %s AND status = 'dead'
RETURNING generation"""

# One that failed and waits for its next attempt is queued already: it is only to be tried now.
HURRY = """
UPDATE events SET not_before = NULL
 WHERE building_id = %s AND seq = %s AND status = 'queued' AND not_before IS NOT NULL
RETURNING generation"""


@dataclass(frozen=True)
class Retried:
    """An entry that is queued again, or tried at once instead of after its pause."""

    event_id: str
    seq: int
    generation: int
    status: str = "queued"


@dataclass(frozen=True)
class NamedEvent:
    """An entry that was found by its id."""

    seq: int
    source: str
    status: str


async def named(conn: Connection, building_id: str, event_id: str, source: str | None) -> NamedEvent:
    """The entry of that id, and of that source where one is given.

    Raises:
        NotFoundError: there is none.
        ConflictError: several sources sent that id, and none is given.
    """
    rows = await (await conn.execute(FIND, (building_id, event_id))).fetchall()
    found = [NamedEvent(**row) for row in rows if source is None or row["source"] == source]
    if not found:
        of_source = "" if source is None else f" from source {source!r}"
        raise NotFoundError(f"Building {building_id!r} has no event {event_id!r}{of_source}.")
    if len(found) > 1:
        sources = [event.source for event in found]
        raise ConflictError(
            f"{len(found)} sources sent an event {event_id!r}: name one with ?source=.", sources=sources
        )
    return found[0]


async def retry(
    conn: Connection, building_id: str, event_id: str, source: str | None, signature: Signature | None = None
) -> Retried:
    """Queue a dead entry again, or end the pause of one that failed, and wake its building, in one transaction. What
    was to become of a dead one is asked no more.

    `signature`: the caller's, where one asked for it.

    Raises:
        NotFoundError: there is no such building or event.
        ConflictError: the event is neither dead nor waits after a failure, or its source is needed to tell which one
            is meant.
    """
    async with building_transaction(conn, building_id) as transaction:
        event = await named(conn, building_id, event_id, source)
        key = (building_id, event.seq)
        row = await (await conn.execute(REQUEUE, key)).fetchone() or await (await conn.execute(HURRY, key)).fetchone()
        if row is None:
            raise ConflictError(
                f"Event {event_id!r} is {event.status}, and only one that is dead or waits after a failure can be "
                "retried.",
                event_status=event.status,
            )
        await _withdraw_question(transaction, event.seq)
        if signature is not None:
            detail = {"seq": event.seq, "source": event.source, "generation": row["generation"]}
            record_audit(transaction, signature, Act("event_retried", event_id, detail))
        await wake(conn, building_id)
    return Retried(event_id, event.seq, row["generation"])


async def _withdraw_question(transaction: BuildingTransaction, seq: int) -> None:
    """If it dies again, it is asked anew."""
    open_ = "building_id = %s AND kind = 'event_failed' AND status = 'pending' AND (subject ->> 'seq')::bigint = %s"
    for asked in await select(transaction.conn, Approval, open_, (transaction.building.building_id, seq)):
        transaction.save(asked.withdraw())
