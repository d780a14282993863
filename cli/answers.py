"""What the service answers, as far as commands read it. A test holds it to the API's own schemas."""

from typing import TYPE_CHECKING, Generic, TypedDict, TypeVar

if TYPE_CHECKING:  # help needs none of pydantic
    from pydantic import JsonValue

    from domain.plain_json import JsonObject, PlainAction

R = TypeVar("R")


class Responder(TypedDict):
    """Who decided something."""

    type: str
    id: str
    name: str


class Author(Responder):
    """Who did something, and by which way in."""

    via: str


class Option(TypedDict):
    """One way out of a question."""

    title: str
    actions: "list[PlainAction]"
    arrival: str | None
    days_late: int | None
    cost: str
    assumptions: list[str]


class Named(TypedDict):
    """The line that a question is about."""

    name: str


class Evidence(TypedDict):
    """What a question rests on, as far as it is read: the rest is printed as it came."""

    policy: str
    item: Named


class Standing(TypedDict):
    """The answer that a question was given."""

    type: str
    responder: Responder


class Approval(TypedDict):
    """A question to a person."""

    approval_id: str
    building_id: str
    item_id: str | None
    kind: str
    summary: str
    recommended: "list[PlainAction]"
    options: list[Option]
    evidence: Evidence
    status: str
    version: int
    asked_of: str | None
    raised_at: str
    due_at: str | None
    decision: Standing | None


class AcceptedDecision(TypedDict):
    """An answer that was taken."""

    event_id: str
    status: str
    answer: str | None
    would_do: list[str] | None


class OpenFlag(TypedDict):
    """A flag on a line."""

    flag_id: str
    band: str
    detail: str


class Flag(OpenFlag):
    """A flag, and what it is on."""

    item_id: str
    status: str
    event_id: str | None


class WouldOrder(TypedDict):
    """An order that was not placed."""

    vendor_id: str | None
    vendor: str | None
    quantity: str | None
    unit: str | None
    total: str | None
    currency: str
    on: str


class WouldPlace(WouldOrder):
    """An order that the agent would place."""

    item: str


class WouldChase(TypedDict):
    """Something overdue."""

    item: str
    milestone: str
    due_on: str
    on: str | None


class WouldDo(TypedDict):
    """What the agent would do."""

    orders: list[WouldPlace]
    chases: list[WouldChase]


class Doing(TypedDict):
    """An event under way."""

    event_type: str
    status: str


class Progress(TypedDict):
    """How far a building is."""

    lines: dict[str, int]
    doing: list[Doing]
    waiting: int


class BuildingSummary(TypedDict):
    """A building in a list."""

    building_id: str
    name: str
    status: str
    mode: str
    pending_approvals: int
    waiting_events: int


class Building(TypedDict):
    """A building as it stands."""

    building_id: str
    name: str
    thread_id: str
    mode: str
    status: str
    contacts: "JsonObject"
    approvers: "list[JsonValue]"
    policy: "JsonObject"
    acts_from: str | None
    would_do: WouldDo | None
    progress: Progress
    pending_approvals: list[Approval]
    open_flags: list[Flag]


class Change(TypedDict):
    """A field that was changed."""

    before: "JsonValue"
    after: "JsonValue"


class AuditDetail(TypedDict, total=False):
    """What was done; of a change `changed`, of a decision `type`."""

    changed: dict[str, Change]
    type: str


class Audited(TypedDict):
    """Something that somebody did."""

    at: str
    by: Author
    what: str
    subject: str
    detail: AuditDetail


class Need(TypedDict):
    """A quantity that the site needs by a day."""

    quantity: str
    required_by: str | None
    covered_on: str | None
    days_late: int | None


class Ncr(TypedDict):
    """Rejected goods that nobody has decided about."""

    ncr_number: str
    undecided: str
    defects: list[str]


class Item(TypedDict):
    """A line of the procurement log."""

    item_id: str
    name: str
    quantity: str | None
    unit: str | None
    total: str | None
    status: str
    required_by: str | None
    buffer_days: int
    promised_date: str | None
    eta: str | None
    schedule_band: str | None
    purchase_order_number: str | None
    flags: list[OpenFlag]
    on_hold_by: str | None
    quantities: dict[str, str]
    needs: list[Need]
    open_ncrs: list[Ncr]
    first_promise: str | None
    latest_promise: str | None
    would_order: WouldOrder | None


class OrderLine(TypedDict):
    """A line of an order."""

    line: int
    item: str
    item_name: str | None
    quantity: str | None
    unit: str | None
    unit_price: str | None
    promised_date: str | None
    required_by: str | None


class Order(TypedDict):
    """A purchase order."""

    number: str
    revision: int
    status: str
    vendor_id: str | None
    vendor: str | None
    lines: list[OrderLine]
    total: str | None
    currency: str
    issued_on: str | None
    external_ref: str | None


class Receipt(TypedDict):
    """What arrived."""

    quantity: str | None
    received_on: str


class Shipment(TypedDict):
    """A delivery on its way or received."""

    shipment_id: str
    item_id: str
    purchase_order: str | None
    quantity: str | None
    status: str
    eta: str | None
    departed_on: str | None
    origin: str | None
    receipts: list[Receipt]


class Inspection(TypedDict):
    """An inspection."""

    inspection_id: str
    item_id: str
    shipment_id: str | None
    status: str
    scheduled_on: str | None
    inspected_on: str | None
    defects: list[str]
    quantity_rejected: str | None
    ncr_number: str | None
    disposition: str | None


class Message(TypedDict):
    """What was said."""

    message_id: str
    item_id: str | None
    direction: str
    party: str
    text: str
    urgency: str
    status: str | None
    withheld_because: str | None
    event_id: str | None


class Delivered(TypedDict):
    """A message for outside, and what became of it."""

    outbox_id: int
    building_id: str
    recipient: str
    subject: str
    status: str
    attempts: int
    error: str | None
    created_at: str


class Action(TypedDict):
    """An entry of the ledger."""

    name: str
    arguments: "JsonObject"
    result: "JsonObject"
    event_id: str | None
    responder: Responder
    at: str


class Decision(TypedDict):
    """An entry of the decision log."""

    seq: int
    item_id: str | None
    type: str
    kind: str
    responder: Responder
    why: str
    actions: "list[PlainAction]"
    at: str


class Accepted(TypedDict):
    """An event that was stored."""

    event_id: str
    seq: int
    status: str


class Event(Accepted):
    """An event, and what became of it."""

    source: str
    event_type: str
    received_at: str
    attempts: int
    error: str | None
    outcome: "JsonObject | None"


class Step(TypedDict):
    """A checkpoint of the agent."""

    checkpoint_id: str
    at: str | None
    nodes: list[str]
    seq: int | None
    event_type: str | None
    live: bool
    next: list[str]
    rows: list[str] | None


class Fork(TypedDict):
    """A sandbox of a building as it was."""

    fork_id: str
    after_event: int
    events_since: int
    pending_approvals: int
    created_by: Responder
    created_at: str


class Rule(TypedDict):
    """What people's answers have taught."""

    rule_id: str
    text: str
    standing: str
    in_a_row: int
    autonomy_after: int
    decided: int
    confirmed: int
    overruled: int


class Delegation(TypedDict):
    """What may be decided without asking."""

    delegation_id: str
    kind: str
    actions: list[str]
    category: str | None
    vendor_id: str | None
    item_id: str | None
    about: str | None
    amount_limit: str | None
    granted_to: str
    granted_by: str
    expires_at: str | None
    status: str


class LinkUse(TypedDict):
    """What was done with a link."""

    page: str
    subject: str
    person: str
    name: str
    what: str
    why: str | None
    at: str


class VendorContacts(TypedDict):
    """Whom to write to at a vendor."""

    orders: str | None
    logistics: str | None
    escalation: str | None


class Vendor(TypedDict):
    """A vendor of a building."""

    vendor_id: str
    name: str
    contact: str | None
    contacts: VendorContacts
    approved: bool


class Changed(TypedDict):
    """Something of a line that is one way in reality and another in the fork."""

    what: str
    really: str | None
    here: str | None


class LineDifference(TypedDict):
    """A line that is not the same."""

    name: str
    changes: list[Changed]


class DateDifference(Changed):
    """A date that is not the same."""

    name: str
    days: int | None


class OrderState(TypedDict):
    """A line's order as it stands on one side."""

    number: str
    status: str
    quantity: str | None
    unit: str | None
    total: str | None
    currency: str


class OrderDifference(TypedDict):
    """An order that is not the same."""

    item_id: str
    round: int
    really: OrderState | None
    here: OrderState | None


class ApprovalDifference(TypedDict):
    """A question that is not the same."""

    item_id: str | None
    summary: str
    really: str | None
    here: str | None


class DecisionMade(TypedDict):
    """A decision of one side alone."""

    item_id: str | None
    type: str
    actions: "list[PlainAction]"
    responder: Responder


class MessageSaid(TypedDict):
    """A message of one side alone."""

    item_id: str | None
    party: str
    text: str


class EventSeen(TypedDict):
    """An event of one side alone."""

    seq: int
    event_type: str
    item: str | None


class OnlyIn(TypedDict, Generic[R]):
    """What only one of the two has."""

    really: list[R]
    here: list[R]


class Difference(TypedDict):
    """How a fork differs from reality."""

    fork_id: str
    building_id: str
    after_event: int
    really_until: int
    here_until: int
    lines: list[LineDifference]
    dates: list[DateDifference]
    orders: list[OrderDifference]
    approvals: list[ApprovalDifference]
    decisions: OnlyIn[DecisionMade]
    messages: OnlyIn[MessageSaid]
    events: OnlyIn[EventSeen]
