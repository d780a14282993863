"""Whether two reports tell the same fact: the gate, the carrier and the ERP often report one truck.

Facts are matched one to one, in the order in which they were said; the order in which they came in does not matter.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Generic, Literal, TypeVar

from domain.lines.facts import Arrived, Departed, Fact, Inspected

NOTHING = Decimal(0)

Sameness = Literal["same", "part", "another", "unsure"]
"""`part`: it tells of a part of goods that were only known together, with a line that was taken on."""
Report = TypeVar("Report", Departed, Arrived, Inspected)


@dataclass
class Claim(Generic[Report]):
    """One thing that happened, with every report of it. The newest saying of each kind of detail counts."""

    reports: list[Report]
    """In the order in which they were said."""
    unsure: list[Report] = field(default_factory=list)
    """Reports that may be of this or of another fact; they are not counted until a person has said which."""
    parts: list[Report] = field(default_factory=list)
    """Reports of parts of it: it is counted as a whole already."""

    @property
    def first(self) -> Report:
        return self.reports[0]

    @property
    def newest(self) -> Report:
        return self.reports[-1]

    @property
    def key(self) -> str:
        return self.first.key

    @property
    def shipment_id(self) -> str | None:
        """The id that the first of its reports gives it; the others are aliases."""
        return next((report.shipment_id for report in self.reports if report.shipment_id), None)

    @property
    def aliases(self) -> frozenset[str]:
        return frozenset(report.shipment_id for report in (*self.reports, *self.parts) if report.shipment_id)

    @property
    def is_undated(self) -> bool:
        """Whether nobody knows its day: `day` is the last on which it can have happened."""
        return self.newest.is_undated

    @property
    def untold(self) -> Decimal:
        """How much of it no report of a part tells; a part that two systems tell counts once."""
        told: list[Report] = []
        for part in self.parts:
            if not any(_repeats(part, other) for other in told):
                told.append(part)
        return (self.quantity or NOTHING) - sum((part.quantity or NOTHING for part in told), NOTHING)

    @property
    def order(self) -> str | None:
        return next((report.order for report in self.reports if report.order), None)

    @property
    def quantity(self) -> Decimal | None:
        """As the newest report that names one has it."""
        return next((report.quantity for report in reversed(self.reports) if report.quantity is not None), None)

    @property
    def rejected(self) -> Decimal | None:
        """Of a verdict: how much failed, as the newest report that says so has it."""
        told = (report.rejected for report in reversed(self.reports) if isinstance(report, Inspected))
        return next((rejected for rejected in told if rejected is not None), None)

    @property
    def day(self) -> date:
        return self.newest.day

    @property
    def sources(self) -> frozenset[str]:
        return frozenset(report.source for report in self.reports)


def group_departures(facts: Iterable[Departed]) -> list[Claim[Departed]]:
    """The shipments that left. The same shipment id again revises the shipment; it is never a second one."""
    return _group(facts, _compare_departures)


def group_arrivals(facts: Iterable[Arrived]) -> list[Claim[Arrived]]:
    """The receipts, each part of a shipment by itself."""
    return _group(facts, _compare_arrivals)


def group_inspections(facts: Iterable[Inspected], repairs: Mapping[str, date]) -> list[Claim[Inspected]]:
    """The verdicts. The same NCR number is the same verdict, whatever document it comes with, until the goods were
    repaired: `repairs` has the day by NCR."""

    def compare(claim: Claim[Inspected], report: Inspected) -> Sameness:
        repaired = repairs.get(report.ncr_number or "")
        if repaired is not None and claim.day <= repaired < report.day:
            return "another"
        return _compare_inspections(claim, report)

    return _group(facts, compare)


def _group(facts: Iterable[Report], compare: Callable[[Claim[Report], Report], Sameness]) -> list[Claim[Report]]:
    grouped = _Claims[Report](compare)
    # What a line was taken on with is on file before any other report, whenever that was said: reports tell it again.
    for report in sorted(
        (fact for fact in facts if not fact.is_voided),
        key=lambda fact: (not (fact.is_adopted and fact.judgement == "another"), fact.saying),
    ):
        grouped.add(report)
    return grouped.claims


class _Claims(Generic[Report]):
    """Claims while reports are added to them, in the order in which they were said. A report is compared only with
    claims that share its day, its shipment or its NCR: of any other it is another fact. So many reports take time
    that grows with their number, and not with its square."""

    def __init__(self, compare: Callable[[Claim[Report], Report], Sameness]) -> None:
        self.claims: list[Claim[Report]] = []
        self._compare: Callable[[Claim[Report], Report], Sameness] = compare
        self._on_day: dict[tuple[date, Decimal | None], dict[int, None]] = defaultdict(dict)
        """Places of claims by the day and quantity of any of their reports."""
        self._days: dict[date, dict[int, None]] = defaultdict(dict)
        self._named: dict[str, dict[int, None]] = defaultdict(dict)
        """Places of claims by the shipment that left, or by NCR."""
        self._unsure: dict[date, dict[int, None]] = defaultdict(dict)
        """Places of claims by the day of a report that may be of them."""
        self._undated: dict[int, None] = {}
        """Places of claims of which nobody knows the day: a report of any day may be of them."""

    def add(self, report: Report) -> None:
        """Put a report to the claim that it tells again; else it is a claim of its own."""
        if report.judgement == "another":
            self._open(report)
            return
        for place in sorted(self._unsure.get(report.day, ())):
            if any(_repeats(report, told) for told in self.claims[place].unsure):
                self._doubt(place, report)  # it tells again what a person is asked about
                return
        found = [(place, self._compare(self.claims[place], report)) for place in self._candidates(report)]
        alike = [place for place, likeness in found if likeness == "same"]
        parts = [place for place, likeness in found if likeness == "part"]
        unsure = [place for place, likeness in found if likeness == "unsure"]
        if alike:
            exact = (place for place in alike if any(_repeats(report, told) for told in self.claims[place].reports))
            self._join(next(exact, alike[0]), report)
        elif parts:
            self.claims[parts[0]].parts.append(report)
        elif unsure and report.judgement == "same":
            self._join(unsure[0], report)
        elif unsure:
            self._doubt(unsure[0], report)
        else:
            self._open(report)

    def _candidates(self, report: Report) -> list[int]:
        """Places of the claims that a report may tell again, the oldest first. Claims of another quantity on its day
        are none, where both name one."""
        if report.quantity is None or isinstance(report, Inspected):
            found = {**self._days.get(report.day, {})}
        else:
            of_any = self._on_day.get((report.day, None), {})
            found = {**self._on_day.get((report.day, report.quantity), {}), **of_any}
        for name in _names(report):
            found |= self._named.get(name, {})
        return sorted(found | self._undated)

    def _open(self, report: Report) -> None:
        self.claims.append(Claim([]))
        self._join(len(self.claims) - 1, report)

    def _join(self, place: int, report: Report) -> None:
        claim = self.claims[place]
        claim.reports.append(report)
        if claim.is_undated:
            self._undated[place] = None
        else:
            self._undated.pop(place, None)
        self._days[report.day][place] = None
        self._on_day[report.day, claim.quantity][place] = None
        for name in _names(report):
            self._named[name][place] = None

    def _doubt(self, place: int, report: Report) -> None:
        self.claims[place].unsure.append(report)
        self._unsure[report.day][place] = None


def _names(report: Departed | Arrived | Inspected) -> list[str]:
    """What makes it the same whatever its day: the shipment that left, the NCR that was raised."""
    if isinstance(report, Departed):
        return [report.shipment_id] if report.shipment_id else []
    return [report.ncr] if isinstance(report, Inspected) else []


def _compare_departures(claim: Claim[Departed], report: Departed) -> Sameness:
    if report.shipment_id and report.shipment_id in claim.aliases:
        return "same"
    if not _can_be_of_one_day(claim, report) or not _fits(claim.quantity, report.quantity):
        return "another"
    return _compare_senders(claim, report)


def _can_be_of_one_day(claim: Claim[Report], report: Report) -> bool:
    """Whether both can have happened on one day: on the same, or by the day by which the known one had happened."""
    return claim.day == report.day or (claim.is_undated and report.day <= claim.day)


def _compare_arrivals(claim: Claim[Arrived], report: Arrived) -> Sameness:
    if _are_other_pieces(claim, report) or claim.first.is_off_site != report.is_off_site:
        return "another"
    named = report.shipment_id is not None and report.shipment_id in claim.aliases
    if claim.is_undated and report.source not in claim.sources:
        return _compare_with_undated(claim, report, named=named)
    if claim.day == report.day and _fits(claim.quantity, report.quantity):
        return "same" if named else _compare_senders(claim, report)
    return "another"


def _compare_with_undated(claim: Claim[Arrived], report: Arrived, *, named: bool) -> Sameness:
    """What is known to have come by a day, and a report of an arrival: the same, or a part of it, if it came by then.
    Where it tells of more than that, nobody knows."""
    is_of_other_order = report.order and claim.order and report.order != claim.order
    if report.day > claim.day or (is_of_other_order and not named):
        return "another"
    if not claim.parts and _fits(claim.quantity, report.quantity):
        return "same"
    if any(_repeats(report, told) for told in claim.parts):
        return "part"
    return "part" if report.quantity is not None and report.quantity <= claim.untold else "unsure"


def _are_other_pieces(claim: Claim[Arrived], report: Arrived) -> bool:
    known = frozenset[str]().union(*(told.serials for told in claim.reports))
    return bool(known and report.serials and not known & report.serials)


def _compare_inspections(claim: Claim[Inspected], report: Inspected) -> Sameness:
    if claim.first.passed != report.passed:
        return "another"
    if report.ncr_number and report.ncr_number in {told.ncr for told in claim.reports}:
        return "same"
    if report.ncr_number and any(told.ncr_number for told in claim.reports):
        return "same" if any(told.ncr_number == report.ncr_number for told in claim.reports) else "another"
    if not _can_be_of_one_day(claim, report) or not _concern_one_shipment(claim, report):
        return "another"
    if any(told.document and told.document == report.document for told in claim.reports):
        return "same"
    if not _fits(claim.quantity, report.quantity) or not _fits(claim.rejected, report.rejected):
        return "another"
    if report.source not in claim.sources:
        return "same"
    if report.document and any(told.document for told in claim.reports):
        return "another"
    says_how_much = report.quantity is not None or report.rejected is not None
    return "unsure" if says_how_much else "same"


def _concern_one_shipment(claim: Claim[Inspected], report: Inspected) -> bool:
    return not claim.aliases or report.shipment_id is None or report.shipment_id in claim.aliases


def _compare_senders(claim: Claim[Departed] | Claim[Arrived], report: Departed | Arrived) -> Sameness:
    """Equal facts on one day. Two systems report one truck under ids of their own; one system reports two trucks under
    two ids; without ids one system's two reports can be either."""
    if report.order and claim.order and report.order != claim.order:
        return "another"
    own = [told for told in claim.reports if told.source == report.source]
    if not own:
        return "same"
    if report.shipment_id and all(told.shipment_id for told in own):
        return "another"
    return "unsure"


def _repeats(report: Fact, told: Fact) -> bool:
    """Whether another system says exactly what was said."""
    ids_fit = not (report.shipment_id and told.shipment_id) or report.shipment_id == told.shipment_id
    return report.source != told.source and (report.day, report.quantity) == (told.day, told.quantity) and ids_fit


def _fits(known: Decimal | None, told: Decimal | None) -> bool:
    return known is None or told is None or known == told
