"""What a building is posted with: its schedule, its procurement log, its people and its policy."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, Field, ValidationInfo, model_validator

from domain.addresses import recipients
from domain.field_markers import Identifier
from domain.line_names import LineNames
from domain.line_states import LineState
from domain.money import Currency
from domain.plain_json import JsonObject
from domain.policy import Policy
from domain.text import Day, DistinctIds, Money, Name, Quantity, Slug, Text, folded, slug

MANAGER = "project_manager"
"""The role that is told where nobody else is named."""

MAX_VENDORS = 2000
"""Vendors of one building."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Strict(BaseModel):
    """A body from outside: unknown fields are refused, so that a misspelt one is not silently lost."""

    model_config = ConfigDict(extra="forbid")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone; write one like Europe/Berlin") from error
    return name


def _weekday(name: str) -> str:
    if name not in WEEKDAYS:
        raise ValueError(f"{name!r} is not a weekday; use {', '.join(WEEKDAYS)}")
    return name


def _reachable(contact: str, info: ValidationInfo) -> str:
    """A contact that a message can be sent to. One that an earlier version accepted is taken as it is."""
    if not (info.context or {}).get("on_file"):
        recipients(contact)
    return contact


Reachable = Annotated[Text, AfterValidator(_reachable)]
TimeZone = Annotated[str, AfterValidator(_zone)]
Weekday = Annotated[str, AfterValidator(_weekday)]


class Project(Strict):
    """The project that the schedule belongs to."""

    name: Name = Field(description="Name of the project.")
    start_date: Day | None = Field(None, description="First day of the project.")
    end_date: Day | None = Field(None, description="Planned finish of the project.")


class Delivery(Strict):
    """When the site needs an item."""

    item: Name = Field(description="Item id or name.")
    required_by: Day = Field(description="The day it is required on site (ROS).")
    buffer_days: int = Field(0, ge=0, le=3650, description="Days kept free before required_by, in calendar days.")
    quantity: Quantity | None = Field(
        None, description="How much is needed by then; the whole line when absent. Needed where an item has several."
    )


class Schedule(Strict):
    """A simple schedule: one required date for each delivery."""

    project: Project = Field(description="The project the deliveries are for.")
    deliveries: Annotated[list[Delivery], FailFast()] = Field(
        default=[], max_length=5000, description="One entry for each item needed."
    )

    @model_validator(mode="after")
    def _one_entry_per_item(self) -> Self:
        seen: dict[str, Delivery] = {}
        for number, delivery in enumerate(self.deliveries):
            other = seen.setdefault(folded(delivery.item), delivery)
            if other is not delivery and None in (other.quantity, delivery.quantity):
                raise ValueError(
                    f"deliveries[{number}]: {delivery.item!r} is listed twice; keep one entry for it, or give each "
                    "its quantity"
                )
        return self


class LumpSum(Strict):
    """One price for several lines: each of them names the group, and the price of the whole."""

    group: Annotated[Slug, Identifier("group-{}")] = Field(
        description="Names the group; the same on each of its lines, such as structural-steel."
    )
    price: Money = Field(description="Price of all lines of the group together, without tax; the same on each of them.")


class ItemSpec(Strict):
    """A line of the procurement log as it is posted."""

    item_id: Slug | None = Field(None, description="Stable id; made from the name when absent.")
    name: Name = Field(description="Name of the item, as the site calls it.")
    category: Name | None = Field(None, description="CSI MasterFormat division, such as 05 or 23.")
    vendor_id: Slug | None = Field(None, description="The vendor it is to be ordered from.")
    quantity: Quantity | None = Field(None, description="How much is to be ordered.")
    unit: Name | None = Field(None, description="Unit of the quantity, such as t, pcs, m2.")
    unit_price: Money | None = Field(None, description="Price for one unit, without tax.")
    lump_sum: LumpSum | None = Field(
        None, description="In place of unit_price: the line is one of several that have one price together."
    )
    currency: Currency | None = Field(None, description="ISO 4217; the building's when absent.")
    lead_time_days: int | None = Field(None, ge=0, le=3650, description="Order to arrival, in calendar days.")
    required_by: Day | None = Field(None, description="Required on site; the schedule's delivery wins over it.")
    buffer_days: int | None = Field(None, ge=0, le=3650, description="In calendar days.")
    state: LineState | None = Field(
        None,
        description="What is known of it already, where a running project is taken on: its submittal, its orders, what "
        "was promised, shipped, received and inspected. Nothing of it is ordered or sent again.",
    )

    @model_validator(mode="after")
    def _has_one_price(self) -> Self:
        if self.lump_sum is not None and self.unit_price is not None:
            raise ValueError("unit_price: the line has a lump_sum, which is its price; keep one of them")
        return self

    @property
    def id(self) -> str:
        return self.item_id or slug(self.name)


def group_problem(items: Iterable[ItemSpec]) -> str | None:
    """Why lines that name one group cannot be in one; None where they can. What a change leaves out stays, and is not
    compared."""
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for item in items:
        if item.lump_sum is None:
            continue
        said = {"price": item.lump_sum.price.normalize(), "vendor": item.vendor_id, "currency": item.currency}
        for what, value in said.items():
            if value is None:
                continue
            shown = f"{value:f}" if isinstance(value, Decimal) else value
            name = item.name or item.item_id or ""
            other, its = first.setdefault((item.lump_sum.group, what), (name, shown))
            if its != shown:
                return (
                    f"the lines of the group {item.lump_sum.group!r} have one price, vendor and currency together: "
                    f"{other!r} has the {what} {its}, and {name!r} has {shown}"
                )
    return None


_CONTACT = (
    "Where purchase orders go, the same as contacts.orders: mail addresses with commas between them, each with or "
    "without a name before it; a phone number; a name"
)


class VendorContacts(Strict):
    """Whom to write to at a vendor, by what it is about. A role without an address falls back to `orders`."""

    orders: Reachable | None = Field(None, description="Purchase orders, changes of them, cancellations.")
    logistics: Reachable | None = Field(None, description="Chasing, expected arrivals, questions about a delivery.")
    escalation: Reachable | None = Field(None, description="What stays overdue after chasing, and expediting.")


def _same_orders(contact: str | None, contacts: VendorContacts | None) -> None:
    """Both names of the address for orders say the same, where both are given."""
    if contacts is not None and None not in (contact, contacts.orders) and contact != contacts.orders:
        raise ValueError("contacts.orders: is not what contact says, and both are where orders go; give one of them")


class Vendor(Strict):
    """Who supplies."""

    vendor_id: Slug = Field(description="Stable id of the vendor.")
    name: Name = Field(description="Name of the company.")
    contact: Reachable | None = Field(None, description=f"{_CONTACT}.")
    contacts: VendorContacts = Field(
        default_factory=VendorContacts, description="Whom to write to, by what it is about."
    )
    approved: bool = Field(True, description="False: an order to this vendor always needs a person.")

    @model_validator(mode="after")
    def _orders_have_one_home(self) -> Self:
        """Two bodies that mean the same are the same, also when one was posted to an earlier version."""
        _same_orders(self.contact, self.contacts)
        self.contact = self.contact or self.contacts.orders
        self.contacts = self.contacts.model_copy(update={"orders": None})
        return self


class VendorPatch(Strict):
    """The body of `PATCH /buildings/{b}/vendors/{v}`: what is given replaces what stands."""

    name: Name | None = Field(None, description="Name of the company.")
    contact: Reachable | None = Field(None, description=f"{_CONTACT}; null takes it away.")
    contacts: VendorContacts | None = Field(
        None, description="The roles given replace what stands; null takes one away; the others stay."
    )
    approved: bool | None = Field(None, description="False: an order to this vendor always needs a person.")

    @model_validator(mode="after")
    def _keeps_what_every_vendor_has(self) -> Self:
        for field in ("name", "contacts", "approved"):
            if field in self.model_fields_set and getattr(self, field) is None:
                raise ValueError(f"{field}: every vendor has one; leave the field out to keep what stands")
        _same_orders(self.contact, self.contacts)
        return self

    @property
    def changed(self) -> JsonObject:
        """The fields given, in JSON's types."""
        return self.model_dump(mode="json", exclude_unset=True)


class VendorChange(VendorPatch):
    """A vendor that is added or changed, named by its id or its name. A field that is absent stays."""

    vendor_id: Slug | None = Field(None, description="Stable id of the vendor; made from the name when absent.")

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if self.vendor_id is None and self.name is None:
            raise ValueError("vendor_id: name the vendor by its vendor_id or its name")
        return self


class Contact(Strict, frozen=True):
    """A person or a team of the project."""

    name: Name | None = Field(None, description="Name of the person or team.")
    contact: Text | None = Field(None, description="Address to write to.")
    email: Text | None = Field(None, description="Mail address, where no other contact is given.")
    phone: Text | None = Field(None, description="Phone number, where nothing else is given.")

    @property
    def address(self) -> str | None:
        """Where to write to, the best that is known."""
        return self.contact or self.email or self.phone or self.name


class Approver(Strict, frozen=True):
    """One step of the approver chain, asked in the order given."""

    role: Name = Field(description="Role on the project, such as project_manager.")
    name: Name = Field(description="Name of the person.")
    contact: Text | None = Field(None, description="Address to write to.")
    limit: Money | None = Field(None, description="Up to which amount this person decides; none: any amount.")


def _check_reachable(contacts: Mapping[str, Contact | str] | None, approvers: Sequence[Approver] | None) -> None:
    """Every address of a body can be sent to. Not a matter of the types: they also load what earlier versions took."""
    given = [(f"approvers.{number}.contact", one.contact) for number, one in enumerate(approvers or [])]
    for role, contact in (contacts or {}).items():
        if isinstance(contact, str):
            given.append((f"contacts.{role}", contact))
        else:
            given += [(f"contacts.{role}.{field}", getattr(contact, field)) for field in ("contact", "email")]
    for where, address in given:
        try:
            recipients(address or "")
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error


WatchMode = Literal["live", "watch"]
_WATCH = (
    "watch: it decides, and shows what it would have done and sent; it sends and orders nothing. live: it acts. "
    "Switched later with PATCH, by a person."
)


class BuildingSpec(Strict):
    """The body of `POST /buildings`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "building_id": "office-renovation",
                    "name": "Small Office Renovation",
                    "schedule": {
                        "project": {
                            "name": "Small Office Renovation",
                            "start_date": "2026-02-01",
                            "end_date": "2026-05-31",
                        },
                        "deliveries": [{"item": "Steel Beams", "required_by": "2026-02-15", "buffer_days": 5}],
                    },
                }
            ]
        },
    )

    building_id: Slug = Field(description="Stable id of the building.")
    name: Name = Field(description="Name that people know it by.")
    time_zone: TimeZone = Field("UTC", description="IANA zone in which the building's days are counted.")
    currency: Currency = Field("USD", description="ISO 4217 currency of the budget and the limits.")
    working_week: list[Weekday] = Field(
        default=list(WEEKDAYS[:5]), min_length=1, max_length=7, description="Working days of the site."
    )
    schedule: Schedule = Field(description="What is needed when.")
    items: Annotated[list[ItemSpec], FailFast()] = Field(
        default=[], max_length=5000, description="Lines of the procurement log."
    )
    vendors: Annotated[list[Vendor], FailFast()] = Field(
        default=[], max_length=MAX_VENDORS, description="Vendors that may be ordered from."
    )
    contacts: dict[Name, Contact | Name] = Field(
        default={}, max_length=200, description="Teams and people by role: receiving, project_manager, ..."
    )
    approvers: list[Approver] = Field(default=[], max_length=20, description="Who is asked, lowest first.")
    policy: Policy = Field(default_factory=Policy, description="What the agent may do alone, and how it asks.")
    mode: WatchMode = Field("live", exclude=True, description=_WATCH)
    """No part of what the body is compared by when it is sent again: it is switched later on."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _check_reachable(self.contacts, self.approvers)
        ids = [item.item_id for item in self.items if item.item_id is not None]
        twice = [value for value, count in Counter(ids).items() if count > 1]
        if twice:
            raise ValueError(f"items: the id {min(twice)!r} is given twice; every line needs its own")
        self._each_line_has_a_name_of_its_own()
        self._deliveries_add_up()
        problem = group_problem(self.items)
        if problem is not None:
            raise ValueError(f"items: {problem}")
        known = {vendor.vendor_id for vendor in self.vendors}
        for item in self.items:
            if item.vendor_id is not None and item.vendor_id not in known:
                raise ValueError(f"items: {item.id!r} names the vendor {item.vendor_id!r}, which is not in vendors")
        return self

    def _each_line_has_a_name_of_its_own(self) -> None:
        named = {item_id: item.name for item_id, item in zip(self.item_ids, self.items, strict=True)}
        lines = LineNames(named.items())
        for item, item_id in zip(self.items, self.item_ids, strict=True):
            other = lines.find_clash(item.item_id, item.name, item_id)
            if other is not None:
                raise ValueError(
                    f"items: {item.name!r} and {named[other]!r} would be taken for the same line, by name or by id "
                    f"({item_id}, {other}): the name is given twice; every line needs its own"
                )

    def _deliveries_add_up(self) -> None:
        """A line has several deliveries only with quantities, and those add up to its own."""
        lines = LineNames((item_id, item.name) for item_id, item in zip(self.item_ids, self.items, strict=True))
        quantities = dict(zip(self.item_ids, (item.quantity for item in self.items), strict=True))
        of_line: dict[str, list[Delivery]] = {}
        for delivery in self.schedule.deliveries:
            of_line.setdefault(lines.find(delivery.item) or f"?{folded(delivery.item)}", []).append(delivery)
        for item_id, deliveries in of_line.items():
            problem = delivery_problem(deliveries, quantities.get(item_id))
            if problem is not None:
                raise ValueError(f"schedule.deliveries: {problem}")

    @cached_property
    def item_ids(self) -> list[str]:
        """The ids of the lines posted, in their order: those given, and distinct ones made from the names. None is the
        name of another line."""
        ids = DistinctIds(item.item_id for item in self.items if item.item_id is not None)
        names = LineNames((str(number), item.name) for number, item in enumerate(self.items))

        def make(name: str) -> str:
            return ids.take(slug(name), lambda made: names.is_no_name(made, name))

        return [item.item_id or make(item.name) for item in self.items]


def delivery_problem(deliveries: Sequence[Delivery], quantity: Decimal | None) -> str | None:
    """Why these deliveries cannot all be of one line of this quantity; None where they can."""
    parts = [delivery.quantity for delivery in deliveries]
    known = [part for part in parts if part is not None]
    named = " and ".join(repr(name) for name in dict.fromkeys(delivery.item for delivery in deliveries))
    if len(known) < len(parts) and len(parts) > 1:
        return f"{named} are {len(parts)} deliveries of one line; keep one entry for it, or give each its quantity"
    if known and quantity is not None and sum(known) != quantity:
        return f"the quantities of {named} add up to {sum(known):f}, and the line's quantity is {quantity:f}"
    return None


class BuildingPatch(Strict):
    """The body of `PATCH /buildings/{b}`: what is given replaces what stands; policy fields are merged."""

    contacts: dict[Name, Contact | Name] | None = Field(None, max_length=200, description="Replaces all contacts.")
    approvers: list[Approver] | None = Field(None, max_length=20, description="Replaces the approver chain.")
    policy: dict[str, object] | None = Field(None, description="Policy fields to change; the others stay.")
    mode: WatchMode | None = Field(None, description=_WATCH)

    @model_validator(mode="after")
    def _can_be_reached(self, info: ValidationInfo) -> Self:
        if not (info.context or {}).get("on_file"):
            _check_reachable(self.contacts, self.approvers)
        return self


class Building(BaseModel):
    """A building as it stands: the row that every transaction locks first."""

    building_id: str
    name: str
    thread_id: str
    mode: str = "live"
    """What it is: `live`, a real building; `sandbox`, a fork whose messages are never delivered; `replay` while a
    backtest runs through it. Whether a real building is only watched is in `is_watching`."""
    origin: str | None = None
    """Of a sandbox: the live building whose past it has."""
    status: str = "active"
    time_zone: str = "UTC"
    currency: str = "USD"
    working_week: list[str] = list(WEEKDAYS[:5])
    contacts: dict[str, Contact | str] = {}
    approvers: list[Approver] = []
    policy: Policy = Policy()
    schedule_version: int = 1
    po_counter: int = 0
    is_watching: bool = False
    """The agent decides, and sends and orders nothing."""
    goes_live: bool = False
    """A person has switched it to live: in force from the entry that this put into the inbox."""
    live_from_seq: int = 0
    """The entry with which it went live; 0 where it always was."""
    acts_from: datetime | None = None
    """On the first day of being live: when the agent begins to order by itself, in UTC."""

    @property
    def shown_mode(self) -> str:
        """What is in force, as people and programs read it: `watch` until the entry that makes it live is processed."""
        return "watch" if self.mode == "live" and self.is_watching else self.mode

    @property
    def chosen_mode(self) -> str:
        """What people have switched it to, whether or not that is in force yet."""
        return "live" if self.goes_live else self.shown_mode

    @property
    def going_live(self) -> bool:
        """A person has switched it to live, and it is still in watch."""
        return self.mode == "live" and self.is_watching and self.goes_live

    @property
    def orders_alone(self) -> bool:
        """Whether the agent may make commitments by itself: not in watch, and not on the first day after it."""
        return not self.is_watching and self.acts_from is None

    @property
    def withholds_because(self) -> str | None:
        """Why messages for outside are withheld: `sandbox` or `watch`; None where they are sent."""
        if self.mode != "live":
            return "sandbox"
        return "watch" if self.is_watching else None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def known_as(self) -> str:
        """Its name in the numbers of its orders: a sandbox numbers them as the building that it is a fork of."""
        return self.origin or self.building_id

    def has_party(self, party: str) -> bool:
        """Whether a role or a name is among the contacts or in the approver chain."""
        known = party in self.contacts or f"{party}_team" in self.contacts
        return known or any(party in (approver.role, approver.name) for approver in self.approvers)

    def address_of(self, party: str) -> str:
        """The address of a role: of the contacts, else of the approver chain, else the role itself."""
        contact = self.contacts.get(party) or self.contacts.get(f"{party}_team")
        if isinstance(contact, Contact):
            return contact.address or party
        if contact:
            return contact
        for approver in self.approvers:
            if party in (approver.role, approver.name):
                return approver.contact or approver.name
        return party

    def approver_for(self, amount: Decimal | None, level: int = 0, *, is_unknown: bool = False) -> str | None:
        """Who is asked: the first of the chain whose limit covers the amount at stake, `level` steps further up; the
        last where none does. `is_unknown`: no price is known, so only somebody without a limit covers it."""
        if not self.approvers:
            return MANAGER if MANAGER in self.contacts else None
        enough = [
            index
            for index, approver in enumerate(self.approvers)
            if approver.limit is None or (not is_unknown and (amount is None or amount <= approver.limit))
        ]
        start = enough[0] if enough else len(self.approvers) - 1
        return self.approvers[min(start + level, len(self.approvers) - 1)].role

    def is_top(self, role: str | None) -> bool:
        """Whether nobody stands above this role in the approver chain."""
        return not self.approvers or self.approvers[-1].role == role
