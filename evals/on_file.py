"""What is on file of a building: rows of its tables, and the images of rows that `changes` keeps."""

from datetime import datetime
from typing import Any, Generic, NotRequired, TypedDict, TypeVar

from psycopg import AsyncConnection
from psycopg.rows import DictRow, class_row

from domain.plain_json import JsonObject, PlainAction

R = TypeVar("R")
Image = TypeVar("Image")


class PlainResponder(TypedDict):
    """Who decided."""

    type: str
    id: str
    name: str


class ChangeRow(TypedDict):
    """A row of `changes`: what became of one row of any table."""

    position: int
    seq: int
    entity: str
    """The table, an `ImageKind`."""
    id: str
    data: Any
    """The image, in the shape that its kind says."""


class EffectRow(TypedDict):
    """A row of the ledger."""

    seq: int
    action: str
    item: str
    ordinal: int
    kind: str
    """fact, action, ask, ..."""
    arguments: JsonObject
    result: JsonObject
    responder: PlainResponder


class EntryRow(TypedDict):
    """An entry of the inbox."""

    seq: int
    generation: int
    source: str
    event_id: str
    event_type: str
    body: JsonObject
    received_at: datetime
    status: str
    attempts: int
    error: str | None
    outcome: JsonObject | None


class DecisionRow(TypedDict):
    """A row of the decision log."""

    seq: int
    type: str
    kind: str | None
    item_id: str | None
    responder: PlainResponder
    why: str | None
    actions: list[PlainAction]


class MessageRow(TypedDict):
    """A message in the outbox."""

    outbox_id: int
    key: str
    recipient: str | None
    subject: str
    payload: JsonObject
    status: str
    party: NotRequired[str]
    """The role or team that it goes to; `vendor` for every vendor. Found out by whoever looks."""


class CallRow(TypedDict):
    """What a language model was asked."""

    seq: int
    worker: str
    ordinal: int
    tier: int
    outcome: str
    answer: str | None


class ImageKind(str, Generic[Image]):
    """The name of a table, and with it the shape of its rows' images."""


class ItemImage(TypedDict):
    """A line of the procurement log. Of each image only what is read here is named; those of earlier versions may lack
    what is newer."""

    item_id: str
    name: str
    submittal: str
    commercial: str
    logistics: str
    quality: str
    schedule_band: str | None
    required_by: str | None
    promised_date: str | None
    eta: str | None
    held_until: str | None
    removed: bool


class PlainOption(TypedDict):
    """A way out of a question."""

    title: str
    actions: list[PlainAction]
    days_late: NotRequired[int | None]
    recommended_by: NotRequired[PlainResponder | None]


class ApprovalImage(TypedDict):
    """A question."""

    approval_id: str
    item_id: str | None
    kind: str
    matter: NotRequired[str]
    summary: str
    options: list[PlainOption]
    refused: int
    status: str
    version: int
    asked_of: str | None
    escalation_level: int
    due_at: str | None
    raised_seq: int


class RuleImage(TypedDict):
    """A learned rule."""

    rule_id: str
    title: str


class DelegationImage(TypedDict):
    """A delegation."""

    delegation_id: str
    kind: str
    item_id: str | None
    category: str | None
    vendor_id: str | None
    status: str


class OrderImage(TypedDict):
    """A purchase order."""

    number: str
    placed_outside: NotRequired[bool]


class OrderLineImage(TypedDict):
    """A line of a purchase order."""

    number: str
    item_id: str
    quantity: str | None


class InspectionImage(TypedDict):
    """An inspection, planned or done."""

    status: str


class FlagImage(TypedDict):
    """A flag on a line."""

    flag_id: str
    item_id: str
    status: str
    band: str
    detail: str


class SaidImage(TypedDict):
    """A message, in or out."""

    message_id: str
    direction: str
    party: str
    text: str | None
    item_id: NotRequired[str | None]


class VendorImage(TypedDict):
    """A vendor."""

    name: str


class ScheduleImage(TypedDict):
    """A version of the schedule."""

    body: JsonObject


ITEMS = ImageKind[ItemImage]("items")
APPROVALS = ImageKind[ApprovalImage]("approvals")
RULES = ImageKind[RuleImage]("rules")
DELEGATIONS = ImageKind[DelegationImage]("delegations")
ORDERS = ImageKind[OrderImage]("purchase_orders")
ORDER_LINES = ImageKind[OrderLineImage]("purchase_order_lines")
INSPECTIONS = ImageKind[InspectionImage]("inspections")
FLAGS = ImageKind[FlagImage]("flags")
MESSAGES = ImageKind[SaidImage]("messages")
VENDORS = ImageKind[VendorImage]("vendors")
SCHEDULES = ImageKind[ScheduleImage]("schedules")


async def rows_of(
    conn: AsyncConnection[DictRow], kind: type[R], query: str, building_id: str, since: int = -1
) -> list[R]:
    """What a query finds of a building that is newer than a number; its columns are the fields of `kind`."""
    cursor = conn.cursor(row_factory=class_row(kind))
    return await (await cursor.execute(query.encode(), (building_id, since))).fetchall()
