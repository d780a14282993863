"""Notes of the team on a line that no question has told of yet."""

from collections.abc import Sequence
from dataclasses import dataclass

from storage.connection import Connection

# The latest of each line; its question tells of those before it, too.
_NOT_ASKED = """
SELECT DISTINCT ON (m.item_id) m.item_id, m.text, m.caused_seq AS seq FROM messages m
 WHERE m.building_id = %(building_id)s AND m.item_id = ANY(%(items)s) AND m.direction = 'in'
   AND NOT EXISTS (SELECT 1 FROM approvals a WHERE a.building_id = m.building_id AND a.item_id = m.item_id
                      AND (a.subject ->> 'note_seq')::bigint >= m.caused_seq)
 ORDER BY m.item_id, m.caused_seq DESC"""


@dataclass(frozen=True)
class Note:
    """What a person said of a line, in the entry `seq`."""

    item_id: str
    text: str
    seq: int


async def notes_not_asked(conn: Connection, building_id: str, item_ids: Sequence[str]) -> list[Note]:
    """The last note of each of these lines, where nobody was asked about it."""
    if not item_ids:
        return []
    parameters = {"building_id": building_id, "items": list(item_ids)}
    return [Note(**row) for row in await (await conn.execute(_NOT_ASKED, parameters)).fetchall()]
