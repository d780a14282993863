"""Answering a question: a compare-and-set on its row, and the answer's entry in the inbox, in one transaction."""

from dataclasses import dataclass
from datetime import datetime

from domain.absent import no_approval
from domain.approvals import Approval, Decision, Question
from domain.errors import ConflictError
from domain.plain_json import JsonObject, PlainAction, as_json
from domain.principals import Author, Door
from storage import inbox, procurement
from storage.audit import Act, Signature, record_audit
from storage.connection import Connection
from storage.rows import select
from storage.transaction import BuildingTransaction, building_transaction

SOURCE = "longlead.decision"
"""Source of the inbox entries that answers become; the public endpoint refuses it."""


@dataclass(frozen=True)
class AcceptedDecision:
    """An answer that was taken: it will be applied in its turn. `created` is False for a repeated request."""

    approval: Approval
    event_id: str
    seq: int
    version: int
    """The version of the question that was answered."""
    created: bool


async def decide(
    conn: Connection,
    approval_id: str,
    decision: Decision,
    *,
    version: int | None,
    event_id: str,
    now: datetime,
    seq: int | None = None,
    via: Door = "key",
) -> AcceptedDecision:
    """Accept the first answer to a question. `event_id` repeats with a repeated request; `seq` is its number where it
    is on record and given again. `via`: how the responder came in.

    Raises:
        NotFoundError: there is no such approval.
        ConflictError: it is already answered or no longer asked, or the version answered is not the one that
            stands; the standing decision or version is in the error. Or a repeated request has another answer.
    """
    found = await procurement.approval(conn, approval_id)
    building_id = None if found is None else await building_of(conn, approval_id)
    if found is None or building_id is None:
        raise no_approval(approval_id)
    async with building_transaction(conn, building_id) as transaction:
        approval = await locked(transaction, approval_id)
        repeated = await find_repeated(conn, building_id, approval, decision, event_id=event_id, version=version)
        if repeated is not None:
            return repeated
        _refuse_late(approval, version)
        author = Author(**decision.responder.model_dump(), via=via)
        accepted = await inbox.add(
            transaction,
            source=SOURCE,
            event_id=event_id,
            event_type="Decision",
            body=_body(approval, decision),
            now=now,
            seq=seq,
            sent_by=None if transaction.building.mode == "replay" else author,
        )
        approval = approval.accept(decision, accepted.seq, event_id, now)
        transaction.seq = accepted.seq
        transaction.save(approval)
        told: JsonObject = {"type": decision.type, "version": approval.version, "seq": accepted.seq}
        told["actions"] = as_json(decision.actions)
        record_audit(transaction, Signature(author, now), Act("decision_given", approval_id, told))
        return AcceptedDecision(approval, event_id, accepted.seq, approval.version, created=True)


async def find_repeated(
    conn: Connection, building_id: str, approval: Approval, decision: Decision, *, event_id: str, version: int | None
) -> AcceptedDecision | None:
    """What became of the first request with this event id; None when this is the first.

    Raises:
        ConflictError: the first request had another answer.
    """
    row = await (await conn.execute(inbox.FIND, (building_id, SOURCE, event_id))).fetchone()
    if row is None:
        return None
    first = row["body"]
    if version not in (None, first["version"]) or _said(Decision.model_validate(first["decision"])) != _said(decision):
        raise ConflictError(
            "This Idempotency-Key came with another answer before. Send a new key with a new answer.",
            approval_status=approval.status,
            decision=first["decision"],
            version=approval.version,
        )
    return AcceptedDecision(approval, event_id, row["seq"], first["version"], created=False)


def _said(decision: Decision) -> JsonObject:
    """What a sender said, without what is known of the sender."""
    return decision.model_dump(mode="json", include={"type", "actions", "why", "occurred_at"})


async def locked(transaction: BuildingTransaction, approval_id: str) -> Approval:
    """The approval as it stands under the building's lock."""
    rows = await select(transaction.conn, Approval, "approval_id = %s", (approval_id,))
    return rows[0]


async def building_of(conn: Connection, approval_id: str) -> str | None:
    """The building that an approval belongs to; None when there is no such approval."""
    row = await (
        await conn.execute("SELECT building_id FROM approvals WHERE approval_id = %s", (approval_id,))
    ).fetchone()
    return None if row is None else str(row["building_id"])


async def refused_proposals(conn: Connection, building_id: str, question: Question) -> list[list[PlainAction]]:
    """What people refused in answer to the last questions of this kind on this matter of a line, the newest first."""
    query = """
        SELECT options -> refused -> 'actions' AS actions FROM approvals
         WHERE building_id = %s AND item_id = %s AND kind = %s AND matter = ANY(%s)
           AND status = 'decided' AND decision ->> 'type' = 'reject'
         ORDER BY decision_seq DESC LIMIT 20"""
    asked = (building_id, question.item_id, question.kind, ["", question.matter])
    rows = await (await conn.execute(query, asked)).fetchall()
    return [row["actions"] or [] for row in rows]


def _refuse_late(approval: Approval, version: int | None) -> None:
    if approval.status != "pending":
        raise ConflictError(
            f"Approval {approval.approval_id!r} is {approval.status} and takes no further answer.",
            approval_status=approval.status,
            decision=approval.decision,
            version=approval.version,
        )
    if version is not None and version != approval.version:
        raise ConflictError(
            f"Approval {approval.approval_id!r} stands at version {approval.version}: the facts have changed since "
            f"version {version}. Read it again and decide on what it says now.",
            approval_status=approval.status,
            decision=None,
            version=approval.version,
        )


def _body(approval: Approval, decision: Decision) -> JsonObject:
    """The inbox entry: it names the approval and binds the answer to the version that was read."""
    body: JsonObject = {
        "approval_id": approval.approval_id,
        "key": approval.key,
        "version": approval.version,
        "item": approval.item_id,
        "decision": decision.model_dump(mode="json"),
    }
    if decision.occurred_at is not None:
        body["occurred_at"] = decision.occurred_at.isoformat()
    return body
