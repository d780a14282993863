"""Histories of a line as they may happen: what is reported, taken back and answered, for the real agent to run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from domain.approvals import Approval
from domain.errors import LongleadError
from tests.agent.desk import Desk

FIRST_DAY = date(2026, 3, 1)
ITEM = "pumps"
SOURCES = ("gate", "carrier", "erp")
DISPOSITIONS = ("reorder_item", "return_item", "repair_item", "accept_as_is")

Line = tuple[str | None, str]
"""How much of it is needed, and its unit."""


@dataclass(frozen=True)
class Post:
    """An event that comes in on a day; days are counted from FIRST_DAY."""

    event_type: str
    received: int
    fields: dict[str, Any]
    source: str = "gate"


@dataclass(frozen=True)
class TakeBack:
    """One of the events so far is taken back."""

    which: int


@dataclass(frozen=True)
class Answer:
    """One of the open questions is answered: with one of its options, or with actions of the person's own."""

    which: int
    option: int
    actions: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    rejects: bool = False


Step = Post | TakeBack | Answer


def day_named(number: int) -> str:
    return (FIRST_DAY + timedelta(days=number)).isoformat()


def said_at(day: int, number: int) -> str:
    """A moment of its own on a day."""
    return f"{day_named(day)}T08:{number % 60:02}:00Z"


days = st.integers(0, 30)
amounts = st.sampled_from([None, "1", "2", "3", "4", "5", "6", "10", "12", "3.333"])
lines = st.sampled_from([("10", "pcs"), ("10", "pcs"), ("10", "pcs"), ("10", "t"), (None, "pcs")])


@st.composite
def goods_events(draw: st.DrawFn, number: int, *, dated: bool = False) -> Post:
    """A report of goods, a promise or an expected day; `dated`: it always says when it was said, and names only what
    can be true in any order."""
    kind = draw(st.sampled_from(["Departed", "Arrived", "Arrived", "Passed", "Failed", "ETA", "Promise"]))
    day, later = draw(days), draw(st.integers(0, 8))
    fields: dict[str, Any] = {}
    if dated or draw(st.booleans()):
        fields["occurred_at"] = said_at(day, number)
    if shipment := draw(st.sampled_from([None, None, "S1", "S2"])):
        fields["shipment_id"] = shipment
    if quantity := draw(amounts):
        fields["quantity"] = quantity
    if not dated and draw(st.integers(0, 11)) == 0:
        fields["purchase_order"] = draw(st.sampled_from(["PO-any-0001", "PO-x-9"]))
    if kind == "Departed":
        fields |= {"date_departed": day_named(day), "eta": day_named(day + draw(st.integers(0, 20)))}
        kind = "Shipment_Departed_Factory"
    elif kind == "Arrived":
        fields["date_arrived"] = day_named(day)
        if (complete := draw(st.sampled_from([None, None, None, True, False]))) is not None:
            fields["complete"] = complete
        unlike = draw(st.integers(0, 9))
        if unlike == 0:
            fields["quantity_damaged"] = draw(st.sampled_from(["1", "2", "20"]))
        elif unlike == 1:
            fields["condition"] = draw(st.sampled_from(["good", "damaged", "wrong"]))
        elif unlike == 2:
            fields["place"] = "storage"
        elif unlike == 3:
            fields["serials"] = draw(st.sampled_from([["A1"], ["A2"], ["A1", "A2"]]))
        kind = "Shipment_Arrived_Site"
    elif kind in ("Passed", "Failed"):
        fields |= {"inspection_date": day_named(day), "document_name": draw(st.sampled_from(["R1", f"R{number}"]))}
        if kind == "Failed":
            if rejected := draw(amounts):
                fields["quantity_rejected"] = rejected
            if ncr := draw(st.sampled_from([None, "N1", "N2"])):
                fields["ncr_number"] = ncr
        kind = f"Inspection_{kind}"
    elif kind == "ETA":
        fields["eta"] = day_named(day + draw(st.integers(0 if dated else -3, 30)))
        kind = "ETA_Changed"
    else:
        fields["promised_date"] = day_named(day + draw(st.integers(0, 40)))
        fields.pop("shipment_id", None)
        kind = "Purchase_Order_Acknowledged"
    return Post(kind, day + later, fields, draw(st.sampled_from(SOURCES)))


@st.composite
def submittals(draw: st.DrawFn, number: int) -> Post:
    day, revision = draw(days), draw(st.sampled_from([None, 0, 1, 2]))
    fields: dict[str, Any] = {"occurred_at": said_at(day, number)}
    if revision is not None:
        fields["revision"] = revision
    return Post(draw(st.sampled_from(["Submittal_Approved", "Submittal_Rejected"])), day, fields, "designer")


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    which, option = draw(st.integers(0, 3)), draw(st.integers(0, 4))
    kind = draw(st.sampled_from(["option", "option", "dispose", "dispose", "cancel", "reorder", "reject"]))
    if kind == "reject":
        return Answer(which, option, rejects=True)
    if kind == "cancel":
        return Answer(which, option, (("cancel_purchase_order", ()),))
    if kind == "reorder":
        quantity = draw(st.sampled_from([(), (("quantity", "4"),)]))
        return Answer(which, option, (("reorder_item", quantity),))
    if kind == "dispose":
        made = []
        for _ in range(draw(st.integers(1, 2))):
            arguments: list[tuple[str, str]] = []
            if ncr := draw(st.sampled_from([None, "N1", "N2"])):
                arguments.append(("ncr_number", ncr))
            if quantity := draw(st.sampled_from([None, "1", "2", "4"])):
                arguments.append(("quantity", quantity))
            name = draw(st.sampled_from(DISPOSITIONS))
            if name == "return_item" and (then := draw(st.sampled_from([None, "owed", "replaced", "credited"]))):
                arguments.append(("then", then))
            made.append((name, tuple(arguments)))
        return Answer(which, option, tuple(made))
    return Answer(which, option)


APPROVED = Post("Submittal_Approved", 0, {"occurred_at": said_at(0, 0), "revision": 0}, "designer")


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """What happens to a line, possible and impossible, in the order in which it comes in; as a rule it was ordered."""
    steps: list[Step] = [APPROVED] if draw(st.integers(0, 9)) else []
    for number in range(1, 1 + draw(st.integers(1, 9))):
        kind = draw(st.sampled_from(["goods"] * 8 + ["answer"] * 4 + ["void", "submittal"]))
        if kind == "goods":
            steps.append(draw(goods_events(number)))
        elif kind == "answer":
            steps.append(draw(answers()))
        elif kind == "void":
            steps.append(TakeBack(draw(st.integers(0, 9))))
        else:
            steps.append(draw(submittals(number)))
    return steps


@dataclass
class Happened:
    """An event that was posted."""

    source: str
    event_id: str
    event_type: str


@dataclass
class Story:
    """A line of a building to which the steps of a history happen."""

    desk: Desk
    posted: list[Happened] = field(default_factory=list)

    async def open(self, building_id: str, line: Line) -> None:
        quantity, unit = line
        self.desk.building_id = building_id
        self.desk.clock.moment = datetime(2026, 3, 1, 7, tzinfo=UTC)
        await self.desk.open(
            time_zone="UTC",
            currency="USD",
            schedule={
                "project": {"name": "Office"},
                "deliveries": [{"item": "Pumps", "required_by": day_named(25), "buffer_days": 3}],
            },
            vendors=[{"vendor_id": "kent", "name": "Kent", "contact": "orders@kent.example"}],
            items=[
                {"item_id": ITEM, "name": "Pumps", "vendor_id": "kent", "quantity": quantity, "unit": unit}
                | {"unit_price": "10", "lead_time_days": 20}
            ],
        )

    async def take(self, step: Step, number: int) -> Happened | None:
        """Let a step happen; the event that was posted, if one was."""
        if isinstance(step, Answer):
            await self._answer(step)
            return None
        if isinstance(step, TakeBack):
            return await self._take_back(step)
        return await self.post(step, f"e{number}")

    async def post(self, step: Post, event_id: str, *, source: str | None = None) -> Happened:
        noon = datetime.combine(FIRST_DAY, datetime.min.time(), UTC) + timedelta(days=step.received, hours=12)
        self.desk.clock.moment = max(self.desk.clock.moment + timedelta(minutes=1), noon)
        fields = {name: self._own(value) for name, value in step.fields.items()}
        happened = Happened(source or step.source, event_id, step.event_type)
        await self.desk.post(step.event_type, item="Pumps", source=happened.source, event_id=event_id, **fields)
        self.posted.append(happened)
        return happened

    def _own(self, value: Any) -> Any:
        return value.replace("PO-any", f"PO-{self.desk.building_id}") if isinstance(value, str) else value

    async def _take_back(self, step: TakeBack) -> Happened | None:
        able = [one for one in self.posted if one.event_type != "Event_Voided"]
        if not able:
            return None
        target = able[step.which % len(able)]
        if any(one.event_id == f"void:{target.event_id}" for one in self.posted):
            return None
        self.desk.clock.forward(minutes=1)
        happened = Happened(target.source, f"void:{target.event_id}", "Event_Voided")
        await self.desk.post(
            "Event_Voided",
            event_id=happened.event_id,
            source=target.source,
            named={"source": target.source, "event_id": target.event_id},
            reason="Entered by mistake.",
        )
        self.posted.append(happened)
        return happened

    async def _answer(self, step: Answer) -> None:
        open_ = sorted(await self.desk.pending(), key=lambda one: one.approval_id)
        if not open_:
            return
        self.desk.clock.forward(minutes=1)
        question = open_[step.which % len(open_)]
        try:
            if step.rejects:
                await self.desk.decide(question, "reject")
            else:
                await self.desk.decide(question, "edit", actions=_actions(step, question))
        except LongleadError:
            return  # it was refused, and nothing of it was taken


def _actions(step: Answer, question: Approval) -> list[dict[str, Any]]:
    if step.actions:
        return [{"name": name, "arguments": {"item": ITEM, **dict(arguments)}} for name, arguments in step.actions]
    options = [option for option in question.options if option.actions]
    return [dict(action) for action in options[step.option % len(options)].actions] if options else []


async def questions_of(story: Story) -> list[tuple[str, str, str]]:
    """The open questions: kind, what each is about, and the doubt. Numbers that Longlead gives to nonconformances in
    the order in which they come in are left out."""
    return sorted(
        (one.kind, "" if one.kind == "inspection_failed" else one.matter, str(one.subject.get("doubt") or ""))
        for one in await story.desk.pending()
    )


def quantity_of(rows: Sequence[Any], *states: str) -> Decimal:
    return sum((row.quantity for row in rows if row.state in states), Decimal(0))
