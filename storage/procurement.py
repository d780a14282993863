"""Reading the procurement log: a line's whole file, its siblings' names, its questions, the schedule."""

from typing import Any

from domain.approvals import Approval
from domain.buildings import Building
from domain.procurement import (
    Inspection,
    Item,
    LineFile,
    Milestone,
    OrderLine,
    PurchaseOrder,
    Receipt,
    Row,
    ScheduleVersion,
    Shipment,
    VendorRow,
)
from storage.database import Connection
from storage.rows import select, statement
from storage.transaction import building_from

_OF_ITEM = "building_id = %s AND item_id = %s"
_FILE: tuple[tuple[str, type[Row], str, str], ...] = (
    ("items", Item, _OF_ITEM, "item_id"),
    (
        "vendors",
        VendorRow,
        "building_id = %s AND vendor_id = (SELECT i.vendor_id FROM items i "
        "WHERE i.building_id = vendors.building_id AND i.item_id = %s)",
        "vendor_id",
    ),
    (
        "orders",
        PurchaseOrder,
        "(building_id, number) IN (SELECT l.building_id, l.number FROM purchase_order_lines l "
        "WHERE l.building_id = %s AND l.item_id = %s)",
        "number",
    ),
    ("order_lines", OrderLine, _OF_ITEM, "round, number"),
    ("shipments", Shipment, _OF_ITEM, "caused_seq, shipment_id"),
    ("receipts", Receipt, _OF_ITEM, "received_on, receipt_id"),
    ("inspections", Inspection, _OF_ITEM, "caused_seq, inspection_id"),
    ("milestones", Milestone, _OF_ITEM, "round, kind"),
)


async def line_file(conn: Connection, building_id: str, item_id: str) -> LineFile | None:
    """Everything on file about one line, in one round trip; None when there is no such line."""
    cursors = {}
    async with conn.pipeline():
        for part, kind, where, order in _FILE:
            cursors[part] = await conn.execute(statement(kind, where, order), (building_id, item_id))
    parts: dict[str, list[Any]] = {}
    for part, kind, _, _ in _FILE:
        parts[part] = [kind.model_validate(row) for row in await cursors[part].fetchall()]
    items, vendors = parts.pop("items"), parts.pop("vendors")
    if not items:
        return None
    return LineFile(item=items[0], vendor=vendors[0] if vendors else None, **parts)


async def building(conn: Connection, building_id: str) -> Building | None:
    """The building as it stands, unlocked."""
    row = await (await conn.execute("SELECT * FROM buildings WHERE building_id = %s", (building_id,))).fetchone()
    return None if row is None else building_from(row)


async def item_names(conn: Connection, building_id: str) -> list[tuple[str, str]]:
    """(item_id, name) of every line that was not removed."""
    cursor = await conn.execute(
        "SELECT item_id, name FROM items WHERE building_id = %s AND NOT removed ORDER BY item_id",
        (building_id,),
    )
    return [(row["item_id"], row["name"]) for row in await cursor.fetchall()]


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


async def item_called(conn: Connection, building_id: str, named: str) -> str | None:
    """The line with exactly this id, or else this name, where one has it."""
    row = await (
        await conn.execute(
            "SELECT item_id FROM items WHERE building_id = %(building_id)s AND NOT removed "
            "AND (item_id = %(named)s OR name = %(named)s) ORDER BY item_id <> %(named)s LIMIT 1",
            {"building_id": building_id, "named": named},
        )
    ).fetchone()
    return None if row is None else str(row["item_id"])
