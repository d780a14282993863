"""Completing a line that cannot be ordered as it is: its vendor, its price, its quantity."""

from collections.abc import Mapping
from decimal import Decimal

from pydantic import BaseModel

from domain.procurement import Item, VendorRow


class Completion(BaseModel):
    """What is filled in; what is absent stays as it is."""

    vendor_id: str | None = None
    unit_price: Decimal | None = None
    currency: str | None = None
    quantity: Decimal | None = None


def completion_problem(item: Item, wanted: Completion, vendors: Mapping[str, VendorRow]) -> str | None:
    """Why a line cannot be completed like this; None where it can."""
    if item.removed:
        return f"{item.shown} was taken out of the log"
    if item.is_ordered:
        return f"{item.shown} is ordered already; change it with the event Items_Changed"
    if item.group is not None and (wanted.unit_price is not None or wanted.currency is not None):
        return f"{item.shown} has its price in the lump sum {item.group!r}; change that with the event Items_Changed"
    if wanted.vendor_id is not None and wanted.vendor_id not in vendors:
        return f"{wanted.vendor_id} is not a vendor of this building; add it with POST .../vendors"
    return None


def complete_line(item: Item, wanted: Completion, seq: int) -> Item:
    """The line with what was given, as one that was posted: it is ordered as it says, and not without its vendor."""
    given = wanted.model_dump(exclude_none=True)
    new = item.model_copy(update={**given, "posted": True})
    return item if new == item else new.model_copy(update={"caused_seq": seq})
