"""A message that nobody has read for certain, or an event that could not be taken in."""

from domain.actions import action
from domain.approvals import Option
from domain.outside import one_line, own_words, shown_name
from domain.plain_json import JsonObject, KnownJson, PlainObject, objects_in, texts_in
from domain.questions.kinds import NOT_CLEAR, FreeKind, line_of
from domain.questions.reports import ReportSubject, event_told, whatever_it_says
from domain.situation import Situation


class EventUnclearSubject(ReportSubject):
    """The message, and what a model read in it."""

    reading: KnownJson | None = None

    @property
    def is_message(self) -> bool:
        """Whether it is free text: only that has a sender. A typed event is never unread."""
        return "sender" in self.model_fields_set


def offer_readings(s: Situation, subject: EventUnclearSubject) -> list[Option]:
    """What a model read, where one did; or ask, leave it, note it."""
    events = objects_in(subject.reading or {}, "events")
    return [*([_as_read(s, subject, events)] if events else []), *whatever_it_says(s, subject)]


def _as_read(s: Situation, subject: EventUnclearSubject, events: list[JsonObject]) -> Option:
    """What a model read, with what it was not sure of."""
    doubts = texts_in(subject.reading or {}, "doubts")
    return s.option(
        f"Take it in as a model read it: {'; '.join(map(event_told, events))}"[:500],
        [action("restate_event", event=event) for event in events],
        cost="none",
        assumptions=[f"not certain: {doubt}" for doubt in doubts],
    )


def _summary(subject: EventUnclearSubject) -> str:
    if not subject.is_message:
        what = shown_name(subject.event_type or "Items_Changed")
        event = f"event {shown_name(str(subject.event_id))} of {shown_name(str(subject.source))}"
        return f"{what} ({event}) could not be taken in: {own_words(str(subject.text))}. What is to be done?"
    reading = subject.reading
    if not reading or not reading.get("events"):
        return "A message came in that nobody has read yet: what does it say?"
    doubts = own_words("; ".join(texts_in(reading, "doubts")), 300)
    return f"A message came in, and {reading['model']} is not certain what it says ({doubts}). Is it read right?"


def _case(subject: EventUnclearSubject) -> str | None:
    return subject.sender


def _title(subject: EventUnclearSubject, _evidence: PlainObject) -> str:
    if not subject.is_message:
        return f"{subject.event_type or 'Items_Changed'} not taken in: {one_line(str(subject.text), 40)}"
    return f"Message of {one_line(str(subject.sender), 40)} to be read"


KIND = FreeKind(
    name="event_unclear",
    subject=EventUnclearSubject,
    summary=_summary,
    options=offer_readings,
    policy_line=line_of(NOT_CLEAR),
    is_always_a_persons=False,
    needs_a_person=False,
    any_key_may_answer=True,
    escalates=True,
    is_about_an_event=True,
    is_told_from_outside=True,
    is_put_to_models=False,
    rests_on_vendors=False,
    when="When an unclear message comes from",
    names_its_case=True,
    case=_case,
    title=_title,
)
