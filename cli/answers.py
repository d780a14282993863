"""What the service answers, as far as commands read it. A test holds it to the API's own schemas."""

from typing import TYPE_CHECKING, Generic, TypedDict, TypeVar

if TYPE_CHECKING:  # help needs none of pydantic
    from pydantic import JsonValue

    from domain.plain_json import JsonObject, PlainAction

R = TypeVar("R")


class ResponderJson(TypedDict):
    """Who decided something."""

    type: str
    id: str
    name: str


class AuthorJson(ResponderJson):
    """Who did something, and by which way in."""

    via: str


class OptionJson(TypedDict):
    """One way out of a question."""

    title: str
    actions: "list[PlainAction]"
    arrival: str | None
    days_late: int | None
    cost: str
    assumptions: list[str]


class NamedJson(TypedDict):
    """The line that a question is about."""

    name: str


class EvidenceJson(TypedDict):
    """What a question rests on, as far as it is read: the rest is printed as it came."""

    policy: str
    item: NamedJson


class StandingJson(TypedDict):
    """The answer that a question was given."""

    type: str
    responder: ResponderJson


class ApprovalJson(TypedDict):
    """A question to a person."""

    approval_id: str
    building_id: str
    item_id: str | None
    kind: str
    summary: str
    recommended: "list[PlainAction]"
    options: list[OptionJson]
    evidence: EvidenceJson
    status: str
    version: int
    asked_of: str | None
    raised_at: str
    due_at: str | None
    decision: StandingJson | None


class AcceptedDecisionJson(TypedDict):
    """An answer that was taken."""

    event_id: str
    status: str
    answer: str | None
    would_do: list[str] | None


class OpenFlagJson(TypedDict):
    """A flag on a line."""

    flag_id: str
    band: str
    detail: str


class FlagJson(OpenFlagJson):
    """A flag, and what it is on."""

    item_id: str
    status: str
    event_id: str | None


class WouldOrderJson(TypedDict):
    """An order that was not placed."""

    vendor_id: str | None
    vendor: str | None
    quantity: str | None
    unit: str | None
    total: str | None
    currency: str
    on: str


class WouldPlaceJson(WouldOrderJson):
    """An order that the agent would place."""

    item: str


class WouldChaseJson(TypedDict):
    """Something overdue."""

    item: str
    milestone: str
    due_on: str
    on: str | None


class WouldDoJson(TypedDict):
    """What the agent would do."""

    orders: list[WouldPlaceJson]
    chases: list[WouldChaseJson]


class DoingJson(TypedDict):
    """An event under way."""

    event_type: str
    status: str


class ProgressJson(TypedDict):
    """How far a building is."""

    lines: dict[str, int]
    doing: list[DoingJson]
    waiting: int


class BuildingSummaryJson(TypedDict):
    """A building in a list."""

    building_id: str
    name: str
    status: str
    mode: str
    pending_approvals: int
    waiting_events: int


class BuildingJson(TypedDict):
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
    would_do: WouldDoJson | None
    progress: ProgressJson
    pending_approvals: list[ApprovalJson]
    open_flags: list[FlagJson]


class ChangeJson(TypedDict):
    """A field that was changed."""

    before: "JsonValue"
    after: "JsonValue"


class AuditDetailJson(TypedDict, total=False):
    """What was done; of a change `changed`, of a decision `type`."""

    changed: dict[str, ChangeJson]
    type: str


class AuditedJson(TypedDict):
    """Something that somebody did."""

    at: str
    by: AuthorJson
    what: str
    subject: str
    detail: AuditDetailJson


class NeedJson(TypedDict):
    """A quantity that the site needs by a day."""

    quantity: str
    required_by: str | None
    covered_on: str | None
    days_late: int | None


class NcrJson(TypedDict):
    """Rejected goods that nobody has decided about."""

    ncr_number: str
    undecided: str
    defects: list[str]


class ItemJson(TypedDict):
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
    flags: list[OpenFlagJson]
    on_hold_by: str | None
    quantities: dict[str, str]
    needs: list[NeedJson]
    open_ncrs: list[NcrJson]
    first_promise: str | None
    latest_promise: str | None
    would_order: WouldOrderJson | None


class OrderLineJson(TypedDict):
    """A line of an order."""

    line: int
    item: str
    item_name: str | None
    quantity: str | None
    unit: str | None
    unit_price: str | None
    promised_date: str | None
    required_by: str | None


class OrderJson(TypedDict):
    """A purchase order."""

    number: str
    revision: int
    status: str
    vendor_id: str | None
    vendor: str | None
    lines: list[OrderLineJson]
    total: str | None
    currency: str
    issued_on: str | None
    external_ref: str | None


class ReceiptJson(TypedDict):
    """What arrived."""

    quantity: str | None
    received_on: str


class ShipmentJson(TypedDict):
    """A delivery on its way or received."""

    shipment_id: str
    item_id: str
    purchase_order: str | None
    quantity: str | None
    status: str
    eta: str | None
    departed_on: str | None
    origin: str | None
    receipts: list[ReceiptJson]


class InspectionJson(TypedDict):
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


class MessageJson(TypedDict):
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


class DeliveredJson(TypedDict):
    """A message for outside, and what became of it."""

    outbox_id: int
    building_id: str
    recipient: str
    subject: str
    status: str
    attempts: int
    error: str | None
    created_at: str


class ActionJson(TypedDict):
    """An entry of the ledger."""

    name: str
    arguments: "JsonObject"
    result: "JsonObject"
    event_id: str | None
    responder: ResponderJson
    at: str


class DecisionJson(TypedDict):
    """An entry of the decision log."""

    seq: int
    item_id: str | None
    type: str
    kind: str
    responder: ResponderJson
    why: str
    actions: "list[PlainAction]"
    at: str


class AcceptedJson(TypedDict):
    """An event that was stored."""

    event_id: str
    seq: int
    status: str


class EventJson(AcceptedJson):
    """An event, and what became of it."""

    source: str
    event_type: str
    received_at: str
    attempts: int
    error: str | None
    outcome: "JsonObject | None"


class StepJson(TypedDict):
    """A checkpoint of the agent."""

    checkpoint_id: str
    at: str | None
    nodes: list[str]
    seq: int | None
    event_type: str | None
    live: bool
    next: list[str]
    rows: list[str] | None


class ForkJson(TypedDict):
    """A sandbox of a building as it was."""

    fork_id: str
    after_event: int
    events_since: int
    pending_approvals: int
    created_by: ResponderJson
    created_at: str


class RuleJson(TypedDict):
    """What people's answers have taught."""

    rule_id: str
    text: str
    standing: str
    in_a_row: int
    autonomy_after: int
    decided: int
    confirmed: int
    overruled: int


class DelegationJson(TypedDict):
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


class LinkUseJson(TypedDict):
    """What was done with a link."""

    page: str
    subject: str
    person: str
    name: str
    what: str
    why: str | None
    at: str


class VendorContactsJson(TypedDict):
    """Whom to write to at a vendor."""

    orders: str | None
    logistics: str | None
    escalation: str | None


class VendorJson(TypedDict):
    """A vendor of a building."""

    vendor_id: str
    name: str
    contact: str | None
    contacts: VendorContactsJson
    approved: bool


class ChangedJson(TypedDict):
    """Something of a line that is one way in reality and another in the fork."""

    what: str
    really: str | None
    here: str | None


class LineDifferenceJson(TypedDict):
    """A line that is not the same."""

    name: str
    changes: list[ChangedJson]


class DateDifferenceJson(ChangedJson):
    """A date that is not the same."""

    name: str
    days: int | None


class OrderStateJson(TypedDict):
    """A line's order as it stands on one side."""

    number: str
    status: str
    quantity: str | None
    unit: str | None
    total: str | None
    currency: str


class OrderDifferenceJson(TypedDict):
    """An order that is not the same."""

    item_id: str
    round: int
    really: OrderStateJson | None
    here: OrderStateJson | None


class ApprovalDifferenceJson(TypedDict):
    """A question that is not the same."""

    item_id: str | None
    summary: str
    really: str | None
    here: str | None


class DecisionMadeJson(TypedDict):
    """A decision of one side alone."""

    item_id: str | None
    type: str
    actions: "list[PlainAction]"
    responder: ResponderJson


class MessageSaidJson(TypedDict):
    """A message of one side alone."""

    item_id: str | None
    party: str
    text: str


class EventSeenJson(TypedDict):
    """An event of one side alone."""

    seq: int
    event_type: str
    item: str | None


class OnlyInJson(TypedDict, Generic[R]):
    """What only one of the two has."""

    really: list[R]
    here: list[R]


class DifferenceJson(TypedDict):
    """How a fork differs from reality."""

    fork_id: str
    building_id: str
    after_event: int
    really_until: int
    here_until: int
    lines: list[LineDifferenceJson]
    dates: list[DateDifferenceJson]
    orders: list[OrderDifferenceJson]
    approvals: list[ApprovalDifferenceJson]
    decisions: OnlyInJson[DecisionMadeJson]
    messages: OnlyInJson[MessageSaidJson]
    events: OnlyInJson[EventSeenJson]
