"""Taking a fact in: is it possible, is it new, what does it change, and what must a person be asked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TypedDict

from domain.actions import action
from domain.buildings import MANAGER
from domain.lines.account import Account
from domain.lines.doubts import corrected, doubt_detail, doubt_subject, impossible_detail
from domain.lines.facts import Arrived, Departed, Fact, Inspected, Stated
from domain.lines.gate import Dating, Impossibility, check_days
from domain.lines.lots import NOTHING, LotState
from domain.lines.projection import account_of, adopt, changed_rows, facts_of, project, with_facts
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

    A fact that cannot be true by its own dates is set aside, and a person is asked. One that contradicts what is on
    file counts for nothing until that has changed, and is asked about; one that tells what is known changes nothing.
    """
    file = adopt(file)
    if report.is_counted:
        fact = replace(fact, judgement="another")
    found = check_days(fact, replace(report.dating, needed_on=file.item.needed_until))
    if found is not None:
        return _impossible(file, fact, found, report, document_url)
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
        event = plain_event(report.body) if doubt.fact == fact.key else None
        recorded.ask.append(("facts_contradict", doubt_subject(made, by_key[doubt.fact], doubt, event)))
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
    return file.item.posted and not file.order_lines and not any(_is_of_goods(row) for row in file.facts)


def _is_of_goods(row: FactRow) -> bool:
    return row.is_live and row.kind in ("departed", "arrived")


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


def _impossible(file: LineFile, fact: Fact, found: Impossibility, report: Report, document_url: str | None) -> Recorded:
    known: JsonObject = {"day": str(found.day)}
    detail = impossible_detail(file.item, fact, found)
    subject = {"known": known, **corrected(plain_event(report.body), fact, found)}
    return set_aside(file, fact, report, detail, subject, document_url=document_url)


def set_aside(
    file: LineFile, fact: Fact, report: Report, detail: str, subject: JsonObject, *, document_url: str | None = None
) -> Recorded:
    """A report that cannot be counted as it is: it is kept in sight, and a person is asked. `detail`: why, in a
    sentence."""
    row = fact_row(fact, file.item.item_id, str(report.seq), report.seq, document_url=document_url, aside=detail)
    rows = changed_rows(file, with_facts(file, [row], report.seq))
    asked: JsonObject = {"detail": detail, "matter": report.matter, **subject}
    return Recorded(detail, rows, ask=[("facts_contradict", asked)], is_set_aside=True)


def plain_event(body: JsonObject) -> JsonObject:
    """The event without what names it as sent."""
    return {name: value for name, value in body.items() if name not in ("event_id", "source")}


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


def with_shipment(file: LineFile, fact: Fact) -> Fact:
    """The fact with the name under which its shipment is kept, where it names the id that Longlead shows for it."""
    shown = next((s for s in file.shipments if s.fact and s.shipment_id == fact.shipment_id), None)
    return fact if shown is None else replace(fact, shipment_id=shown.fact)
