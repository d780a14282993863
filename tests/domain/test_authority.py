"""Who may decide what: every caller, kind of question, action, line and amount, against an oracle of its own.

The oracle is written from SECURITY.md ("Who may decide what") and shares no table with the code.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.actions import ACTION_NAMES
from domain.approvals import ApprovalKind, Responder
from domain.authority import Answerer, Proposal, may_decide
from domain.buildings import Building
from domain.commitments import Amount, Line, spending_of, stake_of
from domain.policy import DelegableKind, Policy
from domain.principals import Mandate
from domain.procurement import LineFile
from domain.rules import Case, Delegation

KINDS: tuple[str, ...] = ApprovalKind.__args__  # type: ignore[attr-defined]
NOW = datetime(2026, 2, 1, 9, tzinfo=UTC)
PO_LIMIT = Decimal(1000)

# ---- the oracle: SECURITY.md, written down a second time ------------------------------------------------------------

HARMLESS = {
    "start_tracking",
    "flag_potential_issue",
    "notify_team",
    "schedule_inspection",
    "request_information",
    "dismiss_event",
}
ORDERS = {"issue_purchase_order", "reorder_item"}
PERSONS_ALWAYS = {
    "hold_expired",
    "event_failed",
    "decision_overruled",
    "delegation_request",
    "change_order",
    "goods_taken_on",
}
PERSONS_UNLESS_DELEGATED = {
    "inspection_failed",
    "schedule_conflict",
    "order_beyond_authority",
    "acknowledgement_exception",
    "facts_contradict",
}
EXPLAINED_BY_PROGRAMS = {"item_unknown", "event_unclear", "event_failed"}
PMS = ("pm", "pm by link", "pm by session", "pm in Studio")
CHAIN = (("project_manager", Decimal(5000)), ("director", Decimal(50_000)))


@dataclass(frozen=True)
class Ask:
    """One cell of the matrix."""

    who: str
    kind: str
    action: str
    line: str = "own"
    """own: the line of the question; other: another category and vendor; unapproved: its vendor is not approved."""
    amount: Decimal | None = Decimal(500)
    """What the action orders, where it orders; None: no price is known."""
    before: Decimal = Decimal(0)
    """What the same program, or the rules, ordered on that line since a person last answered."""
    delegated: str = "nothing"
    """nothing; this: this kind and action in the category of the question's line, up to 2,000."""


def expected(ask: Ask) -> bool:
    """What SECURITY.md promises."""
    limits = {**dict.fromkeys(PMS, CHAIN[0][1]), "director": CHAIN[1][1]}
    orders = ask.action in ORDERS
    accepts = ask.action in ("accept_as_is", "revise_purchase_order")
    grants = ask.action == "grant_delegation"
    if ask.who == "local":
        return True
    if ask.who in (*PMS, "director", "unbound person", "admin", "admin by link"):
        if not (orders or accepts or grants):
            return True
        at_stake = PO_LIMIT if grants else ask.amount
        covered = any(at_stake is not None and at_stake <= limit for _, limit in CHAIN)
        if at_stake is not None and at_stake <= limits.get(ask.who, PO_LIMIT):
            return True
        return ask.who == "admin" and not covered
    if (
        grants
        or ask.action in ("complete_item", "judge_goods_taken_on")
        or (ask.kind in PERSONS_ALWAYS and not (ask.who == "program" and ask.kind == "event_failed"))
    ):
        return False
    if ask.who == "model" and (orders or ask.action == "dismiss_event" or ask.action not in HARMLESS):
        may_be_taken_back = ask.action in ("hold_item", "change_required_by")
        if not may_be_taken_back:
            return False
    is_in_scope = ask.line != "other" or ask.action in ("change_project_end", "dismiss_event")  # these name no line
    has_delegation = ask.delegated == "this" and is_in_scope and ask.kind not in PERSONS_ALWAYS
    if not has_delegation:
        if ask.kind in PERSONS_UNLESS_DELEGATED or (ask.action not in HARMLESS | {"issue_purchase_order"}):
            return False
        if ask.who == "program" and ask.kind not in EXPLAINED_BY_PROGRAMS:
            return False
    if not (orders or accepts):
        return True
    limit = Decimal(2000) if has_delegation else PO_LIMIT
    may_be_ordered = accepts or ask.line != "unapproved"
    return may_be_ordered and ask.amount is not None and ask.amount + ask.before <= limit


# ---- the matrix -----------------------------------------------------------------------------------------------------

PERSONS = {
    "local": Mandate(via="local", is_admin=True),
    "pm": Mandate(approver="project_manager"),
    "pm by link": Mandate(via="link", approver="project_manager"),
    "pm by session": Mandate(via="session", approver="project_manager"),
    "pm in Studio": Mandate(via="studio", approver="project_manager"),
    "director": Mandate(approver="director"),
    "unbound person": Mandate(),
    "admin": Mandate(is_admin=True),
    "admin by link": Mandate(via="link", is_admin=True),
}
MACHINES = {
    "program": Answerer(Responder(type="automated_rule", id="bot", name="Bot"), has_key=True),
    "rule": Answerer(Responder(type="automated_rule", id="rule:r1", name="Learned rule r1")),
    "model": Answerer(Responder(type="ai_agent", id="gpt", name="Model"), confidence=0.95),
}
GRANTED_TO = {"program": "bot", "rule": "rules", "model": "gpt"}
AMOUNTS = (None, Decimal(1), Decimal(1000), Decimal("1000.01"), Decimal(5000), Decimal(50_000), Decimal(744_000))


@cache
def building(**policy: Any) -> Building:
    chain = [{"role": role, "name": role.title(), "limit": limit} for role, limit in CHAIN]
    return Building.model_validate(
        {
            "building_id": "b",
            "name": "B",
            "thread_id": "t",
            "contacts": {"project_manager": "pm@example.com", "receiving": "yard@example.com"},
            "approvers": chain,
            "policy": Policy(**{"po_limit": PO_LIMIT, **policy}),
        }
    )


@cache
def line_file(name: str, amount: Decimal | None, **item: Any) -> LineFile:
    category, vendor = ("26", "volt") if name == "other" else ("23", "air")
    fields = {
        "item_id": name,
        "name": name,
        "currency": "USD",
        "category": category,
        "vendor_id": vendor,
        "quantity": 1,
        "unit_price": amount,
        "submittal": "approved",
        **item,
    }
    return LineFile.model_validate(
        {"item": fields, "vendor": {"vendor_id": vendor, "name": vendor, "approved": name != "unapproved"}}
    )


_ARGUMENTS: dict[str, dict[str, Any]] = {
    "flag_potential_issue": {"band": "conflict", "detail": "late"},
    "notify_team": {"team": "receiving", "message": "it comes"},
    "schedule_inspection": {"on": "2026-03-02"},
    "change_required_by": {"required_by": "2026-03-02"},
    "change_project_end": {"end_date": "2026-03-02"},
    "request_information": {"to": "vendor", "question": "when?"},
    "judge_goods_taken_on": {"entry": 0, "verdict": "accept"},
    "grant_delegation": {"kind": "inspection_failed", "actions": ["reorder_item"]},
}
_WITHOUT_A_LINE = {"change_project_end", "dismiss_event", "grant_delegation", "judge_goods_taken_on", "restate_event"}


def made(name: str, item: str) -> dict[str, Any]:
    if name == "restate_event":
        event = {"event_type": "ETA_Changed", "item": item, "eta": "2026-03-02"}
        return {"name": name, "arguments": {"event": event}}
    if name == "revise_purchase_order":
        return {"name": name, "arguments": {"order": "PO-1", "lines": [{"item": item}]}}
    arguments = {} if name in _WITHOUT_A_LINE else {"item": item}
    return {"name": name, "arguments": {**arguments, **_ARGUMENTS.get(name, {})}}


def decide(ask: Ask) -> Any:
    home = "own" if ask.line == "other" else ask.line
    asked, touched = line_file(home, ask.amount), line_file(ask.line, ask.amount)
    case = Case(ask.kind, asked.item.category, asked.item.vendor_id, asked.item.item_id)
    lines = {home: Line(asked, ask.before), ask.line: Line(touched, ask.before)}
    proposal = Proposal(case, [made(ask.action, ask.line)], lines, {name: name for name in lines})
    if ask.who in PERSONS:
        person = Responder(type="human", id=ask.who, name=ask.who)
        return may_decide(building(), Answerer(person, PERSONS[ask.who]), proposal, [], NOW)
    rows = [_delegation_of(ask.who, ask.kind, ask.action)] if ask.delegated == "this" else []
    return may_decide(building(), MACHINES[ask.who], proposal, rows, NOW)


@cache
def _delegation_of(who: str, kind: str, action: str) -> Delegation:
    return Delegation(
        delegation_id="d1",
        kind=kind,
        category="23",
        actions=[action],
        amount_limit=Decimal(2000),
        granted_to=GRANTED_TO[who],
        granted_by="Director",
        granted_at=NOW,
    )


def matrix() -> Iterator[Ask]:
    callers = (*PERSONS, *MACHINES)
    for who, kind, action in product(callers, KINDS, ACTION_NAMES):
        delegations = ("nothing", "this") if who in MACHINES else ("nothing",)
        for line, amount, delegated in product(("own", "other", "unapproved"), AMOUNTS, delegations):
            yield Ask(who, kind, action, line, amount, Decimal(0), delegated)
        if who in MACHINES and action in (*ORDERS, "accept_as_is"):
            for before, delegated in product((Decimal(600), Decimal(1600)), delegations):
                yield Ask(who, kind, action, "own", Decimal(500), before, delegated)


def test_every_caller_kind_action_line_and_amount() -> None:
    cells = list(matrix())
    verdicts = [(ask, decide(ask)) for ask in cells]
    wrong = [(ask, verdict) for ask, verdict in verdicts if verdict.allowed != expected(ask)]
    assert wrong == [], f"{len(wrong)} of {len(cells)}: {wrong[:3]}"
    assert len(cells) > 50_000, len(cells)


def test_the_kinds_that_can_be_delegated_are_all_but_those_that_are_always_a_persons() -> None:
    assert set(DelegableKind.__args__) == set(KINDS) - PERSONS_ALWAYS  # type: ignore[attr-defined]


# ---- sums, quantities, borders --------------------------------------------------------------------------------------


def ask_program(
    *actions: dict[str, Any],
    kind: str = "item_unknown",
    lines: dict[str, Line] | None = None,
    delegations: list[Delegation] | None = None,
    house: Building | None = None,
) -> Any:
    files = lines if lines is not None else {"own": Line(line_file("own", Decimal(400)))}
    proposal = Proposal(Case(kind), list(actions), files, {name: name for name in files})
    return may_decide(house or building(), MACHINES["program"], proposal, delegations or [], NOW)


def order(name: str = "issue_purchase_order", item: str = "own", **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": {"item": item, **arguments}}


def granted(kind: str = "item_unknown", **fields: Any) -> Delegation:
    wide = ["issue_purchase_order", "reorder_item", "restate_event", "notify_team", "cancel_purchase_order"]
    return Delegation(
        **{
            "delegation_id": "d1",
            "kind": kind,
            "actions": wide,
            "granted_to": "bot",
            "granted_by": "Director",
            "granted_at": NOW,
            **fields,
        }
    )


def test_several_orders_in_one_answer_count_together() -> None:
    rows = [granted(amount_limit=Decimal(500))]
    assert ask_program(order("reorder_item"), delegations=rows).allowed
    assert not ask_program(order("reorder_item"), order("reorder_item"), delegations=rows).allowed


def test_orders_of_several_lines_count_together_against_a_delegation_in_any_order() -> None:
    lines = {name: Line(line_file(name, Decimal(400))) for name in ("own", "second")}
    rows = [granted(amount_limit=Decimal(700))]
    both = (order("reorder_item"), order("reorder_item", "second"))
    for lines_in_order in (lines, dict(reversed(lines.items()))):
        assert ask_program(both[0], lines=lines_in_order, delegations=rows).allowed
        assert not ask_program(*both, lines=lines_in_order, delegations=rows).allowed


def test_what_one_delegation_covers_does_not_use_up_anothers_room() -> None:
    lines = {name: Line(line_file(name, Decimal(400))) for name in ("own", "second")}
    rows = [granted(item_id="second", actions=["reorder_item"], amount_limit=Decimal(700))]
    both = (order(), order("reorder_item", "second"))
    for lines_in_order in (lines, dict(reversed(lines.items()))):
        assert ask_program(*both, lines=lines_in_order, delegations=rows).allowed


@pytest.mark.parametrize("name", ["reorder_item", "accept_as_is"])
@pytest.mark.parametrize(
    ("limit", "who", "allowed"),
    [
        (Decimal(4000), "pm", True),
        (Decimal(6000), "pm", False),
        (Decimal(6000), "director", True),
        (None, "director", False),
        (None, "admin", True),
    ],
)
def test_nobody_delegates_more_than_they_may_commit_whatever_commits_it(
    name: str, limit: Decimal | None, who: str, allowed: bool
) -> None:
    """A delegation without an amount of its own allows as much as po_limit."""
    grant = {"name": "grant_delegation", "arguments": {"kind": "inspection_failed", "actions": [name]}}
    person = Answerer(Responder(type="human", id="a", name="A"), PERSONS[who])
    proposal = Proposal(Case("delegation_request"), [grant])
    assert may_decide(building(po_limit=limit), person, proposal, [], NOW).allowed == allowed


def test_an_earlier_order_without_a_price_leaves_no_room() -> None:
    lines = {"own": Line(line_file("own", Decimal(1)), committed=None)}
    assert not ask_program(order(), lines=lines).allowed


@pytest.mark.parametrize("quantity", ["2", "1.000001", "1000000"])
def test_only_a_person_orders_more_than_the_line_names(quantity: str) -> None:
    for house in (building(), building(po_limit=None)):
        found = ask_program(order(quantity=quantity), house=house, delegations=[granted()])
        assert not found.allowed
        assert "only a person orders more" in found.policy_line


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"submittal": "pending"}, "submittal is not approved"),
        ({"submittal": "rejected"}, "submittal is not approved"),
        ({"removed": True}, "taken out of the log"),
        ({"vendor_id": None}, "vendor missing"),
        ({"currency": "EUR"}, "priced in EUR"),
    ],
)
def test_a_program_orders_only_what_the_agent_itself_might_order(changed: dict[str, Any], why: str) -> None:
    lines = {"own": Line(line_file("own", Decimal(400), **changed))}
    found = ask_program(order(), lines=lines)
    assert not found.allowed
    assert why in found.policy_line


def test_a_line_that_waits_for_a_person_is_left_alone() -> None:
    lines = {"own": Line(line_file("own", Decimal(400)), waits=True)}
    found = ask_program(order(), lines=lines, delegations=[granted()])
    assert not found.allowed
    assert "waits for a person" in found.policy_line


@pytest.mark.parametrize("scope", [{"category": "23"}, {"vendor_id": "air"}, {"item_id": "own"}])
def test_a_delegation_is_held_against_the_line_that_an_action_names(scope: dict[str, str]) -> None:
    lines = {name: Line(line_file(name, Decimal(400))) for name in ("own", "other")}
    rows = [granted(**scope, amount_limit=Decimal(500))]
    assert ask_program(order("reorder_item", "own"), lines=lines, delegations=rows).allowed
    assert not ask_program(order("reorder_item", "other"), lines=lines, delegations=rows).allowed
    mixed = ask_program(order("reorder_item"), order("cancel_purchase_order", "other"), lines=lines, delegations=rows)
    assert not mixed.allowed


def test_a_restated_event_counts_where_its_line_is() -> None:
    lines = {name: Line(line_file(name, Decimal(400))) for name in ("own", "other")}
    rows = [granted(category="23")]
    assert ask_program(made("restate_event", "own"), lines=lines, delegations=rows).allowed
    assert not ask_program(made("restate_event", "other"), lines=lines, delegations=rows).allowed
    assert not ask_program(made("restate_event", "elsewhere"), lines=lines, delegations=[granted()]).allowed


@pytest.mark.parametrize("event_type", ["Items_Changed", "Schedule_Revised", "Building_Closed"])
def test_only_a_person_restates_what_concerns_the_whole_building(event_type: str) -> None:
    whole = {"name": "restate_event", "arguments": {"event": {"event_type": event_type}}}
    assert not ask_program(whole, delegations=[granted()]).allowed


def test_a_program_reports_by_restating_only_what_was_reported_or_needs_no_persons_word() -> None:
    submittal = made("restate_event", "own")
    submittal["arguments"]["event"] = {"event_type": "Submittal_Approved", "item": "own"}
    lines = {"own": Line(line_file("own", Decimal(400)))}
    for event_type, allowed in (("ETA_Changed", False), ("Submittal_Approved", True)):
        proposal = Proposal(Case("item_unknown"), [submittal], lines, {"own": "own"}, event_type)
        found = may_decide(building(), MACHINES["program"], proposal, [granted()], NOW)
        assert found.allowed == allowed, event_type


@pytest.mark.parametrize("event_type", ["Items_Changed", "Schedule_Revised", "Building_Closed"])
def test_a_person_who_may_not_send_events_changes_neither_log_nor_schedule_by_restating_one(event_type: str) -> None:
    whole = {"name": "restate_event", "arguments": {"event": {"event_type": event_type}}}
    person = Responder(type="human", id="a", name="A")
    for sends, allowed in ((True, True), (False, False)):
        mandate = Mandate(approver="project_manager", sends_events=sends)
        proposal = Proposal(Case("event_unclear"), [whole])
        assert may_decide(building(), Answerer(person, mandate), proposal, [], NOW).allowed == allowed


@pytest.mark.parametrize("party", ["eve@evil.example", "mailto://eve", "+49 170 1234567", "https://evil.example"])
@pytest.mark.parametrize("name", ["notify_team", "request_information"])
def test_programs_rules_and_models_write_only_to_addresses_of_the_building(name: str, party: str) -> None:
    key = "team" if name == "notify_team" else "to"
    action = made(name, "own")
    action["arguments"][key] = party
    found = ask_program(action, delegations=[granted()])
    assert not found.allowed
    assert "no address of this building" in found.policy_line
    for known in ("receiving", "project_manager", "pm@example.com", "Director"):
        action["arguments"][key] = known
        assert ask_program(action).allowed, known


def test_a_key_that_is_called_like_the_rules_has_none_of_their_delegations() -> None:
    rules_key = Answerer(Responder(type="automated_rule", id="rules", name="Rules"), has_key=True)
    proposal = Proposal(Case("item_unknown"), [order("reorder_item")], {"own": Line(line_file("own", Decimal(4)))})
    assert not may_decide(building(), rules_key, proposal, [granted(granted_to="rules")], NOW).allowed


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "event_unclear"},
        {"actions": ["cancel_purchase_order"]},
        {"granted_to": "rules"},
        {"status": "suspended"},
        {"status": "revoked"},
        {"expires_at": NOW},
        {"expires_at": NOW - timedelta(days=1)},
    ],
)
def test_a_delegation_holds_within_its_bounds_only(changed: dict[str, Any]) -> None:
    assert ask_program(order("reorder_item"), delegations=[granted()]).delegation_id == "d1"
    assert not ask_program(order("reorder_item"), delegations=[granted(**changed)]).allowed


def test_a_program_that_refuses_a_recommendation_needs_the_same_standing() -> None:
    assert ask_program(kind="item_unknown").allowed
    assert not ask_program(kind="inspection_failed").allowed
    assert ask_program(kind="inspection_failed", delegations=[granted("inspection_failed")]).allowed


def test_who_may_decide_is_named() -> None:
    person = Answerer(Responder(type="human", id="a", name="A"), PERSONS["pm"])
    lines = {"own": Line(line_file("own", Decimal(20_000)))}
    found = may_decide(building(), person, Proposal(Case("inspection_failed"), [order()], lines), [], NOW)
    assert "Director (director) may decide it" in found.policy_line
    lines = {"own": Line(line_file("own", Decimal(90_000)))}
    found = may_decide(building(), person, Proposal(Case("inspection_failed"), [order()], lines), [], NOW)
    assert "a person's key with the role admin" in found.policy_line


def test_the_manager_of_a_building_without_approvers_decides_any_amount() -> None:
    house = building().model_copy(update={"approvers": []})
    lines = {"own": Line(line_file("own", None))}
    proposal = Proposal(Case("inspection_failed"), [order()], lines)
    person = Responder(type="human", id="pm", name="PM")
    for mandate, allowed in (
        (Mandate(via="link", approver="project_manager"), True),
        (Mandate(via="link", approver="receiving"), False),
        (Mandate(approver="receiving"), False),
        (Mandate(approver="somebody"), False),
        (Mandate(is_admin=True), True),
        (Mandate(is_admin=True, via="link"), False),
    ):
        assert may_decide(house, Answerer(person, mandate), proposal, [], NOW).allowed == allowed


@given(confidence=st.floats(allow_nan=True), needed=st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_a_model_decides_only_when_it_is_sure_enough(confidence: float, needed: float) -> None:
    model = Answerer(Responder(type="ai_agent", id="gpt", name="Model"), confidence=confidence)
    proposal = Proposal(
        Case("milestone_overdue", item_id="own"),
        [made("request_information", "own")],
        {"own": Line(line_file("own", Decimal(4)))},
    )
    assert may_decide(building(confidence_needed=needed), model, proposal, [], NOW).allowed == (confidence >= needed)


@dataclass
class Spree:
    """A program's answers, one after the other; what it ordered is counted as the ledger does."""

    limit: Decimal
    spent: dict[str, Decimal] = field(default_factory=dict)

    def answer(self, actions: list[dict[str, Any]], prices: dict[str, Decimal]) -> None:
        lines = {
            name: Line(line_file(name, price, quantity=1000), self.spent.get(name, Decimal(0)))
            for name, price in prices.items()
        }
        rows = [granted(amount_limit=self.limit)]
        if ask_program(*actions, lines=lines, delegations=rows).allowed:
            for name, line in lines.items():
                amount = spending_of(actions, line.file, building())
                self.spent[name] = self.spent.get(name, Decimal(0)) + ((amount.value if amount else None) or Decimal(0))


_ORDERS = st.builds(
    order,
    st.sampled_from(sorted(ORDERS)),
    st.sampled_from(["own", "second"]),
    quantity=st.integers(1, 40).map(str),
)


@given(
    answers=st.lists(st.lists(_ORDERS, min_size=1, max_size=4), max_size=12),
    prices=st.fixed_dictionaries({name: st.decimals(1, 90, places=2) for name in ("own", "second")}),
    limit=st.decimals(0, 5000, places=2),
)
@settings(max_examples=300, deadline=None)
def test_no_row_of_answers_commits_more_on_a_line_than_was_delegated(
    answers: list[list[dict[str, Any]]], prices: dict[str, Decimal], limit: Decimal
) -> None:
    spree = Spree(limit)
    for actions in answers:
        spree.answer(actions, prices)
    assert all(spent <= limit for spent in spree.spent.values())


def test_goods_of_an_earlier_order_count_with_its_value_when_a_part_was_ordered_again() -> None:
    """A tenth was ordered again, and the first delivery, still on its way, is accepted as it is."""
    file = line_file("hvac", Decimal(5000), quantity=10)
    orders = [
        {"number": "1", "currency": "USD", "total": Decimal(50_000)},
        {"number": "2", "currency": "USD", "total": Decimal(500)},
    ]
    accept = [made("accept_as_is", "hvac")]
    both = LineFile.model_validate({**file.model_dump(), "orders": orders})
    assert stake_of(accept, {"hvac": both}, building()) == _amount(50_000)
    cancelled = [{**orders[0], "status": "cancelled"}, orders[1]]
    one = LineFile.model_validate({**file.model_dump(), "orders": cancelled})
    assert stake_of(accept, {"hvac": one}, building()) == _amount(500)


def test_an_amount_is_that_of_the_quantity_that_is_named() -> None:
    file = line_file("hvac", Decimal(100), quantity=4)
    house = building()
    assert stake_of([order("reorder_item", "hvac")], {"hvac": file}, house) == _amount(400)
    assert stake_of([order("reorder_item", "hvac", quantity="1.5")], {"hvac": file}, house) == _amount(150)
    assert stake_of([order("repair_item", "hvac")], {"hvac": file}, house) is None
    ordered = line_file("hvac", Decimal(100), quantity=4, commercial="ordered")
    again = [order("issue_purchase_order", "hvac")]
    assert stake_of(again, {"hvac": ordered}, house) is None, "what is on order is not ordered again"
    anew = [order("cancel_purchase_order", "hvac"), *again]
    assert stake_of(anew, {"hvac": ordered}, house) == _amount(400)


def _amount(value: int) -> Amount:
    return Amount(Decimal(value))
