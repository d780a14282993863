"""Lines that were kept before there were facts: read in pages, from a database of any version; and what is said of
those that stay released."""

import json
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import NamedTuple

from domain.lines.adopting import AdoptedLine, ToldLines, look_at, tell_of
from domain.plain_json import JsonObject
from domain.procurement import Item, LineFile
from storage import inbox
from storage.connection import Connection, select
from storage.procurement import ROWS_BEFORE_FACTS, file_before_facts
from storage.transaction import building_transaction

COMPONENT = "adopted lines"
"""What is noted, once everybody was told of lines that stay released."""
ENTRY = "adopted-lines"
"""Id of the entry that tells of them: it is entered once for each building."""

LINES_OF_A_PAGE = 500

# The rows as JSON, whichever columns they have: the database may be of a version before these came.
_PAGE = f"""
SELECT r.building_id, r.item_id, to_jsonb(r)::text AS item, {ROWS_BEFORE_FACTS} AS rows
  FROM items r JOIN buildings b USING (building_id)
 WHERE to_jsonb(r) ->> 'account' IS NULL AND NOT r.removed
   AND (r.building_id, r.item_id) > (%(building_id)s, %(item_id)s)
   AND (NOT %(told)s OR (b.status = 'active' AND COALESCE(to_jsonb(b) ->> 'mode', 'live') = 'live'))
 ORDER BY r.building_id, r.item_id LIMIT {LINES_OF_A_PAGE}""".encode()

_MARK = "INSERT INTO longlead_components (name, version) VALUES (%s, '1') ON CONFLICT (name) DO NOTHING"


class LineOfBuilding(NamedTuple):
    """A line that comes out differently, and its building."""

    building_id: str
    line: AdoptedLine


async def look_at_lines(
    conn: Connection, *, told: bool = False, on_lines: Callable[[int], None] = lambda _: None
) -> AsyncIterator[LineOfBuilding]:
    """Lines without facts that come out differently, by building and id. Changes nothing.

    Args:
        told: only of buildings that are told of them: those that are active, and no sandboxes.
        on_lines: called with how many lines were looked at since the last call.
    """
    row = await (await conn.execute("SELECT to_regclass('items') AS found")).fetchone()
    if row is None or row["found"] is None:
        return
    building_id = item_id = ""
    while rows := await select(conn, _Kept, _PAGE, {"building_id": building_id, "item_id": item_id, "told": told}):
        for kept in rows:
            found = look_at(_file(kept))
            if found is not None:
                yield LineOfBuilding(kept.building_id, found)
        on_lines(len(rows))
        building_id, item_id = rows[-1].building_id, rows[-1].item_id


class _Kept(NamedTuple):
    building_id: str
    item_id: str
    item: str
    rows: str


def _file(kept: _Kept) -> LineFile:
    item = Item.model_validate(json.loads(kept.item, parse_float=Decimal))
    return file_before_facts(item, kept.rows)


async def tell_of_released(conn: Connection) -> None:
    """Put one entry into the inbox of every building with lines that stay released by the verdict of then. The second
    time does nothing."""
    lines: dict[str, list[AdoptedLine]] = {}
    async for building_id, line in look_at_lines(conn, told=True):
        if line.stays_released:
            lines.setdefault(building_id, []).append(line)
    for building_id, released in lines.items():
        await _enter(conn, building_id, released)
    await conn.execute(_MARK, (COMPONENT,))


async def _enter(conn: Connection, building_id: str, released: list[AdoptedLine]) -> None:
    now = await (await conn.execute("SELECT now() AS now")).fetchone()
    assert now is not None
    async with building_transaction(conn, building_id) as transaction:
        await inbox.add(
            transaction,
            source=inbox.INTERNAL,
            event_id=ENTRY,
            event_type="Lines_Adopted",
            body=_body(tell_of(released)),
            now=now["now"],
        )


def _body(told: ToldLines) -> JsonObject:
    return {"lines": [{"item": line["item"], "why": line["why"]} for line in told["lines"]], "count": told["count"]}
