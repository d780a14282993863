"""The vendors of a building as people change them over REST: each change in one transaction, with its image on file."""

from datetime import datetime

from domain.absent import no_vendor
from domain.buildings import MAX_VENDORS, Vendor
from domain.errors import ConflictError
from domain.plain_json import JsonObject
from domain.principals import Author
from domain.procurement import VendorRow
from domain.questions.registry import REST_ON_VENDORS
from storage import by_hand, inbox
from storage.audit import Act, Signature, differences
from storage.connection import Connection
from storage.rows import select
from storage.transaction import BuildingTransaction, building_transaction


async def add(
    conn: Connection, building_id: str, vendor: Vendor, by: Author, now: datetime, seq: int | None = None
) -> bool:
    """Add a vendor, and log who did it. False when it was there with the same content. `seq`: the entry that it came
    after, where it is on record and done again.

    Raises:
        NotFoundError: there is no such building.
        ConflictError: the vendor is there with other content, or the building has as many as it may.
    """
    added = VendorRow.model_validate(vendor.model_dump())
    async with building_transaction(conn, building_id, seq) as transaction:
        known = await _read_all(conn, building_id)
        standing = known.get(added.vendor_id)
        if standing == added:
            return False
        if standing is not None:
            raise ConflictError(
                f"Vendor {added.vendor_id!r} exists with other content. "
                f"Change it with PATCH /buildings/{building_id}/vendors/{added.vendor_id}."
            )
        if len(known) >= MAX_VENDORS:
            raise ConflictError(f"Building {building_id!r} has {len(known)} vendors, and may have {MAX_VENDORS}.")
        transaction.save(added)
        act = Act("vendor_added", added.vendor_id, {"changed": differences({}, added.on_record)})
        by_hand.log(transaction, Signature(by, now), act, vendor_added=added.model_dump(mode="json"))
        await _wake_lines(transaction, None, added, Signature(by, now))
        return True


async def change(
    conn: Connection,
    building_id: str,
    vendor_id: str,
    changed: JsonObject,
    by: Author,
    now: datetime,
    seq: int | None = None,
) -> None:
    """Change fields of a vendor, and log who did it. What stands already is no change. `seq`: as in `add`.

    Raises:
        NotFoundError: there is no such building, or no such vendor.
    """
    async with building_transaction(conn, building_id, seq) as transaction:
        standing = (await _read_all(conn, building_id)).get(vendor_id)
        if standing is None:
            raise no_vendor(building_id, vendor_id)
        new = standing.with_changes(changed)
        if new == standing:
            return
        transaction.save(new)
        act = Act("vendor_changed", vendor_id, {"changed": differences(standing.on_record, new.on_record)})
        by_hand.log(transaction, Signature(by, now), act, vendor_id=vendor_id, changed=changed)
        await _wake_lines(transaction, standing, new, Signature(by, now))


_IS_ASKED = "SELECT 1 FROM approvals WHERE building_id = %s AND status = 'pending' AND kind = ANY(%s) LIMIT 1"
_ORDERED_LINES = """
SELECT DISTINCT l.item_id FROM purchase_orders p JOIN purchase_order_lines l
    ON l.building_id = p.building_id AND l.number = p.number
 WHERE p.building_id = %s AND p.vendor_id = %s ORDER BY l.item_id"""


async def lines_with_orders_of(conn: Connection, building_id: str, vendor_id: str) -> list[str]:
    """The lines that were ever ordered from a vendor."""
    cursor = await conn.execute(_ORDERED_LINES, (building_id, vendor_id))
    return [row["item_id"] for row in await cursor.fetchall()]


async def sender_of(conn: Connection, building_id: str, seq: int) -> Author | None:
    """Who sent an entry; None where that is not on record."""
    query = "SELECT sent_by FROM events WHERE building_id = %s AND seq = %s"
    row = await (await conn.execute(query, (building_id, seq))).fetchone()
    return None if row is None or row["sent_by"] is None else Author.model_validate(row["sent_by"])


MAX_OFFERED = 3
"""Vendors that a line without one is offered."""
_SUPPLIED = """
SELECT i.vendor_id, count(*) AS orders FROM items i JOIN purchase_order_lines l
    ON l.building_id = i.building_id AND l.item_id = i.item_id
 WHERE i.building_id = %s AND i.category = %s AND i.vendor_id IS NOT NULL GROUP BY i.vendor_id"""


async def fitting_vendors(conn: Connection, building_id: str, category: str | None) -> list[VendorRow]:
    """Approved vendors for a line of this category, at most MAX_OFFERED: first those that have supplied it."""
    known = [vendor for vendor in await select(conn, VendorRow, "building_id = %s", (building_id,)) if vendor.approved]
    cursor = await conn.execute(_SUPPLIED, (building_id, category))
    supplied = {row["vendor_id"]: row["orders"] for row in await cursor.fetchall()}
    return sorted(known, key=lambda vendor: (-supplied.get(vendor.vendor_id, 0), vendor.vendor_id))[:MAX_OFFERED]


async def _wake_lines(
    transaction: BuildingTransaction, before: VendorRow | None, after: VendorRow, signature: Signature
) -> None:
    """Put an entry into the inbox where a line may wait for this vendor: it is looked at in its turn, and never within
    somebody's request. A replay has the entry on record."""
    building, conn = transaction.building, transaction.conn
    if building.mode == "replay" or building.status == "closed":
        return
    asked = (building.building_id, list(REST_ON_VENDORS))
    waits = await (await conn.execute(_IS_ASKED, asked)).fetchone() is not None
    turned = before is not None and before.approved != after.approved
    if not waits and not (turned and await lines_with_orders_of(conn, building.building_id, after.vendor_id)):
        return
    body: JsonObject = {"vendor_id": after.vendor_id}
    await inbox.add(
        transaction,
        source=inbox.INTERNAL,
        event_id=f"vendor:{after.vendor_id}:{transaction.position}",
        event_type="Vendor_Changed",
        body=body if before is None else {**body, "was_approved": before.approved},
        now=signature.at,
        sent_by=signature.by,
    )


async def _read_all(conn: Connection, building_id: str) -> dict[str, VendorRow]:
    """The building's vendors by id, as they are under its lock."""
    rows = await select(conn, VendorRow, "building_id = %s", (building_id,))
    return {row.vendor_id: row for row in rows}
