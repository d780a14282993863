"""An event could not be processed."""

from domain.actions import action
from domain.approvals import Option
from domain.outside import one_line, quoted, shown_name
from domain.plain_json import KnownJson, PlainObject
from domain.questions.kinds import NOT_CLEAR, FreeKind, line_of, no_case
from domain.questions.reports import ReportSubject, dismiss
from domain.situation import Situation


class EventFailedSubject(ReportSubject):
    """The event, and what went wrong."""

    seq: int | None = None
    error: str | None = None
    event: KnownJson | None = None
    """Its body, where it may be sent again."""


def offer_repair(s: Situation, subject: EventFailedSubject) -> list[Option]:
    """Have it looked at, send it again, or leave it."""
    event = shown_name(str(subject.event_id))
    tell = s.option(
        "Have the engineers look at it",
        [
            action(
                "notify_team",
                team="engineering",
                message=f"Event {event} could not be processed: {quoted(str(subject.error), 1_000)}",
            )
        ],
        cost="none",
        assumptions=["after a fix it is processed with `longlead events retry`"],
    )
    again = s.option(
        "Send it again as it was",
        [action("restate_event", event=subject.event)] if subject.event else [],
        cost="none",
        assumptions=["what went wrong was passing"],
    )
    return [tell, *([again] if again.actions else []), dismiss(s)]


def _summary(subject: EventFailedSubject) -> str:
    return f"Event {shown_name(str(subject.event_id))} ({subject.event_type}) could not be processed."


def _title(subject: EventFailedSubject, _evidence: PlainObject) -> str:
    return f"{subject.event_type} {one_line(str(subject.event_id), 24)} could not be processed"


KIND = FreeKind(
    name="event_failed",
    subject=EventFailedSubject,
    summary=_summary,
    options=offer_repair,
    policy_line=line_of(NOT_CLEAR),
    is_always_a_persons=True,
    needs_a_person=False,
    any_key_may_answer=True,
    escalates=True,
    is_about_an_event=False,
    is_told_from_outside=True,
    is_put_to_models=False,
    rests_on_vendors=False,
    when=None,
    names_its_case=False,
    case=no_case,
    title=_title,
)
