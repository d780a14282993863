"""An inspection failed: what is to become of what this NCR rejects. One question for each NCR of a line."""

from datetime import timedelta
from decimal import Decimal

from domain.actions import action
from domain.approvals import Option
from domain.buildings import Building
from domain.counts import write_count
from domain.inspections import is_open_ncr, open_ncrs
from domain.money import line_total
from domain.outside import shown_name
from domain.plain_json import FactValue, JsonObject, PlainObject
from domain.procurement import Inspection, LineFile, Quality, money
from domain.questions.kinds import LineKind, Subject, line_of, no_case
from domain.questions.line_facts import (
    DAMAGED,
    WRONG,
    failed_in_round,
    failed_inspection,
    inspection_shown,
    on_arrival,
    report_facts,
)
from domain.schedule import add_working_days
from domain.situation import Situation


class InspectionFailedSubject(Subject):
    """Which report it is about."""

    inspection_id: str | None = None
    """None: of a version that asked about the last report."""
    quantity_rejected: str | None = None
    """A decimal string; None: all of it."""
    seen_on_arrival: str | None = None
    """What was seen on arrival, where it is no inspection that rejects the goods."""


REPAIR_WORKING_DAYS = 5
"""Assumed for a repair on site until somebody knows better; said so in the option."""


def offer_dispositions(s: Situation, subject: InspectionFailedSubject) -> list[Option]:
    """Replace or repair first, as the required day allows; accept, return, or hold."""
    replace, repair = _replace(s, subject.quantity_rejected), _repair(s)
    only_repair_meets = (replace.days_late or 0) > 0 and repair.days_late == 0
    first = [repair, replace] if only_repair_meets else [replace, repair]
    if only_repair_meets:
        repair.assumptions.append("recommended since a replacement would miss the required day and a repair would not")
    return [*first, _accept_as_is(s), _return_and_remove(s), s.hold()]


def _replace(s: Situation, rejected: str | None) -> Option:
    item = s.file.item
    arrival = None if item.lead_time_days is None else s.today + timedelta(days=item.lead_time_days)
    quantity = Decimal(rejected) if rejected else None
    amount = item.total if quantity is None else line_total(item.unit_price, quantity, item.currency)
    if item.group is not None:  # what one line of it costs, the vendor has to say
        amount = None
    assumptions = [
        f"ordered on {s.today}, lead time {write_count(item.lead_time_days, 'calendar day')}"
        if item.lead_time_days is not None
        else "the lead time is not known, so neither is the arrival"
    ]
    if amount is not None:
        assumptions.append("the vendor charges the replacement at the price of the order; a claim is separate")
    return s.option(
        "Replace: order a replacement",
        [action("reorder_item", item=item.item_id, quantity=quantity, reason="failed inspection")],
        arrival=arrival,
        cost=money(amount, item.currency) or "unknown",
        assumptions=assumptions,
    )


def _repair(s: Situation) -> Option:
    again = add_working_days(s.today, REPAIR_WORKING_DAYS, s.building.working_week)
    return s.option(
        "Repair on site and inspect again",
        [
            action("repair_item", item=s.item_id, note="repair after failed inspection"),
            action("schedule_inspection", item=s.item_id, on=again),
        ],
        arrival=again,
        assumptions=[
            f"{REPAIR_WORKING_DAYS} working days for the repair are assumed; the vendor's time is not known",
            "the re-inspection passes",
        ],
    )


def _accept_as_is(s: Situation) -> Option:
    return s.option(
        "Accept as is (use-as-is)",
        [action("accept_as_is", item=s.item_id, note="accepted in spite of the failed inspection")],
        arrival=s.today,
        cost="none, or a credit from the vendor",
        assumptions=["the designer agrees that the defects do not matter"],
    )


def _return_and_remove(s: Situation) -> Option:
    return s.option(
        "Return it and take it out of the schedule",
        [
            action("return_item", item=s.item_id, note="returned after failed inspection"),
            action("remove_item", item=s.item_id, note="no longer needed"),
        ],
        cost="a credit from the vendor, if agreed",
        assumptions=["the work can do without it"],
    )


def show_report(s: Situation, subject: InspectionFailedSubject) -> JsonObject:
    """The report, and when a replacement would be there and how late: decision date plus lead time."""
    report = failed_inspection(s.file, subject.inspection_id)
    if report is None:
        return {}
    replace = _replace(s, subject.quantity_rejected)
    when: JsonObject = {
        "arrival": replace.arrival,
        "days_late": replace.days_late,
        "if_decided_on": s.today.isoformat(),
    }
    return {"inspection": inspection_shown(report), "replacement": when}


def _summary(s: Situation, subject: InspectionFailedSubject) -> str:
    item, report = s.file.item, failed_inspection(s.file, subject.inspection_id)
    left = None if item.required_by is None else (item.required_by - s.today).days
    when = "" if left is None else f" Required by {item.required_by}, {write_count(left, 'calendar day')} left."
    which = _which_ncr(s.file, report)
    seen = None if report is None else on_arrival(s.file, report)
    what = _SEEN[seen] if seen else "failed inspection"
    return f"{item.shown} {what} on {report and report.inspected_on}{which}.{when} What is to be done?"


_SEEN = {DAMAGED: "was damaged on arrival", WRONG: "is not what was ordered, as seen on arrival"}


def _which_ncr(file: LineFile, report: Inspection | None) -> str:
    """How much is to be decided about, where that is not the whole line; and its NCR, where several are open."""
    if report is None:
        return ""
    undecided, is_one_of_several = _rejected(file, report), len(open_ncrs(file)) > 1
    words = [shown_name(report.ncr_number or report.inspection_id)] if is_one_of_several else []
    if undecided is not None and (is_one_of_several or undecided != file.item.quantity):
        words.append(f"{undecided.normalize():f} {shown_name(file.item.unit or '')}".rstrip())
    return f" ({', '.join(words)})" if words else ""


def _stands(file: LineFile, _building: Building, subject: InspectionFailedSubject) -> bool:
    report = failed_inspection(file, subject.inspection_id)
    if report is None:  # a subject of an earlier version that names no report
        return subject.inspection_id is None and file.item.quality == Quality.FAILED
    return is_open_ncr(report)


def _facts(file: LineFile, _building: Building, subject: InspectionFailedSubject) -> list[FactValue]:
    """Whatever becomes of other NCRs of the line."""
    return report_facts(file, _own(file, subject))[1:]


def _earlier_facts(file: LineFile, _building: Building, subject: InspectionFailedSubject) -> list[list[FactValue]]:
    return [report_facts(file, failed_in_round(file)), report_facts(file, _own(file, subject))]


def _own(file: LineFile, subject: InspectionFailedSubject) -> list[Inspection]:
    report = failed_inspection(file, subject.inspection_id)
    return [] if report is None else [report]


def _told_again(file: LineFile, _building: Building, subject: InspectionFailedSubject) -> JsonObject:
    report = failed_inspection(file, subject.inspection_id)
    if report is None:
        return {}
    rejected = _rejected(file, report)
    return {
        "quantity_rejected": None if rejected is None else str(rejected),
        "seen_on_arrival": on_arrival(file, report),
    }


def _rejected(file: LineFile, report: Inspection) -> Decimal | None:
    """How much of it nobody has decided about; None: all of a line that is one piece."""
    ncr = next((one for one in file.ncrs if one.inspection_id == report.inspection_id and not one.is_gone), None)
    if ncr is None or file.item.quantity is None:
        return report.quantity_rejected
    return ncr.undecided or ncr.quantity


def _matter(file: LineFile, subject: InspectionFailedSubject) -> str:
    report = failed_inspection(file, subject.inspection_id)
    return "" if report is None else report.ncr_number or report.inspection_id


def _title(subject: InspectionFailedSubject, _evidence: PlainObject) -> str:
    return subject.seen_on_arrival or "failed inspection"


KIND = LineKind(
    name="inspection_failed",
    subject=InspectionFailedSubject,
    summary=_summary,
    stands=_stands,
    facts=_facts,
    earlier_facts=_earlier_facts,
    told_again=_told_again,
    matter=_matter,
    options=offer_dispositions,
    evidence=show_report,
    policy_line=line_of("the disposition of a nonconformance (NCR) needs a person"),
    is_always_a_persons=False,
    needs_a_person=True,
    any_key_may_answer=False,
    escalates=True,
    decides_on="its_ncr",
    holds_line=True,
    is_asked_once=False,
    is_about_an_event=True,
    is_told_from_outside=False,
    is_put_to_models=True,
    rests_on_vendors=False,
    when="When an inspection fails",
    names_its_case=False,
    case=no_case,
    title=_title,
)
