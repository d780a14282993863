"""The subjects of all messages: which line, what it is about, how many days, and what is to be done.

On one line, without links, and short enough for a phone: it is the line's name that is cut, not what follows.
"""

import re
from datetime import date
from typing import Literal

from domain.approvals import Approval
from domain.counts import write_count
from domain.outside import one_line, own_words, shown_name
from domain.plain_json import object_in, text_in
from domain.questions.milestone_overdue import OWED
from domain.questions.registry import declaration_of

MAX_SUBJECT = 78
"""Characters of a subject without the building's name, to which the line's name is cut."""
MAX_TITLE = 100
"""Characters of a subject with the building's name behind it; none is longer, however long an order's number is."""
MIN_NAME = 12
"""Characters of a line's name that are always left."""

_BY_DAY = re.compile(r"\bby (\d{4}-\d{2}-\d{2})")

Occasion = Literal["asked", "changed", "reminder", "escalated", "settled", "answered"]

_BEFORE: dict[Occasion, str] = {
    "asked": "",
    "changed": "Changed: ",
    "reminder": "Reminder: ",
    "escalated": "Escalated: ",
    "settled": "Settled: ",
    "answered": "Your answer: ",
}
_AFTER: dict[Occasion, str] = {
    "asked": ", please decide",
    "changed": ", please decide",
    "reminder": ", please decide",
    "escalated": ", please decide",
    "settled": ", no answer needed",
    "answered": ", still open",
}


def title_of(subject: str, building: str) -> str:
    """A subject with the name of its building behind it, as a mail has it."""
    said = own_words(subject, MAX_TITLE)
    room = MAX_TITLE - len(said) - len(" ()")
    return said if room < MIN_NAME else own_words(f"{said} ({one_line(shown_name(building), room)})", MAX_TITLE)


def question_subject(approval: Approval, occasion: Occasion, today: date) -> str:
    """The subject of a message that asks a question, or tells what became of it, on this day."""
    name = text_in(object_in(approval.evidence, "item"), "name")
    what = _what(approval)
    is_told = occasion not in ("settled", "answered") or not what
    days = _days_of(approval, today) if is_told else ""
    return _fitted(_BEFORE[occasion], name, ", ".join(filter(None, [what, days])) + _AFTER[occasion])


def _what(approval: Approval) -> str:
    declared = declaration_of(approval.kind)
    return declared.title(declared.read(approval.subject), approval.evidence)


def order_subject(number: str, line: str, quantity: str, required_by: date | None, revision: int = 0) -> str:
    """The subject of a purchase order, for its vendor."""
    needed = f", required by {required_by}" if required_by else ""
    again = f" revision {revision}" if revision else ""
    return _fitted(f"Purchase order {number}{again}: ", line, f"{quantity and ', ' + quantity}{needed}", ends="")


def vendor_subject(number: str | None, line: str, asked: str, by: date | str | None = None) -> str:
    """The subject of a message to a vendor: its order, the line, what is asked, and by when."""
    until = f" by {by}" if by else ""
    return _fitted(f"{number}, " if number else "", line, asked + until)


def request_subject(number: str | None, line: str, question: str) -> str:
    """The subject of a question in words: what is asked is its first sentence that asks something."""
    asked = _request_in(question)
    by = _BY_DAY.search(question)
    day = by[1] if by and by[1] not in asked else None
    return vendor_subject(number, line, asked, day)


def overdue_subject(number: str | None, line: str, milestone: str, due_on: date | None, by: date | None) -> str:
    """The subject of a message that chases what did not come in time."""
    return vendor_subject(number, line, f"{OWED[milestone]} was due on {due_on}, please report", by)


def notice_subject(line: str | None, text: str) -> str:
    """The subject of a message that tells something: its line, and what its first sentence says of it."""
    said = _first_sentence(text)
    if line is not None and said.startswith(line):
        return own_words(said, MAX_SUBJECT)
    return _fitted("", line, said) if line else own_words(said, MAX_SUBJECT)


def decided_subject(line: str | None, title: str, summary: str) -> str:
    """The subject of a message that tells what was decided without asking."""
    about = line if line is not None else _first_sentence(summary)
    return _fitted("", about, f"decided without asking: {title}")


def rule_subject(rule_id: str, refusals: int) -> str:
    """The subject of a message that tells that a rule recommends nothing any more."""
    return own_words(f"Rule {rule_id} is given up: overruled {refusals} times in a row", MAX_SUBJECT)


def live_subject(orders: int) -> str:
    """The subject of the message that a building is live: how many orders it is going to place."""
    placed = f"{orders} order{'' if orders == 1 else 's'}" if orders else "no orders"
    return f"Live from today, {placed} planned for the next working day"


def _fitted(before: str, name: str | None, after: str, ends: str = ": ") -> str:
    """A subject in which the name gives way: it is cut to the room that the words leave, the words only then."""
    if name is None:
        return own_words(f"{before}{after[:1].upper()}{after[1:]}", MAX_TITLE)
    room = max(MIN_NAME, MAX_SUBJECT - len(before) - len(ends) - len(one_line(after)))
    return own_words(f"{before}{one_line(shown_name(name), room)}{ends}{after}", MAX_TITLE)


def _days_of(approval: Approval, today: date) -> str:
    """How late the line is, or how many days are left until it is needed; empty where no day is known."""
    dates = object_in(approval.evidence, "dates")
    late, needed = dates.get("days_late"), text_in(dates, "required_by")
    if isinstance(late, int) and late:
        return f"{write_count(late, 'day')} late"
    if approval.kind == "schedule_conflict" and late == 0:
        return "due on the very day it is required"
    if needed is None:
        return ""
    left = (date.fromisoformat(needed) - today).days
    if not left:
        return "needed today"
    return f"needed in {write_count(left, 'day')}" if left > 0 else f"needed {write_count(-left, 'day')} ago"


_SENTENCE = re.compile(r"(?<=[.?!]) +(?=[A-Z])")


def _first_sentence(text: str) -> str:
    return _SENTENCE.split(own_words(text), maxsplit=1)[0].rstrip(".")


def _request_in(question: str) -> str:
    sentences = [one.rstrip(".") for one in _SENTENCE.split(own_words(question))]
    asking = [one for one in sentences if one.endswith("?") or one.startswith("Please")]
    asked = (asking or sentences)[0]
    return asked[:1].lower() + asked[1:] if asked.startswith("Please") else asked
