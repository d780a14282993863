"""A report names a line that is not in the log."""

from domain.actions import action
from domain.approvals import Option
from domain.outside import one_line, quoted, shown_name
from domain.plain_json import KnownJson, PlainObject
from domain.questions.kinds import NOT_CLEAR, FreeKind, line_of
from domain.questions.reports import ReportSubject, whatever_it_says
from domain.situation import Situation


class ItemUnknownSubject(ReportSubject):
    """The name that is not known, and the lines that come near."""

    named: str | None = None
    event: KnownJson = {}
    """The event's body."""
    closest: list[tuple[str, str]] = []
    """(item_id, name), the closest first."""


def offer_lines(s: Situation, subject: ItemUnknownSubject) -> list[Option]:
    """The lines that come near, the closest first; or ask, leave it, note it."""
    body = subject.event
    matches = [
        s.option(
            f"It is {shown_name(name)}",
            [action("restate_event", event={**body, "item": item_id})],
            cost="none",
            assumptions=[f"{quoted(str(body['item']))} was meant as {quoted(name)}"],
        )
        for item_id, name in subject.closest
    ]
    return [*matches, *whatever_it_says(s, subject)]


def _summary(subject: ItemUnknownSubject) -> str:
    return f"Which line is meant by {quoted(str(subject.named), 200)}? No line has that name."


def _case(subject: ItemUnknownSubject) -> str | None:
    return subject.named


def _title(subject: ItemUnknownSubject, _evidence: PlainObject) -> str:
    return f"Which line is {one_line(str(subject.named), 40)!r}"


KIND = FreeKind(
    name="item_unknown",
    subject=ItemUnknownSubject,
    summary=_summary,
    options=offer_lines,
    policy_line=line_of(NOT_CLEAR),
    is_always_a_persons=False,
    needs_a_person=False,
    any_key_may_answer=True,
    escalates=True,
    is_about_an_event=True,
    is_told_from_outside=True,
    is_put_to_models=True,
    rests_on_vendors=False,
    when="When a report names",
    names_its_case=True,
    case=_case,
    title=_title,
)
