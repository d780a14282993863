"""How the procurement log is shown: its lines, orders, shipments, inspections, flags and messages."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, model_validator

from api.exact import Amount, ExactQuantity
from api.line_view import NeedView, OpenNcrView, QuantitiesView
from domain.lines.shown import account_shown, complete_file
from domain.procurement import Commercial, Item, Logistics, Quality, Submittal
from storage.connection import Found
from storage.outbox import MessageStatus
from storage.procurement import file_before_facts

T = TypeVar("T")
"""What a view is made of: a row, or what is one already."""


class Caused(BaseModel):
    """A row with the event that caused it."""

    event_id: str | None = Field(None, description="The event that caused it; null: the building was posted with it.")
    event_source: str | None = Field(None, description="The source of that event.")
    event_type: str | None = Field(None, description="The type of that event.")


class OpenFlag(BaseModel):
    """A flag on a line."""

    flag_id: str = Field(description="Id of the flag.")
    band: str = Field(description="The schedule band that raised it.")
    detail: str = Field(description="What a reader must know.")


class WouldOrderView(BaseModel):
    """What the agent would have ordered of a line."""

    vendor_id: str | None = Field(None, description="Id of the vendor.")
    vendor: str | None = Field(None, description="Name of the vendor.")
    quantity: ExactQuantity = Field(None, description="As a decimal string; null: the whole line.")
    unit: str | None = Field(None, description="Unit of the quantity.")
    total: Amount = Field(None, description="Price of the order, as a decimal string; null: unknown.")
    currency: str = Field(description="ISO 4217 currency of the price.")
    on: date = Field(description="The day on which it would have been ordered first.")


class ItemView(BaseModel):
    """A line of the procurement log. Days are local to the building, durations in calendar days."""

    item_id: str = Field(description="Stable id of the line.")
    name: str = Field(description="Name of the item, as the site calls it.")
    category: str | None = Field(None, description="CSI MasterFormat division, such as 05 or 23.")
    vendor_id: str | None = Field(None, description="The vendor it is ordered from.")
    quantity: ExactQuantity = Field(None, description="How much is to be ordered, as a decimal string.")
    unit: str | None = Field(None, description="Unit of the quantity.")
    unit_price: Amount = Field(None, description="Price for one unit, as a decimal string.")
    total: Amount = Field(None, description="Price of the whole line, as a decimal string.")
    currency: str = Field(description="ISO 4217 currency of the prices.")
    lead_time_days: int | None = Field(None, description="Order to arrival, in calendar days.")
    status: str = Field(description="One word for people, derived from the four facets.")
    submittal: Submittal = Field(description="Facet: pending, approved, revise_resubmit or rejected.")
    commercial: Commercial = Field(description="Facet: unordered, ordered, acknowledged or cancelled.")
    logistics: Logistics = Field(description="Facet: not_shipped, in_transit, partially_received or on_site.")
    quality: Quality = Field(
        description="Facet: not_inspected, inspection_scheduled, passed, failed or accepted_as_is."
    )
    submittal_revision: int | None = Field(None, description="Newest revision of the submittal.")
    document_url: str | None = Field(None, description="Where the approved submittal is.")
    required_by: date | None = Field(None, description="The day it is required on site (ROS).")
    buffer_days: int = Field(description="Days kept free before required_by, in calendar days.")
    order_by: date | None = Field(None, description="required_by minus the lead time.")
    promised_date: date | None = Field(None, description="The day the vendor promised.")
    eta: date | None = Field(None, description="Expected arrival on site.")
    schedule_band: str | None = Field(None, description="clear, tight or conflict; null without an ETA.")
    round: int = Field(description="0 before the first order; each replacement opens the next.")
    purchase_order_number: str | None = Field(None, description="The current round's order.")
    flags: list[OpenFlag] = Field([], description="What people should look at: the open flags.")
    on_hold_by: str | None = Field(
        None, description="The approval that it waits for, or `hold` when a person put it on hold."
    )
    quantities: QuantitiesView = Field(description="How much of it is where.")
    needs: list[NeedView] = Field(description="What the site needs by which day, and when that is covered.")
    open_ncrs: list[OpenNcrView] = Field([], description="Rejected goods that nobody has decided about.")
    first_promise: date | None = Field(None, description="The day that the vendor promised first.")
    latest_promise: date | None = Field(None, description="The day that the vendor promised last.")
    ordered_on: date | None = Field(None, description="The day it was first ordered.")
    acknowledged_on: date | None = Field(None, description="The day on which the vendor first acknowledged an order.")
    shipped_on: date | None = Field(None, description="The day on which the first of it left.")
    received_on: date | None = Field(None, description="The day on which the last of it came; null: some is missing.")
    usable_on: date | None = Field(None, description="The day on which it was released; null: it is not.")
    would_order: WouldOrderView | None = Field(
        None, description="In watch, and on the first day after it: what the agent would have ordered."
    )
    held_until: date | None = Field(None, description="On hold: the day on which it is asked about again.")
    hold_note: str | None = Field(None, description="On hold: why.")

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, row: T) -> T | Found:
        """What the line itself knows: its status, total, order-by date and what holds it."""
        if not isinstance(row, dict) or "held_by" not in row:
            return row
        item = Item.model_validate(row)
        return {
            **row,
            **_shown_of(item, row),
            "status": item.status,
            "total": item.total,
            "order_by": item.order_by,
            "would_order": row["would_order"] if item.status == "ready_to_order" else None,
            "on_hold_by": row["held_by"] or ("hold" if item.is_held else None),
        }


_OF_ACCOUNT = {
    "quantities",
    "needs",
    "first_promise",
    "latest_promise",
    "ordered_on",
    "acknowledged_on",
    "shipped_on",
    "received_on",
    "usable_on",
}


def _shown_of(item: Item, row: Found) -> Found:
    """What the line amounts to; computed from its rows where nothing has changed on it since facts are kept."""
    rows = row.get("rows_before_facts")
    if rows is None:
        return account_shown(item).model_dump(include=_OF_ACCOUNT)
    file = complete_file(file_before_facts(item, str(rows)))
    ncrs = [ncr.model_dump() for ncr in file.open_ncrs]
    return {**account_shown(item, file.item.account).model_dump(include=_OF_ACCOUNT), "open_ncrs": ncrs}


async def show_items(rows: Sequence[Found]) -> list[ItemView]:
    """Lines as they were read. Those that have to be computed are shown in a thread: others are let go on."""
    if any(row["rows_before_facts"] for row in rows):
        return await asyncio.to_thread(_show_items, rows)
    return _show_items(rows)


def _show_items(rows: Sequence[Found]) -> list[ItemView]:
    return [ItemView.model_validate(row) for row in rows]


class OrderLineView(BaseModel):
    """One item on a purchase order."""

    line: int = Field(description="Number of the line.")
    item: str = Field(description="Id of the item.")
    item_name: str | None = Field(None, description="Name of the item.")
    round: int = Field(description="The item's round that this line orders.")
    quantity: ExactQuantity = Field(None, description="As a decimal string; null: the whole line.")
    unit: str | None = Field(None, description="Unit of the quantity.")
    unit_price: Amount = Field(None, description="Price for one unit, as a decimal string.")
    promised_date: date | None = Field(None, description="The day the vendor promised.")
    required_by: date | None = Field(None, description="The day it is required on site.")


class PurchaseOrderView(Caused):
    """A commitment to a vendor."""

    number: str = Field(description="Number of the order.")
    revision: int = Field(description="Raised by every change order.")
    status: str = Field(
        description="draft, pending_approval, issued, acknowledged, partially_received, received, closed or cancelled."
    )
    vendor_id: str | None = Field(None, description="Id of the vendor.")
    vendor: str | None = Field(None, description="Name of the vendor.")
    lines: list[OrderLineView] = Field(description="What is ordered.")
    total: Amount = Field(None, description="Price of the order, as a decimal string; null: unknown.")
    currency: str = Field(description="ISO 4217 currency of the prices.")
    issued_on: date | None = Field(None, description="The day it was issued.")
    external_ref: str | None = Field(None, description="Its number in the ERP system.")
    placed_outside: bool = Field(False, description="Placed without the agent, and taken up from a report.")


class ReceiptView(BaseModel):
    """What arrived on site."""

    receipt_id: str = Field(description="Id of the receipt.")
    quantity: ExactQuantity = Field(None, description="As a decimal string; null: all that was open.")
    received_on: date = Field(description="The day it arrived.")
    location: str | None = Field(None, description="Where it arrived.")


class ShipmentView(Caused):
    """A delivery on its way or received."""

    shipment_id: str = Field(description="Id of the shipment.")
    item_id: str = Field(description="The line.")
    round: int = Field(description="The item's round that it belongs to.")
    purchase_order: str | None = Field(None, description="Number of the order.")
    quantity: ExactQuantity = Field(None, description="As a decimal string; null: the whole line.")
    status: str = Field(description="in_transit, received, ...")
    eta: date | None = Field(None, description="Expected arrival on site.")
    departed_on: date | None = Field(None, description="The day it left.")
    origin: str | None = Field(None, description="Where it left from.")
    receipts: list[ReceiptView] = Field([], description="What of it arrived.")


class InspectionView(Caused):
    """An inspection under the inspection and test plan."""

    inspection_id: str = Field(description="Id of the inspection.")
    item_id: str = Field(description="The line.")
    round: int = Field(description="The item's round that it belongs to.")
    shipment_id: str | None = Field(None, description="The shipment that is inspected.")
    status: str = Field(description="scheduled, passed or failed.")
    scheduled_on: date | None = Field(None, description="The day it is planned for.")
    inspected_on: date | None = Field(None, description="The day it took place.")
    document_url: str | None = Field(None, description="Where the report is.")
    document_name: str | None = Field(None, description="Name of the report.")
    defects: list[str] = Field([], description="What was found.")
    quantity_rejected: ExactQuantity = Field(None, description="How much was rejected, as a decimal string.")
    ncr_number: str | None = Field(None, description="Number of the nonconformance report (NCR).")
    disposition: str | None = Field(None, description="What was decided about it.")


class FlagView(Caused):
    """Something that people should look at, until it is cleared."""

    flag_id: str = Field(description="Id of the flag.")
    item_id: str = Field(description="The line.")
    band: str = Field(description="The schedule band that raised it.")
    detail: str = Field(description="What a reader must know, with the dates.")
    status: str = Field(description="open or cleared.")
    raised_seq: int = Field(description="Place in the inbox of the event that raised it.")
    cleared_seq: int | None = Field(None, description="Place in the inbox of the event that cleared it.")


class MessageView(Caused):
    """What was said."""

    message_id: str = Field(description="Id of the message.")
    item_id: str | None = Field(None, description="The line it is about.")
    direction: str = Field(description="out: from the agent. in: from people and from outside.")
    party: str = Field(description="Whom it went to, or who wrote it.")
    text: str = Field(description="What was said.")
    urgency: str = Field(description="normal or higher.")
    status: MessageStatus | None = Field(
        None,
        description="What became of it outside, as in `GET /outbox`: logged means that nobody was told. Null where it "
        "came in, or where that is no longer kept.",
    )
    withheld_because: Literal["watch", "sandbox"] | None = Field(
        None, description="Why it is withheld: the building was in watch, or is a sandbox."
    )

    @model_validator(mode="before")
    @classmethod
    def _how_far(cls, row: T) -> T | Found:
        return {**row, **row["sent"]} if isinstance(row, dict) and row.get("sent") else row


class ScheduleView(BaseModel):
    """The schedule that stands, in the form it was posted."""

    project: dict[str, Any] = Field(description="The project the deliveries are for.")
    deliveries: list[dict[str, Any]] = Field([], description="One entry for each item needed.")
