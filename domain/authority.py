"""Whether whoever answered may decide that alone. One function for rules, models and programs' keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from domain.approvals import Responder
from domain.buildings import Building
from domain.policy import (
    AGENT_ALONE,
    ALWAYS_A_PERSON,
    NEEDS_A_PERSON,
    PERSONS_OWN,
    REVERSIBLE,
    SPENDING,
    Authority,
)
from domain.procurement import LineFile, money
from domain.rules import TO_RULES, Case, Delegation


@dataclass(frozen=True)
class Commitment:
    """What actions would bind the building to."""

    amount: Decimal | None
    """In `currency`; None: no price is known."""
    currency: str
    vendor_approved: bool = True


def commitment_of(actions: Sequence[dict[str, Any]], file: LineFile | None) -> Commitment | None:
    """The money that the actions commit on a line, for the quantity that they name; None where they commit none."""
    spending = [action for action in actions if action["name"] in SPENDING]
    if not spending or file is None:
        return None
    item = file.item
    amounts = [_amount(action, file) for action in spending]
    known = [amount for amount in amounts if amount is not None]
    approved = not item.posted if file.vendor is None else file.vendor.approved
    return Commitment(sum(known, Decimal(0)) if len(known) == len(amounts) else None, item.currency, approved)


def _amount(action: dict[str, Any], file: LineFile) -> Decimal | None:
    quantity = action["arguments"].get("quantity")
    if quantity is None or file.item.unit_price is None:
        return file.item.total
    return file.item.unit_price * Decimal(str(quantity))


def may_decide(
    building: Building,
    responder: Responder,
    case: Case,
    actions: Sequence[dict[str, Any]],
    commitment: Commitment | None,
    delegations: Sequence[Delegation],
    now: datetime,
    *,
    confidence: float | None = None,
    anyone: frozenset[str] = frozenset(),
) -> Authority:
    """Whether a responder may decide on a case with these actions, without a person.

    `confidence` is a model's, 0 to 1; None where the responder answers for itself: a rule, a program's key. `anyone`
    names the kinds that this responder answers without a delegation; empty: all that need no person.
    """
    if responder.type == "human":
        return Authority(True, "a person decides")
    names = [str(action["name"]) for action in actions]
    ruled_out = _ruled_out(building, responder, case, names, confidence, anyone)
    if ruled_out is not None:
        return ruled_out
    to = TO_RULES if responder.type == "automated_rule" and responder.id.startswith("rule:") else responder.id
    open_ = case.kind in NEEDS_A_PERSON or not set(names) <= AGENT_ALONE or bool(anyone and case.kind not in anyone)
    delegation = next((one for one in delegations if one.covers(case, names, to, now)), None)
    if open_ and delegation is None:
        return Authority(False, _needs_a_person(case.kind, names), delegable=True)
    spending = _spending(building, case, commitment, delegation)
    if not spending.allowed or delegation is None:
        return spending
    return Authority(True, f"delegated by {delegation.granted_by}", delegation_id=delegation.delegation_id)


def _ruled_out(
    building: Building,
    responder: Responder,
    case: Case,
    names: Sequence[str],
    confidence: float | None,
    anyone: frozenset[str],
) -> Authority | None:
    """What no delegation can make good."""
    if not names:
        return Authority(False, "nothing is proposed that could be done")
    if case.kind in ALWAYS_A_PERSON - anyone:
        return Authority(False, f"a question of kind {case.kind} is always put to a person")
    own = sorted(PERSONS_OWN & set(names))
    if own:
        return Authority(False, f"{own[0]}: only a person does that")
    needed = building.policy.confidence_needed
    if confidence is not None and not confidence >= needed:
        return Authority(False, f"confidence_needed: {needed}, and it is {confidence:.2f} sure")
    binding = sorted(set(names) - REVERSIBLE)
    if responder.type == "ai_agent" and confidence is not None and binding:
        return Authority(False, f"{binding[0]}: binds others or cannot be taken back, so no model decides it alone")
    return None


def _needs_a_person(kind: str, names: Sequence[str]) -> str:
    if kind in NEEDS_A_PERSON:
        return f"a question of kind {kind} needs a person, unless one delegated it"
    name = next((name for name in names if name not in AGENT_ALONE), None)
    if name is None:
        return f"a question of kind {kind} needs a person"
    return f"{name}: needs a person, unless one delegated it"


def _spending(
    building: Building, case: Case, commitment: Commitment | None, delegation: Delegation | None
) -> Authority:
    """Whether the money is within bounds: the delegation's own limit, else po_limit."""
    if commitment is None:
        return Authority(True, "nothing is committed")
    if not commitment.vendor_approved and (delegation is None or delegation.vendor_id is None):
        return Authority(False, "an order to a vendor that is not approved needs a person", delegable=True)
    own = None if delegation is None else delegation.amount_limit
    limit, line = (building.policy.po_limit, "po_limit") if own is None else (own, "amount_limit of the delegation")
    if limit is None:
        return Authority(True, "po_limit: none is set")
    if commitment.amount is None:
        return Authority(False, f"{line}: {limit} {building.currency}, and no price is known to compare with it")
    if commitment.currency != building.currency:
        return Authority(False, f"{line} is in {building.currency}, the order in {commitment.currency}")
    if commitment.amount > limit:
        amount = money(commitment.amount, commitment.currency)
        return Authority(False, f"{line}: {limit} {building.currency}, and this is {amount}", delegable=True)
    return Authority(True, f"{line}: {limit} {building.currency} covers it")
