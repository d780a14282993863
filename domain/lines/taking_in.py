"""Taking a fact in: is it possible, is it new, what does it change, and what must a person be asked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TypedDict

from pydantic import JsonValue

from domain.actions import action
from domain.buildings import MANAGER
from domain.lines.account import Account, Doubt
from domain.lines.facts import Arrived, Departed, Fact, Inspected, Stated
from domain.lines.gate import Dating, Impossibility, check_days
from domain.lines.lots import NOTHING, LotState
from domain.lines.projection import account_of, adopt, changed_rows, facts_of, project
from domain.lines.stored import fact_row
from domain.outside import shown_name
from domain.plain_json import JsonObject, PlainAction
from domain.procurement import FactRow, Item, LineFile, LotRow, NonconformanceRow, Row
from domain.recording import Recorded

RESTATED = "longlead.restated"
"""Source of events as a person restated them."""
OTHER_UNIT = "other_unit"
"""Why a report is doubted whose unit nobody has explained."""
COUNTED = ":counted"
"""How the id of a report ends that contradicted what is on file, and that a person has said is to be counted."""


class Said(TypedDict):
    """The times and the sender of a fact."""

    said_at: datetime
    received_at: datetime
    source: str
    event_id: str


@dataclass(frozen=True)
class Report:
    """The event that tells a fact: who said it and when, and its fields as they came."""

    said_at: datetime
    received_at: datetime
    source: str
    event_id: str
    seq: int
    body: JsonObject
    is_dated: bool = True
    """Whether the sender said when he said it."""
    is_counted: bool = False
    """A person has said that it is no repeat of what is known."""
    dated_on: date | None = None
    """The day on which the sender says that he said it, be it still to come."""

    @property
    def dating(self) -> Dating:
        """What the days of its fact are held against."""
        said_on = (self.dated_on if self.is_dated else None) or self.said_at.date()
        return Dating(said_on, self.received_at.date(), self.is_dated)

    @property
    def said(self) -> Said:
        return {
            "said_at": self.said_at,
            "received_at": self.received_at,
            "source": self.source,
            "event_id": self.event_id,
        }

    @property
    def matter(self) -> str:
        """What a question about this report is named by."""
        return f"{self.source}:{self.event_id}"


def take_in(file: LineFile, fact: Fact, report: Report, note: str, *, document_url: str | None = None) -> Recorded:
    """What recording a fact of an event comes to.

    A fact that cannot be true by its own dates is not kept, and a person is asked. Any other is kept. One that
    contradicts what is on file counts for nothing until that has changed, and is asked about; one that tells what is
    known changes nothing.
    """
    file = adopt(file)
    if report.is_counted:
        fact = replace(fact, judgement="another")
    found = check_days(fact, _departed_on(file, fact), report.dating)
    if found is not None:
        return _impossible(file.item, fact, found, report)
    before = account_of(file)
    row = fact_row(fact, file.item.item_id, str(report.seq), report.seq, document_url=document_url)
    told = file.model_copy(update={"facts": [*file.facts, row]})
    facts = facts_of(told)
    after = account_of(told, facts)
    made = project(told, report.seq, after)
    rows = changed_rows(file, made)
    new_doubts = [doubt for doubt in after.doubts if doubt not in before.doubts]
    own = next((doubt for doubt in new_doubts if doubt.fact == fact.key), None)
    recorded = Recorded(note + _over(before, after) + _why_little(fact, before, after, facts), rows)
    if isinstance(fact, Arrived):
        recorded.say = say_over_and_short(file.item, fact, before, after)
    if own is not None:
        recorded.note = doubt_detail(file.item, fact, own)
    elif _changes_nothing(file, made):
        return Recorded(f"{file.item.shown}: {_why_nothing(fact, after, facts)}; noted", rows, repeat=True)
    by_key = {one.key: one for one in facts}
    for doubt in new_doubts:
        recorded.ask.append(("facts_contradict", _doubt_subject(file, by_key[doubt.fact], doubt, report)))
    if isinstance(fact, Departed) and is_first_without_order(file):
        recorded.ask.append(("facts_contradict", outside_subject(recorded.note, report, "departed")))
    recorded.ask += [
        ("inspection_failed", {"inspection_id": ncr.inspection_id, "ncr_number": ncr.ncr_number})
        for ncr in newly_open(file, made)
    ]
    return recorded


def _over(before: Account, after: Account) -> str:
    over = _over_quantity(after) - _over_quantity(before)
    return f" ({over.normalize():f} more than ordered)" if over > 0 else ""


def is_first_without_order(file: LineFile) -> bool:
    """Whether nothing of a line of the log was ordered here, and nobody has reported anything of it yet. Lines that are
    only deliveries of the schedule are ordered outside as often as here, and nobody is asked about them."""
    return (
        file.item.posted and not file.order_lines and not any(row.kind in ("departed", "arrived") for row in file.facts)
    )


def outside_subject(known: str, report: Report, what: str) -> JsonObject:
    """What is asked about a report of goods or of an order that nobody has ordered here."""
    return {
        "detail": f"{known}, but it was never ordered here",
        "known": {"reported": what},
        "outside": True,
        "event": plain_event(report.body),
        "matter": report.matter,
    }


def _why_little(fact: Fact, before: Account, after: Account, facts: Sequence[Fact]) -> str:
    """What is added to a report that is kept, but changes less than it says."""
    if isinstance(fact, Stated) and _is_older(fact, facts):
        return " (said before what is known now)"
    if isinstance(fact, Inspected) and not fact.passed and _rejected(after) == _rejected(before):
        return " (of goods that were rejected before)"
    if isinstance(fact, Arrived) and _goods(after) == _goods(before):
        return f" (already on file, now as shipment {shown_name(fact.shipment_id)})" if fact.shipment_id else ""
    return ""


def _is_older(fact: Stated, facts: Sequence[Fact]) -> bool:
    """Whether somebody has said something newer of the same goods."""
    return any(
        isinstance(one, Stated)
        and one.kind == fact.kind
        and one.saying > fact.saying
        and not one.is_voided
        and one.order in (None, fact.order)
        and one.shipment_id in (None, fact.shipment_id)
        and one.quantity in (None, fact.quantity)
        for one in facts
    )


def _goods(account: Account) -> list[tuple[Decimal, str, str]]:
    """What is where since when, whatever it is called."""
    return sorted((lot.quantity, lot.state, str(lot.arrived_on or "")) for lot in account.lots)


def _rejected(account: Account) -> Decimal:
    return sum((ncr.quantity for ncr in account.ncrs), NOTHING)


def say_over_and_short(item: Item, fact: Arrived, before: Account, after: Account) -> list[PlainAction]:
    """What the manager is told of a delivery that was more than ordered, or less than what left (OS&D report)."""
    unit = shown_name(item.unit or "units")
    said = []
    over = _over_quantity(after) - _over_quantity(before)
    if over < 0:
        return []
    if over:
        said.append(f"{over.normalize():f} {unit} more than ordered arrived on {fact.day}")
    names = {delivery.name for delivery in after.deliveries if fact.key in delivery.reports}
    on_way = _on_way(before, names)
    came = sum(
        (one.quantity for delivery in after.deliveries for one in delivery.arrivals if one.fact == fact.key), NOTHING
    )
    if came and on_way > came and not _on_way(after, names):
        missing = f"{(on_way - came).normalize():f}"
        said.append(
            f"{came.normalize():f} of {on_way.normalize():f} {unit} of its shipment arrived on {fact.day}; "
            f"{missing} are missing and to be claimed"
        )
    return [action("notify_team", team=MANAGER, message=f"{item.shown}: {one}.", item=item.item_id) for one in said]


def _over_quantity(account: Account) -> Decimal:
    return sum((order.over for order in account.orders), NOTHING)


def _on_way(account: Account, shipments: Collection[str]) -> Decimal:
    """How much is under way with these shipments."""
    lots = (lot for lot in account.lots if lot.state == LotState.IN_TRANSIT and lot.shipment in shipments)
    return sum((lot.quantity for lot in lots), NOTHING)


def newly_open(before: LineFile, after: LineFile) -> list[NonconformanceRow]:
    """Nonconformances of which more is undecided than before."""
    known = {ncr.ncr_id: ncr.undecided for ncr in before.ncrs}
    return [ncr for ncr in after.open_ncrs if ncr.undecided > known.get(ncr.ncr_id, 0)]


def _changes_nothing(before: LineFile, after: LineFile) -> bool:
    """Whether nothing but the report itself is new."""
    lots = {lot.lot_id: lot for lot in before.lots}

    def is_told_only(row: Row) -> bool:
        if isinstance(row, LotRow) and (was := lots.get(row.lot_id)) is not None:
            return was.model_copy(update={"caused_seq": row.caused_seq, "aliases": row.aliases}) == row
        if isinstance(row, Item):
            return before.item.model_copy(update={"caused_seq": row.caused_seq}) == row
        return isinstance(row, FactRow)

    return all(map(is_told_only, changed_rows(before.model_copy(update={"on_record": None}), after)))


def _departed_on(file: LineFile, fact: Fact) -> date | None:
    days = [
        shipment.departed_on
        for shipment in file.shipments
        if shipment.departed_on is not None
        and shipment.status == "in_transit"
        and fact.shipment_id in (None, shipment.shipment_id, shipment.fact)
    ]
    return max(days, default=None)


def _impossible(item: Item, fact: Fact, found: Impossibility, report: Report) -> Recorded:
    detail = f"{item.shown}: {_IMPOSSIBLE[found.reason].format(what=_what(fact), day=found.day)}"
    subject: JsonObject = {"detail": detail, "known": {"day": str(found.day)}, "matter": report.matter}
    if found.probably is not None:
        subject["corrected"] = _with_day(report.body, found.day, found.probably)
        subject["probably"] = str(found.probably)
    return Recorded(note=detail, ask=[("facts_contradict", subject)])


def plain_event(body: JsonObject) -> JsonObject:
    """The event without what names it as sent."""
    return {name: value for name, value in body.items() if name not in ("event_id", "source")}


def _with_day(body: JsonObject, wrong: date, right: date) -> JsonObject:
    """The event with the day that was probably meant."""

    def is_wrong(name: str, value: JsonValue) -> bool:
        return name in _DAYS and str(value)[:10] == str(wrong)

    return {name: right.isoformat() if is_wrong(name, value) else value for name, value in plain_event(body).items()}


_DAYS = frozenset({"eta", "date_departed", "date_arrived", "inspection_date", "promised_date"})

_IMPOSSIBLE = {
    "in_the_future": "{what} on {day}, a day that is still to come",
    "too_long_ago": "{what} on {day}, which is years ago",
    "too_far_ahead": "expected on {day}, which is years ahead",
    "eta_before_departure": "expected on {day}, before it departed",
    "eta_long_past": "expected on {day}, which was long past when it was said",
}


def _what(fact: Fact) -> str:
    return {"Departed": "departed", "Arrived": "arrived", "Inspected": "inspected"}.get(type(fact).__name__, "reported")


def _why_nothing(fact: Fact, account: Account, facts: Sequence[Fact]) -> str:
    """Why a fact changes nothing on the line."""
    if not isinstance(fact, Stated):
        return f"{_known(fact)} is already on file"
    if account.is_complete:
        return f"expected on {fact.day}, but all of it has arrived"
    if _is_older(fact, facts):
        return f"expected on {fact.day} was said before what is known now"
    return f"expected on {fact.day} as before"


def _known(fact: Fact) -> str:
    if isinstance(fact, Inspected):
        return f"the report {shown_name(fact.document or 'of the inspection')} of {fact.day}"
    if isinstance(fact, Arrived):
        return f"its arrival on {fact.day}"
    if isinstance(fact, Departed):
        return f"its departure on {fact.day}"
    return f"the day {fact.day}"


def _doubt_subject(file: LineFile, fact: Fact, doubt: Doubt, report: Report) -> JsonObject:
    return {
        "detail": doubt_detail(file.item, fact, doubt),
        "known": {
            "arrived": [str(receipt.received_on) for receipt in file.receipts if not receipt.is_voided],
            "orders": [order.number for order in file.orders],
        },
        "doubt": doubt.reason,
        **({"event": plain_event(report.body)} if doubt.fact == report.matter else {}),
        "fact": doubt.fact,
        "matter": doubt.fact,
    }


def doubt_detail(item: Item, fact: Fact, doubt: Doubt) -> str:
    """One line: what was reported, and what it contradicts."""
    quantity = "" if fact.quantity is None else f"{fact.quantity.normalize():f} {shown_name(item.unit or 'units')} "
    reported = f"{item.shown}: {quantity}reported as {_what(fact)} on {fact.day}"
    there = "" if doubt.quantity is None else f"{doubt.quantity.normalize():f} {shown_name(item.unit or 'units')}"
    return {
        "departed_after_arrival": f"{item.shown}: {quantity}arrived on {doubt.day}, before it departed on {fact.day}",
        "nothing_left_to_ship": f"{reported}, but nothing of it is left to leave",
        "nothing_left_to_arrive": f"{reported}, but all of it had arrived before",
        "nothing_to_inspect": f"{reported}, before it arrived on {doubt.day}"
        if doubt.day
        else f"{reported}, but nothing of it had arrived by then",
        "unknown_shipment": f"{item.shown}: expected on {fact.day} with shipment {shown_name(fact.shipment_id or '')}, "
        "of which nobody has reported anything",
        "more_rejected_than_there": f"{reported} with more rejected than the {there} that were there",
        "unknown_ncr": f"{item.shown}: a decision about a nonconformance that is not on file",
        "more_decided_than_rejected": f"{item.shown}: a decision about more than the {there} that were rejected",
        "unknown_order": f"{reported} of {shown_name(fact.order or 'an order')}, which is not an order of this line",
        "cancelled_order": f"{reported}, but {shown_name(fact.order or doubt.order or 'its order')} is cancelled",
        "told_twice": f"{reported}, which may be the one that was reported before",
    }[doubt.reason]


def doubts_of(file: LineFile) -> list[Doubt]:
    """What on file contradicts each other now."""
    return list(account_of(file).doubts)


def counts(account: Account, fact: Fact) -> bool:
    """Whether a fact is not doubted."""
    return all(doubt.fact != fact.key for doubt in account.doubts)


def with_shipment(file: LineFile, fact: Fact) -> Fact:
    """The fact with the name under which its shipment is kept, where it names the id that Longlead shows for it."""
    shown = next((s for s in file.shipments if s.fact and s.shipment_id == fact.shipment_id), None)
    return fact if shown is None else replace(fact, shipment_id=shown.fact)
