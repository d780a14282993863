"""What can happen to a building: the events that are posted, and the entries that only Longlead writes itself."""

import hashlib
import json
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal, Self, TypeVar, get_args
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    FailFast,
    Field,
    JsonValue,
    TypeAdapter,
    field_validator,
    model_validator,
)

from domain.buildings import ItemSpec, Schedule, Strict, VendorChange
from domain.field_markers import Identifier, LineName, LocalDay, OutsideText, Plain, fields_of
from domain.plain_json import JsonObject, KnownJson, PlainObject, text_in
from domain.text import (
    ON_FILE,
    Day,
    Moment,
    Money,
    Name,
    Quantity,
    ReportedQuantity,
    ShipmentId,
    Slug,
    Text,
    Unit,
)

MAX_BODY_BYTES = 50_000
"""A larger event is refused: documents are linked, not sent."""


EventName = Annotated[Name, Identifier("event-{}")]
SourceName = Annotated[Name, Identifier("source-{}")]
Address = Annotated[Text, Identifier("Place {}")]
DocumentUrl = Annotated[Text, Identifier("https://docs.example/{}")]
DocumentName = Annotated[Name, Identifier("Document {}")]
Words = Annotated[Text, OutsideText()]
ItemName = Annotated[Name, LineName()]

MAX_SERIALS = 1000
"""Serial numbers of one event."""


class PublicEvent(Strict):
    """What every event may carry beside its own fields."""

    ENVELOPE: ClassVar[frozenset[str]] = frozenset({"event_id", "source"})
    """Fields that name the event and say nothing: they are kept beside its body."""

    event_id: EventName | None = Field(None, description="The sender's id, unique for its source. Made when absent.")
    source: SourceName | None = Field(None, description="The sending system; `api` when absent.")
    occurred_at: Moment | None = Field(
        None, description="When it happened; without an offset in the building's time zone."
    )

    @property
    def own_id(self) -> str | None:
        """The id that it is stored under; None where its sender gave none."""
        return self.event_id


class ItemEvent(PublicEvent):
    """An event about one line of the procurement log."""

    item: ItemName = Field(description="Item id or name; case and spacing do not count.")
    purchase_order: Annotated[Name, LineName()] | None = Field(None, description="Number of the order it belongs to.")
    shipment_id: Annotated[ShipmentId, Identifier("shipment-{}")] | None = Field(
        None, description="The shipment it belongs to; case and spaces do not count."
    )
    quantity: ReportedQuantity | None = Field(
        None, description="How much, in the item's unit; all that is open if absent. Greater than 0."
    )


def _or_none(serials: list[str] | None) -> list[str] | None:
    return serials or None


class GoodsEvent(ItemEvent):
    """An event about goods that move or are looked at."""

    unit: Annotated[Unit, Plain()] | None = Field(
        None, description="Unit of the quantity, such as t or pcs; the item's when absent."
    )
    complete: bool | None = Field(
        None, description="True: nothing more follows of it. False: this is a part, of whatever size."
    )
    serials: Annotated[list[Annotated[Name, Identifier("SN-{}")]] | None, FailFast(), AfterValidator(_or_none)] = Field(
        None, max_length=MAX_SERIALS, description="Serial numbers of the pieces."
    )
    place: Literal["site", "storage"] | None = Field(
        None, description="Where the goods are, or go: on site, or stored elsewhere. On site when absent."
    )


class SubmittalApproved(ItemEvent):
    """The designer approved the vendor's document: the item may be ordered."""

    event_type: Literal["Submittal_Approved"]
    document_url: DocumentUrl = Field(description="Where the approved document is.")
    document_name: DocumentName = Field(description="Its name.")
    revision: int | None = Field(None, ge=0, le=1000, description="Revision of the submittal, from 0.")


class SubmittalRejected(ItemEvent):
    """The designer refused the submittal, or asks for it again."""

    event_type: Literal["Submittal_Rejected"]
    reason: Words = Field(description="Why.")
    revision: int | None = Field(None, ge=0, le=1000, description="Revision of the submittal, from 0.")


class AcknowledgementException(Strict):
    """One point in which the vendor's acknowledgement differs from the order."""

    kind: Literal["price", "quantity", "date", "backorder", "other"] = Field("other", description="What differs.")
    detail: Words = Field(description="How it differs, in the vendor's words.")
    quantity: Annotated[Quantity, Plain()] | None = Field(
        None, description="The quantity that the vendor delivers instead."
    )
    unit_price: Annotated[Money, Plain()] | None = Field(
        None, description="The price for one unit that the vendor asks instead."
    )


class PurchaseOrderAcknowledged(ItemEvent):
    """The vendor confirmed the order, maybe with exceptions."""

    event_type: Literal["Purchase_Order_Acknowledged"]
    promised_date: Day = Field(description="The day the vendor promises.")
    external_ref: Annotated[Name, Identifier("REF-{}")] | None = Field(
        None, description="The order's number in the vendor's or the ERP's books."
    )
    exceptions: Annotated[list[AcknowledgementException | Words], FailFast()] = Field(
        default=[], max_length=50, description="Where the vendor departs from the order."
    )


class ShipmentDepartedFactory(GoodsEvent):
    """A shipment left the factory."""

    event_type: Literal["Shipment_Departed_Factory"]
    eta: Day = Field(description="Expected arrival on site.")
    date_departed: Day = Field(description="The day it left.")
    location_address: Address = Field(description="Where it left from.")


class EtaChanged(ItemEvent):
    """The expected arrival changed."""

    event_type: Literal["ETA_Changed"]
    eta: Day = Field(description="The new expected arrival on site.")
    reason: Words | None = Field(None, description="Why.")


class ShipmentArrivedSite(GoodsEvent):
    """A shipment reached the site."""

    event_type: Literal["Shipment_Arrived_Site"]
    date_arrived: Day = Field(description="The day it arrived.")
    location_address: Address = Field(description="Where it arrived.")
    quantity_damaged: ReportedQuantity | None = Field(
        None, description="How much of it is damaged, in the same unit. Greater than 0."
    )
    condition: Literal["good", "damaged", "wrong"] | None = Field(
        None, description="How it looks on arrival: good, damaged, or not what was ordered."
    )


class InspectionPassed(GoodsEvent):
    """The item passed its inspection."""

    event_type: Literal["Inspection_Passed"]
    inspection_date: Day = Field(description="The day of the inspection.")
    document_url: DocumentUrl = Field(description="Where the report is.")
    document_name: DocumentName = Field(description="Name of the report.")


class InspectionFailed(GoodsEvent):
    """The item failed its inspection."""

    event_type: Literal["Inspection_Failed"]
    inspection_date: Day = Field(description="The day of the inspection.")
    document_url: DocumentUrl = Field(description="Where the report is.")
    document_name: DocumentName = Field(description="Name of the report.")
    defects: list[Words] | Words | None = Field(None, description="What is wrong with it.")
    quantity_rejected: ReportedQuantity | None = Field(None, description="How much was rejected, in the item's unit.")
    ncr_number: Annotated[Name, Identifier("NCR-{}")] | None = Field(
        None, description="Number of the nonconformance report (NCR)."
    )


class MessageReceived(PublicEvent):
    """Free text from outside, such as a vendor's mail."""

    event_type: Literal["Message_Received"]
    text: Words = Field(description="The text, as it came.")
    sender: Annotated[Name, Identifier("sender-{}@example.com")] | None = Field(None, description="Who sent it.")


class HumanInput(PublicEvent):
    """A note from the team."""

    event_type: Literal["Human_Input"]
    text: Words = Field(description="The note.")
    item: ItemName | None = Field(None, description="The line it is about, where it is about one.")


class ScheduleRevised(PublicEvent):
    """A new version of the schedule."""

    event_type: Literal["Schedule_Revised"]
    schedule: Schedule = Field(description="The whole new schedule.")
    data_date: Day | None = Field(None, description="The day the schedule speaks of.")


CLEAR = "clear"

G = TypeVar("G")

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
    def _name_stays(cls, given: G) -> G:
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


class VendorEntry(VendorChange):
    """A vendor that is added or changed: what is absent stays. To take an address away, PATCH the vendor."""

    @model_validator(mode="before")
    @classmethod
    def _takes_nothing_away(cls, given: G) -> G:
        """On file a null cannot be told from what is absent."""
        contacts = given.get("contacts") if isinstance(given, dict) else None
        for where, fields in (("", given), ("contacts.", contacts)):
            empty = [name for name, value in fields.items() if value is None] if isinstance(fields, dict) else []
            if empty:
                raise ValueError(f"{where}{empty[0]}: null empties nothing here; leave it out, or PATCH the vendor")
        return given


class ItemsChanged(PublicEvent):
    """Lines of the procurement log, or vendors, were added, changed or removed."""

    event_type: Literal["Items_Changed"]
    items: Annotated[list[ItemChange], FailFast()] = Field(
        default=[], max_length=1000, description="The lines concerned. May be empty where vendors are given."
    )
    vendors: Annotated[list[VendorEntry], FailFast()] = Field(
        default=[],
        max_length=1000,
        description="Vendors added or changed, before the lines. Only a person with the role admin sends them.",
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.items and not self.vendors:
            raise ValueError("items: give at least one line, or at least one of vendors")
        return self


class BuildingClosed(PublicEvent):
    """The building is finished: nothing more will be accepted."""

    event_type: Literal["Building_Closed"]


ReportedEvent = (
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
    | BuildingClosed
)


class EventVoided(PublicEvent):
    """An event that was sent before is taken back: it was wrong. `source` and `event_id` are that event's."""

    ENVELOPE: ClassVar[frozenset[str]] = frozenset()

    event_type: Literal["Event_Voided"]
    source: SourceName = Field(description="The source of the event that is taken back.")
    event_id: EventName = Field(description="The id of the event that is taken back.")
    reason: Words = Field(description="Why it is taken back.")
    instead: Annotated[ReportedEvent, Field(discriminator="event_type")] | None = Field(
        None, description="What is true instead: a whole event of any other type."
    )

    @property
    def own_id(self) -> str:
        """An event is taken back once, so the id follows from the one that it names."""
        made = f"void:{self.event_id}"
        return made if len(made) <= 200 else f"void:{hashlib.sha256(self.event_id.encode()).hexdigest()}"


Event = Annotated[ReportedEvent | EventVoided, Field(discriminator="event_type")]
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
    "Vendor_Changed",
    "Lines_Adopted",
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
    data: KnownJson = Field(default={}, description="The event's own fields; absent where it has none.")

    def body(self) -> JsonObject:
        """The same event in Longlead's own form; the envelope wins over fields of the same name in `data`."""
        named: JsonObject = {"event_id": self.id, "source": self.source}
        if self.type == "Event_Voided":  # the id and the source among its data are those of another event
            named = {"source": self.source, **{name: self.data[name] for name in named if name in self.data}}
        made = {**self.data, "event_type": self.type, **named}
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
    body: KnownJson
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
        occurred = text_in(self.body, "occurred_at")
        if occurred:
            moment = datetime.fromisoformat(occurred)
            return moment if moment.tzinfo else moment.replace(tzinfo=zone)
        for field in BUSINESSDAY_FIELDS:
            if said := text_in(self.body, field):
                day = local_day(said, zone)
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


EVENT_MODELS: tuple[type[PublicEvent], ...] = get_args(get_args(Event)[0])

DAY_FIELDS = frozenset(
    field.name for model in EVENT_MODELS for field in fields_of(model) if isinstance(field.marker, LocalDay)
)
"""The names of all day fields, at any depth of any event."""


def localised(body: PlainObject, zone: ZoneInfo) -> JsonObject:
    """The body with every day field as a plain local date, however deep it lies."""
    return {
        key: local_day(inner, zone).isoformat()
        if key in DAY_FIELDS and isinstance(inner, str)
        else _localised(inner, zone)
        for key, inner in body.items()
    }


def _localised(value: JsonValue, zone: ZoneInfo) -> JsonValue:
    if isinstance(value, dict):
        return localised(value, zone)
    return [_localised(inner, zone) for inner in value] if isinstance(value, list) else value


def body_of(event: Event) -> JsonObject:
    """The event as plain JSON, without what is absent and without what only names it."""
    made: JsonObject = json.loads(
        event.model_dump_json(exclude_none=True, exclude_unset=False, exclude=set(event.ENVELOPE))
    )
    return made
