"""What is expected of an order and by when, and what happens when it does not come: chasing, then a person."""

from collections.abc import Sequence
from datetime import date, timedelta

from domain.actions import action
from domain.buildings import Building
from domain.lines.projection import project
from domain.plain_json import JsonObject, PlainAction
from domain.procurement import MILESTONES, LineFile, Milestone
from domain.recording import Recorded
from domain.schedule import add_working_days

SHIPPING_DAYS = 7
"""Calendar days assumed between leaving the factory and arriving, until an ETA tells more."""


def expected_of(file: LineFile, building: Building, issued: date, now: date, seq: int) -> list[Milestone]:
    """The milestones of the current order, issued on the business day `issued`, but for those already expected.

    Acknowledging and inspecting are counted in working days, the lead time in calendar days; without a lead time the
    arrival is due when the site needs the item. What was due before it was ordered is not expected by a day, and what
    is already past by the wall clock's day `now` (an order entered late) is nobody's to be chased for.
    """
    item, week = file.item, building.working_week
    expected = [
        Milestone(
            item_id=item.item_id,
            round=item.round,
            kind=kind,
            due_on=due_on,
            chase_on=add_working_days(due_on, 1, week) if due_on is not None and due_on > now else None,
            caused_seq=seq,
        )
        for kind, due_on in _due(file, building, issued).items()
    ]
    known = {milestone.kind for milestone in file.milestones if milestone.round == item.round}
    new = [milestone for milestone in expected if milestone.kind not in known]
    # What came of this order already is known from its own goods: those of another order say nothing of it.
    made = project(file.model_copy(update={"milestones": [*file.milestones, *new]}), seq)
    return [milestone for milestone in made.milestones if milestone not in file.milestones]


def _due(file: LineFile, building: Building, issued: date) -> dict[str, date | None]:
    policy, week = building.policy, building.working_week
    arrive = _arrival(file, issued)
    if arrive is not None and arrive <= issued:
        arrive = None
    return {
        "acknowledge": add_working_days(issued, policy.acknowledge_within_days, week),
        "ship": None if arrive is None else max(issued, arrive - timedelta(days=SHIPPING_DAYS)),
        "arrive": arrive,
        "inspect": None if arrive is None else add_working_days(arrive, policy.inspect_within_days, week),
    }


def _arrival(file: LineFile, issued: date) -> date | None:
    """When it is to arrive. Of an order that was placed outside what was said of it counts; the day of many nobody
    knows."""
    item = file.item
    is_outside = file.order is not None and file.order.placed_outside
    if is_outside and (item.expected is not None or file.issued_on(item.round) is None):
        return item.expected or item.required_by
    return item.required_by if item.lead_time_days is None else issued + timedelta(days=item.lead_time_days)


DAYS_WITHOUT_CHASING = 5
"""Working days after lines were taken on in which nobody is chased for them: what was told of them has gaps, and people
have their hands full."""


def chased_from(taken_on: date, building: Building) -> date:
    """The first day on which somebody may be chased for a line that was taken on."""
    return add_working_days(taken_on, DAYS_WITHOUT_CHASING + 1, building.working_week)


def expect_taken_on(file: LineFile, building: Building, today: date, seq: int) -> list[Milestone]:
    """The milestones of the current order of a line that is taken on; nobody is chased for any of them in the first
    days. What is past is chased for after that (`spread_chases`)."""
    if not file.item.is_ordered or file.item.is_released or file.item.removed:
        return []
    issued = file.issued_on(file.item.round) or today
    first = chased_from(today, building)
    return [
        milestone
        if milestone.chase_on is None or milestone.met_on is not None
        else milestone.model_copy(update={"chase_on": max(milestone.chase_on, first)})
        for milestone in expected_of(file, building, issued, today, seq)
    ]


def spread_chases(files: Sequence[LineFile], building: Building, today: date, seq: int) -> list[Milestone]:
    """The milestones of lines that are taken on as they are chased: each line once, for the last of what is due by
    the first day on which that may be, those that are needed first before others, and not all at once."""
    first = chased_from(today, building)
    late = [(file, milestone) for file in files if (milestone := past_due(file, first)) is not None]
    late.sort(key=lambda one: (one[0].item.required_by or date.max, one[0].item.item_id))
    a_day = max(MAX_RESTARTED_A_DAY, -(-len(late) // MAX_DAYS_OF_CHASING))
    on, spread = first, list[Milestone]()
    for number, (file, milestone) in enumerate(late):
        if number and number % a_day == 0:
            on = add_working_days(on, 1, building.working_week)
        spread += _chase_once(file, milestone, on, seq)
    known = {_key(milestone): milestone for file in files for milestone in file.milestones}
    return [milestone for milestone in spread if known.get(_key(milestone)) != milestone]


def _key(milestone: Milestone) -> tuple[str, int, str]:
    return milestone.item_id, milestone.round, milestone.kind


MAX_DAYS_OF_CHASING = 20
"""Working days over which what was overdue when lines were taken on is chased."""


def _chase_once(file: LineFile, milestone: Milestone, on: date, seq: int) -> list[Milestone]:
    """The milestone chased on a day, and nobody for those before it: whatever comes of it tells of them, too."""
    return [
        milestone.model_copy(update={"chase_on": on, "chases": 0, "caused_seq": seq}),
        *(
            earlier.model_copy(update={"chase_on": None, "caused_seq": seq})
            for earlier in file.milestones
            if earlier.round == milestone.round
            and earlier.met_on is None
            and earlier.chase_on is not None
            and MILESTONES.index(earlier.kind) < MILESTONES.index(milestone.kind)
        ),
    ]


def overdue(file: LineFile, round_: int, kind: str) -> Milestone | None:
    """The milestone, where it is still expected of the current order."""
    if file.item.removed or file.item.round != round_ or not file.item.is_ordered:
        return None
    return next(
        (m for m in file.milestones if (m.round, m.kind) == (round_, kind) and m.met_on is None and m.chase_on), None
    )


def record_overdue(file: LineFile, building: Building, round_: int, kind: str, today: date, seq: int) -> Recorded:
    """Something did not come in time: whoever owes it is chased; when that stays unanswered, a person is asked."""
    milestone = overdue(file, round_, kind)
    if milestone is None:
        return Recorded.repeated(f"{file.item.shown}: {kind} is no longer expected")
    what = _owed(file, kind)
    taken_on = file.item.taken_on
    if taken_on is not None and today < (first := chased_from(taken_on, building)):
        later = milestone.model_copy(update={"chase_on": first, "caused_seq": seq})
        return Recorded(f"{what}: due on {milestone.due_on}; taken on a few days ago, so not chased yet", [later])
    if building.is_watching:
        return _held_back(file, milestone, what, seq)
    if milestone.chases:
        given_up = milestone.model_copy(update={"chase_on": None, "caused_seq": seq})
        detail = unanswered_detail(file, kind, milestone.due_on)
        subject: JsonObject = {"detail": detail, "milestone": kind, "round": round_, "due_on": str(milestone.due_on)}
        return Recorded(detail, [given_up], ask=[("milestone_overdue", subject)])
    again = add_working_days(today, building.policy.chase_again_after_days, building.working_week)
    chased = milestone.model_copy(update={"chases": 1, "chase_on": again, "caused_seq": seq})
    return Recorded(
        f"{what}: due on {milestone.due_on}, chased",
        [chased],
        say=[_chase(file, milestone, f"{what} was due on {milestone.due_on}. Please report by {again}.")],
    )


def _held_back(file: LineFile, milestone: Milestone, what: str, seq: int) -> Recorded:
    """In watch the chase is shown once and withheld. It is no attempt: nobody has received it, so nobody owes an
    answer to it."""
    shown = milestone.model_copy(update={"chase_on": None, "caused_seq": seq})
    return Recorded(
        f"{what}: due on {milestone.due_on}; in watch nobody is chased",
        [shown],
        say=[_chase(file, milestone, f"{what} was due on {milestone.due_on}. Please report.")],
    )


def _chase(file: LineFile, milestone: Milestone, question: str) -> PlainAction:
    to = "receiving" if milestone.kind == "inspect" else "vendor"
    return action("request_information", item=file.item.item_id, to=to, question=question)


MAX_RESTARTED_A_DAY = 5
"""Lines whose overdue milestones are chased on one day, when a building goes live with many."""


def late_milestones(file: LineFile, today: date) -> list[Milestone]:
    """What is past and still expected of the current order, in the order in which it comes."""
    if file.item.removed or not file.item.is_ordered or file.item.is_released:
        return []
    late = [
        milestone
        for milestone in file.milestones
        if milestone.round == file.item.round
        and milestone.met_on is None
        and milestone.due_on is not None
        and milestone.due_on < today
    ]
    return sorted(late, key=lambda milestone: MILESTONES.index(milestone.kind))


def past_due(file: LineFile, today: date) -> Milestone | None:
    """The last milestone of the current order that is past: whatever comes of it tells of those before it, too."""
    return next(reversed(late_milestones(file, today)), None)


def restart_overdue(files: Sequence[LineFile], building: Building, today: date, seq: int) -> list[Milestone]:
    """The milestones as they are when a building goes live on `today`: each line is chased once for what is past, a few
    lines a day from the next working day on, those that are needed first before others."""
    late = [(file, milestone) for file in files if (milestone := past_due(file, today)) is not None]
    late.sort(key=lambda one: (one[0].item.required_by or date.max, one[0].item.item_id))
    restarted: list[Milestone] = []
    for number, (file, milestone) in enumerate(late):
        on = add_working_days(today, 1 + number // MAX_RESTARTED_A_DAY, building.working_week)
        restarted += _chase_once(file, milestone, on, seq)
    return restarted


def unanswered_detail(file: LineFile, kind: str, due_on: date | str | None) -> str:
    """What was chased in vain."""
    return f"{_owed(file, kind)}: due on {due_on}, chased and not answered"


def _owed(file: LineFile, kind: str) -> str:
    return _OWED[kind].format(name=file.item.shown, order=file.order.number if file.order else "the order")


_OWED = {
    "acknowledge": "The acknowledgement of {order} for {name}",
    "ship": "The departure of {name} ({order})",
    "arrive": "The arrival of {name} ({order})",
    "inspect": "The inspection of {name} ({order})",
}
