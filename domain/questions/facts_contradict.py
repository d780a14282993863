"""A report cannot be true beside what is known, or a person's note speaks against an order."""

from datetime import timedelta

from domain.actions import action
from domain.approvals import Option
from domain.buildings import Building
from domain.lines.doubts import doubts_of
from domain.lines.taking_in import OTHER_UNIT
from domain.outside import shown_name
from domain.outstanding import ORDERED_ELSEWHERE, unordered_detail
from domain.plain_json import FactValue, JsonObject, KnownJson, PlainObject
from domain.procurement import LineFile, money
from domain.questions.kinds import CONTRADICTS, LineKind, Subject, line_of
from domain.questions.line_facts import is_unordered
from domain.situation import Situation, order_and_track, remove_line
from domain.voiding import GROUND_GONE

NOTE_BEFORE_ORDER = "a note before the order"
"""A person's words that may speak against an order: answered by people alone, and no habit is made of it."""


MAY_BE_ANOTHER = ("told_twice", "nothing_left_to_arrive")
"""Doubts about a report that may tell of one more delivery."""


class ReportedAmount(Subject):
    """A quantity as it was reported."""

    unit: str = ""
    quantity: str = ""
    """A decimal string."""


class FactsContradictSubject(Subject):
    """What contradicts what."""

    detail: str = ""
    known: KnownJson | None = None
    """What is on file against it."""
    unordered_delivery: bool = False
    note_seq: int | None = None
    """The entry of the note that speaks of the order."""
    source: str | None = None
    event_id: str | None = None
    """The report that it is about, where it is known."""
    fact: str | None = None
    """Key of the fact on file that is doubted."""
    doubt: str = ""
    """Why it is doubted."""
    outside: bool = False
    """Something is reported of a line that was never ordered here."""
    corrected: KnownJson | None = None
    """The report with the day that was probably meant."""
    probably: str = ""
    """That day."""
    event: KnownJson | None = None
    """The doubted report as it came."""
    cancels: str | None = None
    """Of a decision whose ground is gone: the order that it placed and that can still be cancelled."""
    reported: ReportedAmount | None = None
    """Of a report in another unit: how much it says."""

    @property
    def is_about_note(self) -> bool:
        return "note_seq" in self.model_fields_set


def offer_ways_to_find_out(s: Situation, subject: FactsContradictSubject) -> list[Option]:
    """Keep what is on file, or ask the vendor; a delivery that nobody ordered may be ordered after all. What a note
    speaks against is ordered, was ordered elsewhere, is taken out or held."""
    if subject.is_about_note:
        return _order_in_spite_of_note(s)
    keep = s.option(
        "Keep what is on file; leave the report",
        [action("dismiss_event", note="the report contradicts what is on file")],
        cost="none",
        assumptions=["the report is wrong, or repeats an older one"],
    )
    # What was reported may be anybody's words, so the vendor is asked about its own order and told none of them.
    order = f" ({s.file.order.number})" if s.file.order else ""
    question = (
        f"We have two reports on {s.file.item.shown}{order} that contradict each other. Please tell us what of it has "
        "left, what has arrived, and on which days, and when the rest comes."
    )
    ask = s.ask_vendor(question, "Ask the vendor which is right")
    hold = s.hold("reports contradict each other")
    if subject.unordered_delivery:
        return [ask, s.option("Issue the order all the same", order_and_track(s.item_id)), keep, hold]
    if subject.outside and subject.event:
        return _take_outside_order(s, subject, subject.event)
    if subject.doubt == GROUND_GONE:
        stands = s.option(
            "It stands as decided",
            [action("dismiss_event", note="the decision stands without the report")],
            cost="none",
            assumptions=["what was decided is right all the same"],
        )
        cancel = s.option(
            f"Cancel order {subject.cancels}",
            [action("cancel_purchase_order", item=s.item_id, reason="ordered on a report that was taken back")],
            assumptions=["the vendor agrees to the cancellation"],
        )
        is_last = s.file.order is not None and s.file.order.number == subject.cancels
        return [stands, *([cancel] if is_last else []), hold]
    if subject.corrected:
        meant = s.option(
            f"It was meant as {subject.probably}: record it so",
            [action("restate_event", event=subject.corrected)],
            cost="none",
            assumptions=[f"{(subject.known or {}).get('day')} was a slip"],
        )
        return [meant, keep, ask, hold]
    if subject.event and subject.reported and subject.doubt == OTHER_UNIT:
        one = f"one {shown_name(subject.reported.unit)} is one {shown_name(s.file.item.unit or '')}"
        record = s.option(
            f"Record it as it is: {one}",
            [action("restate_event", event=subject.event)],
            cost="none",
            assumptions=[f"{one}; answer with another quantity where it is not", "it is remembered for this line"],
        )
        return [ask, record, keep, hold]
    if subject.event and subject.doubt in MAY_BE_ANOTHER:
        count = s.option(
            "Count it: it is another delivery",
            [action("restate_event", event=subject.event)],
            cost="none",
            assumptions=["it came beside what is on file"],
        )
        return [keep, count, ask, hold]
    return [keep, ask, hold]


def _take_outside_order(s: Situation, subject: FactsContradictSubject, event: JsonObject) -> list[Option]:
    """What was ordered elsewhere is taken up with the report, and nothing is ordered or sent again."""
    number = event.get("external_ref") or event.get("purchase_order")
    take = s.option(
        "It was ordered outside: take it" + (f" ({shown_name(str(number))})" if number else ""),
        [action("restate_event", event=event)],
        cost="as ordered there",
        assumptions=["it was ordered without the agent; nothing is ordered or sent again"],
    )
    ask = s.ask_vendor(
        f"We have a report on {s.file.item.shown} and know no order of it. Under which order of ours do you deliver?",
        "Ask the vendor which order it is",
    )
    leave = s.option(
        "Leave it: nothing was ordered",
        [action("dismiss_event", note="nothing was ordered")],
        cost="none",
        assumptions=["the report is a mistake, or not for this building"],
    )
    return [*([take, ask] if number else [ask, take]), leave, s.hold("nobody knows its order")]


def _order_in_spite_of_note(s: Situation) -> list[Option]:
    item = s.file.item
    arrival = None if item.lead_time_days is None else s.today + timedelta(days=item.lead_time_days)
    order = s.option(
        "Order it all the same",
        order_and_track(s.item_id),
        arrival=arrival,
        cost=money(item.total, item.currency) or "unknown",
        assumptions=["the note does not speak against the order"],
    )
    elsewhere = s.option(
        "It was ordered elsewhere: wait until that order is reported",
        s.hold(ORDERED_ELSEWHERE).actions,
        cost="none",
        assumptions=["its number is reported as purchase_order of Purchase_Order_Acknowledged; the hold then ends"],
    )
    return [order, elsewhere, remove_line(s), s.hold("a note of the team is to be cleared up")]


def _summary(_s: Situation, subject: FactsContradictSubject) -> str:
    return subject.detail


def _stands(file: LineFile, _building: Building, subject: FactsContradictSubject) -> bool:
    if subject.outside:
        return not file.order_lines
    if subject.fact and all(doubt.fact != subject.fact for doubt in doubts_of(file)):
        return False
    return not (subject.unordered_delivery or subject.is_about_note) or is_unordered(file)


def _facts(_file: LineFile, _building: Building, subject: FactsContradictSubject) -> list[FactValue]:
    return [subject.detail, *([subject.note_seq] if subject.is_about_note else [])]


def _earlier_facts(file: LineFile, building: Building, subject: FactsContradictSubject) -> list[list[FactValue]]:
    return [_facts(file, building, subject)]


def _told_again(file: LineFile, _building: Building, subject: FactsContradictSubject) -> JsonObject:
    return {"detail": unordered_detail(file.item)} if subject.unordered_delivery else {}


def _matter(_file: LineFile, subject: FactsContradictSubject) -> str:
    return f"{subject.source}:{subject.event_id}" if subject.source and subject.event_id else ""


def _evidence(_s: Situation, subject: FactsContradictSubject) -> JsonObject:
    return {"known": subject.known} if subject.known else {}


def _case(subject: FactsContradictSubject) -> str | None:
    if subject.is_about_note:
        return NOTE_BEFORE_ORDER
    return "delivered without an order" if subject.unordered_delivery else None


def _title(subject: FactsContradictSubject, _evidence: PlainObject) -> str:
    return "a note speaks of its order" if subject.is_about_note else "reports contradict each other"


KIND = LineKind(
    name="facts_contradict",
    subject=FactsContradictSubject,
    summary=_summary,
    stands=_stands,
    facts=_facts,
    earlier_facts=_earlier_facts,
    told_again=_told_again,
    matter=_matter,
    options=offer_ways_to_find_out,
    evidence=_evidence,
    policy_line=line_of(CONTRADICTS),
    is_always_a_persons=False,
    needs_a_person=True,
    any_key_may_answer=False,
    escalates=True,
    decides_on="nothing",
    holds_line=True,
    is_asked_once=True,
    is_about_an_event=True,
    is_told_from_outside=True,
    is_put_to_models=True,
    rests_on_vendors=False,
    when="When reports contradict each other",
    names_its_case=False,
    case=_case,
    title=_title,
)
