"""How what is known of a line is shown: quantities, needs, lots, nonconformances, statements and facts."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from api.exact import ExactQuantity, KnownQuantity
from domain.lines.shown import FactEffect, FactKind


class QuantitiesView(BaseModel):
    """How much of a line is where, in its unit, as decimal strings. A line without a quantity is one lot of 1."""

    needed: KnownQuantity = Field(description="How much the site needs.")
    ordered: KnownQuantity = Field(description="Ordered, and not yet shipped.")
    in_transit: KnownQuantity = Field(description="On its way.")
    on_site: KnownQuantity = Field(description="On site, without a verdict.")
    accepted: KnownQuantity = Field(description="Passed, or accepted as it is.")
    rejected: KnownQuantity = Field(description="Failed, and nobody has decided about it.")
    in_repair: KnownQuantity = Field(description="Being repaired.")
    returned: KnownQuantity = Field(description="Sent back, or to be sent back: it was decided.")
    scrapped: KnownQuantity = Field(description="Scrapped.")
    cancelled: KnownQuantity = Field(description="Ordered, and cancelled before it arrived.")
    open: KnownQuantity = Field(description="What is needed less what is accepted.")


class NeedView(BaseModel):
    """A quantity that the site needs by a day."""

    quantity: KnownQuantity = Field(description="As a decimal string.")
    required_by: date | None = Field(None, description="The day it is required on site; null: no day is known.")
    covered_on: date | None = Field(
        None, description="The day on which all of it is on site; null: a part is not ordered, or without a day."
    )
    days_late: int | None = Field(
        None, description="Calendar days from required_by to covered_on, 0 in time; null where a day is not known."
    )


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class LotView(_Shown):
    """A quantity of a line that moves together, in one state."""

    lot_id: str = Field(description="Names the lot within its line: the order and a number.")
    order: str | None = Field(None, description="Number of its order; null: it came before any order.")
    quantity: ExactQuantity = Field(
        None, description="As a decimal string; null: a part came, and nobody has said how much."
    )
    unit: str | None = Field(None, description="Unit of the quantity.")
    state: Literal[
        "ordered",
        "in_transit",
        "on_site",
        "accepted",
        "rejected",
        "in_repair",
        "returned",
        "scrapped",
        "cancelled",
    ] = Field(description="Where it is, and what was found about it.")
    expected_on: date | None = Field(None, description="The day it is expected on site, or came there.")
    usable_on: date | None = Field(
        None,
        description="The day it was accepted; still to come: the day it is expected. Null: it waits for a verdict.",
    )
    aliases: list[str] = Field([], description="Every shipment id under which it was reported.")
    over: bool = Field(
        False, validation_alias="is_over", description="It came beyond what was ordered (over-delivery)."
    )


class NcrView(_Shown):
    """Rejected goods: a nonconformance report (NCR)."""

    ncr_number: str = Field(description="Its number: the inspector's, else ours.")
    lot_id: str | None = Field(None, description="The lot that was rejected, as it is called now.")
    quantity: KnownQuantity = Field(description="How much was rejected, as a decimal string.")
    undecided: KnownQuantity = Field(description="How much of it nobody has decided about.")
    defects: list[str] = Field([], description="What was found.")
    disposition: str | None = Field(
        None, description="What was decided: repair, return, replace, use_as_is or scrap; null while it is open."
    )
    status: Literal["open", "closed"] = Field(description="open until all of it is decided about.")


class OpenNcrView(_Shown):
    """Rejected goods that nobody has decided about, or not about all of them."""

    ncr_number: str = Field(description="Its number: the inspector's, else ours.")
    quantity: KnownQuantity = Field(description="How much was rejected, as a decimal string.")
    undecided: KnownQuantity = Field(description="How much of it nobody has decided about.")
    defects: list[str] = Field([], description="What was found.")


class StatementView(_Shown):
    """A day that somebody promised or expects, as it was said."""

    kind: Literal["promise", "eta"] = Field(description="promise: the vendor's word. eta: an expected arrival.")
    day: date = Field(description="The day on site that was named.")
    said_at: datetime | None = Field(None, description="When it was said; null: nobody knows.")
    source: str = Field(description="The system that told it.")
    order: str | None = Field(None, description="The order that it is about; null: every order that is not on site.")
    shipment_id: str | None = Field(None, description="The shipment that it is about; null: all that is to come.")
    quantity: ExactQuantity = Field(None, description="Of how much, as a decimal string; null: of all of it.")
    current: bool = Field(
        description="It counts now: goods that are still to come are expected by it. The newest saying does, whenever "
        "it came in."
    )
    voided: bool = Field(description="It was taken back, and counts for nothing.")
    adopted: bool = Field(False, description="It was told with its line, when a running project was taken on.")


class FactView(_Shown):
    """One thing that was said about a line, with what it does or why it does nothing."""

    kind: FactKind = Field(
        description="submittal_approved, submittal_rejected, promise, departed, eta, arrived, passed or failed (an "
        "inspection), decided (about rejected goods)."
    )
    day: date | None = Field(None, description="The day on which it happened, or that was named; null: not known.")
    said_at: datetime | None = Field(None, description="When it was said; null: on file before sayings were kept.")
    received_at: datetime | None = Field(None, description="When it came in; null: on file before facts were kept.")
    source: str = Field(description="The system that told it.")
    event_id: str = Field(description="That system's id of the event.")
    order: str | None = Field(None, description="The order that it is about.")
    shipment_id: str | None = Field(None, description="The shipment that it is about.")
    quantity: ExactQuantity = Field(None, description="Of how much, as a decimal string; null: of all that it can be.")
    quantity_rejected: ExactQuantity = Field(
        None, description="Of a failed inspection: how much failed; of an arrival: how much was damaged."
    )
    ncr_number: str | None = Field(None, description="The nonconformance that it raised, or decides about.")
    document_name: str | None = Field(None, description="Name of the report.")
    effect: FactEffect = Field(
        description="counts; told_again: it repeats one that counts; superseded: a newer saying counts, or all has "
        "come; doubted: it cannot be true, or contradicts what is on file, and a person is asked; set_aside: a person "
        "has left it, or told it as it was meant; taken_back."
    )
    why: str | None = Field(None, description="Why it does not count; null where it does.")
    adopted: bool = Field(False, description="It was told with its line, when a running project was taken on.")
