"""A vendor acknowledges an order with exceptions to it."""

from domain.actions import action
from domain.approvals import Option
from domain.buildings import Building
from domain.outside import shown_phrase
from domain.plain_json import FactValue, JsonObject, KnownJson, PlainAction, PlainObject
from domain.procurement import LineFile
from domain.questions.kinds import LineKind, Subject, line_of, nothing_again
from domain.situation import Situation


class AcknowledgementExceptionSubject(Subject):
    """The order, and what the vendor takes exception to."""

    order: str = ""
    exceptions: list[KnownJson] = []
    """{kind, detail, ...} each, as reported."""
    promised: str | None = None


def offer_answers_to_the_vendor(s: Situation, subject: AcknowledgementExceptionSubject) -> list[Option]:
    """Insist on the order, accept the vendor's terms, hold, or cancel."""
    item = s.file.item
    # Whoever reported them chose the words, so the vendor is told only what they are about.
    points = ", ".join(_points(subject)) or "other"
    ask = s.ask_vendor(
        f"Please deliver {item.shown} as ordered ({subject.order}). We have not agreed to your exceptions ({points}).",
        "Insist on the order as placed",
        contact="orders",
    )
    revised = _terms_in_numbers(s, subject)
    accept = s.option(
        "Accept the vendor's terms",
        [*revised, action("accept_as_is", item=item.item_id, note=f"accepted: the vendor's exceptions ({points})")],
        arrival=item.expected,
        assumptions=[_what_the_order_says(subject, is_revised=bool(revised))],
    )
    elsewhere = s.option(
        "Cancel the order",
        [action("cancel_purchase_order", item=item.item_id, reason=f"Your exceptions ({points}) are not agreed.")],
        assumptions=["another vendor can deliver; it needs a submittal of its own"],
    )
    return [ask, accept, s.hold("vendor's exceptions are open"), elsewhere]


def _terms_in_numbers(s: Situation, subject: AcknowledgementExceptionSubject) -> list[PlainAction]:
    """The revision of the order to the vendor's terms, as far as they were given as numbers."""
    revised: JsonObject = {}
    for exception in subject.exceptions:
        revised |= {name: exception[name] for name in _NUMBERS if name in exception}
    if not revised:
        return []
    line = {"item": s.item_id, **revised}
    return [action("revise_purchase_order", order=subject.order, lines=[line], reason="the vendor's terms")]


_NUMBERS = ("quantity", "unit_price")
"""What an exception may say as a number."""


def _what_the_order_says(subject: AcknowledgementExceptionSubject, *, is_revised: bool) -> str:
    if not is_revised:
        return "the difference in price or quantity is agreed in a change order outside Longlead"
    without = [one for one in subject.exceptions if not any(name in one for name in _NUMBERS)]
    left = sorted({str(exception["kind"]) for exception in without} - {"date"})
    if left:
        return f"the order is revised to the vendor's numbers; it does not say what is agreed on: {', '.join(left)}"
    return "the order is revised to the vendor's numbers"


def _points(subject: AcknowledgementExceptionSubject) -> list[str]:
    return sorted({str(exception["kind"]) for exception in subject.exceptions})


def _summary(s: Situation, subject: AcknowledgementExceptionSubject) -> str:
    said = "; ".join(f"{one['kind']}: {shown_phrase(str(one['detail']))}" for one in subject.exceptions)
    return f"The vendor acknowledged {subject.order} for {s.file.item.shown} with exceptions: {said}"


def _stands(file: LineFile, _building: Building, subject: AcknowledgementExceptionSubject) -> bool:
    return file.order is not None and file.order.number == subject.order and file.item.is_ordered


def _facts(file: LineFile, _building: Building, subject: AcknowledgementExceptionSubject) -> list[FactValue]:
    return [subject.order, subject.exceptions, file.item.promised_date]


def _earlier_facts(
    file: LineFile, building: Building, subject: AcknowledgementExceptionSubject
) -> list[list[FactValue]]:
    return [_facts(file, building, subject)]


def _matter(_file: LineFile, subject: AcknowledgementExceptionSubject) -> str:
    return subject.order


def _evidence(_s: Situation, subject: AcknowledgementExceptionSubject) -> JsonObject:
    return {"exceptions": [*subject.exceptions]} if subject.exceptions else {}


def _case(subject: AcknowledgementExceptionSubject) -> str | None:
    return " and ".join(_points(subject)) or None


def _title(subject: AcknowledgementExceptionSubject, _evidence: PlainObject) -> str:
    return f"vendor's exceptions to {subject.order}"


KIND = LineKind(
    name="acknowledgement_exception",
    subject=AcknowledgementExceptionSubject,
    summary=_summary,
    stands=_stands,
    facts=_facts,
    earlier_facts=_earlier_facts,
    told_again=nothing_again,
    matter=_matter,
    options=offer_answers_to_the_vendor,
    evidence=_evidence,
    policy_line=line_of("a departure from the order is a change order and needs a person"),
    is_always_a_persons=False,
    needs_a_person=True,
    any_key_may_answer=False,
    escalates=True,
    decides_on="nothing",
    holds_line=True,
    is_asked_once=False,
    is_about_an_event=True,
    is_told_from_outside=True,
    is_put_to_models=True,
    rests_on_vendors=False,
    when="When a vendor acknowledges an order with exceptions",
    names_its_case=False,
    case=_case,
    title=_title,
)
