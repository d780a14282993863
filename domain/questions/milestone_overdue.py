"""A vendor was chased for what did not come in time, and has not answered."""

from domain.actions import action
from domain.approvals import Option
from domain.buildings import Building
from domain.milestones import unanswered_detail
from domain.plain_json import FactValue, JsonObject, PlainObject
from domain.procurement import LineFile
from domain.questions.kinds import LineKind, Subject, line_of, never_without_matter, nothing_more, one_per_line
from domain.situation import Situation


class MilestoneOverdueSubject(Subject):
    """What is overdue, of which order of the line."""

    detail: str = ""
    milestone: str = ""
    round: int = 0
    due_on: str | None = None


def offer_ways_to_press_on(s: Situation, subject: MilestoneOverdueSubject) -> list[Option]:
    """Chase once more, expedite, leave it, or cancel."""
    item = s.file.item
    chase = s.ask_vendor(
        f"{subject.detail}. Please tell us today where it stands.", "Chase the vendor once more", contact="escalation"
    )
    expedite = s.option(
        "Expedite the order",
        [action("expedite_order", item=item.item_id)],
        assumptions=["the vendor can still make up for the delay"],
    )
    wait = s.option(
        "Leave it: somebody knows better",
        [action("dismiss_event", note="settled outside Longlead")],
        arrival=item.expected,
        cost="none",
        assumptions=["what was expected has happened, or will, without being reported"],
    )
    cancel = s.option(
        "Cancel the order",
        [action("cancel_purchase_order", item=item.item_id, reason=subject.detail)],
        assumptions=["another vendor can deliver; it needs a submittal of its own"],
    )
    return [chase, expedite, wait, cancel]


def _summary(_s: Situation, subject: MilestoneOverdueSubject) -> str:
    return subject.detail


def _stands(file: LineFile, _building: Building, subject: MilestoneOverdueSubject) -> bool:
    return file.item.is_ordered and any(
        (one.round, one.kind, one.met_on) == (subject.round, subject.milestone, None)
        for one in file.milestones
        if one.round == file.item.round
    )


def _facts(file: LineFile, _building: Building, subject: MilestoneOverdueSubject) -> list[FactValue]:
    return [subject.round, subject.milestone, file.item.expected]


def _told_again(file: LineFile, _building: Building, subject: MilestoneOverdueSubject) -> JsonObject:
    return {"detail": unanswered_detail(file, subject.milestone, subject.due_on)}


OWED = {"acknowledge": "acknowledgement", "ship": "departure", "arrive": "arrival", "inspect": "inspection"}


def _case(subject: MilestoneOverdueSubject) -> str | None:
    return subject.milestone


def _title(subject: MilestoneOverdueSubject, _evidence: PlainObject) -> str:
    return f"{OWED.get(subject.milestone, 'milestone')} overdue since {subject.due_on}"


KIND = LineKind(
    name="milestone_overdue",
    subject=MilestoneOverdueSubject,
    summary=_summary,
    stands=_stands,
    facts=_facts,
    earlier_facts=never_without_matter,
    told_again=_told_again,
    matter=one_per_line,
    options=offer_ways_to_press_on,
    evidence=nothing_more,
    policy_line=line_of("chase_again_after_days: an unanswered chasing is put to a person"),
    is_always_a_persons=False,
    needs_a_person=False,
    any_key_may_answer=False,
    escalates=True,
    decides_on="nothing",
    holds_line=False,
    is_asked_once=False,
    is_about_an_event=False,
    is_told_from_outside=False,
    is_put_to_models=True,
    rests_on_vendors=False,
    when="When a vendor was chased and did not answer",
    names_its_case=False,
    case=_case,
    title=_title,
)
