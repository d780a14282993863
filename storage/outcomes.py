"""What came of each entry: the decisions taken on it, and the questions that it left open."""

from dataclasses import dataclass
from typing import NamedTuple

from domain.approvals import Approval, Responder
from domain.plain_json import JsonObject, PlainAction
from storage.connection import Connection, select

DECISIONS = """
SELECT d.seq, d.kind, d.item_id, d.type, d.responder, d.actions FROM decisions d JOIN events e USING (building_id, seq)
 WHERE d.building_id = %s AND d.seq > %s AND d.generation = e.generation ORDER BY d.seq, d.step"""

QUESTIONS = """
SELECT DISTINCT ON (seq, id) seq, data FROM changes
 WHERE building_id = %s AND position > %s AND entity = 'approvals' AND data ->> 'status' = 'pending'
 ORDER BY seq, id, position DESC"""

DIED = "SELECT seq FROM events WHERE building_id = %s AND seq > %s AND status = 'dead'"


@dataclass(frozen=True)
class Outcome:
    """One thing that came of an entry. Two are alike if all of it is, whichever building it is of."""

    seq: int
    how: str
    """`decided`, `asked`, or `died`."""
    kind: str = ""
    item_id: str | None = None
    type: str = ""
    by: str = ""
    """Who decided, or who is asked."""
    by_model: bool = False
    actions: tuple[PlainAction, ...] = ()
    """What is to be done, or what is recommended."""


async def outcomes(conn: Connection, building_id: str, after_seq: int, after_position: int) -> list[Outcome]:
    """What came of the entries after a point."""
    decided = await select(conn, _Decided, DECISIONS, (building_id, after_seq))
    asked = await select(conn, _Asked, QUESTIONS, (building_id, after_position))
    died = await (await conn.execute(DIED, (building_id, after_seq))).fetchall()
    return (
        [_decided(row) for row in decided]
        + [_asked(row.seq, Approval.model_validate(row.data)) for row in asked]
        + [Outcome(row["seq"], "died") for row in died]
    )


class _Decided(NamedTuple):
    seq: int
    kind: str
    item_id: str | None
    type: str
    responder: JsonObject
    actions: list[PlainAction]


class _Asked(NamedTuple):
    seq: int
    data: JsonObject


def _decided(row: _Decided) -> Outcome:
    who = Responder.model_validate(row.responder)
    by_model, actions = who.type == "ai_agent", tuple(row.actions)
    return Outcome(row.seq, "decided", row.kind, row.item_id, row.type, who.id, by_model, actions)


def _asked(seq: int, approval: Approval) -> Outcome:
    recommended = tuple(approval.recommended)
    asked_of = approval.asked_of or ""
    return Outcome(seq, "asked", approval.kind, approval.item_id, "", asked_of, actions=recommended)
