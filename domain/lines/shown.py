"""What is known of a line, as lists and pages show it: lots, nonconformances, statements and facts.

Everything here is read from a line's file; nothing is changed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from domain.lines.account import Account
from domain.lines.doubts import doubt_detail
from domain.lines.facts import Arrived, Departed, Disposed, Fact, Inspected, Stated, Submitted
from domain.lines.lots import LotState
from domain.lines.needs import untouched_account
from domain.lines.old_rows import SOURCE as OLD_ROWS
from domain.lines.projection import account_of, facts_of, with_account
from domain.lines.sameness import group_arrivals, group_departures, group_inspections
from domain.lines.statements import expect_arrivals, find_retold
from domain.lines.stored import read_row, tie_breaker
from domain.lines.submittals import newest_verdict
from domain.outside import shown_name
from domain.procurement import FactRow, Item, LineAccount, LineFile, LotRow, NonconformanceRow

FactKind = Literal[
    "submittal_approved",
    "submittal_rejected",
    "promise",
    "departed",
    "eta",
    "arrived",
    "passed",
    "failed",
    "decided",
]
FactEffect = Literal["counts", "told_again", "superseded", "doubted", "set_aside", "taken_back"]
"""What a fact does to its line now."""


@dataclass(frozen=True)
class ShownLot:
    """A quantity of a line in one state; `quantity` None: a part whose size nobody has said."""

    lot_id: str
    order: str | None
    quantity: Decimal | None
    unit: str | None
    state: str
    expected_on: date | None
    usable_on: date | None
    aliases: list[str]
    is_over: bool


@dataclass(frozen=True)
class ShownNcr:
    """Rejected goods; `undecided` is how much of `quantity` nobody has decided about."""

    ncr_id: str
    raised_seq: int
    """Place in the inbox of the report that raised it."""
    ncr_number: str
    lot_id: str | None
    quantity: Decimal
    undecided: Decimal
    defects: list[str]
    disposition: str | None
    status: Literal["open", "closed"]


@dataclass(frozen=True)
class ShownStatement:
    """A day that somebody promised or expects."""

    fact_id: str
    kind: Literal["promise", "eta"]
    day: date
    said_at: datetime | None
    """None: it was on file before sayings were kept."""
    sorted_by: tuple[datetime, datetime]
    source: str
    order: str | None
    shipment_id: str | None
    quantity: Decimal | None
    current: bool
    """Goods that are still to come are expected by it."""
    voided: bool
    adopted: bool
    """It was known when its line was taken on with a running project."""


@dataclass(frozen=True)
class ShownFact:
    """One thing that was said about a line, and what it does: `why` says why it does not count."""

    fact_id: str
    kind: FactKind
    day: date | None
    said_at: datetime | None
    received_at: datetime | None
    """None, as the others: it was on file before facts were kept, and nobody knows."""
    sorted_by: tuple[datetime, datetime]
    source: str
    event_id: str
    order: str | None
    shipment_id: str | None
    quantity: Decimal | None
    quantity_rejected: Decimal | None
    ncr_number: str | None
    document_name: str | None
    effect: FactEffect
    why: str | None
    adopted: bool
    """It was known when its line was taken on with a running project."""


def complete_file(file: LineFile) -> LineFile:
    """The file with lots and account, also where nothing has changed on the line since facts are kept."""
    return with_account(file, file.item.caused_seq)


def account_shown(item: Item, account: LineAccount | None = None) -> LineAccount:
    """What a line amounts to. `account`: computed from the line's rows, where the line itself has none; None: nothing
    was ordered and nothing was reported."""
    return item.account or account or untouched_account(item)


def list_lots(file: LineFile) -> list[ShownLot]:
    """The lots of a line by their number, without those that were joined with others or taken back."""
    lots = [lot for lot in complete_file(file).lots if not lot.is_gone and _is_placed(lot)]
    return [
        ShownLot(
            lot_id=lot.lot_id,
            order=lot.order,
            quantity=None if lot.is_unknown else lot.quantity,
            unit=lot.unit,
            state=lot.state,
            expected_on=lot.expected_on,
            usable_on=lot.usable_on,
            aliases=lot.aliases,
            is_over=lot.is_over,
        )
        for lot in lots
    ]


def _is_placed(lot: LotRow) -> bool:
    """False: what is left of a need for which nothing was ordered."""
    return lot.order is not None or lot.state != LotState.ORDERED


def lot_number(lot_id: str) -> tuple[str, int]:
    """Sorts lots: the tenth of an order after its ninth."""
    order, _, number = lot_id.rpartition("/")
    return order, int(number) if number.isdecimal() else 0


def list_ncrs(file: LineFile) -> list[ShownNcr]:
    """The nonconformances of a line, without those whose report was taken back."""
    file = complete_file(file)
    return [
        ShownNcr(
            ncr_id=ncr.ncr_id,
            raised_seq=ncr.caused_seq,
            ncr_number=ncr.ncr_number,
            lot_id=_lot_of(ncr, file.lots),
            quantity=ncr.quantity,
            undecided=ncr.undecided,
            defects=ncr.defects,
            disposition=ncr.disposition,
            status="open" if ncr.is_open else "closed",
        )
        for ncr in file.ncrs
        if not ncr.is_gone
    ]


_NEAREST = (LotState.REJECTED, LotState.IN_REPAIR)


def _lot_of(ncr: NonconformanceRow, lots: Iterable[LotRow]) -> str | None:
    """The lot that an NCR is about: what is still rejected, else in repair, else what became of it."""
    own = [lot for lot in lots if lot.ncr_id == ncr.ncr_id and not lot.is_gone]
    ranks = {str(state): rank for rank, state in enumerate(_NEAREST)}
    own.sort(key=lambda lot: (ranks.get(lot.state, len(ranks)), lot_number(lot.lot_id)))
    return own[0].lot_id if own else None


def list_statements(file: LineFile) -> list[ShownStatement]:
    """Promises and ETAs of all sources, the newest saying first."""
    line = _Line(complete_file(file))
    return [line.statement(row) for row in line.newest_first() if _is_statement(row)]


def list_facts(file: LineFile) -> list[ShownFact]:
    """Everything that was said about a line, the newest saying first."""
    line = _Line(complete_file(file))
    return [line.fact(row) for row in line.newest_first()]


def _is_statement(row: FactRow) -> bool:
    return row.kind == "stated" or (row.kind == "departed" and row.details.eta is not None)


class _Line:
    """A line's facts beside what they amount to."""

    def __init__(self, file: LineFile) -> None:
        self.file, self.item = file, file.item
        facts = facts_of(file)
        self.account = account_of(file, facts)
        self.counting = _find_counting_statements(file.facts, self.account)
        self.retold = find_retold(facts)
        self.verdict = newest_verdict(facts)
        self.first_reports = _find_first_reports(facts)
        self.doubts = {self._first(doubt.fact): doubt for doubt in self.account.doubts}
        self.shown_ids = {(row.fact or row.shipment_id): row.shipment_id for row in file.shipments}
        self.orders = {delivery.name: delivery.order for delivery in self.account.deliveries}

    def _first(self, key: str) -> str:
        """Key of the first report that tells the same."""
        first = self.first_reports.get(key)
        return first.key if first else key

    def newest_first(self) -> list[FactRow]:
        return sorted(self.file.facts, key=lambda row: (*_times(row), row.fact_id), reverse=True)

    def statement(self, row: FactRow) -> ShownStatement:
        order, shipment_id = self._place(row)
        return ShownStatement(
            fact_id=row.fact_id,
            kind="promise" if row.details.kind == "promise" else "eta",
            day=row.details.eta if row.kind == "departed" and row.details.eta else row.day,
            said_at=_said_at(row),
            sorted_by=_times(row),
            source=row.source,
            order=order,
            shipment_id=shipment_id,
            quantity=row.quantity,
            current=row.fact_id in self.counting,
            voided=row.voided_by is not None,
            adopted=row.details.is_adopted,
        )

    def fact(self, row: FactRow) -> ShownFact:
        order, shipment_id = self._place(row)
        effect, why = self._effect(row)
        return ShownFact(
            fact_id=row.fact_id,
            kind=_kind(row),
            day=None if row.day == date.min or row.details.is_undated else row.day,
            said_at=_said_at(row),
            received_at=_received_at(row),
            sorted_by=_times(row),
            source=row.source,
            event_id=row.event_id,
            order=order,
            shipment_id=shipment_id,
            quantity=row.quantity,
            quantity_rejected=row.details.damaged if row.kind == "arrived" else row.details.rejected,
            ncr_number=row.details.ncr_number or self._ncr_number(row),
            document_name=row.details.document,
            effect=effect,
            why=why,
            adopted=row.details.is_adopted,
        )

    def _place(self, row: FactRow) -> tuple[str | None, str | None]:
        """The order and the shipment of a fact, as they are shown."""
        first = self.first_reports.get(row.key)
        name = row.shipment_id or (first.shipment_id if first else None) or (first.key if first else row.key)
        if name not in self.shown_ids:
            name = next((known for known, ids in self.account.shipment_ids.items() if name in ids), name)
        return row.order or self.orders.get(name) or None, self.shown_ids.get(name, row.shipment_id)

    def _ncr_number(self, row: FactRow) -> str | None:
        """Of what a decision is about, or what an inspection or a damaged arrival raised."""
        ncr = row.details.ncr or next((one.ncr for one in self.account.verdicts if row.key in one.reports), None)
        return next((known.ncr_number for known in self.file.ncrs if known.ncr_id == ncr), None)

    def _effect(self, row: FactRow) -> tuple[FactEffect, str | None]:
        fact = read_row(row)
        if row.voided_by is not None:
            return "taken_back", f"It was taken back by {shown_name(row.voided_by)}."
        if row.judgement == "restated":
            return "set_aside", f"A person has told it again as it was meant{_asked_as(row)}."
        if row.judgement == "left":
            return "set_aside", f"A person has left it: it counts for nothing{_asked_as(row)}."
        if row.details.aside is not None:
            return "doubted", row.details.aside
        first = self.first_reports.get(fact.key)
        if doubt := self.doubts.get(first.key if first else fact.key):
            return "doubted", doubt_detail(self.item, fact, doubt)
        if first is not None and first.key != fact.key:
            return "told_again", f"It tells again what {shown_name(first.source)} told as {shown_name(first.event_id)}."
        if first is None and row.kind in ("departed", "arrived", "inspected"):
            return "told_again", "It may tell again what was told before, and nothing is left that it could be of."
        if fact.key in self.retold:
            return (
                "told_again",
                "Another system tells again what was said of a shipment; it says nothing of the rest.",
            )
        if isinstance(fact, Stated) and row.fact_id not in self.counting:
            return "superseded", self._why_superseded()
        if isinstance(fact, Submitted) and self.verdict is not None and fact.key != self.verdict.key:
            return "superseded", "A verdict on a newer revision, or a newer one on the same, counts."
        return "counts", None

    def _why_superseded(self) -> str:
        if self.account.quantity(LotState.ORDERED, LotState.IN_TRANSIT):
            return "A newer saying counts for what is still to come."
        return "Nothing is still to come."


def _find_counting_statements(rows: Sequence[FactRow], account: Account) -> frozenset[str]:
    """Ids of the facts by which goods are expected that are still to come: each is given a day of its own, and those
    whose day is then expected count."""
    retold = find_retold(read_row(row) for row in rows)
    counted = [row for row in rows if _is_statement(row) and row.key not in retold]
    days = {date.fromordinal(number): row for number, row in enumerate(counted, start=1)}
    marked = [_with_day(read_row(row), day) for day, row in days.items()]
    expected = {part.on for part in expect_arrivals(account, marked, None)}
    return frozenset(row.fact_id for day, row in days.items() if day in expected)


def _with_day(fact: Fact, day: date) -> Fact:
    return replace(fact, eta=day) if isinstance(fact, Departed) else replace(fact, day=day)


def _find_first_reports(facts: Sequence[Fact]) -> dict[str, Fact]:
    """By the key of each report of a delivery or an inspection: the first report that tells the same."""
    departures = group_departures(fact for fact in facts if isinstance(fact, Departed))
    arrivals = group_arrivals(fact for fact in facts if isinstance(fact, Arrived))
    repairs = {fact.ncr: fact.day for fact in facts if isinstance(fact, Disposed) and fact.handling == "repair"}
    inspections = group_inspections((fact for fact in facts if isinstance(fact, Inspected)), repairs)
    claims: list[tuple[Sequence[Fact], Fact]] = [
        *((claim.reports, claim.first) for claim in departures),
        *(((*claim.reports, *claim.parts), claim.first) for claim in arrivals),
        *((claim.reports, claim.first) for claim in inspections),
    ]
    return {report.key: first for reports, first in claims for report in reports}


def _received_at(row: FactRow) -> datetime | None:
    """When its entry came in; None: on file before facts were kept. What of it only keeps the order of entries that
    came in at one moment is not shown."""
    if row.source == OLD_ROWS:
        return None
    return row.received_at if row.kind == "disposed" else row.received_at - tie_breaker(row.caused_seq)


def _asked_as(row: FactRow) -> str:
    """Why a person was asked, after what he has answered."""
    return f" ({row.details.aside})" if row.details.aside else ""


def _kind(row: FactRow) -> FactKind:
    if row.kind == "inspected":
        return "passed" if row.details.passed else "failed"
    if row.kind == "stated":
        return "promise" if row.details.kind == "promise" else "eta"
    if row.kind == "submitted":
        return "submittal_approved" if row.details.is_approved else "submittal_rejected"
    return "decided" if row.kind == "disposed" else row.kind


def _times(row: FactRow) -> tuple[datetime, datetime]:
    return row.said_at, row.received_at


def _said_at(row: FactRow) -> datetime | None:
    """When it was said. Rows of earlier versions do not tell, nor does much of what lines were taken on with: the
    moment that stands for it is not shown."""
    return None if row.source == OLD_ROWS or row.said_at.year == date.min.year else row.said_at
