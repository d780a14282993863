"""What becomes of rejected goods (NCR disposition): which nonconformances a decision means, and the line after it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from domain.lines.facts import AfterReturn, Disposed, Handling
from domain.lines.lots import NOTHING
from domain.lines.projection import last_day, with_account, with_facts
from domain.lines.stored import fact_row
from domain.outside import shown_name
from domain.procurement import FactRow, LineFile, NonconformanceRow
from domain.text import folded

DECISIONS = "longlead.decisions"
"""Source of the facts that people's decisions are."""


def find_meant(file: LineFile, named: str | None, asked_about: Collection[str] | None) -> list[NonconformanceRow]:
    """The undecided nonconformances that a decision is about: the one that it names; else those that the question is
    about; else the only one there is.

    Args:
        asked_about: numbers of those that the answered question is about; None: no question about any was answered.

    Raises:
        ValueError: it names none that is undecided, or none of several; in words for people.
    """
    file = with_account(file)
    undecided = file.open_ncrs
    if named is not None:
        found = [ncr for ncr in undecided if folded(named) in (folded(ncr.ncr_number), folded(ncr.ncr_id))]
        if not found:
            raise ValueError(_unknown(file, named))
        return found
    if asked_about is not None:
        own = [ncr for ncr in undecided if ncr.ncr_number in asked_about]
        if own or not undecided:
            return own
    if len(undecided) > 1:
        raise ValueError(
            f"{file.item.shown} has several open NCRs ({_list(undecided)}): name the one that is meant in ncr_number"
        )
    return undecided


def _list(ncrs: Sequence[NonconformanceRow]) -> str:
    return ", ".join(shown_name(ncr.ncr_number) for ncr in ncrs)


def _unknown(file: LineFile, named: str) -> str:
    known = [ncr for ncr in file.ncrs if not ncr.is_gone and folded(named) == folded(ncr.ncr_number)]
    if known:
        return f"{shown_name(named)} of {file.item.shown} is decided already"
    open_ = f"; open are {_list(file.open_ncrs)}" if file.open_ncrs else ""
    return f"{shown_name(named)} is not an NCR of {file.item.shown}{open_}"


def check_quantity(file: LineFile, meant: Sequence[NonconformanceRow], quantity: Decimal | None) -> str | None:
    """Why so much cannot be decided about; None where it can."""
    if quantity is None:
        return None
    if quantity <= 0:
        return f"the quantity must be above 0, not {quantity}"
    there = sum((ncr.undecided for ncr in meant), NOTHING)
    if file.item.quantity is not None and quantity > there:
        return (
            f"only {there.normalize():f} of {file.item.shown} are rejected and undecided, not {quantity.normalize():f}"
        )
    return None


@dataclass(frozen=True)
class Disposition:
    """What was decided, when, and under which names its facts are kept."""

    handling: Handling
    then: AfterReturn = "owed"
    quantity: Decimal | None = None
    """None: all that is undecided."""


@dataclass(frozen=True)
class Saying:
    """When and as what a decision is put on file."""

    day: date
    said_at: datetime
    received_at: datetime
    name: str
    seq: int


def disposition_facts(
    file: LineFile, meant: Sequence[NonconformanceRow], decided: Disposition, saying: Saying
) -> list[FactRow]:
    """The facts of a decision about these nonconformances; a quantity is taken from the first ones."""
    rows: list[FactRow] = []
    left = None if file.item.quantity is None else decided.quantity
    for number, ncr in enumerate(meant):
        part = None if left is None else min(left, ncr.undecided)
        if part is not None and left is not None:
            left -= part
            if not part:
                continue
        name = f"{saying.name}-{number}"
        fact = Disposed(
            day=saying.day,
            said_at=saying.said_at,
            received_at=saying.received_at,
            source=DECISIONS,
            event_id=name,
            quantity=part,
            ncr=ncr.ncr_id,
            handling=decided.handling,
            then=decided.then,
        )
        rows.append(fact_row(fact, file.item.item_id, name, saying.seq))
    return rows


def try_disposition(file: LineFile, named: str | None, decided: Disposition) -> LineFile:
    """The line as later actions of the same decision find it."""
    file = with_account(file)
    try:
        meant = find_meant(file, named, [ncr.ncr_number for ncr in file.open_ncrs])
    except ValueError:
        return file
    day = max(last_day(file), date(1970, 1, 2))
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    number = sum(row.kind == "disposed" for row in file.facts)
    return with_facts(file, disposition_facts(file, meant, decided, Saying(day, at, at, f"trial-{number}", 0)), 0)
