"""What a person's decision teaches: a rule is made, confirmed or overruled. Pure, so that it can be tried exhaustively.

A rule is learned at the widest scope from one decision; whoever decides otherwise in some case teaches a narrower one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from domain.policy import AGENT_ALONE, PERSONS_OWN, Policy
from domain.questions.registry import ALWAYS_A_PERSON, NEEDS_A_PERSON
from domain.rules import NOTE_BEFORE_ORDER, TO_RULES, Case, Delegation, Rule, matching, narrowness, scopes_of
from domain.templates import agree, is_deferral
from domain.wording import rule_text

REFUSED_TWICE = 2
"""Overrulings in a row after which a rule stops recommending by itself."""


@dataclass(frozen=True)
class Lesson:
    """A person's decision on a case, as far as it teaches something."""

    case: Case
    seq: int
    at: datetime
    source: str
    """The approval, as `seq.ordinal`."""
    by: str
    """Who decided."""
    item_name: str | None
    why: str = ""
    template: list[dict[str, Any]] | None = None
    """What was decided, in terms of the situation; None: a refusal, or of no use for other cases."""
    title: str = ""
    late: bool = False
    """Whether what was decided comes too late."""
    amount: Decimal | None = None
    advised: str | None = None
    """The rule whose recommendation was answered."""
    refused: bool = False

    @property
    def learned_from(self) -> str:
        on = f" on {self.item_name}" if self.item_name else ""
        return f"{self.by}{on}"


@dataclass
class Learned:
    """What came of a lesson: rows to save, and what to say of them."""

    rules: list[Rule] = field(default_factory=list)
    delegations: list[Delegation] = field(default_factory=list)
    confirmed: str | None = None
    overruled: str | None = None
    made: str | None = None
    ask_for: Rule | None = None
    """The rule for which a delegation is to be asked."""


def learn(rules: Sequence[Rule], delegations: Sequence[Delegation], lesson: Lesson, policy: Policy) -> Learned:
    """What the building's own rules make of a decision."""
    learned = Learned()
    if lesson.case.kind in ALWAYS_A_PERSON or (lesson.template and is_deferral(lesson.template)):
        return learned
    if lesson.case.about == NOTE_BEFORE_ORDER:
        return learned
    advised = next((rule for rule in rules if rule.rule_id == lesson.advised), None)
    if lesson.refused or lesson.template is None:
        if advised is not None:
            _overruled(learned, advised, delegations)
        return learned
    if lesson.case.about is None and lesson.case.item_id is None:
        return learned
    best = next(iter(matching(rules, lesson.case)), None)
    if best is None:
        _first(learned, rules, lesson)
    elif agree(best.actions, lesson.template):
        _confirmed(learned, best, delegations, lesson, policy)
        if advised is not None and advised.rule_id != best.rule_id and not agree(advised.actions, lesson.template):
            _overruled(learned, advised, delegations)
    else:
        _contradicted(learned, rules, best, delegations, lesson)
    return learned


def confirm(rule: Rule, lesson: Lesson) -> Rule:
    """The rule after a decision that says the same."""
    amounts = [amount for amount in (rule.most, lesson.amount) if amount is not None]
    return rule.model_copy(
        update={
            "confirmed": rule.confirmed + 1,
            "streak": rule.streak + 1,
            "refusals": 0,
            "late": rule.late or lesson.late,
            "most": max(amounts, default=None),
            "caused_seq": lesson.seq,
        }
    )


def overrule(rule: Rule) -> Rule:
    """The rule after a person decided otherwise: it only recommends again; refused twice in a row it stops."""
    refusals = rule.refusals + 1
    return rule.model_copy(
        update={
            "overruled": rule.overruled + 1,
            "streak": 0,
            "refusals": refusals,
            "autonomy": "earned" if rule.autonomy == "alone" else rule.autonomy,
            "delegation": "refused" if rule.delegation == "refused" else "none",
            "status": "retired" if refusals >= REFUSED_TWICE and rule.status == "active" else rule.status,
        }
    )


def suspended(rule: Rule, delegations: Sequence[Delegation]) -> list[Delegation]:
    """The delegations that the rule stood on, suspended: one overruling is enough."""
    names = {str(action["name"]) for action in rule.actions}
    note = f"suspended: rule {rule.rule_id} was overruled"
    return [
        one.model_copy(update={"status": "suspended", "note": note})
        for one in delegations
        if one.status == "active" and one.granted_to == TO_RULES and one.kind == rule.kind and names <= set(one.actions)
    ]


def needs_delegation(rule: Rule) -> bool:
    """Whether what the rule says is a person's to decide, and could be delegated."""
    names = {str(action["name"]) for action in rule.actions}
    if rule.kind in ALWAYS_A_PERSON or names & PERSONS_OWN:
        return False
    return rule.kind in NEEDS_A_PERSON or not names <= AGENT_ALONE


def _confirmed(learned: Learned, rule: Rule, delegations: Sequence[Delegation], lesson: Lesson, policy: Policy) -> None:
    confirmed = confirm(rule, lesson)
    if _asks(confirmed, delegations, lesson, policy):
        confirmed = confirmed.model_copy(update={"delegation": "asked"})
        learned.ask_for = confirmed
    learned.rules.append(confirmed)
    learned.confirmed = rule.rule_id


def _asks(rule: Rule, delegations: Sequence[Delegation], lesson: Lesson, policy: Policy) -> bool:
    """Whether it is time to ask for a delegation: once, after enough confirmations, where there is none."""
    if rule.delegation != "none" or not rule.may_stand_alone(policy.rule_autonomy_after) or not needs_delegation(rule):
        return False
    names = [str(action["name"]) for action in rule.actions]
    return not any(one.covers(lesson.case, names, TO_RULES, lesson.at) for one in delegations)


def _overruled(learned: Learned, rule: Rule, delegations: Sequence[Delegation]) -> None:
    learned.rules.append(overrule(rule))
    learned.delegations += suspended(rule, delegations)
    learned.overruled = rule.rule_id


def _contradicted(
    learned: Learned, rules: Sequence[Rule], best: Rule, delegations: Sequence[Delegation], lesson: Lesson
) -> None:
    """Decided otherwise than the rule says: it loses its standing, and the case gets a rule of its own, as narrow as
    needed. Where nothing is narrower, the rule says from now on what was decided last: what was refused before, also
    twice in a row, it no longer says."""
    if lesson.advised == best.rule_id:
        _overruled(learned, best, delegations)
    else:  # it had recommended nothing here: people just do not agree with each other
        learned.rules.append(best.model_copy(update={"streak": 0}))
        learned.delegations += suspended(best, delegations)
    narrower = [scope for scope in scopes_of(lesson.case) if narrowness(scope) > best.specificity]
    if narrower:
        _first(learned, rules, lesson, narrower[0])
        return
    anew = {**_said(lesson, _scope_of(best)), "refusals": 0, "status": best.status}
    learned.rules[-1] = learned.rules[-1].model_copy(update=anew)
    learned.made = best.rule_id


def _first(learned: Learned, rules: Sequence[Rule], lesson: Lesson, scope: Case | None = None) -> None:
    """A rule of its own for the case; one that a person switched off stays off, one that stopped itself begins anew."""
    scope = scope or scopes_of(lesson.case)[0]
    same = [
        rule
        for rule in rules
        if _scope_of(rule) == scope and lesson.template is not None and agree(rule.actions, lesson.template)
    ]
    if any(rule.status == "disabled" for rule in same):
        return
    retired = next((rule for rule in same if rule.status == "retired"), None)
    if retired is not None:
        begun = retired.model_copy(update={"status": "active", "streak": 0, "refusals": 0})
        learned.rules.append(confirm(begun, lesson))
        learned.made = retired.rule_id
        return
    made = Rule(
        rule_id=f"r{lesson.seq}",
        **vars(scope),
        **_said(lesson, scope),
        confirmed=1,
        most=lesson.amount,
        caused_seq=lesson.seq,
    )
    learned.rules.append(made)
    learned.made = made.rule_id


def _said(lesson: Lesson, scope: Case) -> dict[str, Any]:
    """What a rule takes from the decision that it is learned from."""
    return {
        "title": lesson.title,
        "text": rule_text(scope, lesson.title, lesson.learned_from, lesson.why),
        "actions": lesson.template,
        "source": lesson.source,
        "learned_from": lesson.learned_from,
        "learned_at": lesson.at,
        "late": lesson.late,
        "streak": 1,
        "edited_by": None,
    }


def _scope_of(rule: Rule) -> Case:
    return Case(rule.kind, rule.category, rule.vendor_id, rule.item_id, rule.about)
