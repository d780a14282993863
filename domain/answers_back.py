"""Answering a question back from the facts of the question itself: picked by topic, told as they stand."""

from collections.abc import Callable, Sequence

from pydantic import JsonValue

from domain.approvals import Option
from domain.counts import write_count
from domain.outside import quoted, shown_name
from domain.plain_json import PlainObject, object_in, objects_in, text_in, texts_in


def answer_from_facts(topics: Sequence[str], evidence: PlainObject, options: Sequence[Option]) -> str:
    """What the facts on file say about the topics; where they say nothing, that."""
    told = [_TELL[topic](evidence, options) for topic in dict.fromkeys(topics) if topic in _TELL]
    found = " ".join(text for text in told if text)
    return found or "The facts on file do not say."


def _listed(pairs: Sequence[tuple[str, JsonValue]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in pairs if value not in (None, "", []))


def _dates(evidence: PlainObject, _: Sequence[Option]) -> str:
    dates = object_in(evidence, "dates")
    names = [
        ("required by", "required_by"),
        ("promised for", "promised_date"),
        ("ETA", "eta"),
        ("order by", "order_by"),
        ("calendar days late:", "days_late"),
        ("days left:", "days_left"),
    ]
    found = _listed([(name, dates.get(key)) for name, key in names])
    return f"Dates: {found}." if found else ""


def _order(evidence: PlainObject, _: Sequence[Option]) -> str:
    order = object_in(evidence, "order")
    if not order.get("number"):
        return "It is not ordered." if order else ""
    return (
        f"Order {order['number']} ({order['status']}): "
        + (
            _listed([("quantity", order.get("quantity")), ("value", order.get("value"))])
            or "no quantity or value is known"
        )
        + "."
    )


def _cost(evidence: PlainObject, options: Sequence[Option]) -> str:
    value = object_in(evidence, "order").get("value")
    ways = "; ".join(f"{option.title}: {option.cost}" for option in options)
    return f"{f'Value of the order: {value}. ' if value else ''}Cost of each way: {ways}." if ways else ""


def _vendor(evidence: PlainObject, _: Sequence[Option]) -> str:
    vendor = text_in(object_in(evidence, "order"), "vendor")
    return f"The vendor is {shown_name(vendor)}." if vendor else "No vendor is on file."


def _inspection(evidence: PlainObject, _: Sequence[Option]) -> str:
    report = object_in(evidence, "inspection")
    if not report:
        return ""
    defects = ", ".join(quoted(defect) for defect in texts_in(report, "defects")) or "no defects are named"
    found = _listed([("rejected", report.get("quantity_rejected")), ("NCR", report.get("ncr_number"))])
    return f"Inspected on {report.get('inspected_on')}: {defects}{f', {found}' if found else ''}."


def _options(_: PlainObject, options: Sequence[Option]) -> str:
    def one(option: Option) -> str:
        arrival = f"there on {option.arrival}" if option.arrival else "arrival unknown"
        late = "" if option.days_late is None else f", {write_count(option.days_late, 'day')} late"
        return f"{option.title} ({arrival}{late}, cost {option.cost})"

    return f"Ways out: {'; '.join(map(one, options))}." if options else ""


def _reason(evidence: PlainObject, options: Sequence[Option]) -> str:
    why = "; ".join(options[0].assumptions) if options else ""
    return f"It is asked because {evidence.get('policy')}.{f' The first way rests on: {why}.' if why else ''}"


def _history(evidence: PlainObject, _: Sequence[Option]) -> str:
    events = ", ".join(
        f"{fact['event_type']} ({shown_name(str(fact['event_id']))})" for fact in objects_in(evidence, "facts")
    )
    past = "; ".join(
        f"{case['summary']} was answered: {case['decision']}" for case in objects_in(evidence, "past_cases")
    )
    return f"{f'Events: {events}.' if events else ''}{f' Similar cases: {past}.' if past else ''}".strip()


_TELL: dict[str, Callable[[PlainObject, Sequence[Option]], str]] = {
    "dates": _dates,
    "order": _order,
    "cost": _cost,
    "vendor": _vendor,
    "inspection": _inspection,
    "options": _options,
    "reason": _reason,
    "history": _history,
}
