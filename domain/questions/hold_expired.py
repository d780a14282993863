"""A hold has run out: what the line was, or now is, held for. One question for the line, with all its open NCRs."""

from domain.actions import action
from domain.approvals import Option
from domain.buildings import Building
from domain.inspections import open_ncrs
from domain.outside import quoted
from domain.plain_json import FactValue, JsonObject
from domain.procurement import LineFile
from domain.questions.inspection_failed import InspectionFailedSubject, offer_dispositions, show_report
from domain.questions.kinds import LineKind, Subject, line_of, never_without_matter, no_case, one_per_line, says
from domain.questions.line_facts import conflict_facts, failed_in_round, inspection_shown, is_unordered, report_facts
from domain.questions.order_beyond_authority import OrderBeyondAuthoritySubject, offer_order
from domain.questions.schedule_conflict import offer_ways_round_a_delay
from domain.situation import Situation, remove_line


class HoldExpiredSubject(Subject):
    """What the line's open NCRs reject together."""

    quantity_rejected: str | None = None
    """A decimal string; None: all of it, or not known."""


def _options(s: Situation, subject: HoldExpiredSubject) -> list[Option]:
    """What the line was, or now is, held for; then going on, or holding it again."""
    item = s.file.item
    release = s.option(
        "End the hold and go on",
        [action("dismiss_event", note="the hold has ended")],
        cost="none",
        assumptions=["nothing stands against it any more"],
    )
    if item.quality == "failed":
        matter = offer_dispositions(s, _as_report(subject))
    elif is_unordered(s.file):
        matter = offer_order(s, OrderBeyondAuthoritySubject())
    elif item.schedule_band == "conflict":
        matter = offer_ways_round_a_delay(s, subject)
    else:
        return [release, s.ask_vendor(f"How does {item.shown} stand?"), s.hold("held again"), remove_line(s)]
    return [*(o for o in matter if o.actions[0]["name"] != "hold_item"), release, s.hold("held again")]


def _as_report(subject: HoldExpiredSubject) -> InspectionFailedSubject:
    return InspectionFailedSubject(quantity_rejected=subject.quantity_rejected)


def _summary(s: Situation, _subject: HoldExpiredSubject) -> str:
    item = s.file.item
    return f"{item.shown} was put on hold{f' ({quoted(item.hold_note)})' if item.hold_note else ''}: what now?"


def _stands(file: LineFile, _building: Building, _subject: HoldExpiredSubject) -> bool:
    return file.item.is_held


def _facts(file: LineFile, _building: Building, _subject: HoldExpiredSubject) -> list[FactValue]:
    return [report_facts(file, failed_in_round(file)), conflict_facts(file), file.item.held_until]


def _told_again(file: LineFile, _building: Building, _subject: HoldExpiredSubject) -> JsonObject:
    """How much the open NCRs of a line reject together; None where one of them does not say."""
    rejected = [report.quantity_rejected for report in open_ncrs(file)]
    if not rejected:
        return {}
    known = [quantity for quantity in rejected if quantity is not None]
    return {"quantity_rejected": str(sum(known)) if len(known) == len(rejected) else None}


def _evidence(s: Situation, subject: HoldExpiredSubject) -> JsonObject:
    reports = open_ncrs(s.file)
    several: JsonObject = {"inspections": [inspection_shown(report) for report in reports]} if len(reports) > 1 else {}
    return {**show_report(s, _as_report(subject)), **several}


KIND = LineKind(
    name="hold_expired",
    subject=HoldExpiredSubject,
    summary=_summary,
    stands=_stands,
    facts=_facts,
    earlier_facts=never_without_matter,
    told_again=_told_again,
    matter=one_per_line,
    options=_options,
    evidence=_evidence,
    policy_line=line_of("a hold ends by a person's word, never by itself"),
    is_always_a_persons=True,
    needs_a_person=False,
    any_key_may_answer=False,
    escalates=True,
    decides_on="all_ncrs",
    holds_line=True,
    is_asked_once=False,
    is_about_an_event=False,
    is_told_from_outside=False,
    is_put_to_models=False,
    rests_on_vendors=False,
    when=None,
    names_its_case=False,
    case=no_case,
    title=says("its hold has ended"),
)
