"""The vendors of a building as people change them over REST: each change in one transaction, with its image on file."""

from datetime import datetime
from typing import Any

from domain.absent import no_vendor
from domain.buildings import MAX_VENDORS, Vendor
from domain.errors import ConflictError
from domain.principals import Author
from domain.procurement import VendorRow
from storage import by_hand
from storage.audit import Act, Signature, differences
from storage.connection import Connection
from storage.rows import select
from storage.transaction import building_transaction


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
        return True


async def change(
    conn: Connection,
    building_id: str,
    vendor_id: str,
    changed: dict[str, Any],
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


async def _read_all(conn: Connection, building_id: str) -> dict[str, VendorRow]:
    """The building's vendors by id, as they are under its lock."""
    rows = await select(conn, VendorRow, "building_id = %s", (building_id,))
    return {row.vendor_id: row for row in rows}
