"""Who may decide what. One function for people, programs, rules and models, asked at every door and again when an
answer is applied. It looks at what the actions do, on the line that each one names, and not at where they were asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from domain.actions.registry import AGENT_ALONE, PERSONS_OWN, REVERSIBLE, SPENDING
from domain.approvals import Responder
from domain.buildings import Approver, Building, Contact
from domain.commitments import (
    NEEDS_AN_ADMIN,
    NOTHING,
    Actions,
    Amount,
    Line,
    amount_in_words,
    commitment_on,
    covering_approver,
    is_approved_for_order,
    is_vendor_approved,
    items_of,
    missing_for_order,
    order_groups_once,
    ordered_quantity,
    spending_of,
    stake_of,
)
from domain.lump_sums import why_not_whole
from domain.plain_json import JsonObject, party_written_to, restated_event
from domain.policy import Authority
from domain.principals import Mandate
from domain.procurement import money
from domain.questions.registry import ALWAYS_A_PERSON, ANSWERED_BY_ANYONE, NEEDS_A_PERSON
from domain.rules import TO_RULES, Case, Delegation, case_on


@dataclass(frozen=True)
class Answerer:
    """Who wants to decide."""

    responder: Responder
    mandate: Mandate | None = None
    """Of a person: what the answer rests on; None for an answer that an earlier version accepted."""
    confidence: float | None = None
    """Of a model: how sure it is, 0 to 1; None where the responder answers for itself: a rule, a program's key."""
    has_key: bool = False
    """Whether a program answers with a key of its own, and not one of the building's rules or models."""

    @property
    def delegate(self) -> str | None:
        """Whom a delegation must be granted to; None: nothing can be delegated to this answerer."""
        if not self.has_key:
            return TO_RULES if self.responder.type == "automated_rule" else self.responder.id
        return None if self.responder.id == TO_RULES else self.responder.id

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of questions that it answers without a delegation although they are put to people; empty: all
        that do not need one."""
        return ANSWERED_BY_ANYONE if self.has_key else frozenset()


@dataclass(frozen=True)
class Proposal:
    """What somebody wants to do about a question."""

    case: Case
    """The question's own."""
    actions: Actions
    """Plain actions whose lines are named by id; none: the recommendation is refused."""
    lines: Mapping[str, Line] = field(default_factory=dict)
    """The lines that the actions name, by id."""
    restated: Mapping[str, str] = field(default_factory=dict)
    """The ids of the lines that restated events name, by that name."""
    event_type: str | None = None
    """The type of the event that the question is about, where it is about one."""


def may_decide(
    building: Building,
    answerer: Answerer,
    proposal: Proposal,
    delegations: Sequence[Delegation],
    now: datetime,
) -> Authority:
    """Whether somebody may decide on a question with these actions, and the line of the policy that says so."""
    if answerer.responder.type == "human":
        return _person_may(building, answerer.mandate, proposal)
    names = {str(action["name"]) for action in proposal.actions}
    ruled_out = _ruled_out(building, answerer, proposal, names)
    if ruled_out is not None:
        return ruled_out
    granted = _granted(answerer, proposal, delegations, now)
    if granted is None:
        return Authority(False, _needs_a_person(proposal.case.kind, names), delegable=True)
    return _within_limits(building, proposal, granted)


# ---- people


def _person_may(building: Building, mandate: Mandate | None, proposal: Proposal) -> Authority:
    """A person decides anything, up to the amount that is theirs."""
    if mandate is None or mandate.via == "local":
        return Authority(True, "a person decides")
    said = next((event for event in _restated(proposal.actions) if _concerns_the_building(event)), None)
    if said is not None and not mandate.sends_events:
        return Authority(False, f"restate_event: {said['event_type']} needs the role 'events' as well")
    if said is not None and said.get("vendors") and not mandate.is_admin:
        return Authority(False, "restate_event: Items_Changed with vendors needs a person's key with the role 'admin'")
    stake = stake_of(proposal.actions, {item_id: line.file for item_id, line in proposal.lines.items()}, building)
    if stake is None or stake.value == 0:
        return Authority(True, "nothing is committed")
    limit = _limit_of(building, mandate)
    if stake.is_within(limit.amount):
        return Authority(True, f"{limit.of} covers it")
    covering = covering_approver(building, stake)
    if covering is None and _is_last_resort(mandate):
        return Authority(True, "no limit in the approver chain covers it: a person's key with the role admin decides")
    return Authority(False, f"{limit.of}; {_at_stake(stake, building)}; {who_may(building, stake)}")


def _restated(actions: Actions) -> list[JsonObject]:
    """The events that actions put in place of what was reported."""
    return [event for action in actions if (event := restated_event(action)) is not None]


@dataclass(frozen=True)
class _Limit:
    amount: Decimal | None
    """In the building's currency; None: any amount."""
    of: str


def _limit_of(building: Building, mandate: Mandate) -> _Limit:
    """Up to which amount a person decides here."""
    approver = _approver_named(building, mandate.approver)
    if approver is not None:
        return _Limit(approver.limit, f"the limit of {_titled(approver)} {_limited(approver.limit, building)}")
    if not building.approvers and mandate.approver is not None and mandate.approver == building.approver_for(None):
        return _Limit(None, f"{mandate.approver} decides any amount where no approvers are named, which")
    policy_limit = building.policy.po_limit
    bound = f"{mandate.approver!r} is not in the approver chain here" if mandate.approver else "no approver is named"
    return _Limit(policy_limit, f"{bound}, so po_limit {_limited(policy_limit, building)}")


def _limited(limit: Decimal | None, building: Building) -> str:
    return "(none)" if limit is None else f"({money(limit, building.currency)})"


def _approver_named(building: Building, name: str | None) -> Approver | None:
    """The step of the approver chain with this role or name."""
    if name is None:
        return None
    by_role = next((approver for approver in building.approvers if approver.role == name), None)
    return by_role or next((approver for approver in building.approvers if approver.name == name), None)


def _is_last_resort(mandate: Mandate) -> bool:
    """Whether this person decides what no limit covers: by a key or session with the role admin, never by a link."""
    return mandate.is_admin and mandate.via != "link"


def _at_stake(stake: Amount, building: Building) -> str:
    if stake.value is None:
        return f"the amount at stake is not known: {stake.why_unknown}"
    return f"{amount_in_words(stake, building)} is at stake"


def who_may(building: Building, stake: Amount) -> str:
    """Who decides on this amount, for people to read."""
    approver = covering_approver(building, stake)
    if approver is None:
        return NEEDS_AN_ADMIN
    return f"{_titled(approver)} may decide it"


def _titled(approver: Approver) -> str:
    return f"{approver.name} ({approver.role})"


# ---- programs, rules and models


def _ruled_out(building: Building, answerer: Answerer, proposal: Proposal, names: set[str]) -> Authority | None:
    """What no delegation can make good."""
    kind, responder, confidence = proposal.case.kind, answerer.responder, answerer.confidence
    if not names and not answerer.has_key:
        return Authority(False, "nothing is proposed that could be done")
    if kind in ALWAYS_A_PERSON - answerer.kinds:
        return Authority(False, f"a question of kind {kind} is always put to a person")
    own = sorted(PERSONS_OWN & names)
    if own:
        return Authority(False, f"{own[0]}: only a person does that")
    stranger = _stranger(building, proposal.actions)
    if stranger is not None:
        return Authority(False, f"{stranger!r} is no address of this building: only a person writes to others")
    unclear = _unknown_line(proposal, building.policy.model_reports) or _waiting_line(proposal)
    if unclear is not None:
        return Authority(False, unclear)
    needed = building.policy.confidence_needed
    if confidence is not None and not confidence >= needed:
        return Authority(False, f"confidence_needed: {needed}, and it is {confidence:.2f} sure")
    binding = sorted(names - REVERSIBLE)
    if responder.type == "ai_agent" and confidence is not None and binding:
        return Authority(False, f"{binding[0]}: binds others or cannot be taken back, so no model decides it alone")
    return None


def _stranger(building: Building, actions: Actions) -> str | None:
    """Whom a message would go to who does not belong to the building; None where all do."""
    for action in actions:
        party = party_written_to(action)
        if party is not None and not is_known_party(building, party):
            return party
    return None


def is_known_party(building: Building, party: str) -> bool:
    """Whether a recipient is a role, or somebody whom the building's contacts or approvers name."""
    known: set[str | None] = {"vendor", *building.contacts}
    for contact in building.contacts.values():
        known |= {contact.name, contact.address} if isinstance(contact, Contact) else {contact}
    for approver in building.approvers:
        known |= {approver.role, approver.name, approver.contact}
    # A role that nobody has been named for is shown in the log only. Anything that could be an address must be known.
    return party in known or party.replace("_", "").replace(" ", "").isalpha()


def _unknown_line(proposal: Proposal, reports: Sequence[str]) -> str | None:
    """Why what the actions do cannot be told: they touch lines that are not on file, or many at once, or they report
    what the question is not about. `reports`: the types of events that may always be reported without a person."""
    for action in proposal.actions:
        event = restated_event(action)
        if event is None:
            continue
        if _concerns_the_building(event):
            return f"restate_event: {event['event_type']} concerns the whole building, so a person says it"
        if event["event_type"] not in (proposal.event_type, *reports):
            return f"restate_event: only a person says that {event['event_type']} was meant"
        if "item" in event and not items_of([action], proposal.restated):
            return f"restate_event: {event['item']!r:.100} is not a line of this building"
    missing = [item_id for item_id in items_of(proposal.actions, proposal.restated) if item_id not in proposal.lines]
    return f"{missing[0]!r} is not a line of this building" if missing else None


def _concerns_the_building(event: JsonObject) -> bool:
    """Whether an event changes the log or the schedule, or ends the building."""
    return "item" not in event and event["event_type"] not in ("Message_Received", "Human_Input")


def _waiting_line(proposal: Proposal) -> str | None:
    """Why nothing is done to a line for now: it waits for a person in another matter."""
    waiting = [line.file.item.name for line in proposal.lines.values() if line.waits]
    return f"{waiting[0]} waits for a person in another matter" if waiting else None


@dataclass(frozen=True)
class _Grants:
    """What an answer rests on: the delegation that covers the question, and those that cover each line."""

    by_item: Mapping[str | None, Delegation | None]

    @property
    def delegation(self) -> Delegation | None:
        return next((granted for granted in self.by_item.values() if granted is not None), None)


def _granted(
    answerer: Answerer, proposal: Proposal, delegations: Sequence[Delegation], now: datetime
) -> _Grants | None:
    """What covers the answer on every line that it touches; None where something of it needs a person.

    The question's own line counts too: a delegation for one category answers nothing of another.
    """
    touched: list[str | None] = [proposal.case.item_id]
    touched += [item_id for item_id in items_of(proposal.actions, proposal.restated) if item_id not in touched]
    can_be_delegated = proposal.case.kind not in ALWAYS_A_PERSON
    own = [one for one in delegations if can_be_delegated and one.granted_to == answerer.delegate]
    grants: dict[str | None, Delegation | None] = {}
    for item_id in touched:
        case = _case_on(proposal, item_id)
        names = _names_on(proposal, item_id)
        delegation = next((one for one in own if one.covers(case, names, one.granted_to, now)), None)
        if delegation is None and not _is_free(answerer, case.kind, names):
            return None
        grants[item_id] = delegation
    return _Grants(grants)


def _case_on(proposal: Proposal, item_id: str | None) -> Case:
    """The question's case as it is on a line that an action names."""
    line = None if item_id is None else proposal.lines.get(item_id)
    return proposal.case if line is None else case_on(proposal.case, line.file)


def _names_on(proposal: Proposal, item_id: str | None) -> set[str]:
    """The actions on a line; those that name no line count where the question is."""
    home = proposal.case.item_id
    return {
        str(action["name"])
        for action in proposal.actions
        if item_id in (items := items_of([action], proposal.restated)) or (not items and item_id == home)
    }


def _is_free(answerer: Answerer, kind: str, names: set[str]) -> bool:
    """Whether it may be done without anything being delegated, money apart."""
    if kind in NEEDS_A_PERSON or not names <= AGENT_ALONE:
        return False
    return not answerer.kinds or kind in answerer.kinds


def _needs_a_person(kind: str, names: set[str]) -> str:
    if kind in NEEDS_A_PERSON:
        return f"a question of kind {kind} needs a person, unless one delegated it"
    name = next(iter(sorted(names - AGENT_ALONE)), None)
    if name is None:
        return f"a question of kind {kind} needs a person, unless one delegated it"
    return f"{name}: needs a person, unless one delegated it"


def _within_limits(building: Building, proposal: Proposal, grants: _Grants) -> Authority:
    """Whether the money is within bounds: on every line, and over all lines that one delegation covers."""
    verdict = Authority(True, "nothing is committed")
    under: dict[str, Amount] = {}
    once = order_groups_once(proposal.actions, {item_id: line.file for item_id, line in proposal.lines.items()})
    for item_id, line in proposal.lines.items():
        committed = commitment_on(proposal.actions, line.file, building)
        if committed is None:
            continue
        delegation = grants.by_item.get(item_id)
        refused = _not_to_be_ordered(building, proposal.actions, line, delegation)
        if refused is not None:
            return refused
        total = committed + Amount(line.committed, "an earlier order has no price")
        verdict = _covered(building, total, line, delegation)
        if not verdict.allowed:
            return verdict
        if delegation is not None:
            own = commitment_on(once, line.file, building) or NOTHING
            own += Amount(line.committed, "an earlier order has no price")
            under[delegation.delegation_id] = under.get(delegation.delegation_id, NOTHING) + own
            verdict = _covered(building, under[delegation.delegation_id], line, delegation)
            if not verdict.allowed:
                return verdict
    delegation = grants.delegation
    if delegation is None:
        return verdict
    return Authority(True, f"delegated by {delegation.granted_by}", delegation_id=delegation.delegation_id)


def _covered(building: Building, total: Amount, line: Line, delegation: Delegation | None) -> Authority:
    """Whether an amount is within the delegation's own limit, else within po_limit."""
    own = None if delegation is None else delegation.amount_limit
    limit, named = (building.policy.po_limit, "po_limit") if own is None else (own, "amount_limit of the delegation")
    if limit is None:
        return Authority(True, "po_limit: none is set")
    if total.value is None:
        return Authority(False, f"{named}: {limit} {building.currency}, and {total.why_unknown} to compare with it")
    if total.value > limit:
        before = f", with {money(line.committed, building.currency)} before it" if line.committed else ""
        amount = money(total.value - (line.committed or 0), building.currency)
        return Authority(
            False, f"{named}: {limit} {building.currency}, and this is {amount}{before}", delegable=not line.committed
        )
    return Authority(True, f"{named}: {limit} {building.currency} covers it")


def _not_to_be_ordered(
    building: Building, actions: Actions, line: Line, delegation: Delegation | None
) -> Authority | None:
    """What keeps anybody but a person from ordering a line, whatever it costs; None where nothing is ordered."""
    file = line.file
    if spending_of(actions, file, building) is None:
        return None
    if file.item.removed:
        return Authority(False, f"{file.item.name} was taken out of the log: only a person orders it")
    if not is_vendor_approved(file) and (delegation is None or delegation.vendor_id is None):
        return Authority(False, "an order to a vendor that is not approved needs a person", delegable=True)
    orders = [a for a in actions if a["name"] in SPENDING and a["arguments"].get("item") == file.item.item_id]
    if any(order["name"] == "issue_purchase_order" for order in orders) and not is_approved_for_order(file):
        return Authority(False, f"{file.item.name}: its submittal is not approved, so only a person orders it")
    if delegation is None and (missing := missing_for_order(file, building)):
        return Authority(False, f"{file.item.name}: {' and '.join(missing)} missing, so only a person orders it")
    if any(order["name"] == "issue_purchase_order" for order in orders) and (why := why_not_whole(file)) is not None:
        return Authority(False, f"{file.item.name}: {why}, so only a person orders it")
    named = [quantity for order in orders if (quantity := ordered_quantity(order)) is not None]
    if named and (file.item.quantity is None or sum(named) > file.item.quantity):
        needed = "no quantity" if file.item.quantity is None else f"{file.item.quantity.normalize():f}"
        return Authority(
            False, f"{file.item.name}: {sum(named)} ordered, and the line names {needed}: only a person orders more"
        )
    return None
