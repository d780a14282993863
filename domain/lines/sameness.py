"""Whether two reports tell the same fact: the gate, the carrier and the ERP often report one truck.

Facts are matched one to one, in the order in which they were said; the order in which they came in does not matter.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    unsure: list[Report] = field(default_factory=list)
    """Reports that may be of this or of another fact; they are not counted until a person has said which."""
    parts: list[Report] = field(default_factory=list)
    """Reports of parts of it: it is counted as a whole already."""

    @property
    def first(self) -> Report:
        return self.reports[0]

    @property
    def newest(self) -> Report:
        return max(self.reports, key=lambda report: report.saying)

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
        named = [report for report in self.reports if report.quantity is not None]
        return max(named, key=lambda report: report.saying).quantity if named else None

    @property
    def rejected(self) -> Decimal | None:
        """Of a verdict: how much failed, as the newest report that says so has it."""
        named = [told for told in self.reports if isinstance(told, Inspected) and told.rejected is not None]
        return max(named, key=lambda told: told.saying).rejected if named else None

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
    claims: list[Claim[Report]] = []
    for report in sorted((fact for fact in facts if not fact.is_voided), key=lambda fact: fact.saying):
        _add(claims, report, [compare(claim, report) for claim in claims])
    return claims


def _add(claims: list[Claim[Report]], report: Report, found: Sequence[Sameness]) -> None:
    if report.judgement == "another":
        claims.append(Claim([report]))
        return
    for claim in claims:
        if any(_repeats(report, told) for told in claim.unsure):
            claim.unsure.append(report)  # it tells again what a person is asked about
            return
    alike = [claim for claim, likeness in zip(claims, found, strict=True) if likeness == "same"]
    if alike:
        exact = [claim for claim in alike if any(_repeats(report, told) for told in claim.reports)]
        (exact or alike)[0].reports.append(report)
    elif "part" in found:
        claims[found.index("part")].parts.append(report)
    elif "unsure" in found:
        claim = claims[found.index("unsure")]
        (claim.reports if report.judgement == "same" else claim.unsure).append(report)
    else:
        claims.append(Claim([report]))


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
