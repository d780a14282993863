"""The action ledger and the decision log: what was done and decided, once for each key."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from domain.errors import LedgerMismatchError
from domain.plain_json import PlainAction
from storage.connection import Connection, Statement
from storage.transaction import BuildingTransaction

FIND = """
SELECT args_hash, result FROM actions
 WHERE building_id = %s AND seq = %s AND action = %s AND item = %s AND ordinal = %s"""

# All or none: an earlier run may have come to other decisions, since people change policies in between. Mixed by their
# places, one matter would be decided twice and another not at all.
DECIDE = """
WITH stood AS (
    SELECT * FROM decisions
     WHERE building_id = %(building_id)s AND seq = %(seq)s AND generation = %(generation)s
       AND step BETWEEN %(first)s AND %(last)s),
new AS (
    INSERT INTO decisions (building_id, seq, generation, step, item_id, approval_id, type, kind, responder, why,
                           confidence, tokens, actions, basis, fingerprint, at)
    SELECT %(building_id)s, %(seq)s, %(generation)s, given.*
      FROM jsonb_to_recordset(%(given)s) AS given (
           step integer, item_id text, approval_id text, type text, kind text, responder jsonb, why text,
           confidence double precision, tokens bigint, actions jsonb, basis jsonb, fingerprint text, at timestamptz)
     WHERE NOT EXISTS (SELECT 1 FROM stood)
    RETURNING *)
SELECT step, item_id, kind, actions, type, responder, why, confidence, basis FROM stood
UNION ALL
SELECT step, item_id, kind, actions, type, responder, why, confidence, basis FROM new
ORDER BY step"""

DECIDED = """
SELECT actions, type, responder, why, confidence, basis FROM decisions
 WHERE building_id = %s AND seq = %s AND generation = %s AND step = %s"""


@dataclass(frozen=True)
class EffectKey:
    """What makes an effect the same effect: the entry that caused it, its name and item, and its place among
    those of the same name and item. An event id alone is unique only for its source, so it is never a key."""

    building_id: str
    seq: int
    action: str
    item: str
    ordinal: int

    def __str__(self) -> str:
        return f"{self.building_id}:{self.seq}:{self.action}:{self.item}:{self.ordinal}"


def args_hash(arguments: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(arguments, sort_keys=True, default=str).encode()).hexdigest()


def finding(key: EffectKey) -> Statement:
    """The statement that looks an effect up."""
    return FIND, (key.building_id, key.seq, key.action, key.item, key.ordinal)


def found(row: dict[str, Any] | None, key: EffectKey, arguments: dict[str, Any]) -> dict[str, Any] | None:
    """The stored result of an effect that has already been carried out; None when it has not.

    Raises:
        LedgerMismatchError: it was carried out with other arguments.
    """
    if row is None:
        return None
    if row["args_hash"] != args_hash(arguments):
        raise LedgerMismatchError(
            f"The effect {key} was carried out before with other arguments. Nothing was done now; "
            "compare the ledger with the event and report the difference."
        )
    result: dict[str, Any] = row["result"]
    return result


def record(
    transaction: BuildingTransaction,
    key: EffectKey,
    *,
    kind: str,
    arguments: dict[str, Any],
    result: dict[str, Any],
    responder: dict[str, Any],
    at: datetime,
) -> None:
    """Write the effect into the ledger at the end of its transaction; the unique key is the guard."""
    transaction.append(
        "actions",
        {
            "seq": key.seq,
            "action": key.action,
            "item": key.item,
            "ordinal": key.ordinal,
            "kind": kind,
            "args_hash": args_hash(arguments),
            "arguments": arguments,
            "result": result,
            "responder": responder,
            "position": transaction.end_position,
            "at": at.isoformat(),
        },
    )


def post(
    transaction: BuildingTransaction,
    key: EffectKey,
    *,
    channel: str,
    recipient: str,
    subject: str,
    payload: dict[str, Any],
    at: datetime,
    on_going_live: bool = False,
) -> None:
    """Put a message for outside into the outbox, in the effect's transaction. That of a sandbox, or of a building in
    watch, is withheld: it is never delivered, whatever becomes of the building. `on_going_live`: it tells what keeps
    the building from going live, and is sent where a person has switched it to live."""
    building = transaction.building
    reason = None if on_going_live and building.going_live else building.withholds_because
    transaction.append(
        "outbox",
        {
            "key": str(key),
            "channel": channel,
            "recipient": recipient,
            "subject": subject,
            "payload": payload,
            "status": "queued" if reason is None else "withheld",
            "withheld_because": reason,
            "created_at": at.isoformat(),
        },
    )


@dataclass(frozen=True)
class StoredDecision:
    """A decision as it goes into the log; `step` is its place within the entry's run."""

    building_id: str
    seq: int
    generation: int
    step: int
    type: str
    kind: str
    responder: dict[str, Any]
    why: str
    actions: list[PlainAction]
    at: datetime
    item_id: str | None = None
    approval_id: str | None = None
    confidence: float | None = None
    tokens: int | None = None
    basis: dict[str, Any] = field(default_factory=dict)
    fingerprint: str | None = None


@dataclass(frozen=True)
class Places:
    """The steps, from the first to the last, of what is decided together in an entry's run."""

    building_id: str
    seq: int
    generation: int
    first: int
    last: int


async def decide(conn: Connection, places: Places, decisions: Sequence[StoredDecision]) -> list[dict[str, Any]]:
    """Store decisions before anything acts; where any is already stored in these places, those stand instead.

    Returns what stands, in order: {step, item_id, kind, actions, type, responder, why, confidence, basis}.
    """
    given = [{**vars(decision), "at": decision.at.isoformat()} for decision in decisions]
    return await (await conn.execute(DECIDE, {**vars(places), "given": Jsonb(given)})).fetchall()


async def decided(conn: Connection, building_id: str, seq: int, generation: int, step: int) -> dict[str, Any] | None:
    """What stands of a decision that was stored before; None where there is none yet."""
    return await (await conn.execute(DECIDED, (building_id, seq, generation, step))).fetchone()
