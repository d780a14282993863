"""What a question shows beside its facts: the events behind them, the team's notes, similar past cases."""

from domain.plain_json import JsonObject
from storage.connection import Connection

FACTS = """
SELECT e.seq, e.event_id, e.source, e.event_type, e.body FROM actions a
  JOIN events e ON e.building_id = a.building_id AND e.seq = a.seq
 WHERE a.building_id = %s AND a.item = %s AND a.kind = 'fact' ORDER BY a.seq DESC LIMIT 8"""

ONE = "SELECT seq, event_id, source, event_type, body FROM events WHERE building_id = %s AND seq = %s"

NOTES = """
SELECT party, text, caused_seq FROM messages
 WHERE building_id = %s AND item_id = %s AND direction = 'in' ORDER BY caused_seq DESC, message_id LIMIT 5"""

PAST = """
SELECT approval_id, item_id, summary, decision FROM approvals
 WHERE building_id = %s AND kind = %s AND status = 'decided' AND decision ->> 'status' = 'applied'
 ORDER BY decision_seq DESC LIMIT 5"""


async def facts(conn: Connection, building_id: str, item_id: str | None, seq: int) -> list[JsonObject]:
    """The last events of the line, oldest first; for a question without a line, the event in hand."""
    query, parameters = (FACTS, (building_id, item_id)) if item_id else (ONE, (building_id, seq))
    rows = await (await conn.execute(query, parameters)).fetchall()
    return [
        {"seq": row["seq"], "event_id": row["event_id"], "source": row["source"], "event_type": row["event_type"]}
        | {"body": row["body"]}
        for row in reversed(rows)
    ]


async def notes(conn: Connection, building_id: str, item_id: str) -> list[JsonObject]:
    """What the team noted on the line, newest first."""
    rows = await (await conn.execute(NOTES, (building_id, item_id))).fetchall()
    return [{"from": row["party"], "text": row["text"], "seq": row["caused_seq"]} for row in rows]


async def past_cases(conn: Connection, building_id: str, kind: str) -> list[JsonObject]:
    """How the last questions of the same kind were answered in this building, newest first."""
    rows = await (await conn.execute(PAST, (building_id, kind))).fetchall()
    return [
        {
            "approval_id": row["approval_id"],
            "item_id": row["item_id"],
            "summary": row["summary"],
            "decision": row["decision"]["type"],
            "actions": row["decision"]["actions"],
            "why": row["decision"]["why"],
        }
        for row in rows
    ]
