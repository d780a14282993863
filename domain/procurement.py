"""The procurement log: its lines with their four facets, and the orders, shipments and inspections behind them."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from domain.addresses import recipients_on_file, same_address
from domain.field_markers import OfLine
from domain.lines.facts import AfterReturn, Handling
from domain.lines.quantities import DEFAULT_TOLERANCES, share_of
from domain.money import line_total, places_of
from domain.outside import shown_name
from domain.plain_json import JsonObject, KnownJson


class Submittal(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REVISE_RESUBMIT = "revise_resubmit"
    REJECTED = "rejected"


class Commercial(StrEnum):
    UNORDERED = "unordered"
    ORDERED = "ordered"
    ACKNOWLEDGED = "acknowledged"
    CANCELLED = "cancelled"


class Logistics(StrEnum):
    NOT_SHIPPED = "not_shipped"
    IN_TRANSIT = "in_transit"
    PARTIALLY_RECEIVED = "partially_received"
    ON_SITE = "on_site"


class Quality(StrEnum):
    NOT_INSPECTED = "not_inspected"
    INSPECTION_SCHEDULED = "inspection_scheduled"
    PASSED = "passed"
    FAILED = "failed"
    ACCEPTED_AS_IS = "accepted_as_is"


_SUPPLIED = ("ordered", "in_transit", "on_site", "accepted", "rejected", "in_repair")
"""States of lots that a need may still be covered from."""


class Row(BaseModel):
    """A row of the domain: saved whole, with its after-image appended to `changes`."""


LineValue = str | int | Decimal | date | None
"""What a field of a line may be given."""


class WouldOrder(BaseModel):
    """What the agent would have ordered of a line, had it been allowed to order."""

    vendor_id: str | None = None
    vendor: str | None = None
    quantity: Decimal | None = None
    unit: str | None = None
    total: Decimal | None = None
    """None: no price is known."""
    group: str | None = None
    """The group that the total is of, where the line is ordered together with others."""
    currency: str
    on: date
    """The business day on which it would have been ordered first."""

    def is_same_as(self, other: "WouldOrder | None") -> bool:
        """Whether both order the same, whatever the day."""
        return other is not None and self.model_copy(update={"on": other.on}) == other


class CoveredNeed(BaseModel):
    """A need of a line as it is shown: how much, by which day, and when all of it is there."""

    quantity: Decimal
    required_by: date | None = None
    buffer_days: int = 0
    covered_on: date | None = None
    """The day on which the last of it is there; None: nobody knows for a part of it."""
    expected_on: date | None = None
    """The last day that is known of any part of it, by what people said; None: nobody has said one."""
    days_late: int | None = None
    late_quantity: Decimal = Decimal(0)
    """How much of it comes after the required day, as far as is known."""

    @property
    def days_late_as_known(self) -> int | None:
        """Calendar days from the required day to the last day that is known of it; None where either is not known."""
        if self.expected_on is None or self.required_by is None:
            return None
        return max(0, (self.expected_on - self.required_by).days)


class Supply(BaseModel):
    """A quantity of a line that is on site, or is to come."""

    quantity: Decimal
    on: date | None = None
    """The day by what people said; None: nobody has said one."""
    forecast_on: date | None = None
    """The same, or the day of the order plus the lead time."""


class LineAccount(BaseModel):
    """What a line amounts to by its facts: the projection that lists and pages show (`domain.lines.projection`).
    Quantities are in the unit of the line."""

    quantities: dict[str, Decimal] = {}
    """By state of the lots; and `needed`, `open`."""
    tolerance: Decimal | None = None
    """The share of what is needed that may be missing; None: what it is by default for the line's unit."""
    needs: list[CoveredNeed] = []
    supply: list[Supply] = []
    """What covers the needs (`domain.lines.needs`)."""
    first_promise: date | None = None
    latest_promise: date | None = None
    ordered_on: date | None = None
    acknowledged_on: date | None = None
    shipped_on: date | None = None
    received_on: date | None = None
    usable_on: date | None = None
    expected_on: date | None = None
    """The last day on which anything is expected that is still to come, by what people said; when all is here, the day
    on which the last of it came."""
    is_released: bool = False
    was_released_before: bool = False
    """It was released before facts were kept: that verdict stands until a fact speaks against it."""


class DatedNeed(BaseModel):
    """So much of a line is needed on site on a day, as the schedule says."""

    quantity: Decimal | None = None
    """None: the line's whole quantity."""
    required_by: date
    buffer_days: int = 0


NAME = OfLine("name")
POSTED = OfLine("posted")
POSTED_DAY = OfLine("posted", compared="as_day")
POSTED_AND_COUNTED = OfLine("posted", counts=True)
ORDERED = OfLine("ordered", compared="as_state")
ORDERED_AND_COUNTED = OfLine("ordered", compared="as_state", counts=True)
DERIVED = OfLine("derived")
STATE = OfLine("derived", compared="as_state")
DAY = OfLine("derived", compared="as_day")
NOTED = OfLine("noted")
NOTED_STATE = OfLine("noted", compared="as_state")


class Item(Row):
    """A line of the procurement log. Days are local to the building, durations in calendar days."""

    item_id: Annotated[str, NAME]
    name: Annotated[str, NAME]
    category: Annotated[str | None, POSTED] = None
    vendor_id: Annotated[str | None, ORDERED] = None
    quantity: Annotated[Decimal | None, ORDERED_AND_COUNTED] = None
    unit: Annotated[str | None, ORDERED_AND_COUNTED] = None
    unit_price: Annotated[Decimal | None, ORDERED] = None
    group: Annotated[str | None, ORDERED] = None
    """The lines that are bought together for one price (a lump sum): all of them name the same group."""
    group_total: Annotated[Decimal | None, ORDERED] = None
    """Price of the whole group; each of its lines has it. None: the line is in none."""
    currency: Annotated[str, ORDERED]
    lead_time_days: Annotated[int | None, POSTED_AND_COUNTED] = None
    posted: Annotated[bool, NOTED] = True
    """False: made from a delivery of the schedule, without a line of its own; ordered without vendor and price."""
    submittal: Annotated[Submittal, STATE] = Submittal.PENDING
    submittal_revision: Annotated[int | None, DERIVED] = None
    document_url: Annotated[str | None, DERIVED] = None
    commercial: Annotated[Commercial, STATE] = Commercial.UNORDERED
    logistics: Annotated[Logistics, STATE] = Logistics.NOT_SHIPPED
    quality: Annotated[Quality, STATE] = Quality.NOT_INSPECTED
    required_by: Annotated[date | None, POSTED_DAY] = None
    buffer_days: Annotated[int, POSTED] = 0
    needs: Annotated[list[DatedNeed], DERIVED] = []
    """What the schedule asks for, the earliest day first: `required_by` and `buffer_days` are the first one's."""
    promised_date: Annotated[date | None, DAY] = None
    eta: Annotated[date | None, DAY] = None
    schedule_band: Annotated[str | None, STATE] = None
    told_band: Annotated[str | None, NOTED] = None
    """The band that people were last told of (`domain.outstanding.LET_PASS`: by a flag alone): the agent speaks up
    only when it changes."""
    round: Annotated[int, DERIVED] = 0
    """0 before the first order; each order and replacement opens the next round."""
    held_until: Annotated[date | None, NOTED_STATE] = None
    hold_note: Annotated[str | None, NOTED] = None
    removed: Annotated[bool, NOTED] = False
    would_order: Annotated[WouldOrder | None, NOTED] = None
    """What the agent would have ordered while it may not; None once an order is on file."""
    unit_factors: Annotated[dict[str, Decimal], NOTED] = {}
    """How many of the line's unit one of another unit is, as people said it of a report."""
    account: Annotated[LineAccount | None, DERIVED] = None
    """None: nothing has changed on the line since facts are kept."""
    taken_on: Annotated[date | None, NOTED] = None
    """The day on which it was last taken on with what was known of it; None: it never was."""
    caused_seq: Annotated[int, NOTED] = 0

    @property
    def shown(self) -> str:
        """Its name as it may stand in a sentence of ours."""
        return shown_name(self.name)

    @property
    def total(self) -> Decimal | None:
        """What ordering the line commits to: its price; the group's whole price where it is one of a group. None
        without a price. A line without a quantity is one lot."""
        if self.group is not None:
            return self.group_total
        return line_total(self.unit_price, self.quantity_to_order, self.currency)

    @property
    def needed_quantity(self) -> Decimal | None:
        """How much the site needs: the sum of its needs where all of them carry quantities, else the line's own
        quantity. None: it is one lot."""
        parts = [need.quantity for need in self.needs if need.quantity is not None]
        return sum(parts, Decimal(0)) if parts and len(parts) == len(self.needs) else self.quantity

    @property
    def needed_until(self) -> date | None:
        """The day on which the site needs the last of it; None: no day is known."""
        return max((need.required_by for need in self.needs), default=self.required_by)

    @property
    def quantity_to_order(self) -> Decimal | None:
        """The line's own quantity, else what the schedule asks for. None: it is one lot."""
        return self.needed_quantity if self.quantity is None else self.quantity

    @property
    def missing_quantity(self) -> Decimal:
        """How much is needed of which nothing is on site, on its way or on order; 0 where less is missing than the unit
        allows. Of a line whose facts are not kept, 0."""
        if self.account is None:
            return Decimal(0)
        quantities = self.account.quantities
        supplied = sum((quantities.get(state, Decimal(0)) for state in _SUPPLIED), Decimal(0))
        needed = quantities.get("needed", Decimal(0))
        missing = needed - supplied
        return missing if missing > needed * self.tolerance else Decimal(0)

    @property
    def tolerance(self) -> Decimal:
        """The share of it that may be missing: as it was last counted, else by its unit."""
        counted = None if self.account is None else self.account.tolerance
        return share_of(self.unit) if counted is None else counted

    @property
    def is_short(self) -> bool:
        """Whether a part of its order was cancelled that is still needed, and nothing was ordered for it since."""
        cancelled = Decimal(0) if self.account is None else self.account.quantities.get("cancelled", Decimal(0))
        return cancelled > 0 and self.submittal == Submittal.APPROVED and self.missing_quantity > 0

    @property
    def is_ordered(self) -> bool:
        return self.commercial in (Commercial.ORDERED, Commercial.ACKNOWLEDGED)

    @property
    def is_released(self) -> bool:
        """Inspected (or accepted) and all here: nothing is left to do for this line."""
        if self.account is not None:
            return self.account.is_released
        return self.logistics == Logistics.ON_SITE and self.quality in (
            Quality.PASSED,
            Quality.ACCEPTED_AS_IS,
        )

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to be done about the line: it is released, or was taken out."""
        return self.removed or self.is_released

    @property
    def is_held(self) -> bool:
        return self.held_until is not None

    @property
    def expected(self) -> date | None:
        """When the last of it is expected on site: by ETA, else by the vendor's promise."""
        if self.account is not None:
            return self.account.expected_on
        return self.eta or self.promised_date

    @property
    def latest_need(self) -> CoveredNeed | None:
        """The need that is latest, as far as days are known; None where none is known of any."""
        needs = [] if self.account is None else self.account.needs
        dated = [need for need in needs if need.days_late_as_known is not None]
        return max(dated, key=lambda need: need.days_late_as_known or 0, default=None)

    @property
    def late_needs(self) -> list[CoveredNeed]:
        """The needs that are met on their day or after it, as far as days are known; the earliest first."""
        needs = [] if self.account is None else self.account.needs
        return [
            need
            for need in needs
            if need.required_by is not None and need.expected_on is not None and need.expected_on >= need.required_by
        ]

    @property
    def days_late(self) -> int | None:
        """Calendar days by which the latest of its needs is late, 0 in time; None where no day is known."""
        need = self.latest_need
        if self.account is None and self.expected is not None and self.required_by is not None:
            return max(0, (self.expected - self.required_by).days)
        return None if need is None else need.days_late_as_known

    @property
    def order_by(self) -> date | None:
        """Required on site minus lead time, in calendar days (domain.md)."""
        if self.required_by is None or self.lead_time_days is None:
            return None
        return self.required_by - timedelta(days=self.lead_time_days)

    @property
    def status(self) -> str:
        """One word for people, derived from the facets."""
        return _status(self)


def _status(item: Item) -> str:
    if item.removed:
        return "removed"
    if item.is_held:
        return "on_hold"
    if item.quality == Quality.FAILED:
        return "failed_inspection"
    if item.is_released:
        return "released"
    if item.logistics == Logistics.ON_SITE:
        return "on_site"
    if item.is_short:
        return "ready_to_order"
    if item.logistics != Logistics.NOT_SHIPPED:
        return str(item.logistics)
    is_wanted_again = item.commercial == Commercial.CANCELLED and item.submittal == Submittal.APPROVED
    if item.commercial != Commercial.UNORDERED and not is_wanted_again:
        return str(item.commercial)
    return {
        Submittal.APPROVED: "ready_to_order",
        Submittal.REJECTED: "submittal_rejected",
        Submittal.REVISE_RESUBMIT: "submittal_rejected",
    }.get(item.submittal, "planned")


class Flag(Row):
    """Something that people should look at, until it is cleared."""

    flag_id: str
    item_id: str
    band: str
    detail: str
    status: str = "open"
    raised_seq: int
    cleared_seq: int | None = None


class PurchaseOrder(Row):
    """A commitment to a vendor."""

    number: str
    revision: int = 0
    status: str = "issued"
    vendor_id: str | None = None
    currency: str
    total: Decimal | None = None
    external_ref: str | None = None
    issued_on: date | None = None
    cancelled_on: date | None = None
    placed_outside: bool = False
    """Placed without the agent: it was taken from what a vendor or the site reported, or taken on with its line."""
    taken_on: date | None = None
    """The day on which it was taken on with a running project; None: it was not."""
    acknowledged_on: date | None = None
    """When its vendor confirmed it, where that is all that is known; else his promise tells."""
    caused_seq: int = 0


class OrderLine(Row):
    """One item on a purchase order. An item is ordered once for each round."""

    number: str
    line: int
    item_id: str
    round: int
    quantity: Decimal | None = None
    unit: str | None = None
    unit_price: Decimal | None = None
    group: str | None = None
    """Of lines that are ordered for one price: their group."""
    group_total: Decimal | None = None
    """Price of the whole group, the same on each of its lines."""
    status: str | None = None
    """How far this line is, where its order has lines of other items too; None: as far as the order."""
    cancelled_on: date | None = None
    """Of an order that goes on without it: the day on which this line was cancelled."""
    cancelled_seq: int | None = None
    """The entry that cancelled it."""
    promised_date: date | None = None
    required_by: date | None = None
    ordered_after: date | None = None
    """Of a further order: the last day that was known of the line when it was placed; what happened by then is not of
    it."""


class Shipment(Row):
    """A delivery on its way or received; an order may come in several (partials)."""

    shipment_id: str
    item_id: str
    round: int
    purchase_order: str | None = None
    quantity: Decimal | None = None
    """None: the whole line, where no quantities are known."""
    status: str = "in_transit"
    eta: date | None = None
    departed_on: date | None = None
    origin: str | None = None
    fact: str | None = None
    """What its lots are named by, where nobody has given it an id."""
    caused_seq: int = 0

    @property
    def is_received(self) -> bool:
        return self.status == "received"


class Receipt(Row):
    """What arrived on site, by quantity."""

    receipt_id: str
    shipment_id: str
    item_id: str
    quantity: Decimal | None = None
    received_on: date
    location: str | None = None
    is_voided: bool = False
    """It was taken back: it counts for nothing."""
    is_taken_on: bool = False
    """The goods were on site when their line was taken on: one question for all of them asks what of them is good."""
    caused_seq: int = 0


class Inspection(Row):
    """An inspection under the inspection and test plan: scheduled, passed or failed (then with its NCR)."""

    inspection_id: str
    item_id: str
    round: int
    shipment_id: str | None = None
    status: str = "scheduled"
    scheduled_on: date | None = None
    inspected_on: date | None = None
    document_url: str | None = None
    document_name: str | None = None
    defects: list[str] = []
    quantity_rejected: Decimal | None = None
    ncr_number: str | None = None
    disposition: str | None = None
    fact: str | None = None
    """The report that it is known by; None: it is planned."""
    caused_seq: int = 0


class FactDetails(BaseModel):
    """What only some kinds of facts have (`domain.lines.facts`)."""

    eta: date | None = None
    origin: str | None = None
    is_complete: bool | None = None
    serials: list[str] = []
    place: str | None = None
    is_off_site: bool = False
    damaged: Decimal | None = None
    condition: Literal["good", "damaged", "wrong"] | None = None
    is_approved: bool | None = None
    revision: int | None = None
    passed: bool | None = None
    rejected: Decimal | None = None
    ncr_number: str | None = None
    document: str | None = None
    document_url: str | None = None
    defects: list[str] = []
    ncr: str | None = None
    handling: Handling | None = None
    then: AfterReturn | None = None
    kind: str | None = None
    is_adopted: bool = False
    is_undated: bool = False
    aside: str | None = None
    """Why it was not counted when it came in, as a person was asked about it; None: it was."""


FactKind = Literal["departed", "arrived", "inspected", "disposed", "stated", "submitted"]


class FactRow(Row):
    """One thing that was said about a line (`domain.lines.stored` makes it a fact). Nothing of it is ever changed, but
    that it was taken back, or that a person has judged it."""

    item_id: str
    fact_id: str
    kind: FactKind
    day: date
    said_at: datetime
    received_at: datetime
    source: str
    event_id: str
    order: str | None = None
    shipment_id: str | None = None
    quantity: Decimal | None = None
    judgement: Literal["same", "another", "left", "restated"] | None = None
    voided_by: str | None = None
    details: FactDetails = FactDetails()
    caused_seq: int = 0

    @property
    def key(self) -> str:
        """Names the fact: an event id is unique only within its source."""
        return f"{self.source}:{self.event_id}"

    @property
    def is_set_aside(self) -> bool:
        """Whether it cannot be true as it was said, or a person has left it, or told it as it was meant."""
        return self.details.aside is not None or self.judgement in ("left", "restated")

    @property
    def is_live(self) -> bool:
        """Whether it is neither taken back nor set aside: only then it counts for anything."""
        return self.voided_by is None and not self.is_set_aside


class LotRow(Row):
    """A quantity of a line in one state. Made of the facts; nothing else writes it."""

    item_id: str
    lot_id: str
    order: str | None = None
    quantity: Decimal
    unit: str | None = None
    state: str
    shipment_id: str | None = None
    ncr_id: str | None = None
    since: date | None = None
    arrived_on: date | None = None
    expected_on: date | None = None
    usable_on: date | None = None
    aliases: list[str] = []
    is_over: bool = False
    is_unknown: bool = False
    is_gone: bool = False
    caused_seq: int = 0


class NonconformanceRow(Row):
    """Rejected goods (NCR), how much of them is undecided, and what was decided. Made of the facts."""

    item_id: str
    ncr_id: str
    ncr_number: str
    lot_id: str | None = None
    shipment_id: str | None = None
    quantity: Decimal
    undecided: Decimal
    defects: list[str] = []
    disposition: str | None = None
    inspection_id: str | None = None
    is_gone: bool = False
    caused_seq: int = 0

    @property
    def is_open(self) -> bool:
        return self.undecided > 0 and not self.is_gone


MILESTONES = ("acknowledge", "ship", "arrive", "inspect")
"""In the order in which they come: whatever is later implies what is before it."""


class Milestone(Row):
    """What is expected of an order, and by when: acknowledge, ship, arrive, inspect."""

    item_id: str
    round: int
    kind: str
    due_on: date | None = None
    met_on: date | None = None
    chase_on: date | None = None
    """The day from which it is overdue and somebody is chased; None: nobody is."""
    chases: int = 0
    """How often somebody was chased for it."""
    caused_seq: int = 0


class Message(Row):
    """What was said: the agent's messages out, people's notes and outside texts in."""

    message_id: str
    item_id: str | None = None
    direction: str
    party: str
    """Whom it went to, or who wrote it."""
    text: str
    urgency: str = "normal"
    caused_seq: int = 0


class ScheduleVersion(Row):
    """One version of the schedule, in the form it was posted."""

    version: int
    body: KnownJson
    data_date: date | None = None
    caused_seq: int = 0


ContactRole = Literal["orders", "logistics", "escalation"]
"""What a message to a vendor is about, and so who at the vendor reads it."""


class OtherContacts(BaseModel, frozen=True):
    """A vendor's addresses beside the one for orders."""

    logistics: str | None = None
    escalation: str | None = None


class VendorRow(Row):
    """A vendor of the building."""

    vendor_id: str
    name: str
    contact: str | None = None
    """Where orders go."""
    contacts: OtherContacts = OtherContacts()
    approved: bool = True

    def contact_for(self, role: ContactRole) -> str | None:
        """Where messages of this kind go; a role without an address falls back to the one for orders."""
        own = None if role == "orders" else getattr(self.contacts, role)
        return own or self.contact

    @property
    def contacts_by_role(self) -> dict[str, str | None]:
        """All addresses as they are on file, without a fallback."""
        return {"orders": self.contact, **self.contacts.model_dump()}

    @property
    def addresses(self) -> list[str]:
        """Every address on file, one by one, without display names."""
        given = dict.fromkeys(contact for contact in self.contacts_by_role.values() if contact)
        return list(dict.fromkeys(address for contact in given for address in recipients_on_file(contact)))

    def is_address_of(self, sender: str | None) -> bool:
        """Whether a sender is exactly one of its addresses."""
        return any(same_address(sender, address) for address in self.addresses)

    def with_changes(self, changed: Mapping[str, Any]) -> "VendorRow":
        """The vendor with fields replaced, as `VendorPatch.changed` gives them."""
        roles = dict(changed.get("contacts") or {})
        orders = {"contact": roles.pop("orders")} if "orders" in roles else {}
        plain = {name: changed[name] for name in ("name", "contact", "approved") if name in changed}
        return self.model_copy(update={**orders, **plain, "contacts": self.contacts.model_copy(update=roles)})

    @property
    def on_record(self) -> JsonObject:
        """Its fields as the audit names them, one by one."""
        others = {f"contacts.{role}": contact for role, contact in self.contacts.model_dump().items()}
        return {**self.model_dump(mode="json", exclude={"contacts"}), **others}


class LineFile(BaseModel):
    """Everything on file about one line: what handlers, options and evidence are computed from."""

    item: Item
    vendor: VendorRow | None = None
    group_lines: list[Item] = []
    """The other lines of its group, without those that were taken out."""
    other_order_lines: list[OrderLine] = []
    """Lines of other items on its orders."""
    tolerances: dict[str, Decimal] = dict(DEFAULT_TOLERANCES)
    """By unit: the share that may be missing (policy)."""
    orders: list[PurchaseOrder] = []
    order_lines: list[OrderLine] = []
    shipments: list[Shipment] = []
    receipts: list[Receipt] = []
    inspections: list[Inspection] = []
    milestones: list[Milestone] = []
    facts: list[FactRow] = []
    lots: list[LotRow] = []
    ncrs: list[NonconformanceRow] = []
    on_record: "LineFile | None" = Field(None, exclude=True)
    """The file as it is saved, where its facts were made of its rows and are not yet: what is to be saved is told
    from it, whatever has been made of the file since."""

    @property
    def open_ncrs(self) -> list[NonconformanceRow]:
        """Nonconformances of which something is undecided, the oldest first."""
        return [ncr for ncr in self.ncrs if ncr.is_open]

    @property
    def order_line(self) -> OrderLine | None:
        """The current round's order line."""
        return self.order_line_in(self.item.round)

    def order_line_in(self, round_: int) -> OrderLine | None:
        return next((line for line in self.order_lines if line.round == round_), None)

    @property
    def order(self) -> PurchaseOrder | None:
        """The current round's order."""
        line = self.order_line
        return None if line is None else next((o for o in self.orders if o.number == line.number), None)

    def is_order_cancelled(self, number: str) -> bool:
        """Whether an order is cancelled for this line: all of it, or the line alone."""
        if any(order.number == number and order.status == "cancelled" for order in self.orders):
            return True
        own = [line for line in self.order_lines if line.number == number]
        return bool(own) and all(line.cancelled_on is not None for line in own)

    def round_of_order(self, number: str | None) -> int | None:
        """The round that an order number belongs to; None when it is not this line's. An order that was placed
        outside is also known by its number there."""
        ours = self.number_of(number)
        return next((line.round for line in self.order_lines if line.number == ours), None)

    def number_of(self, named: str | None) -> str | None:
        """Our number of an order that is named by it, or by its number elsewhere (in the ERP, at the vendor); the name
        itself where the line has no such order."""
        if named is None or any(order.number == named for order in self.orders):
            return named
        alias = next((order.number for order in self.orders if order.external_ref == named), None)
        return alias or named

    def shipments_in(self, round_: int) -> list[Shipment]:
        return [shipment for shipment in self.shipments if shipment.round == round_]

    def inspections_in(self, round_: int) -> list[Inspection]:
        return [inspection for inspection in self.inspections if inspection.round == round_]

    def received(self, round_: int) -> Decimal:
        """Quantity received in a round; a receipt without a quantity counts as nothing countable."""
        ids = {shipment.shipment_id for shipment in self.shipments_in(round_)}
        return sum((r.quantity or Decimal(0) for r in self.receipts if r.shipment_id in ids), Decimal(0))

    @property
    def has_rejected(self) -> bool:
        """Whether something was rejected of which nobody has decided what becomes."""
        ncrs = (one for one in self.inspections if one.status == "failed" and one.disposition is None)
        return self.item.quality == Quality.FAILED or any(ncrs)

    def receipt_of(self, shipment_id: str) -> Receipt | None:
        return next((receipt for receipt in self.receipts if receipt.shipment_id == shipment_id), None)

    def issued_on(self, round_: int) -> date | None:
        number = next((line.number for line in self.order_lines if line.round == round_), None)
        return next((order.issued_on for order in self.orders if order.number == number), None)


def money(amount: Decimal | None, currency: str | None = None) -> str | None:
    """A decimal string with at least the places of its currency, two where none is named. What has more, such as a
    unit price, keeps them."""
    if amount is None:
        return None
    exact = amount.normalize()
    places = max(places_of(currency), -int(exact.as_tuple().exponent))
    text = f"{exact:.{places}f}"
    return text if currency is None else f"{text} {currency}"
