"""What each step of a story wants to be asked or told, about which lines, and until when."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from datetime import time as clock_time
from typing import Literal

from domain.questions.registry import NOT_ABOUT_AN_EVENT
from evals.stories.format import ANY_LINE, Check, Replies, Reply, Step, Story, Wanted
from evals.stories.lines import LineBook
from evals.stories.working_days import END_OF_DAY, WorkingDays


@dataclass(frozen=True)
class Want:
    """What one step wants about some lines, from a moment to a deadline, on the building's clock."""

    step: int
    """Its step, from 0."""
    lines: frozenset[str]
    accepted: frozenset[Wanted]
    start: datetime
    end: datetime
    max_questions: int
    by: Literal["event", "check"]
    to: Literal["people", "vendor"] = "people"
    says: str | None = None

    @property
    def wants_something(self) -> bool:
        """Whether nothing at all would be wrong."""
        return "quiet" not in self.accepted

    def is_in_time(self, at: datetime) -> bool:
        return self.start <= at <= self.end

    def covers(self, lines: frozenset[str], step: int, at: datetime, kind: str) -> bool:
        """Whether it wants a question of this kind about these lines, raised in this step at this moment."""
        if not self.is_in_time(at) or (self.by == "event" and kind in NOT_ABOUT_AN_EVENT):
            return False
        if not lines:
            return self.by == "event" and step == self.step
        if ANY_LINE in self.lines:
            return step == self.step
        return bool(lines & self.lines)

    def is_reached_by(self, lines: frozenset[str], step: int, at: datetime) -> bool:
        """Whether a message about these lines, sent in this step at this moment, is what it wants."""
        return self.is_in_time(at) and (bool(lines & self.lines) or (not self.lines and step == self.step))


def list_wants(story: Story, calendar: WorkingDays, book: LineBook) -> list[Want]:
    """The wants of all steps, in their order."""
    wants: list[Want] = []
    for number, step in enumerate(story.steps):
        if step.event is not None:
            wants += _list_wants_of_event(number, step, calendar, book)
        elif step.check is not None:
            wants.append(_make_want_of_check(number, step.day, step.check, book))
    return wants


def _list_wants_of_event(number: int, step: Step, calendar: WorkingDays, book: LineBook) -> list[Want]:
    start, end = datetime.combine(step.day, step.time), calendar.deadline(step.day, step.within)
    if isinstance(step.want, dict):
        return [
            Want(number, book.find_ids([line]), accepted, start, end, step.max, "event")
            for line, accepted in step.want.items()
        ]
    lines = book.find_ids(step.lines)
    return [Want(number, lines, step.want, start, end, step.max, "event", says=step.says)]


def _make_want_of_check(number: int, day: date, check: Check, book: LineBook) -> Want:
    start, end = _find_span_of_check(day, check)
    return Want(number, book.find_ids(check.item), check.want, start, end, check.max, "check", check.to)


def _find_span_of_check(day: date, check: Check) -> tuple[datetime, datetime]:
    return datetime.combine(check.since or day, clock_time(0)), datetime.combine(day, END_OF_DAY)


@dataclass(frozen=True)
class Script:
    """The answers that a story gives to questions, beside its events and checks."""

    story: Story
    calendar: WorkingDays
    book: LineBook

    def find_reply(
        self, lines: frozenset[str], kind: str, at: datetime, current_step: int
    ) -> Reply | Literal["later"] | None:
        """What the story answers to such a question now; the current step's own answer comes first."""
        found: Reply | Literal["later"] | None = None
        for number, step in enumerate(self.story.steps):
            if step.answer is None or step.decide is not None:
                continue
            is_current = step.event is not None and number == current_step
            if not self._is_meant(step, lines, at, is_current):
                continue
            reply = pick_reply(step.answer, kind)
            if reply is not None and (found is None or is_current):
                found = reply
        return found

    def _is_meant(self, step: Step, lines: frozenset[str], at: datetime, is_current: bool) -> bool:
        if step.check is not None:
            start, end = _find_span_of_check(step.day, step.check)
            about = self.book.find_ids(step.check.item)
        else:
            start = datetime.combine(step.day, clock_time(0))
            end = self.calendar.deadline(step.day, step.within)
            about = self.book.find_ids(step.lines)
        return start <= at <= end and (bool(lines & about) or (is_current and not lines))


def pick_reply(replies: Replies, kind: str) -> Reply | Literal["later"] | None:
    """The reply to a question of this kind."""
    return replies.get(kind) or replies.get("any")


def matches(pattern: str, texts: list[str]) -> bool:
    """Whether one of the texts says it."""
    return any(re.search(pattern, text, re.IGNORECASE) for text in texts)
