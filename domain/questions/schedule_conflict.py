"""A delivery comes too late for the day on which it is required."""

from datetime import date, timedelta

from domain.actions import action
from domain.approvals import Option
from domain.buildings import Building
from domain.needs_plan import needs_to_move
from domain.outside import shown_name
from domain.outstanding import conflict_detail, conflict_policy_line
from domain.plain_json import FactValue, JsonObject
from domain.procurement import Item, LineFile, Logistics
from domain.questions.kinds import (
    CONTRADICTS,
    LineKind,
    Subject,
    line_of,
    never_without_matter,
    no_case,
    nothing_more,
    one_per_line,
    says,
)
from domain.questions.line_facts import conflict_facts
from domain.situation import Situation, remove_line


class ScheduleConflictSubject(Subject):
    """Nothing beside the line."""


def offer_ways_round_a_delay(s: Situation, _subject: Subject) -> list[Option]:
    """Make it faster, move the day, have a firm date, hold, or do without it."""
    item = s.file.item
    expected = item.expected
    buffer_days = max((need.buffer_days for need in item.late_needs), default=item.buffer_days)
    needed = None if expected is None else expected + timedelta(days=max(1, buffer_days))
    chase = s.option(
        "Expedite: air or dedicated freight",
        [action("expedite_order", item=item.item_id, method="air or dedicated freight")],
        assumptions=["the vendor confirms a date before the required day; none is known yet"],
    )
    confirm = s.ask_vendor(
        f"{item.shown} is expected on {expected} and required by {item.required_by}. What is the earliest date you can "
        "confirm, and what would overtime or faster freight cost?",
        "Chase the vendor for a firm date",
    )
    options = [chase]
    if needed is not None:
        options.append(
            s.option(
                f"Accept the slip: move the required day{_which_needs(item, needed)} to {needed}",
                [action("change_required_by", item=item.item_id, required_by=needed)],
                arrival=expected,
                cost="none for the order; the work that waits for it is not priced",
                assumptions=["the site can resequence the work that needs it", "the ETA holds"],
            )
        )
    return [*options, confirm, s.hold("waiting for a firm date"), remove_line(s)]


def _which_needs(item: Item, day: date) -> str:
    """Which of several needs are moved."""
    unit = shown_name(item.unit or "units")
    moved = [f"of {need.quantity or 0:f} {unit} on {need.required_by}" for need in needs_to_move(item, day)]
    return f" {' and '.join(moved)}" if moved else ""


def _summary(s: Situation, _subject: ScheduleConflictSubject) -> str:
    return f"{conflict_detail(s.file.item)} What is to be done?"


def _stands(file: LineFile, _building: Building, _subject: ScheduleConflictSubject) -> bool:
    return file.item.schedule_band == "conflict" and file.item.logistics != Logistics.ON_SITE


def _facts(file: LineFile, _building: Building, _subject: ScheduleConflictSubject) -> list[FactValue]:
    return conflict_facts(file)


def _told_again(_file: LineFile, building: Building, _subject: ScheduleConflictSubject) -> JsonObject:
    return {"policy_line": conflict_policy_line(building)}


KIND = LineKind(
    name="schedule_conflict",
    subject=ScheduleConflictSubject,
    summary=_summary,
    stands=_stands,
    facts=_facts,
    earlier_facts=never_without_matter,
    told_again=_told_again,
    matter=one_per_line,
    options=offer_ways_round_a_delay,
    evidence=nothing_more,
    policy_line=line_of(CONTRADICTS),
    is_always_a_persons=False,
    needs_a_person=True,
    any_key_may_answer=False,
    escalates=True,
    decides_on="nothing",
    holds_line=True,
    is_asked_once=False,
    is_about_an_event=True,
    is_told_from_outside=False,
    is_put_to_models=True,
    rests_on_vendors=False,
    when="When a delivery comes too late",
    names_its_case=False,
    case=no_case,
    title=says(""),
)
