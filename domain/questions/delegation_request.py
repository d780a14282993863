"""A rule has proved itself: may such cases be decided without asking."""

from domain.actions import action
from domain.approvals import Option
from domain.plain_json import KnownJson, PlainObject
from domain.questions.kinds import NOT_CLEAR, FreeKind, Subject, line_of, no_case
from domain.situation import Situation

DELEGATED_DAYS = 90
"""The shorter delegation that is offered."""


class DelegationRequestSubject(Subject):
    """What would be delegated, and to which rule."""

    rule_id: str | None = None
    delegation: KnownJson = {}
    """Arguments of `grant_delegation`."""
    detail: str | None = None


def offer_delegations(s: Situation, subject: DelegationRequestSubject) -> list[Option]:
    """Allow it for good, for a while, or not."""
    asked = subject.delegation
    limit = asked.get("amount_limit") or s.building.policy.po_limit
    money_bound = "no amount is set" if limit is None else f"at most {limit} {s.building.currency} for one decision"
    whole = s.option(
        "Delegate it until it is revoked",
        [action("grant_delegation", **asked)],
        cost="none now",
        assumptions=[money_bound, "you are told of every decision; overruling one suspends the delegation"],
    )
    short = s.option(
        f"Delegate it for {DELEGATED_DAYS} days",
        [action("grant_delegation", **{**asked, "days": DELEGATED_DAYS})],
        cost="none now",
        assumptions=[money_bound, f"it ends by itself after {DELEGATED_DAYS} days"],
    )
    no = s.option(
        "No: go on asking",
        [action("dismiss_event", note="not delegated")],
        cost="none",
        assumptions=["the rule goes on recommending, and does not ask for this again"],
    )
    return [whole, short, no]


def _summary(subject: DelegationRequestSubject) -> str:
    return str(subject.detail)


def _title(subject: DelegationRequestSubject, _evidence: PlainObject) -> str:
    return f"Delegation asked for: {str(subject.delegation.get('kind', 'questions')).replace('_', ' ')}"


KIND = FreeKind(
    name="delegation_request",
    subject=DelegationRequestSubject,
    summary=_summary,
    options=offer_delegations,
    policy_line=line_of(NOT_CLEAR),
    is_always_a_persons=True,
    needs_a_person=False,
    any_key_may_answer=False,
    escalates=False,
    is_about_an_event=False,
    is_told_from_outside=False,
    is_put_to_models=False,
    rests_on_vendors=False,
    when=None,
    names_its_case=False,
    case=no_case,
    title=_title,
)
