"""Reading the procurement log: a line's whole file, its siblings' names, its questions, the schedule."""

import asyncio
import json
from decimal import Decimal

from domain.actions import items_named
from domain.approvals import Approval
from domain.buildings import Building
from domain.plain_json import JsonObject, PlainAction
from domain.procurement import Item, LineFile, ScheduleVersion, VendorRow
from storage.connection import Connection, Found, Statement
from storage.rows import select
from storage.transaction import building_from

_OF_ITEM = "building_id = %(building_id)s AND item_id = %(item_id)s"
_FILE: tuple[tuple[str, str, str, str], ...] = (
    ("items", "items", _OF_ITEM, "item_id"),
    (
        "vendors",
        "vendors",
        "building_id = %(building_id)s AND vendor_id = (SELECT i.vendor_id FROM items i "
        "WHERE i.building_id = vendors.building_id AND i.item_id = %(item_id)s)",
        "vendor_id",
    ),
    (
        "orders",
        "purchase_orders",
        "(building_id, number) IN (SELECT l.building_id, l.number FROM purchase_order_lines l "
        "WHERE l.building_id = %(building_id)s AND l.item_id = %(item_id)s)",
        "number",
    ),
    ("order_lines", "purchase_order_lines", _OF_ITEM, "round, number"),
    ("shipments", "shipments", _OF_ITEM, "caused_seq, shipment_id"),
    ("receipts", "receipts", _OF_ITEM, "received_on, receipt_id"),
    ("inspections", "inspections", _OF_ITEM, "caused_seq, inspection_id"),
    ("milestones", "milestones", _OF_ITEM, "round, kind"),
    ("facts", "facts", _OF_ITEM, "caused_seq, fact_id"),
    ("lots", "lots", _OF_ITEM, "lot_id"),
    ("ncrs", "nonconformances", _OF_ITEM, "caused_seq, ncr_id"),
)
"""Part of the file, its table, which rows, in which order."""

_ROWS_BEFORE_FACTS = ", ".join(
    f"'{part}', (SELECT coalesce(json_agg({table} ORDER BY {order}), '[]') FROM {table} WHERE {where})".replace(
        "%(building_id)s", "r.building_id"
    ).replace("%(item_id)s", "r.item_id")
    for part, table, where, order in _FILE
    if part in ("orders", "order_lines", "shipments", "receipts", "inspections")
)
ROWS_BEFORE_FACTS = f"json_strip_nulls(json_build_object({_ROWS_BEFORE_FACTS}))::text"
"""What a line amounts to is computed from, where it has no facts: as in `_FILE`, of the line `r`."""

# One statement for the whole file: one for each part costs as many messages to the server and back.
_WHOLE_FILE = "json_build_object({})".format(
    ", ".join(
        f"'{part}', (SELECT coalesce(json_agg({table} ORDER BY {order}), '[]') FROM {table} WHERE {where})"
        for part, table, where, order in _FILE
    )
)
_READ_FILE = f"SELECT {_WHOLE_FILE}::text AS file".encode()


async def line_file(conn: Connection, building_id: str, item_id: str) -> LineFile | None:
    """Everything on file about one line; None when there is no such line."""
    return filed(await (await conn.execute(*filing(building_id, item_id))).fetchone())


async def files_of(conn: Connection, building_id: str, actions: list[PlainAction]) -> dict[str, LineFile]:
    """The files of the lines that plain actions name by id."""
    read = {}
    for item_id in dict.fromkeys(item_id for action in actions for item_id in items_named(action)):
        file = await line_file(conn, building_id, item_id)
        if file is not None:
            read[file.item.item_id] = file
    return read


def filing(building_id: str, item_id: str) -> Statement:
    """The statement that reads a line's file."""
    return _READ_FILE, {"building_id": building_id, "item_id": item_id}


def filed(row: Found | None) -> LineFile | None:
    """The file of a row that was read; None when there is no such line."""
    return _file(json.loads(str(row["file"]), parse_float=Decimal)) if row else None  # money is never a float


def file_before_facts(item: Item, rows: str) -> LineFile:
    """The file of a line without facts, from its rows as they are read with ROWS_BEFORE_FACTS."""
    return LineFile.model_validate({"item": item, **json.loads(rows, parse_float=Decimal)})


def _file(parts: dict[str, list[JsonObject]]) -> LineFile | None:
    if not parts["items"]:
        return None
    (item,), vendors = parts.pop("items"), parts.pop("vendors")
    return LineFile.model_validate({"item": item, "vendor": vendors[0] if vendors else None, **parts})


_BUILDING = "SELECT * FROM buildings WHERE building_id = %s"


async def building(conn: Connection, building_id: str) -> Building | None:
    """The building as it stands, unlocked."""
    row = await (await conn.execute(_BUILDING, (building_id,))).fetchone()
    return None if row is None else building_from(row)


# Of the questions those that are pending, or whose answer was accepted and is not yet applied; the oldest first.
_STANDING = f"""
SELECT b.*,
       (SELECT coalesce(json_agg(a ORDER BY a.raised_seq, a.key), '[]') FROM approvals a
         WHERE a.building_id = %(building_id)s AND a.item_id = ANY(%(items)s)
           AND (a.status = 'pending' OR a.decision ->> 'status' = 'accepted'))::text AS questions,
       (SELECT coalesce(json_agg({_WHOLE_FILE.replace("%(item_id)s", "wanted.item_id")} ORDER BY wanted.place), '[]')
          FROM unnest(%(items)s::text[]) WITH ORDINALITY AS wanted (item_id, place))::text AS files
  FROM buildings b WHERE b.building_id = %(building_id)s""".encode()


async def standing(
    conn: Connection, building_id: str, item_ids: list[str]
) -> tuple[Building | None, list[Approval], list[LineFile]]:
    """The building, the questions of these lines that are pending or not yet settled, and the lines' files: what a
    decision is made from, in one statement."""
    row = await (await conn.execute(_STANDING, {"building_id": building_id, "items": item_ids})).fetchone()
    if row is None:
        return None, [], []
    questions, files = row.pop("questions"), row.pop("files")
    if len(item_ids) <= MANY_LINES:
        return building_from(row), *_standing(questions, files)
    return building_from(row), *await asyncio.to_thread(_standing, questions, files)


MANY_LINES = 20
"""Lines whose files are made on the event loop; those of more, in a thread."""


def _standing(questions: str, files: str) -> tuple[list[Approval], list[LineFile]]:
    asked = [Approval.model_validate(one) for one in json.loads(questions)]
    made = [_file(parts) for parts in json.loads(files, parse_float=Decimal)]
    return asked, [file for file in made if file is not None]


async def item_names(conn: Connection, building_id: str) -> list[tuple[str, str]]:
    """(item_id, name) of every line that was not removed."""
    cursor = await conn.execute(
        "SELECT item_id, name FROM items WHERE building_id = %s AND NOT removed ORDER BY item_id",
        (building_id,),
    )
    names: list[tuple[str, str]] = []
    while rows := await cursor.fetchmany(MANY_NAMES):
        names += [(row["item_id"], row["name"]) for row in rows]
        await asyncio.sleep(0)
    return names


MANY_NAMES = 1_000
"""Names that are read in one go; then others on the event loop are let go on."""


async def items(conn: Connection, building_id: str) -> list[Item]:
    """Every line, removed ones too."""
    return await select(conn, Item, "building_id = %s", (building_id,))


async def vendors(conn: Connection, building_id: str) -> list[VendorRow]:
    return await select(conn, VendorRow, "building_id = %s", (building_id,))


async def current_schedule(conn: Connection, building_id: str) -> ScheduleVersion | None:
    """The newest version of the schedule."""
    found = await select(
        conn,
        ScheduleVersion,
        "building_id = %s AND version = (SELECT max(s.version) FROM schedules s "
        "WHERE s.building_id = schedules.building_id)",
        (building_id,),
    )
    return found[0] if found else None


async def open_questions(conn: Connection, building_id: str, item_id: str | None = None) -> list[Approval]:
    """Pending approvals, the oldest first; of one line, or of the whole building."""
    if item_id is None:
        return await select(
            conn, Approval, "building_id = %s AND status = 'pending'", (building_id,), "raised_seq, key"
        )
    return await select(
        conn,
        Approval,
        "building_id = %s AND item_id = %s AND status = 'pending'",
        (building_id, item_id),
        "raised_seq, key",
    )


async def decided_questions(conn: Connection, building_id: str, item_id: str | None, kind: str) -> list[Approval]:
    """Questions of one line and kind that somebody has answered."""
    return await select(
        conn,
        Approval,
        "building_id = %s AND item_id = %s AND kind = %s AND status = 'decided'",
        (building_id, item_id, kind),
    )


async def approval(conn: Connection, approval_id: str) -> Approval | None:
    found = await select(conn, Approval, "approval_id = %s", (approval_id,))
    return found[0] if found else None
