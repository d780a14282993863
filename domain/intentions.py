"""What a building that is only watched would do: the one answer that people read of it, and that it goes live with."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from domain.approvals import Approval
from domain.buildings import Building
from domain.milestones import late_milestones, restart_overdue
from domain.orders import order_preview
from domain.outstanding import is_to_order
from domain.plain_json import JsonObject
from domain.procurement import LineFile, Milestone, WouldOrder
from domain.questions import still_stands
from domain.questions.registry import LETS_THE_LINE_GO_ON
from domain.watch import Intentions, WouldChase, WouldPlace


@dataclass(frozen=True)
class AnsweredInWatch:
    """A question whose answer came to nothing, or reached nobody, since it was given in watch."""

    kind: str
    item_id: str | None
    subject: JsonObject


@dataclass(frozen=True)
class Standing:
    """What a building's intentions follow from. `answered`: what is asked again when it goes live."""

    files: list[LineFile]
    questions: list[Approval]
    answered: list[AnsweredInWatch] = field(default_factory=list)
    noted: frozenset[str] = frozenset()
    """Lines on which a note is put to a person before they are ordered."""
    never_sent: frozenset[str] = frozenset()
    """Lines whose order its vendor never received: nobody owes anything for it."""


@dataclass(frozen=True)
class Plan:
    """What it would do, and the milestones as they are when it goes live with that."""

    intentions: Intentions
    restarted: list[Milestone]


def plan_of(building: Building, standing: Standing, today: date, seq: int = 0) -> Plan:
    """What the agent does next, were it to go live on `today`; on its first day live, what it does when that is over.

    A line with a question is left to the person who is asked, and so is one whose question is put again.
    """
    by_id = {file.item.item_id: file for file in standing.files}
    open_ = [one for one in standing.questions if one.status != "pending" or _is_asked(one, by_id, building)]
    again = [one for one in standing.answered if _is_asked(one, by_id, building)]
    held = {one.item_id for one in open_ if one.holds_item} | {one.item_id for one in again if one.kind not in GIVEN_UP}
    given_up = {one.item_id for one in open_ if one.kind in GIVEN_UP}
    given_up |= {one.item_id for one in again if one.kind in GIVEN_UP}
    held |= standing.noted
    files = sorted(standing.files, key=lambda file: (file.item.required_by or date.max, file.item.item_id))
    orders = [_placed(file, today) for file in files if file.item.item_id not in held and _orders(file, building)]
    owed = [file for file in files if file.item.item_id not in standing.never_sent]
    restarted = _restarted(owed, given_up, building, today, seq) if building.is_watching else []
    return Plan(Intentions(orders=orders, chases=_chases(owed, restarted, today)), restarted)


def _restarted(
    files: Sequence[LineFile], given_up: Collection[str | None], building: Building, today: date, seq: int
) -> list[Milestone]:
    """What is late as it is when the building goes live: chased again, and of a line with a question not at all."""
    stopped = [
        milestone.model_copy(update={"chase_on": None, "caused_seq": seq})
        for file in files
        if file.item.item_id in given_up
        for milestone in late_milestones(file, today)
        if milestone.chase_on is not None
    ]
    left = [file for file in files if file.item.item_id not in given_up]
    return [*restart_overdue(left, building, today, seq), *stopped]


GIVEN_UP = LETS_THE_LINE_GO_ON
"""Kinds of questions that are asked where chasing came to nothing: what they are about is not chased again."""


def _is_asked(asked: Approval | AnsweredInWatch, files: Mapping[str, LineFile], building: Building) -> bool:
    """Whether it is asked when the building goes live: the facts may have changed since it was."""
    file = None if asked.item_id is None else files.get(asked.item_id)
    return file is not None and still_stands(asked.kind, file, building, asked.subject)


def _orders(file: LineFile, building: Building) -> bool:
    """Whether the agent orders the line by itself, once it may."""
    return not file.item.is_held and is_to_order(file, building)


def _placed(file: LineFile, today: date) -> WouldPlace:
    """The order as the line shows it, or as it would be now where that is another one."""
    shown, order = file.item.would_order, order_preview(file, None, today)
    order = shown if shown is not None and order.is_same_as(shown) else order
    return WouldPlace(**order.model_dump(), item_id=file.item.item_id, item=file.item.name)


def _chases(files: Sequence[LineFile], restarted: Sequence[Milestone], today: date) -> list[WouldChase]:
    """Those that are late and will be chased, as they stand, or as they are when the building goes live."""
    instead = {(one.item_id, one.round, one.kind): one for one in restarted}
    return [
        WouldChase(
            item_id=one.item_id,
            item=file.item.name,
            milestone=one.kind,
            due_on=str(one.due_on),
            on=str(one.chase_on),
        )
        for file in files
        for stored in late_milestones(file, today)
        if (one := instead.get((stored.item_id, stored.round, stored.kind), stored)).chase_on is not None
    ]


def orders_to_show(plan: Plan, files: Sequence[LineFile]) -> dict[str, WouldOrder | None]:
    """Of the lines whose file shows another order than the plan has: the one to show; None where there is none."""
    placed = {
        one.item_id: WouldOrder.model_validate(one.model_dump(exclude={"item_id", "item"}))
        for one in plan.intentions.orders
    }
    return {
        file.item.item_id: placed.get(file.item.item_id)
        for file in files
        if placed.get(file.item.item_id) != file.item.would_order
    }
