"""How a fork differs from what really happened: lines, dates, orders, messages, decisions, questions, events.

Pure: it compares two sides that were read. What is the same on both is left out. Ids of questions are of a building
and are never compared; a question is the same on both sides if it has the same place, `seq.ordinal`, kind and line.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Generic, TypeVar

from pydantic import BaseModel, Field

from domain.approvals import Approval, Responder
from domain.own_ids import without_owner
from domain.plain_json import FactValue, KnownJson, PlainAction, as_json
from domain.procurement import Item

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class OrderState(BaseModel):
    """A line's order as it stands."""

    item_id: str = Field(description="The line.")
    round: int = Field(description="1 for its first order, then up with each replacement.")
    number: str = Field(description="The order's number.")
    status: str = Field(description="The order's status.")
    quantity: Decimal | None = Field(None, description="How much is ordered.")
    unit: str | None = Field(None, description="Unit of the quantity.")
    total: Decimal | None = Field(None, description="The order's total, without tax.")
    currency: str = Field(description="Of the total.")
    issued_on: date | None = Field(None, description="The day it was issued.")


class DecisionMade(BaseModel):
    """A decision of the log, without what differs from one building to the next."""

    seq: int = Field(description="Place in the inbox of the entry that it was decided on.")
    item_id: str | None = Field(None, description="The line.")
    kind: str = Field(description="What kind of situation it was.")
    type: str = Field(description="act, approve, reject, edit, ...")
    actions: list[PlainAction] = Field(description="What was to be done.")
    responder: Responder = Field(description="Who decided.")
    why: str = Field("", description="The reason.")


class EventSeen(BaseModel):
    """An entry of the inbox."""

    seq: int = Field(description="Its place in the inbox.")
    event_type: str = Field(description="What happened.")
    event_id: str = Field(description="The sender's id.")
    item: str | None = Field(None, description="The line that it names.")
    status: str = Field(description="How far it is.")
    body: KnownJson = Field({}, exclude=True)


class MessageSaid(BaseModel):
    """A message of a building."""

    item_id: str | None = Field(None, description="The line it is about.")
    direction: str = Field(description="in or out.")
    party: str = Field(description="Who sent it, or to whom it was sent.")
    text: str = Field(description="Its words.")
    urgency: str = Field(description="normal, high or urgent.")
    caused_seq: int = Field(description="Place in the inbox of the event that caused it.")


class Side(BaseModel):
    """One of the two that are compared; messages, decisions and events since they parted."""

    building_id: str
    last_seq: int
    items: list[Item]
    orders: list[OrderState]
    approvals: list[Approval]
    messages: list[MessageSaid]
    decisions: list[DecisionMade]
    events: list[EventSeen]


class Changed(BaseModel):
    """Something that is one way in reality and another way in the fork."""

    what: str = Field(description="What differs.")
    really: str | None = Field(None, description="As it is in reality; null: there is none.")
    here: str | None = Field(None, description="As it is in the fork; null: there is none.")


class LineDifference(BaseModel):
    """A line of the procurement log that is not the same."""

    item_id: str = Field(description="The line.")
    name: str = Field(description="Its name.")
    changes: list[Changed] = Field(description="Its status, its facets, its hold.")


class DateDifference(BaseModel):
    """A date of a line that is not the same."""

    item_id: str = Field(description="The line.")
    name: str = Field(description="Its name.")
    what: str = Field(description="required_by, promised_date or eta.")
    really: date | None = Field(None, description="In reality.")
    here: date | None = Field(None, description="In the fork.")
    days: int | None = Field(None, description="Calendar days that the fork is later; negative: earlier.")


class OrderDifference(BaseModel):
    """An order that only one side has, or that is not the same."""

    item_id: str = Field(description="The line.")
    round: int = Field(description="Which order of the line.")
    really: OrderState | None = Field(None, description="In reality; null: not ordered.")
    here: OrderState | None = Field(None, description="In the fork; null: not ordered.")


class ApprovalDifference(BaseModel):
    """A question that only one side asks, or that came out differently."""

    key: str = Field(description="seq.ordinal: where it was raised.")
    kind: str = Field(description="What kind of question.")
    item_id: str | None = Field(None, description="The line.")
    summary: str = Field(description="The question.")
    really: str | None = Field(None, description="What became of it in reality; null: it was not asked.")
    here: str | None = Field(None, description="What became of it in the fork; null: it was not asked.")


class OnlyIn(BaseModel, Generic[M]):
    """What only one of the two has."""

    really: list[M] = Field(description="Only in reality.")
    here: list[M] = Field(description="Only in the fork.")


class Difference(BaseModel):
    """All that differs; empty lists: nothing does."""

    lines: list[LineDifference] = Field(description="Lines of the procurement log.")
    dates: list[DateDifference] = Field(description="Their dates.")
    orders: list[OrderDifference] = Field(description="Purchase orders.")
    approvals: list[ApprovalDifference] = Field(description="Questions to people.")
    decisions: OnlyIn[DecisionMade] = Field(description="Decisions of rules, models and people.")
    messages: OnlyIn[MessageSaid] = Field(description="Messages sent and received.")
    events: OnlyIn[EventSeen] = Field(description="Events that came in.")


def compare(really: Side, here: Side) -> Difference:
    """What differs between reality and the fork."""
    names = {item.item_id: item.name for item in (*here.items, *really.items)}
    lines = _joined(really.items, here.items, lambda item: item.item_id)
    return Difference(
        lines=[LineDifference(item_id=id_, name=names[id_], changes=c) for id_, c in map(_line, lines) if c],
        dates=[found for _, r, h in lines for found in _dates(r, h)],
        orders=[
            OrderDifference(item_id=key[0], round=key[1], really=r, here=h)
            for key, r, h in _joined(really.orders, here.orders, lambda order: (order.item_id, order.round))
            if r != h
        ],
        approvals=_approvals(really.approvals, here.approvals),
        decisions=_only(really.decisions, here.decisions, _decision_alike),
        messages=OnlyIn[MessageSaid](**_split(really.messages, here.messages, _message_alike(really, here))),
        events=OnlyIn[EventSeen](**_split(really.events, here.events, event_alike)),
    )


def _only(
    really: list[DecisionMade], here: list[DecisionMade], alike: Callable[[DecisionMade], str]
) -> OnlyIn[DecisionMade]:
    return OnlyIn[DecisionMade](**_split(really, here, alike))


_SHOWN = ("status", "submittal", "commercial", "logistics", "quality", "schedule_band", "quantity", "held_until")
_DATES = ("required_by", "promised_date", "eta")


def _line(joined: tuple[str, Item | None, Item | None]) -> tuple[str, list[Changed]]:
    item_id, really, here = joined
    if really is None or here is None:
        return item_id, [Changed(what="line", really=_name(really), here=_name(here))]
    found = [(what, _text(getattr(really, what)), _text(getattr(here, what))) for what in _SHOWN]
    return item_id, [Changed(what=what, really=r, here=h) for what, r, h in found if r != h]


def _name(item: Item | None) -> str | None:
    return None if item is None else item.name


def _text(value: FactValue) -> str | None:
    return None if value is None else str(value)


def _dates(really: Item | None, here: Item | None) -> list[DateDifference]:
    if really is None or here is None:
        return []
    made = []
    for name in _DATES:
        r, h = getattr(really, name), getattr(here, name)
        if r != h:
            days = (h - r).days if r is not None and h is not None else None
            made.append(DateDifference(item_id=here.item_id, name=here.name, what=name, really=r, here=h, days=days))
    return made


def _approvals(really: list[Approval], here: list[Approval]) -> list[ApprovalDifference]:
    found = []
    for (key, kind, item_id), r, h in _joined(really, here, lambda one: (one.key, one.kind, one.item_id)):
        was, now = _came_out(r), _came_out(h)
        if was != now:
            asked = [one.summary for one in (h, r) if one is not None]
            found.append(
                ApprovalDifference(key=key, kind=kind, item_id=item_id, summary=asked[0], really=was, here=now)
            )
    return found


def _came_out(approval: Approval | None) -> str | None:
    """In words: `pending`, `superseded`, or who answered what."""
    if approval is None:
        return None
    decision = approval.decision
    if approval.status != "decided" or decision is None:
        return str(approval.status)
    actions = in_words(decision.get("actions") or approval.recommended)
    answer = {"approve": "approved", "reject": "refused", "edit": "decided otherwise"}.get(decision["type"], "answered")
    done = "" if decision["type"] == "reject" or not actions else f": {actions}"
    return f"{answer} by {decision['responder']['name']}{done}"


def in_words(actions: Iterable[PlainAction]) -> str:
    """Actions in a few words: `reorder item hvac-units; notify team`."""
    return "; ".join(_action(action) for action in actions)


def _action(action: PlainAction) -> str:
    arguments = action.get("arguments", {})
    said = [str(arguments[name]) for name in ("item", "on", "until", "required_by", "end_date") if arguments.get(name)]
    return " ".join([action["name"].replace("_", " "), *said])


def _decision_alike(made: DecisionMade) -> str:
    return _canonical(
        [made.item_id, made.kind, made.type, made.responder.type, made.responder.id, as_json(made.actions)]
    )


def _message_alike(really: Side, here: Side) -> Callable[[MessageSaid], str]:
    """By its words, but for whose ids they name."""
    neutral = without_owner(here.building_id, really.building_id)
    return lambda one: _canonical([one.item_id, one.direction, one.party, one.urgency, neutral(one.text)])


def event_alike(event: EventSeen) -> str:
    """Entries that say the same; an answer by the place of the question that it answers."""
    body = {name: value for name, value in event.body.items() if name not in ("approval_id", "due")}
    return _canonical([event.event_type, body])


def _canonical(value: FactValue) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _split(really: Sequence[T], here: Sequence[T], alike: Callable[[T], str]) -> dict[str, list[T]]:
    """What only one of the two has; what both have twice is the same twice."""
    return {"really": _without(really, here, alike), "here": _without(here, really, alike)}


def _without(some: Sequence[T], others: Sequence[T], alike: Callable[[T], str]) -> list[T]:
    left = Counter(map(alike, others))
    found = []
    for one in some:
        if left[alike(one)] > 0:
            left[alike(one)] -= 1
        else:
            found.append(one)
    return found


K = TypeVar("K")


def _joined(really: Sequence[T], here: Sequence[T], key: Callable[[T], K]) -> list[tuple[K, T | None, T | None]]:
    """Both sides by key, in the order in which they come."""
    r, h = {key(one): one for one in really}, {key(one): one for one in here}
    return [(found, r.get(found), h.get(found)) for found in {**r, **h}]
