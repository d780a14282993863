"""Who may decide alone: every action, every kind of responder, every kind of question, amounts around every limit."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.actions import ACTION_NAMES
from domain.approvals import ApprovalKind, Responder
from domain.authority import Commitment, commitment_of, may_decide
from domain.buildings import Building
from domain.policy import (
    AGENT_ALONE,
    ALWAYS_A_PERSON,
    ANSWERED_BY_ANYONE,
    NEEDS_A_PERSON,
    PERSONS_OWN,
    REVERSIBLE,
    SPENDING,
    DelegableKind,
    Policy,
)
from domain.procurement import Item, LineFile, VendorRow
from domain.rules import TO_RULES, Case, Delegation

KINDS: tuple[str, ...] = ApprovalKind.__args__  # type: ignore[attr-defined]
NOW = datetime(2026, 2, 1, 9, tzinfo=UTC)
PERSON = Responder(type="human", id="pm", name="Project manager")
RULE = Responder(type="automated_rule", id="rule:r1", name="Learned rule r1")
KEY = Responder(type="automated_rule", id="bot", name="Bot")
MODEL = Responder(type="ai_agent", id="gpt", name="Model")
AUTOMATED = (RULE, KEY, MODEL)
LIMIT = Decimal(1000)
AMOUNTS = (None, Decimal(0), LIMIT, LIMIT + Decimal("0.01"), Decimal(10**9))


def building(limit: Decimal | None = LIMIT) -> Building:
    return Building(building_id="b", name="B", thread_id="t", policy=Policy(po_limit=limit))


def actions(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "arguments": {"item": "hvac"}} for name in names]


def commitment(name: str, amount: Decimal | None, **fields: Any) -> Commitment | None:
    return Commitment(amount, fields.pop("currency", "USD"), **fields) if name in SPENDING else None


def delegation(kind: str, *names: str, **fields: Any) -> Delegation:
    given = {
        "delegation_id": "d1",
        "granted_by": "Project manager",
        "granted_at": NOW,
        "actions": list(names),
        **fields,
    }
    return Delegation(kind=kind, **given)


def expected(kind: str, name: str, responder: Responder, amount: Decimal | None) -> bool:
    """The table of docs/for-managers.md, written down a second time."""
    if responder.type == "human":
        return True
    if kind in ALWAYS_A_PERSON or kind in NEEDS_A_PERSON or name not in AGENT_ALONE:
        return False
    if responder is MODEL and name not in REVERSIBLE:
        return False
    return name not in SPENDING or (amount is not None and amount <= LIMIT)


def test_every_action_responder_kind_and_amount_without_a_delegation() -> None:
    for kind, name, responder, amount in product(KINDS, ACTION_NAMES, (PERSON, *AUTOMATED), AMOUNTS):
        confidence = 0.9 if responder is MODEL else None
        found = may_decide(
            building(),
            responder,
            Case(kind, item_id="hvac"),
            actions(name),
            commitment(name, amount),
            [],
            NOW,
            confidence=confidence,
        )
        assert found.allowed == expected(kind, name, responder, amount), (kind, name, responder.id, amount, found)


def test_every_action_responder_kind_and_amount_within_a_delegation() -> None:
    """What a person delegated to whoever answers is allowed, up to its limit; but for what no delegation can give."""
    for kind, name, responder, amount in product(KINDS, ACTION_NAMES, AUTOMATED, AMOUNTS):
        to = TO_RULES if responder is RULE else responder.id
        granted = delegation(kind, name, amount_limit=LIMIT, granted_to=to)
        found = may_decide(
            building(None),
            responder,
            Case(kind, item_id="hvac"),
            actions(name),
            commitment(name, amount),
            [granted],
            NOW,
            confidence=0.9 if responder is MODEL else None,
        )
        possible = kind not in ALWAYS_A_PERSON and name not in PERSONS_OWN
        possible &= responder is not MODEL or name in REVERSIBLE
        possible &= name not in SPENDING or (amount is not None and amount <= LIMIT)
        assert found.allowed == possible, (kind, name, responder.id, amount, found)


def test_the_kinds_that_can_be_delegated_are_all_but_those_that_are_always_a_persons() -> None:
    assert set(DelegableKind.__args__) == set(KINDS) - ALWAYS_A_PERSON  # type: ignore[attr-defined]
    assert set(DelegableKind.__args__) > NEEDS_A_PERSON  # type: ignore[attr-defined]
    assert set(ACTION_NAMES) >= AGENT_ALONE | SPENDING | REVERSIBLE | PERSONS_OWN


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "schedule_conflict"},
        {"actions": ["repair_item"]},
        {"category": "26"},
        {"vendor_id": "other"},
        {"item_id": "panels"},
        {"granted_to": "bot"},
        {"status": "suspended"},
        {"status": "revoked"},
        {"expires_at": NOW},
        {"amount_limit": Decimal(499)},
    ],
)
def test_a_delegation_holds_within_its_bounds_only(changed: dict[str, Any]) -> None:
    case = Case("inspection_failed", "23", "air", "hvac")
    wide = {"kind": "inspection_failed", "actions": ["reorder_item"], "expires_at": NOW + timedelta(seconds=1)}
    for fields, allowed in ((wide, True), ({**wide, **changed}, False)):
        names = fields.pop("actions")
        kind = fields.pop("kind")
        granted = delegation(kind, *names, **fields)
        spent = Commitment(Decimal(500), "USD")
        found = may_decide(building(), RULE, case, actions("reorder_item"), spent, [granted], NOW)
        assert found.allowed is allowed
        assert found.delegation_id == ("d1" if allowed else None)


def test_a_delegation_without_a_limit_of_its_own_does_not_lift_po_limit() -> None:
    case = Case("inspection_failed", item_id="hvac")
    granted = [delegation("inspection_failed", "reorder_item")]
    for amount, allowed in ((LIMIT, True), (LIMIT + 1, False), (None, False)):
        spent = Commitment(amount, "USD")
        found = may_decide(building(), RULE, case, actions("reorder_item"), spent, granted, NOW)
        assert found.allowed is allowed
        assert may_decide(building(None), RULE, case, actions("reorder_item"), spent, granted, NOW).allowed


def test_other_currencies_and_vendors_that_are_not_approved_need_a_person() -> None:
    case = Case("inspection_failed", vendor_id="air", item_id="hvac")
    general, named = (delegation("inspection_failed", "reorder_item", vendor_id=v) for v in (None, "air"))
    foreign = Commitment(Decimal(1), "EUR")
    assert not may_decide(building(), RULE, case, actions("reorder_item"), foreign, [general], NOW).allowed
    unapproved = Commitment(Decimal(1), "USD", vendor_approved=False)
    assert not may_decide(building(), RULE, case, actions("reorder_item"), unapproved, [general], NOW).allowed
    assert may_decide(building(), RULE, case, actions("reorder_item"), unapproved, [named], NOW).allowed


@given(confidence=st.floats(allow_nan=True), needed=st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_a_model_decides_only_when_it_is_sure_enough(confidence: float, needed: float) -> None:
    house = building().model_copy(update={"policy": Policy(confidence_needed=needed)})
    case = Case("schedule_conflict", item_id="hvac")
    found = may_decide(house, MODEL, case, actions("request_information"), None, [], NOW, confidence=confidence)
    assert found.allowed == (confidence >= needed)


@given(
    kind=st.sampled_from(KINDS),
    names=st.lists(st.sampled_from(ACTION_NAMES), max_size=4),
    responder=st.sampled_from(AUTOMATED),
    amount=st.none() | st.decimals(0, 10**6, places=2),
    limit=st.none() | st.decimals(0, 10**6, places=2),
    delegated=st.lists(
        st.tuples(
            st.sampled_from(KINDS),
            st.lists(st.sampled_from(ACTION_NAMES), min_size=1, max_size=4),
            st.sampled_from([TO_RULES, "bot", "gpt"]),
            st.none() | st.decimals(0, 10**6, places=2),
        ),
        max_size=3,
    ),
)
@settings(max_examples=200, deadline=None)
def test_nobody_does_more_than_may_be_done_alone_or_was_delegated(
    kind: str,
    names: list[str],
    responder: Responder,
    amount: Decimal | None,
    limit: Decimal | None,
    delegated: list[tuple[str, list[str], str, Decimal | None]],
) -> None:
    rows = [delegation(k, *n, granted_to=to, amount_limit=most) for k, n, to, most in delegated]
    spent = Commitment(amount, "USD") if SPENDING & set(names) else None
    case = Case(kind, item_id="hvac")
    found = may_decide(building(limit), responder, case, actions(*names), spent, rows, NOW, confidence=1.0)
    if not found.allowed:
        return
    assert names
    assert kind not in ALWAYS_A_PERSON
    assert not PERSONS_OWN & set(names)
    to = TO_RULES if responder is RULE else responder.id
    covering = [one for one in rows if one.covers(case, names, to, NOW)]
    assert covering or (kind not in NEEDS_A_PERSON and set(names) <= AGENT_ALONE)
    if spent is not None:
        bounds = [one.amount_limit if one.amount_limit is not None else limit for one in covering] or [limit]
        assert any(bound is None or (amount is not None and amount <= bound) for bound in bounds)


def test_a_programs_key_answers_other_kinds_only_when_it_was_delegated() -> None:
    for kind, name in product(KINDS, AGENT_ALONE - SPENDING):
        found = may_decide(building(), KEY, Case(kind), actions(name), None, [], NOW, anyone=ANSWERED_BY_ANYONE)
        assert found.allowed == (kind in ANSWERED_BY_ANYONE), kind


def test_the_amount_is_that_of_the_quantity_that_is_named() -> None:
    line = {"item_id": "hvac", "name": "HVAC", "currency": "USD", "quantity": 4, "unit_price": "100", "vendor_id": "a"}
    file = LineFile(item=Item.model_validate(line), vendor=VendorRow(vendor_id="a", name="A"))
    whole = commitment_of(actions("reorder_item"), file)
    part = commitment_of([{"name": "reorder_item", "arguments": {"item": "hvac", "quantity": "1.5"}}], file)
    assert (whole and whole.amount, part and part.amount) == (Decimal(400), Decimal("150.0"))
    assert commitment_of(actions("repair_item"), file) is None
    nobody = commitment_of(actions("issue_purchase_order"), file.model_copy(update={"vendor": None}))
    assert nobody is not None
    assert not nobody.vendor_approved, "a posted line without a vendor is ordered by a person"
