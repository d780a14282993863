"""The rows of a building as of a position of `changes`: what they were, and what has changed since."""

from dataclasses import dataclass
from typing import NamedTuple

from domain.plain_json import JsonObject
from storage.connection import Connection, select

# An answer is accepted while earlier entries still wait: what belongs to an entry that is not yet there is left out.
_THEN = """
building_id = %(building_id)s AND position <= %(position)s AND (entity <> 'approvals' OR seq <= %(last_seq)s)"""

# The positions alone are looked through; the images, which are long, are read of the last of each row.
LATEST = f"""
SELECT max(position) AS position FROM changes
 WHERE {_THEN} AND entity <> 'building_change' GROUP BY entity, id"""

SINCE = """
SELECT DISTINCT ON (entity, id) entity, id, data FROM changes
 WHERE building_id = %s AND position > %s AND entity <> 'building_change' ORDER BY entity, id, position DESC"""

THOSE = """
SELECT DISTINCT ON (entity, id) entity, id, data FROM changes
 WHERE building_id = %s AND position <= %s AND (entity, id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
 ORDER BY entity, id, position DESC"""

Images = dict[tuple[str, str], JsonObject]
"""Rows as JSON by (table, id)."""


@dataclass(frozen=True)
class Moment:
    """A moment of a building's past: what is in `changes` up to a position, and which entries were known then."""

    building_id: str
    position: int
    last_seq: int


async def changed_since(conn: Connection, building_id: str, position: int) -> Images:
    """The rows that have changed since a position, as they stand."""
    return _images(await select(conn, _Image, SINCE, (building_id, position)))


async def those_at(conn: Connection, building_id: str, position: int, keys: list[tuple[str, str]]) -> Images:
    """The rows named, as they were at a position; without those that were not yet there."""
    entities, ids = [entity for entity, _ in keys], [id_ for _, id_ in keys]
    return _images(await select(conn, _Image, THOSE, (building_id, position, entities, ids)))


class _Image(NamedTuple):
    entity: str
    id: str
    data: JsonObject


def _images(rows: list[_Image]) -> Images:
    return {(row.entity, row.id): row.data for row in rows}
