"""What a building has learned from people's answers, and what people have delegated to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from domain.plain_json import JsonObject, PlainAction
from domain.procurement import LineFile, Row
from domain.questions.facts_contradict import NOTE_BEFORE_ORDER as NOTE_BEFORE_ORDER
from domain.questions.registry import declaration_of

Autonomy = Literal["recommend", "earned", "alone"]
RuleStatus = Literal["active", "retired", "disabled"]
DelegationStatus = Literal["active", "suspended", "revoked"]

TO_RULES = "rules"
"""Whom a delegation is granted to that is not for a program's key: the building's learned rules."""


@dataclass(frozen=True)
class Case:
    """What of a situation a habit may depend on."""

    kind: str
    category: str | None = None
    vendor_id: str | None = None
    item_id: str | None = None
    about: str | None = None
    """What tells questions of one kind apart beside the line: the name that was not known, who sent a message, what a
    vendor's exceptions are about. What is decided on one says nothing of the others."""


def case_of(kind: str, file: LineFile | None, subject: JsonObject) -> Case:
    """The case that a question of this kind, about this line or subject, is."""
    declared = declaration_of(kind)
    about = declared.case(declared.read(subject))
    told = " ".join(about.casefold().split())[:200] if about else None
    if file is None:
        return Case(kind, about=told)
    item = file.item
    return Case(kind, item.category, item.vendor_id, item.item_id, told)


def case_on(case: Case, file: LineFile) -> Case:
    """The same case on another line: what is decided there depends on that line's category and vendor."""
    return replace(case, category=file.item.category, vendor_id=file.item.vendor_id, item_id=file.item.item_id)


class Scoped(Row):
    """A row that holds for some cases of a kind: those that agree with every field that is not None."""

    kind: str
    category: str | None = None
    vendor_id: str | None = None
    item_id: str | None = None
    about: str | None = None

    def holds_for(self, case: Case) -> bool:
        return self.kind == case.kind and all(
            own in (None, getattr(case, name)) for name, own in self.scope.items() if name != "kind"
        )

    @property
    def scope(self) -> dict[str, str | None]:
        return {"kind": self.kind, **{name: getattr(self, name) for name in NARROWING}}

    @property
    def specificity(self) -> int:
        """How narrow it is: one line before one vendor before one category before any."""
        return narrowness(self)


NARROWING = ("category", "vendor_id", "item_id", "about")
"""The fields that narrow a scope, the widest first."""


def narrowness(scope: "Case | Scoped") -> int:
    """The larger, the narrower."""
    return sum(2**place for place, name in enumerate(NARROWING) if getattr(scope, name) is not None)


class Rule(Scoped):
    """A habit learned from people's answers. It recommends; it decides alone only once it was confirmed often enough,
    and only within authority."""

    rule_id: str
    """Its name within the building, such as r17."""
    title: str
    """The way out that it recommends, in a few words."""
    text: str
    """The rule in one or two sentences."""
    actions: list[PlainAction]
    """What it recommends, in terms of the situation (domain.templates)."""
    source: str
    """The approval that it was learned from, as `seq.ordinal`."""
    learned_from: str
    """Who decided that, on what: for people to read."""
    learned_at: datetime
    applied: int = 0
    """How often it recommended or decided."""
    decided: int = 0
    """How often it decided alone."""
    confirmed: int = 0
    """How often people decided as it says, the decision that it was learned from included."""
    overruled: int = 0
    streak: int = 0
    """Confirmations in a row."""
    refusals: int = 0
    """Overrulings in a row."""
    late: bool = False
    """Whether people confirmed it in a case in which it came too late."""
    most: Decimal | None = None
    """The largest amount that people confirmed, in the building's currency."""
    autonomy: Autonomy = "earned"
    """recommend: never alone. earned: alone after enough confirmations. alone: a person trusts it as it is."""
    delegation: Literal["none", "asked", "refused"] = "none"
    """Whether a person was asked to delegate what it says."""
    status: RuleStatus = "active"
    """retired: refused twice in a row, so it stopped by itself. disabled: a person switched it off."""
    shared: bool = False
    """Whether other buildings may be recommended the same."""
    edited_by: str | None = None
    caused_seq: int = 0

    def holds_for(self, case: Case) -> bool:
        """A rule knows exactly what it is about: one learned on an order above the limit is silent on change orders."""
        return self.about == case.about and super().holds_for(case)

    def may_stand_alone(self, after: int) -> bool:
        """Whether it was confirmed often enough to decide, authority apart; `after` is rule_autonomy_after."""
        if self.status != "active" or self.autonomy == "recommend":
            return False
        return self.autonomy == "alone" or self.streak >= after


class Delegation(Scoped):
    """What a person explicitly allowed the building to decide without asking. It is never taken, only granted."""

    delegation_id: str
    """Its name within the building, such as d21."""
    actions: list[str]
    """Names of the actions that it allows."""
    amount_limit: Decimal | None = None
    """Most that one decision may commit, in the building's currency; None: the policy's po_limit holds."""
    granted_to: str = TO_RULES
    """`rules`, or the id of a program's key."""
    granted_by: str
    granted_at: datetime
    expires_at: datetime | None = None
    status: DelegationStatus = "active"
    note: str | None = None
    """Why it was suspended or revoked, or what was said when it was granted."""
    caused_seq: int = 0

    def covers(self, case: Case, actions: Iterable[str], to: str, now: datetime) -> bool:
        """Whether it allows these actions in this case, amounts apart, to this responder at this time."""
        return (
            self.status == "active"
            and self.granted_to == to
            and (self.expires_at is None or now < self.expires_at)
            and self.holds_for(case)
            and set(actions) <= set(self.actions)
        )


def matching(rules: Iterable[Rule], case: Case) -> list[Rule]:
    """The active rules that hold for a case, the most specific first; of equals the newer one."""
    found = [rule for rule in rules if rule.status == "active" and rule.holds_for(case)]
    return sorted(found, key=lambda rule: (-rule.specificity, -rule.caused_seq, rule.rule_id))


def scopes_of(case: Case) -> list[Case]:
    """The scopes that a rule learned from a case may have, the widest first."""
    chain = [Case(case.kind, about=case.about)]
    if case.category is not None:
        chain.append(replace(chain[0], category=case.category))
    if case.vendor_id is not None:
        chain.append(replace(case, item_id=None))
    if case.item_id is not None:
        chain.append(case)
    return chain


def as_evidence(rules: Sequence[Rule], building_id: str, after: int) -> list[JsonObject]:
    """Rules as a question shows them."""
    return [
        {
            "rule_id": full_id(building_id, rule.rule_id),
            "text": rule.text,
            "title": rule.title,
            "learned_from": rule.learned_from,
            "source": full_id(building_id, rule.source),
            "confirmed": rule.confirmed,
            "overruled": rule.overruled,
            "in_a_row": rule.streak,
            "needed_to_decide_alone": after,
        }
        for rule in rules
    ]


def full_id(building_id: str, name: str) -> str:
    """The id that is unique over all buildings: of an approval named `seq.ordinal`, a rule or a delegation."""
    return f"{building_id}-{name.replace('.', '-')}"


def split_id(full: str) -> tuple[str, str]:
    """Building and name of a rule's or a delegation's id; the name holds no hyphen."""
    building_id, _, name = full.rpartition("-")
    return building_id, name
