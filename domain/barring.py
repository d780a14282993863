"""What it means for the lines of a vendor that it may no longer be ordered from, or may again."""

from collections.abc import Sequence
from typing import Any

from domain.actions import action
from domain.buildings import MANAGER
from domain.outside import own_words, shown_name
from domain.procurement import Flag, Item, LineFile, PurchaseOrder, Row, VendorRow

VENDOR_BARRED = "vendor_barred"
"""The band of a flag on a line whose open order is with a vendor that is no longer approved."""
_ENDED = ("received", "closed", "cancelled")
MAX_NAMED = 10


def open_order(file: LineFile, vendor_id: str) -> PurchaseOrder | None:
    """The line's current order with this vendor, while something of it is still to come."""
    order, item = file.order, file.item
    if order is None or order.vendor_id != vendor_id or order.status in _ENDED or item.removed or item.is_released:
        return None
    return order


def bar(vendor: VendorRow, files: Sequence[LineFile], seq: int) -> tuple[list[Row], list[dict[str, Any]]]:
    """Flags on the lines whose order with the vendor is open, and the one message that asks what becomes of them."""
    standing = [(file.item, order) for file in files if (order := open_order(file, vendor.vendor_id)) is not None]
    if not standing:
        return [], []
    name = shown_name(vendor.name)
    flags: list[Row] = [
        _flag(item, f"{order.number} is with {name}, which may no longer be ordered from.", seq)
        for item, order in standing
    ]
    named = ", ".join(f"{order.number} ({item.shown})" for item, order in standing[:MAX_NAMED])
    named += f" and {len(standing) - MAX_NAMED} more" if len(standing) > MAX_NAMED else ""
    message = (
        f"{name} may no longer be ordered from. Its open orders stand until somebody cancels them: {named}. What is to "
        "become of them? New orders to it are asked about."
    )
    return flags, [action("notify_team", team=MANAGER, message=own_words(message))]


def _flag(item: Item, detail: str, seq: int) -> Flag:
    return Flag(
        flag_id=f"F-{seq}-{item.item_id}-vendor",
        item_id=item.item_id,
        band=VENDOR_BARRED,
        detail=detail,
        raised_seq=seq,
    )


def unbar(flags: Sequence[Flag], files: Sequence[LineFile], seq: int) -> list[Row]:
    """The flags of a vendor that may be ordered from again, cleared."""
    lines = {file.item.item_id for file in files}
    return [
        flag.model_copy(update={"status": "cleared", "cleared_seq": seq}) for flag in flags if flag.item_id in lines
    ]
