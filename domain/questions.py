"""Questions to people, built from the facts: so that the same facts always ask the same, and others are noticed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from domain.approvals import Option, Question, fingerprint
from domain.buildings import MANAGER, Building
from domain.changing_lines import change_stands, describe_change
from domain.commitments import (
    NEEDS_AN_ADMIN,
    NOTHING,
    Amount,
    covering_approver,
    missing_for_order,
    stake_of,
)
from domain.milestones import unanswered_detail
from domain.options import for_party, options_for
from domain.outside import own_words, quoted, shown_name, shown_phrase
from domain.outstanding import (
    conflict_detail,
    conflict_policy_line,
    is_about_note,
    order_verdict,
    unordered_detail,
)
from domain.procurement import Inspection, LineFile, Logistics, Quality, Submittal, money
from domain.schedule import days_late
from domain.situation import Situation


@dataclass
class Background:
    """What else a reader should know: the events behind the facts, notes of the team, similar past cases."""

    facts: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    past_cases: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)


def build_question(
    kind: str,
    file: LineFile | None,
    building: Building,
    today: date,
    subject: dict[str, Any],
    background: Background | None = None,
) -> Question | None:
    """The question of this kind as the facts now stand; None when they no longer ask it.

    `today` is the business day in the building's zone; `subject` is what the question is about beside the line.
    """
    if kind in _WITHOUT_ITEM:
        return _free_question(kind, building, today, subject, background or Background())
    if file is None or not still_stands(kind, file, building, subject):
        return None
    subject = _as_of_now(kind, file, building, subject)
    options = options_for(kind, Situation(file, building, today, subject))
    stake = _at_stake(options, file, building)
    options = for_party(options, party_asked(building, stake), building, file.vendor)
    return Question(
        kind=kind,
        item_id=file.item.item_id,
        summary=_summary(kind, file, building, today, subject) + _needs_an_admin(stake, building),
        options=options,
        evidence=_evidence(kind, file, building, today, subject, background or Background()),
        fingerprint=fingerprint([kind, _FACTS[kind](file, building, subject)]),
        amount=None if stake.value is None else str(stake.value),
        amount_unknown=stake.value is None,
        subject=subject,
        holds_item=kind not in ("milestone_overdue", "change_order"),
    )


def still_stands(kind: str, file: LineFile, building: Building, subject: dict[str, Any]) -> bool:
    """Whether the facts of a line still ask this."""
    return not file.item.removed and _STANDS[kind](file, building, subject)


def party_asked(building: Building, stake: Amount | None) -> str:
    """Who is asked first where this much is at stake."""
    unknown = stake is not None and stake.value is None
    return building.approver_for(None if stake is None else stake.value, is_unknown=unknown) or MANAGER


def _at_stake(options: Sequence[Option], file: LineFile, building: Building) -> Amount:
    """The largest amount that a way out commits, at least the line's own value; not known where one of them is not."""
    files = {file.item.item_id: file}
    own = file.item.total if file.item.currency == building.currency else None
    stakes = [stake_of(option.actions, files, building) for option in options]
    return _largest([Amount(own or Decimal(0)), *stakes]) or NOTHING


def _largest(stakes: Sequence[Amount | None]) -> Amount | None:
    """The largest of these amounts; one that is not known counts as the largest. None where nothing is at stake."""
    known = [stake for stake in stakes if stake is not None]
    unknown = next((stake for stake in known if stake.value is None), None)
    return unknown or max(known, key=lambda stake: stake.value or Decimal(0), default=None)


def _needs_an_admin(stake: Amount, building: Building) -> str:
    """What is said where nobody in the approver chain may commit the amount at stake."""
    if not building.approvers or covering_approver(building, stake) is not None:
        return ""
    what = "the price is not known" if stake.value is None else f"{money(stake.value, building.currency)} is at stake"
    return f" ({what[0].upper()}{what[1:]}, and {NEEDS_AN_ADMIN}.)"


_WITHOUT_ITEM = ("item_unknown", "event_unclear", "event_failed", "delegation_request")


def _free_question(
    kind: str, building: Building, today: date, subject: dict[str, Any], background: Background
) -> Question:
    event = shown_name(str(subject.get("event_id")))
    summaries = {
        "item_unknown": f"Which line is meant by {quoted(subject.get('named'), 200)}? No line has that name.",
        "event_unclear": _unclear(subject),
        "event_failed": f"Event {event} ({subject.get('event_type')}) could not be processed.",
        "delegation_request": str(subject.get("detail")),
    }
    options = options_for(kind, Situation(None, building, today, subject))
    stake = _largest([stake_of(option.actions, {}, building) for option in options])
    options = for_party(options, party_asked(building, stake), building)
    return Question(
        kind=kind,
        summary=summaries[kind] + ("" if stake is None else _needs_an_admin(stake, building)),
        options=options,
        amount=None if stake is None or stake.value is None else str(stake.value),
        amount_unknown=stake is not None and stake.value is None,
        evidence={
            **_shared(background),
            "subject": subject,
            "policy": subject.get("policy_line", "what is not clear is put to a person"),
        },
        fingerprint=fingerprint([kind, subject]),
        subject=subject,
        holds_item=False,
    )


def _unclear(subject: dict[str, Any]) -> str:
    if not is_message(subject):
        what = shown_name(str(subject.get("event_type") or "Items_Changed"))
        event = f"event {shown_name(str(subject.get('event_id')))} of {shown_name(str(subject.get('source')))}"
        return f"{what} ({event}) could not be taken in: {own_words(str(subject.get('text')))}. What is to be done?"
    reading = subject.get("reading")
    if not reading or not reading.get("events"):
        return "A message came in that nobody has read yet: what does it say?"
    doubts = own_words("; ".join(reading["doubts"]), 300)
    return f"A message came in, and {reading['model']} is not certain what it says ({doubts}). Is it read right?"


def is_message(subject: dict[str, Any]) -> bool:
    """Whether a question on a report is about free text: only that has a sender. A typed event is never unread."""
    return "sender" in subject


def _shared(background: Background) -> dict[str, Any]:
    return {
        "facts": background.facts,
        "notes": background.notes,
        "rules": background.rules,
        "past_cases": background.past_cases,
    }


def _as_of_now(kind: str, file: LineFile, building: Building, subject: dict[str, Any]) -> dict[str, Any]:
    """The subject with what it says of the facts told again from the facts, so that nothing old is left in it."""
    told = _TOLD_AGAIN.get(kind)
    return subject if told is None else {**subject, **told(file, building, subject)}


def _rejected_quantity(file: LineFile, _building: Building, _subject: dict[str, Any]) -> dict[str, Any]:
    report = failed_inspection(file)
    if report is None:
        return {}
    rejected = report.quantity_rejected
    return {"quantity_rejected": None if rejected is None else str(rejected)}


def _authority_line(file: LineFile, building: Building, subject: dict[str, Any]) -> dict[str, Any]:
    return {} if subject.get("change_order") else {"policy_line": order_verdict(file, building).policy_line}


def _contradiction(file: LineFile, _building: Building, subject: dict[str, Any]) -> dict[str, Any]:
    return {"detail": unordered_detail(file.item)} if subject.get("unordered_delivery") else {}


def _overdue_line(file: LineFile, _building: Building, subject: dict[str, Any]) -> dict[str, Any]:
    return {"detail": unanswered_detail(file, subject["milestone"], subject.get("due_on"))}


_TOLD_AGAIN: dict[str, Callable[[LineFile, Building, dict[str, Any]], dict[str, Any]]] = {
    "inspection_failed": _rejected_quantity,
    "hold_expired": _rejected_quantity,
    "order_incomplete": lambda file, building, _s: {"missing": missing_for_order(file, building)},
    "order_beyond_authority": _authority_line,
    "schedule_conflict": lambda _f, building, _s: {"policy_line": conflict_policy_line(building)},
    "facts_contradict": _contradiction,
    "milestone_overdue": _overdue_line,
}


def failed_inspection(file: LineFile) -> Inspection | None:
    """The last failed inspection of the current round."""
    failed = [i for i in file.inspections_in(file.item.round) if i.status == "failed"]
    return max(failed, key=lambda i: i.caused_seq, default=None)


def _summary(kind: str, file: LineFile, building: Building, today: date, subject: dict[str, Any]) -> str:
    item = file.item
    if kind == "inspection_failed":
        report = failed_inspection(file)
        left = None if item.required_by is None else (item.required_by - today).days
        when = "" if left is None else f" Required by {item.required_by}, {left} calendar days left."
        return f"{item.shown} failed inspection on {report and report.inspected_on}.{when} What is to be done?"
    if kind == "schedule_conflict":
        return f"{conflict_detail(item)} What is to be done?"
    if kind == "order_beyond_authority":
        if subject.get("change_order"):
            return (
                f"{item.shown} is ordered, and revision {subject.get('revision')} was approved since: a change order?"
            )
        return f"Order {item.shown} for {money(item.total, item.currency)}? {subject['policy_line']}."
    if kind == "order_incomplete":
        return f"{item.shown} is approved but cannot be ordered: {' and '.join(subject['missing'])} missing."
    if kind == "acknowledgement_exception":
        said = "; ".join(f"{e['kind']}: {shown_phrase(e['detail'])}" for e in subject["exceptions"])
        return f"The vendor acknowledged {subject['order']} for {item.shown} with exceptions: {said}"
    if kind == "change_order":
        return describe_change(item, subject)
    if kind == "hold_expired":
        return f"{item.shown} was put on hold{f' ({quoted(item.hold_note)})' if item.hold_note else ''}: what now?"
    return str(subject["detail"])


def _evidence(
    kind: str,
    file: LineFile,
    building: Building,
    today: date,
    subject: dict[str, Any],
    background: Background,
) -> dict[str, Any]:
    item = file.item
    evidence: dict[str, Any] = {
        **_shared(background),
        "policy": _policy_line(kind, subject),
        "item": {
            "item_id": item.item_id,
            "name": item.name,
            "category": item.category,
            "status": item.status,
        },
        "order": _order(file),
        "dates": _dates(file, today),
    }
    report = failed_inspection(file)
    if kind in ("inspection_failed", "hold_expired") and report is not None:
        evidence["inspection"] = _inspection(report)
        evidence["replacement"] = _replacement(kind, file, building, today, subject)
    if subject.get("exceptions"):
        evidence["exceptions"] = subject["exceptions"]
    if subject.get("missing"):
        evidence["missing"] = subject["missing"]
    if subject.get("known"):
        evidence["known"] = subject["known"]
    return evidence


def _policy_line(kind: str, subject: dict[str, Any]) -> str:
    if subject.get("policy_line"):
        return str(subject["policy_line"])
    return {
        "inspection_failed": "the disposition of a nonconformance (NCR) needs a person",
        "acknowledgement_exception": "a departure from the order is a change order and needs a person",
        "order_incomplete": "a posted line needs its vendor, and its price while po_limit is set",
        "change_order": "a change of what is ordered is a change order and needs a person",
        "hold_expired": "a hold ends by a person's word, never by itself",
        "milestone_overdue": "chase_again_after_days: an unanswered chasing is put to a person",
        "decision_overruled": "what a person overruled is a person's again",
    }.get(kind, "what cannot be true beside what is known is put to a person")


def _order(file: LineFile) -> dict[str, Any]:
    item, line, order = file.item, file.order_line, file.order
    return {
        "number": order.number if order else None,
        "status": order.status if order else None,
        "vendor": file.vendor.name if file.vendor else item.vendor_id,
        "quantity": _plain(line.quantity if line else item.quantity),
        "unit": item.unit,
        "unit_price": money(line.unit_price if line else item.unit_price, item.currency),
        "value": money(order.total if order else item.total, item.currency),
    }


def _plain(quantity: Any) -> str | None:
    return None if quantity is None else f"{quantity.normalize():f}"


def _dates(file: LineFile, today: date) -> dict[str, Any]:
    item = file.item
    return {
        "required_by": _iso(item.required_by),
        "buffer_days": item.buffer_days,
        "promised_date": _iso(item.promised_date),
        "eta": _iso(item.eta),
        "order_by": _iso(item.order_by),
        "days_left": None if item.required_by is None else (item.required_by - today).days,
        "days_late": days_late(item.expected, item.required_by),
        "as_of": today.isoformat(),
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _inspection(report: Inspection) -> dict[str, Any]:
    return {
        "inspected_on": _iso(report.inspected_on),
        "document_name": report.document_name,
        "document_url": report.document_url,
        "defects": report.defects,
        "quantity_rejected": _plain(report.quantity_rejected),
        "ncr_number": report.ncr_number,
    }


def _replacement(kind: str, file: LineFile, building: Building, today: date, subject: dict[str, Any]) -> dict[str, Any]:
    """When a replacement would be there, and how late: decision date plus lead time."""
    options = options_for("inspection_failed", Situation(file, building, today, subject))
    replace = next(o for o in options if o.actions[0]["name"] == "reorder_item")
    return {"arrival": replace.arrival, "days_late": replace.days_late, "if_decided_on": today.isoformat()}


Stands = Callable[[LineFile, Building, dict[str, Any]], bool]
Facts = Callable[[LineFile, Building, dict[str, Any]], Any]


def _unordered(file: LineFile) -> bool:
    return file.item.submittal == Submittal.APPROVED and file.item.commercial == "unordered"


def _beyond_stands(file: LineFile, building: Building, subject: dict[str, Any]) -> bool:
    if subject.get("change_order"):
        return file.item.is_ordered
    return _unordered(file) and not order_verdict(file, building).allowed


_STANDS: dict[str, Stands] = {
    "inspection_failed": lambda file, _b, _s: file.item.quality == Quality.FAILED,
    "schedule_conflict": lambda file, _b, _s: (
        file.item.schedule_band == "conflict" and file.item.logistics != Logistics.ON_SITE
    ),
    "order_beyond_authority": _beyond_stands,
    "order_incomplete": lambda file, building, _s: _unordered(file) and bool(missing_for_order(file, building)),
    "acknowledgement_exception": lambda file, _b, s: (
        file.order is not None and file.order.number == s["order"] and file.item.is_ordered
    ),
    "facts_contradict": lambda file, _b, s: not (s.get("unordered_delivery") or is_about_note(s)) or _unordered(file),
    "milestone_overdue": lambda file, _b, s: any(
        (m.round, m.kind, m.met_on) == (s["round"], s["milestone"], None)
        for m in file.milestones
        if m.round == file.item.round and file.item.is_ordered
    ),
    "hold_expired": lambda file, _b, _s: file.item.is_held,
    "decision_overruled": lambda _f, _b, _s: True,
    "change_order": lambda file, _b, s: change_stands(file, s),
}


def _order_facts(file: LineFile, building: Building, subject: dict[str, Any]) -> Any:
    item = file.item
    return [
        item.round,
        item.vendor_id,
        item.quantity,
        item.unit_price,
        item.currency,
        item.submittal_revision,
        building.policy.po_limit,
        subject.get("revision"),
    ]


def _report_facts(file: LineFile, building: Building, subject: dict[str, Any]) -> Any:
    item = file.item
    failed = [
        (i.inspection_id, i.defects, i.quantity_rejected)
        for i in file.inspections_in(item.round)
        if i.status == "failed"
    ]
    return [
        item.round,
        failed,
        item.required_by,
        item.quantity,
        item.unit_price,
        item.vendor_id,
        item.lead_time_days,
    ]


def _conflict_facts(file: LineFile, building: Building, subject: dict[str, Any]) -> Any:
    item = file.item
    return [item.round, item.eta, item.promised_date, item.required_by, item.buffer_days]


# The facts that each kind of question rests on, and no others: what has no bearing on the answer must not
# make a person read the question again.
_FACTS: dict[str, Facts] = {
    "inspection_failed": _report_facts,
    "schedule_conflict": _conflict_facts,
    "order_beyond_authority": _order_facts,
    "order_incomplete": _order_facts,
    "acknowledgement_exception": lambda file, _b, s: [s["order"], s["exceptions"], file.item.promised_date],
    "facts_contradict": lambda file, _b, s: [s["detail"], *([s["note_seq"]] if is_about_note(s) else [])],
    "milestone_overdue": lambda file, _b, s: [s["round"], s["milestone"], file.item.expected],
    "decision_overruled": lambda _f, _b, s: [s["rule_id"], s["decided"]],
    "change_order": lambda file, _b, s: [
        s,
        [(line.number, line.quantity, line.unit_price) for line in file.order_lines],
    ],
    "hold_expired": lambda file, b, s: [
        _report_facts(file, b, s),
        _conflict_facts(file, b, s),
        file.item.held_until,
    ],
}
