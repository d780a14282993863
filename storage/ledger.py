"""The action ledger and the decision log: what was done and decided, once for each key."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from domain.errors import LedgerMismatchError, StorageError
from storage.database import Connection
from storage.transaction import BuildingTransaction

FIND = """
SELECT args_hash, result FROM actions
 WHERE building_id = %s AND seq = %s AND action = %s AND item = %s AND ordinal = %s"""

INSERT = """
INSERT INTO actions (building_id, seq, action, item, ordinal, kind, args_hash, arguments, result, responder,
                     position, at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""

OUTBOX = """
INSERT INTO outbox (building_id, key, channel, recipient, subject, payload, status, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"""

DECIDE = """
WITH new AS (
    INSERT INTO decisions (building_id, seq, generation, step, item_id, approval_id, type, kind, responder, why,
                           confidence, tokens, actions, basis, fingerprint, at)
    VALUES (%(building_id)s, %(seq)s, %(generation)s, %(step)s, %(item_id)s, %(approval_id)s, %(type)s, %(kind)s,
            %(responder)s, %(why)s, %(confidence)s, %(tokens)s, %(actions)s, %(basis)s, %(fingerprint)s, %(at)s)
    ON CONFLICT (building_id, seq, generation, step) DO NOTHING
    RETURNING actions, type, responder, why, confidence, basis)
SELECT actions, type, responder, why, confidence, basis FROM new
UNION ALL
SELECT actions, type, responder, why, confidence, basis FROM decisions
 WHERE building_id = %(building_id)s AND seq = %(seq)s AND generation = %(generation)s AND step = %(step)s
   AND NOT EXISTS (SELECT 1 FROM new)"""

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


async def find(conn: Connection, key: EffectKey, arguments: dict[str, Any]) -> dict[str, Any] | None:
    """The stored result of an effect that has already been carried out; None when it has not.

    Raises:
        LedgerMismatchError: it was carried out with other arguments.
    """
    row = await (await conn.execute(FIND, (key.building_id, key.seq, key.action, key.item, key.ordinal))).fetchone()
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
    transaction.also(
        INSERT,
        (key.building_id, key.seq, key.action, key.item, key.ordinal, kind, args_hash(arguments))
        + (Jsonb(arguments), Jsonb(result), Jsonb(responder), transaction.end_position, at),
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
) -> None:
    """Put a message for outside into the outbox, in the effect's transaction. A sandbox's is never delivered."""
    status = "queued" if transaction.building.mode == "live" else "withheld"
    transaction.also(
        OUTBOX,
        (key.building_id, str(key), channel, recipient, subject, Jsonb(payload), status, at),
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
    actions: list[dict[str, Any]]
    at: datetime
    item_id: str | None = None
    approval_id: str | None = None
    confidence: float | None = None
    tokens: int | None = None
    basis: dict[str, Any] = field(default_factory=dict)
    fingerprint: str | None = None


async def decide(conn: Connection, decisions: Sequence[StoredDecision]) -> list[dict[str, Any]]:
    """Store decisions before anything acts; where one is already stored, that one stands.

    Returns what stands of each decision: {actions, type, responder, why, confidence, basis}.
    """
    cursors = []
    async with conn.pipeline():
        for decision in decisions:
            parameters = {
                **vars(decision),
                "responder": Jsonb(decision.responder),
                "actions": Jsonb(decision.actions),
                "basis": Jsonb(decision.basis),
            }
            cursors.append(await conn.execute(DECIDE, parameters))
    standing = []
    for cursor in cursors:
        row = await cursor.fetchone()
        if row is None:
            raise StorageError("A decision could not be stored, nor was it stored before. Report this.")
        standing.append(row)
    return standing


async def decided(conn: Connection, building_id: str, seq: int, generation: int, step: int) -> dict[str, Any] | None:
    """What stands of a decision that was stored before; None where there is none yet."""
    return await (await conn.execute(DECIDED, (building_id, seq, generation, step))).fetchone()
