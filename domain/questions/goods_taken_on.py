"""Goods were on site without a verdict when lines were taken on: one question for all of them."""

from collections.abc import Mapping

from domain.actions import action
from domain.approvals import Option
from domain.counts import write_count
from domain.outside import shown_name
from domain.plain_json import PlainObject
from domain.questions.kinds import FreeKind, Subject, line_of, no_case
from domain.schedule import next_working_day
from domain.situation import Situation

MAX_NAMED = 10
"""Lines that its sentence names one by one."""


class GoodsTakenOnSubject(Subject):
    """The goods, line by line; only the first lines of a large import are listed."""

    entry: int = 0
    """The entry that the lines were taken on with; 0: the building was created with them."""
    lines: list[dict[str, str | None]] = []
    """By line: `item`, `name`, `quantity`, `unit`."""
    count: int = 0
    """How many lines there are."""


def offer_verdicts(s: Situation, subject: GoodsTakenOnSubject) -> list[Option]:
    """Take all of it as it is, inspect all of it, or judge it line by line."""
    on = next_working_day(s.today, s.building.working_week)
    accept = s.option(
        "All accepted as they are",
        [action("judge_goods_taken_on", entry=subject.entry, verdict="accept")],
        cost="none",
        assumptions=["they were inspected, or need no inspection; lines that have a verdict by then keep it"],
    )
    inspect = s.option(
        "Plan inspections for all",
        [action("judge_goods_taken_on", entry=subject.entry, verdict="inspect", on=on)],
        cost="none",
        assumptions=[f"planned for {on}; nothing of it is released before"],
    )
    by_line = s.option(
        "Leave them: each is judged as its report comes",
        [action("dismiss_event", note="what is on site is judged line by line")],
        cost="none",
        assumptions=["nothing of it is released until somebody reports an inspection"],
    )
    return [accept, inspect, by_line]


def _summary(subject: GoodsTakenOnSubject) -> str:
    named = [_told(line) for line in subject.lines[:MAX_NAMED]]
    beyond = subject.count - len(named)
    more = f"; and {write_count(beyond, 'more line')}" if beyond > 0 else ""
    have = "has" if subject.count == 1 else "have"
    return (
        f"{write_count(subject.count, 'line')} {have} goods on site of which nobody has said whether they are good, "
        f"since they were taken on: {'; '.join(named)}{more}. Are they accepted, or inspected?"
    )


def _told(line: Mapping[str, str | None]) -> str:
    quantity = f" ({line['quantity']} {shown_name(line.get('unit') or 'units')})" if line.get("quantity") else ""
    return f"{shown_name(str(line.get('name')))}{quantity}"


def _title(subject: GoodsTakenOnSubject, _evidence: PlainObject) -> str:
    return f"goods on site without a verdict: {write_count(subject.count, 'line')}"


KIND = FreeKind(
    name="goods_taken_on",
    subject=GoodsTakenOnSubject,
    summary=_summary,
    options=offer_verdicts,
    policy_line=line_of("what was on site when the lines were taken on has no verdict, and only a person gives it one"),
    is_always_a_persons=True,
    needs_a_person=True,
    any_key_may_answer=False,
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
