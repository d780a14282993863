"""What can happen to a building: the events that are posted, and the entries that only Longlead writes itself."""

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, FailFast, Field, TypeAdapter, field_validator, model_validator

from domain.buildings import ItemSpec, Schedule, Strict
from domain.text import ON_FILE, Day, Moment, Money, Name, Quantity, Slug, Text

MAX_BODY_BYTES = 50_000
"""A larger event is refused: documents are linked, not sent."""


class PublicEvent(Strict):
    """What every event may carry beside its own fields."""

    event_id: Name | None = Field(None, description="The sender's id, unique for its source. Made when absent.")
    source: Name | None = Field(None, description="The sending system; `api` when absent.")
    occurred_at: Moment | None = Field(
        None, description="When it happened; without an offset in the building's time zone."
    )


class ItemEvent(PublicEvent):
    """An event about one line of the procurement log."""

    item: Name = Field(description="Item id or name; case and spacing do not count.")
    purchase_order: Name | None = Field(None, description="Number of the order it belongs to.")
    shipment_id: Name | None = Field(None, description="The shipment it belongs to.")
    quantity: Quantity | None = Field(None, description="How much, in the item's unit; all that is open if absent.")


class SubmittalApproved(ItemEvent):
    """The designer approved the vendor's document: the item may be ordered."""

    event_type: Literal["Submittal_Approved"]
    document_url: Text = Field(description="Where the approved document is.")
    document_name: Name = Field(description="Its name.")
    revision: int | None = Field(None, ge=0, le=1000, description="Revision of the submittal, from 0.")


class SubmittalRejected(ItemEvent):
    """The designer refused the submittal, or asks for it again."""

    event_type: Literal["Submittal_Rejected"]
    reason: Text = Field(description="Why.")
    revision: int | None = Field(None, ge=0, le=1000, description="Revision of the submittal, from 0.")


class AcknowledgementException(Strict):
    """One point in which the vendor's acknowledgement differs from the order."""

    kind: Literal["price", "quantity", "date", "backorder", "other"] = Field("other", description="What differs.")
    detail: Text = Field(description="How it differs, in the vendor's words.")
    quantity: Quantity | None = Field(None, description="The quantity that the vendor delivers instead.")
    unit_price: Money | None = Field(None, description="The price for one unit that the vendor asks instead.")


class PurchaseOrderAcknowledged(ItemEvent):
    """The vendor confirmed the order, maybe with exceptions."""

    event_type: Literal["Purchase_Order_Acknowledged"]
    promised_date: Day = Field(description="The day the vendor promises.")
    external_ref: Name | None = Field(None, description="The order's number in the vendor's or the ERP's books.")
    exceptions: Annotated[list[AcknowledgementException | Text], FailFast()] = Field(
        default=[], max_length=50, description="Where the vendor departs from the order."
    )


class ShipmentDepartedFactory(ItemEvent):
    """A shipment left the factory."""

    event_type: Literal["Shipment_Departed_Factory"]
    eta: Day = Field(description="Expected arrival on site.")
    date_departed: Day = Field(description="The day it left.")
    location_address: Text = Field(description="Where it left from.")


class EtaChanged(ItemEvent):
    """The expected arrival changed."""

    event_type: Literal["ETA_Changed"]
    eta: Day = Field(description="The new expected arrival on site.")
    reason: Text | None = Field(None, description="Why.")


class ShipmentArrivedSite(ItemEvent):
    """A shipment reached the site."""

    event_type: Literal["Shipment_Arrived_Site"]
    date_arrived: Day = Field(description="The day it arrived.")
    location_address: Text = Field(description="Where it arrived.")


class InspectionPassed(ItemEvent):
    """The item passed its inspection."""

    event_type: Literal["Inspection_Passed"]
    inspection_date: Day = Field(description="The day of the inspection.")
    document_url: Text = Field(description="Where the report is.")
    document_name: Name = Field(description="Name of the report.")


class InspectionFailed(ItemEvent):
    """The item failed its inspection."""

    event_type: Literal["Inspection_Failed"]
    inspection_date: Day = Field(description="The day of the inspection.")
    document_url: Text = Field(description="Where the report is.")
    document_name: Name = Field(description="Name of the report.")
    defects: list[Text] | Text | None = Field(None, description="What is wrong with it.")
    quantity_rejected: Quantity | None = Field(None, description="How much was rejected, in the item's unit.")
    ncr_number: Name | None = Field(None, description="Number of the nonconformance report (NCR).")


class MessageReceived(PublicEvent):
    """Free text from outside, such as a vendor's mail."""

    event_type: Literal["Message_Received"]
    text: Text = Field(description="The text, as it came.")
    sender: Name | None = Field(None, description="Who sent it.")


class HumanInput(PublicEvent):
    """A note from the team."""

    event_type: Literal["Human_Input"]
    text: Text = Field(description="The note.")
    item: Name | None = Field(None, description="The line it is about, where it is about one.")


class ScheduleRevised(PublicEvent):
    """A new version of the schedule."""

    event_type: Literal["Schedule_Revised"]
    schedule: Schedule = Field(description="The whole new schedule.")
    data_date: Day | None = Field(None, description="The day the schedule speaks of.")


CLEAR = "clear"

ClearableField = Literal[
    "category",
    "vendor_id",
    "quantity",
    "unit",
    "unit_price",
    "currency",
    "lead_time_days",
    "required_by",
    "buffer_days",
]
"""Fields of a line that may be emptied. A line always has its id and its name."""
CLEARABLE: tuple[str, ...] = get_args(ClearableField)


class ItemChange(ItemSpec):
    """A line added or changed, or removed. A field that is absent stays; one that is null is cleared."""

    name: Name | None = Field(None, description="Name of the item; needed for a new line.")  # type: ignore[assignment]
    removed: bool = Field(False, description="True: the line is no longer needed.")
    clear: list[ClearableField] = Field(
        default=[],
        max_length=len(CLEARABLE),
        description="Fields to be emptied; the same as to give them as null. A cleared currency is the building's, "
        "cleared buffer_days are 0.",
    )

    @field_validator("name", mode="before")
    @classmethod
    def _name_stays(cls, given: Any) -> Any:
        if given is None:
            raise ValueError("cannot be cleared: a line always has a name; leave the field out to keep it")
        return given

    @model_validator(mode="after")
    def _null_clears(self) -> Self:
        """On file a null cannot be told from what is absent, so what is cleared is named."""
        both = [name for name in CLEARABLE if name in self.clear and getattr(self, name) is not None]
        if both:
            raise ValueError(f"{both[0]} is given a value and cleared at once; keep one of them")
        nulls = {name for name in CLEARABLE if name in self.model_fields_set and getattr(self, name) is None}
        self.clear = sorted({*self.clear, *nulls}, key=CLEARABLE.index)  # type: ignore[arg-type]
        return self


class ItemsChanged(PublicEvent):
    """Lines of the procurement log were added, changed or removed."""

    event_type: Literal["Items_Changed"]
    items: Annotated[list[ItemChange], FailFast()] = Field(
        min_length=1, max_length=1000, description="The lines concerned."
    )


class BuildingClosed(PublicEvent):
    """The building is finished: nothing more will be accepted."""

    event_type: Literal["Building_Closed"]


Event = Annotated[
    SubmittalApproved
    | SubmittalRejected
    | PurchaseOrderAcknowledged
    | ShipmentDepartedFactory
    | EtaChanged
    | ShipmentArrivedSite
    | InspectionPassed
    | InspectionFailed
    | MessageReceived
    | HumanInput
    | ScheduleRevised
    | ItemsChanged
    | BuildingClosed,
    Field(discriminator="event_type"),
]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
EVENT_TYPES: tuple[str, ...] = tuple(EVENT.json_schema()["discriminator"]["mapping"])

INTERNAL_TYPES = (
    "Decision",
    "Rule_Overruled",
    "Approval_Overdue",
    "Milestone_Overdue",
    "Hold_Expired",
    "Event_Failed",
    "Building_Went_Live",
    "First_Day_Ended",
)
"""Entries of the inbox that only Longlead writes; the public endpoint refuses them."""

BUSINESSDAY_FIELDS = ("date_arrived", "inspection_date", "date_departed")
"""The event's own date, from which business time is taken when `occurred_at` is absent."""


class CloudEvent(BaseModel):
    """A CloudEvents 1.0 envelope in structured mode; its attributes beyond these are passed over."""

    specversion: Literal["1.0"] = Field(description="Version of CloudEvents.")
    id: Name = Field(description="The event_id.")
    source: Name = Field(description="The source.")
    type: Name = Field(description="The event_type.")
    time: datetime | None = Field(None, description="The occurred_at.")
    data: dict[str, Any] = Field(default={}, description="The event's own fields; absent where it has none.")

    def body(self) -> dict[str, Any]:
        """The same event in Longlead's own form; the envelope wins over fields of the same name in `data`."""
        made = {**self.data, "event_type": self.type, "event_id": self.id, "source": self.source}
        if self.time is not None:
            made["occurred_at"] = self.time.isoformat()
        return made


class NamedLine(BaseModel):
    """A line found by its exact id or name. Only for that name: in Studio people change an event's item."""

    named: str
    item_id: str


class Entry(BaseModel):
    """An entry of a building's inbox, as the agent takes it in hand."""

    building_id: str
    seq: int
    generation: int = 0
    source: Slug | str
    event_id: str
    event_type: str
    body: dict[str, Any]
    received_at: datetime
    time_zone: str | None = None
    """The building's, which never changes; None where whoever made the entry did not know it."""
    line: NamedLine | None = None
    """The line whose id or name the entry names, as of when it was taken; None where none has it, or nobody looked."""

    def event(self, zone: ZoneInfo) -> Event:
        """The typed event, with every day in the building's zone. Only for public types."""
        return EVENT.validate_python(localised(self.body, zone), context=ON_FILE)

    def at(self, zone: ZoneInfo) -> datetime:
        """Business time: `occurred_at`, else the event's own date at noon, else when it was received."""
        occurred = self.body.get("occurred_at")
        if occurred:
            moment = datetime.fromisoformat(occurred)
            return moment if moment.tzinfo else moment.replace(tzinfo=zone)
        for field in BUSINESSDAY_FIELDS:
            if self.body.get(field):
                day = local_day(self.body[field], zone)
                return datetime(day.year, day.month, day.day, 12, tzinfo=zone)
        return self.received_at

    def today(self, zone: ZoneInfo) -> date:
        """The business day in the building's zone."""
        return self.at(zone).astimezone(zone).date()


def local_day(value: str | date | datetime, zone: ZoneInfo) -> date:
    """The calendar day in the building's zone; a moment without an offset is already local."""
    if isinstance(value, str):
        value = date.fromisoformat(value) if len(value) <= 10 else datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return (value.astimezone(zone) if value.tzinfo else value).date()
    return value


DAY_FIELDS = frozenset(
    {"promised_date", "eta", "date_departed", "date_arrived", "inspection_date", "data_date"}
    | {"required_by", "start_date", "end_date"}
)


def localised(value: Any, zone: ZoneInfo) -> Any:
    """The body with every day field as a plain local date, however deep it lies."""
    if isinstance(value, dict):
        return {
            key: local_day(inner, zone).isoformat()
            if key in DAY_FIELDS and isinstance(inner, str)
            else localised(inner, zone)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [localised(inner, zone) for inner in value]
    return value


def body_of(event: Event) -> dict[str, Any]:
    """The event as plain JSON, without what is absent and without its envelope's id and source."""
    made: dict[str, Any] = json.loads(
        event.model_dump_json(exclude_none=True, exclude_unset=False, exclude={"event_id", "source"})
    )
    return made
