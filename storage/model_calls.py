"""Calls of language models on file: kept answers, what a day has cost, and totals for the figures."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from storage.connection import Connection, Found, select

# What a model said stands, also where it could not be used: asked again it would say the same for the same money.
# What never reached it (a dead server, a full minute) is asked again.
KNOWN = """
SELECT outcome, detail, answer, model, input_tokens, output_tokens, cost FROM model_calls
 WHERE building_id = %s AND seq = %s AND worker = %s AND ordinal = %s AND tier = %s AND request_hash = %s
   AND (outcome = 'answered' OR output_tokens > 0)
 ORDER BY call_id LIMIT 1"""

SPENT = """
SELECT COALESCE(sum(input_tokens + output_tokens), 0)::bigint AS tokens, COALESCE(sum(cost), 0) AS cost
  FROM model_calls WHERE building_id = %s AND day = %s"""

KEEP = """
WITH counted AS (
    INSERT INTO model_totals
    VALUES (%(building_id)s, %(worker)s, %(model)s, %(outcome)s, 1, %(input_tokens)s, %(output_tokens)s,
            COALESCE(%(cost)s::numeric, 0))
    ON CONFLICT (building_id, worker, model, outcome) DO UPDATE
       SET calls = model_totals.calls + 1,
           input_tokens = model_totals.input_tokens + excluded.input_tokens,
           output_tokens = model_totals.output_tokens + excluded.output_tokens,
           cost = model_totals.cost + excluded.cost)
INSERT INTO model_calls (building_id, seq, worker, ordinal, tier, request_hash, model, outcome, detail, answer,
                         input_tokens, output_tokens, cost, took_s, day, at)
VALUES (%(building_id)s, %(seq)s, %(worker)s, %(ordinal)s, %(tier)s, %(request_hash)s, %(model)s, %(outcome)s,
        %(detail)s, %(answer)s, %(input_tokens)s, %(output_tokens)s, %(cost)s, %(took_s)s, %(day)s, %(at)s)"""

TOTALS = """
SELECT worker, model, outcome, sum(calls)::bigint AS calls, sum(input_tokens)::bigint AS input_tokens,
       sum(output_tokens)::bigint AS output_tokens, sum(cost) AS cost
  FROM model_totals GROUP BY worker, model, outcome ORDER BY worker, model, outcome"""

USAGE = """
SELECT count(*)::bigint AS calls, COALESCE(sum(input_tokens), 0)::bigint AS input_tokens,
       COALESCE(sum(output_tokens), 0)::bigint AS output_tokens, sum(cost) AS cost
  FROM model_calls WHERE building_id = %s AND seq = %s"""


@dataclass(frozen=True)
class CallKey:
    """What makes a call the same call: the entry, who asks, its place among their calls, the tier, what is asked."""

    building_id: str
    seq: int
    worker: str
    ordinal: int
    tier: int
    request_hash: str


@dataclass(frozen=True)
class ModelCall:
    """One call as it ended."""

    key: CallKey
    model: str
    outcome: str
    detail: str | None
    answer: str | None
    input_tokens: int
    output_tokens: int
    cost: Decimal | None
    took_s: float
    day: date
    at: datetime


@dataclass(frozen=True)
class ModelTotal:
    """The calls of a worker to a model that ended alike."""

    worker: str
    model: str
    outcome: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost: Decimal


async def known(conn: Connection, key: CallKey) -> dict[str, Any] | None:
    """How this very call ended before; None where it never reached a model."""
    found = (key.building_id, key.seq, key.worker, key.ordinal, key.tier, key.request_hash)
    return await (await conn.execute(KNOWN, found)).fetchone()


async def spent(conn: Connection, building_id: str, day: date) -> tuple[int, Decimal]:
    """Tokens and money (where prices are known) that a building's calls took on a day."""
    row = await (await conn.execute(SPENT, (building_id, day))).fetchone() or {"tokens": 0, "cost": Decimal(0)}
    return row["tokens"], row["cost"]


async def keep(conn: Connection, call: ModelCall) -> None:
    """Put a call on file and into the totals, in one statement."""
    fields = {**vars(call), **vars(call.key)}
    del fields["key"]
    await conn.execute(KEEP, fields)


async def totals(conn: Connection) -> list[ModelTotal]:
    """By worker, model and outcome: calls, tokens in and out, cost."""
    return await select(conn, ModelTotal, TOTALS)


async def usage(conn: Connection, building_id: str, seq: int) -> Found:
    """What one entry took: calls, tokens in and out, cost (None: no price is known)."""
    return await (await conn.execute(USAGE, (building_id, seq))).fetchone() or {}
