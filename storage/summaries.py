"""The messages that are not yet summarised, and what a span of them was about."""

from dataclasses import dataclass
from typing import Any

from domain.procurement import Message
from domain.summaries import Identifier, Summary
from storage.connection import Connection
from storage.rows import select

MOST_MESSAGES = 4_000
"""Messages that one look counts: enough for any budget, and a bound for histories from before there were summaries."""

# Rough, and rather too low: what a prompt has no room for is summarised at the next look, not before it is full.
SIZES = f"""
SELECT caused_seq AS seq, count(*) AS messages, sum(length(text) / 4.2 + 10)::int AS tokens
  FROM (SELECT caused_seq, text FROM messages
         WHERE building_id = %s AND caused_seq > %s AND caused_seq < %s
         ORDER BY caused_seq LIMIT {MOST_MESSAGES}) AS waiting
 GROUP BY caused_seq ORDER BY caused_seq"""

DONE = """
SELECT seq, action, item, result FROM actions
 WHERE building_id = %s AND seq > %s AND seq <= %s AND kind = 'action' ORDER BY seq, position, ordinal"""

DOCUMENTS = """
SELECT seq, body ->> 'document_name' AS name, body ->> 'document_url' AS url, body ->> 'item' AS item FROM events
 WHERE building_id = %s AND seq > %s AND seq <= %s AND body ? 'document_url' ORDER BY seq"""

ANSWERS = """
SELECT seq, kind, type, item_id, responder ->> 'name' AS who, why FROM decisions
 WHERE building_id = %s AND seq > %s AND seq <= %s AND responder ->> 'type' = 'human' ORDER BY seq, generation, step"""

# What was changed later than the span is found when the span that changed it is summarised.
NAMED = """
WITH span AS (SELECT %(building_id)s::text AS building_id, %(after)s::bigint AS after, %(upto)s::bigint AS upto)
SELECT 'order' AS kind, o.number AS value, min(l.item_id) AS item_id, o.caused_seq AS seq
  FROM span JOIN purchase_orders o USING (building_id) LEFT JOIN purchase_order_lines l USING (building_id, number)
 WHERE o.caused_seq > after AND o.caused_seq <= upto GROUP BY o.number, o.caused_seq
UNION ALL
SELECT 'question', approval_id, item_id, raised_seq FROM span JOIN approvals USING (building_id)
 WHERE raised_seq > after AND raised_seq <= upto
UNION ALL
SELECT 'report', ncr_number, item_id, caused_seq FROM span JOIN inspections USING (building_id)
 WHERE caused_seq > after AND caused_seq <= upto AND ncr_number IS NOT NULL
UNION ALL
SELECT 'shipment', shipment_id, item_id, caused_seq FROM span JOIN shipments USING (building_id)
 WHERE caused_seq > after AND caused_seq <= upto"""

# Entries of summarised spans that were processed again since (dead ones, retried), and where their rows begin. An
# entry's changes are of its own time otherwise, and everything since the summary is of later entries.
LATE = """
WITH made AS (SELECT position FROM changes WHERE building_id = %(building_id)s AND entity = 'summaries'
               ORDER BY position DESC LIMIT 1)
SELECT c.seq, made.position FROM made JOIN changes c ON c.building_id = %(building_id)s AND c.position > made.position
 WHERE c.seq <= %(upto)s GROUP BY c.seq, made.position ORDER BY c.seq"""

LATE_MESSAGES = """
building_id = %s AND caused_seq = ANY(%s) AND message_id IN (
    SELECT id FROM changes WHERE building_id = %s AND position > %s AND entity = 'messages')"""

LATE_DONE = """
SELECT seq, action, item, result FROM actions
 WHERE building_id = %s AND seq = ANY(%s) AND position > %s AND kind = 'action' ORDER BY seq, position, ordinal"""

LAST = """
SELECT message_id, item_id, direction, party, text, urgency, caused_seq FROM (
    SELECT *, sum(length(text) + 40) OVER (ORDER BY caused_seq DESC, message_id DESC) AS characters
      FROM (SELECT * FROM messages WHERE building_id = %s AND caused_seq > %s AND caused_seq < %s
             ORDER BY caused_seq DESC, message_id DESC LIMIT 1000) AS newest) AS measured
 WHERE characters - length(text) - 40 < %s ORDER BY caused_seq, message_id"""


async def latest(conn: Connection, building_id: str) -> Summary | None:
    """The summary as it stands; None before the first compaction."""
    found = await select(
        conn,
        Summary,
        "building_id = %s AND version = (SELECT max(s.version) FROM summaries s "
        "WHERE s.building_id = summaries.building_id)",
        (building_id,),
    )
    return found[0] if found else None


async def sizes(conn: Connection, building_id: str, after_seq: int, before_seq: int) -> list[dict[str, Any]]:
    """{seq, messages, tokens} of every entry in between that has messages, in order; tokens roughly."""
    return await (await conn.execute(SIZES, (building_id, after_seq, before_seq))).fetchall()


async def messages(conn: Connection, building_id: str, after_seq: int, upto_seq: int) -> list[Message]:
    """The messages of a span, in order."""
    where = "building_id = %s AND caused_seq > %s AND caused_seq <= %s"
    return await select(conn, Message, where, (building_id, after_seq, upto_seq), "caused_seq, message_id")


async def last_messages(
    conn: Connection, building_id: str, after_seq: int, before_seq: int, characters: int
) -> list[Message]:
    """The newest messages in between, oldest first: as many as make up so many characters, and one beyond."""
    rows = await (await conn.execute(LAST, (building_id, after_seq, before_seq, characters))).fetchall()
    return [Message.model_validate(row) for row in rows]


async def written_as(conn: Connection, building_id: str, seqs: list[int]) -> dict[int, tuple[str, str]]:
    """The type and the source of these entries, by number."""
    query = "SELECT seq, event_type, source FROM events WHERE building_id = %s AND seq = ANY(%s)"
    rows = await (await conn.execute(query, (building_id, seqs))).fetchall() if seqs else []
    return {row["seq"]: (row["event_type"], row["source"]) for row in rows}


async def done(conn: Connection, building_id: str, after_seq: int, upto_seq: int) -> list[dict[str, Any]]:
    """What the agent did in a span: {seq, action, item, result}."""
    return await (await conn.execute(DONE, (building_id, after_seq, upto_seq))).fetchall()


async def documents(conn: Connection, building_id: str, after_seq: int, upto_seq: int) -> list[dict[str, Any]]:
    """The documents that events of a span named: {seq, name, url, item}."""
    return await (await conn.execute(DOCUMENTS, (building_id, after_seq, upto_seq))).fetchall()


async def answers(conn: Connection, building_id: str, after_seq: int, upto_seq: int) -> list[dict[str, Any]]:
    """What people decided in a span: {seq, kind, type, item_id, who, why}."""
    return await (await conn.execute(ANSWERS, (building_id, after_seq, upto_seq))).fetchall()


async def named(conn: Connection, building_id: str, after_seq: int, upto_seq: int) -> list[Identifier]:
    """The orders, questions, reports and shipments that a span raised or changed."""
    parameters = {"building_id": building_id, "after": after_seq, "upto": upto_seq}
    rows = await (await conn.execute(NAMED, parameters)).fetchall()
    return [Identifier.model_validate(row) for row in rows]


async def identifiers(conn: Connection, building_id: str) -> list[Identifier]:
    """All that summarised spans named."""
    return await select(conn, Identifier, "building_id = %s", (building_id,))


@dataclass(frozen=True)
class Late:
    """Entries that summaries have passed, and that were processed again after the last one was made."""

    seqs: list[int]
    since: int
    """The position from which on their rows are new."""


async def late(conn: Connection, building_id: str, upto_seq: int) -> Late:
    """What came late of the entries up to the last summary's."""
    rows = await (await conn.execute(LATE, {"building_id": building_id, "upto": upto_seq})).fetchall()
    return Late([row["seq"] for row in rows], rows[0]["position"] if rows else 0)


async def late_messages(conn: Connection, building_id: str, came: Late) -> list[Message]:
    """The messages that came late, in order."""
    given = (building_id, came.seqs, building_id, came.since)
    return await select(conn, Message, LATE_MESSAGES, given, "caused_seq, message_id")


async def late_done(conn: Connection, building_id: str, came: Late) -> list[dict[str, Any]]:
    """What the agent did late: {seq, action, item, result}."""
    return await (await conn.execute(LATE_DONE, (building_id, came.seqs, came.since))).fetchall()
