"""A person overruled what a rule decided alone: what is to become of what was done."""

from domain.actions import action
from domain.actions.registry import SPENDING
from domain.approvals import Option
from domain.buildings import Building
from domain.plain_json import FactValue, PlainAction
from domain.procurement import LineFile
from domain.questions.kinds import (
    LineKind,
    Subject,
    line_of,
    never_without_matter,
    no_case,
    nothing_again,
    nothing_more,
    one_per_line,
    says,
)
from domain.situation import Situation, remove_line


class DecisionOverruledSubject(Subject):
    """The decision."""

    rule_id: str = ""
    decided: int | str | None = None
    """Which decision of the rule."""
    actions: list[PlainAction] = []
    detail: str = ""


def offer_ways_back(s: Situation, subject: DecisionOverruledSubject) -> list[Option]:
    """What is to become of what was decided alone and found wrong."""
    done = {made["name"] for made in subject.actions}
    leave = s.option(
        "Leave it as it was decided",
        [action("dismiss_event", note="left as it was decided")],
        cost="none",
        assumptions=["what was done stands; only the rule behind it asks again"],
    )
    hold = s.hold("what was decided is being undone")
    if not done & SPENDING:
        return [hold, leave, s.ask_vendor(f"How does {s.file.item.shown} stand?"), remove_line(s)]
    cancel = s.option(
        "Cancel the order that was placed",
        [action("cancel_purchase_order", item=s.item_id, reason="ordered by mistake")],
        assumptions=["the vendor accepts the cancellation without charge"],
    )
    return [cancel, leave, hold, remove_line(s)]


def _summary(_s: Situation, subject: DecisionOverruledSubject) -> str:
    return subject.detail


def _stands(_file: LineFile, _building: Building, _subject: DecisionOverruledSubject) -> bool:
    return True


def _facts(_file: LineFile, _building: Building, subject: DecisionOverruledSubject) -> list[FactValue]:
    return [subject.rule_id, subject.decided]


KIND = LineKind(
    name="decision_overruled",
    subject=DecisionOverruledSubject,
    summary=_summary,
    stands=_stands,
    facts=_facts,
    earlier_facts=never_without_matter,
    told_again=nothing_again,
    matter=one_per_line,
    options=offer_ways_back,
    evidence=nothing_more,
    policy_line=line_of("what a person overruled is a person's again"),
    is_always_a_persons=True,
    needs_a_person=False,
    any_key_may_answer=False,
    escalates=True,
    decides_on="nothing",
    holds_line=True,
    is_asked_once=False,
    is_about_an_event=False,
    is_told_from_outside=False,
    is_put_to_models=False,
    rests_on_vendors=False,
    when=None,
    names_its_case=False,
    case=no_case,
    title=says("a decision was overruled"),
)
