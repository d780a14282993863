"""One gate for facts: what cannot be true by its own dates is put to a person, with the correction that is most likely.

Every fact passes here, whichever way it came in (REST, mail, restated by a person, import). What a fact contradicts
among the others on file is found when they are put together (`domain.lines.bookkeeping`).
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, TypeVar

from domain.lines.facts import Arrived, Cancelled, Departed, Fact, Inspected, Ordered, Stated

Impossible = Literal["in_the_future", "too_long_ago", "too_far_ahead", "eta_before_departure", "eta_long_past"]

CLOCKS_APART = timedelta(days=1)
"""How far ahead of its sender's day something that has happened may lie: clocks and time zones differ."""
UNDATED = timedelta(days=180)
"""The same for a report whose sender does not say when he said it: it is dated by its own day, and is taken for a slip
only far ahead of when it came in."""
MOST_AGO = timedelta(days=730)
MOST_AHEAD = timedelta(days=1825)
"""Calendar days from the saying beyond which a day is taken for a slip: the wrong year, as a rule."""
LONG_PAST = timedelta(days=180)
"""An expected arrival that lies so far before its saying is taken for one."""

AnyFact = TypeVar("AnyFact", bound=Fact)


@dataclass(frozen=True)
class Impossibility:
    """Why a fact cannot be true as it is, the day that is wrong, and the day that was probably meant."""

    reason: Impossible
    day: date
    probably: date | None


def check_days(
    fact: Fact,
    departed_on: date | None = None,
    *,
    may_lie_ahead: timedelta = CLOCKS_APART,
    heard_on: date | None = None,
) -> Impossibility | None:
    """The first thing about a fact's own days that cannot be true; None where nothing speaks against it.

    Args:
        departed_on: of an ETA: the day on which its shipment left, where that is known.
        may_lie_ahead: how far after its saying something that has happened may lie.
        heard_on: the day on which it came in, of a report whose sender does not say when he said it.
    """
    said_on = fact.said_at.date()
    if isinstance(fact, (Departed, Arrived, Inspected, Ordered, Cancelled)):
        if fact.day > said_on + may_lie_ahead:
            return Impossibility("in_the_future", fact.day, _nearest_before(fact.day, said_on + CLOCKS_APART))
        if (heard_on or said_on) - fact.day > MOST_AGO:
            return Impossibility("too_long_ago", fact.day, _nearest_before(fact.day, heard_on or said_on))
    if isinstance(fact, Departed) and fact.eta is not None:
        return _check_expected(fact.eta, said_on, fact.day)
    if isinstance(fact, Stated):
        return _check_expected(fact.day, said_on, departed_on if fact.kind == "eta" else None)
    return None


def _check_expected(day: date, said_on: date, departed_on: date | None) -> Impossibility | None:
    if departed_on is not None and day < departed_on:
        return Impossibility("eta_before_departure", day, _nearest_after(day, departed_on))
    if day - said_on > MOST_AHEAD:
        return Impossibility("too_far_ahead", day, _nearest_after(day, said_on))
    if said_on - day > LONG_PAST:
        return Impossibility("eta_long_past", day, _nearest_after(day, said_on))
    return None


def correct_day(fact: AnyFact, found: Impossibility) -> AnyFact | None:
    """The fact with the day that was probably meant; None where no other year makes it possible."""
    if found.probably is None:
        return None
    if isinstance(fact, Departed) and fact.eta == found.day and fact.day != found.day:
        return replace(fact, eta=found.probably)
    return replace(fact, day=found.probably)


def _nearest_before(day: date, limit: date) -> date | None:
    """The same day of the last year in which it is no later than the limit."""
    return next((moved for year in (limit.year, limit.year - 1) if (moved := _in_year(day, year)) <= limit), None)


def _nearest_after(day: date, limit: date) -> date | None:
    """The same day of the first year in which it is no earlier than the limit."""
    return next((moved for year in (limit.year, limit.year + 1) if (moved := _in_year(day, year)) >= limit), None)


def _in_year(day: date, year: int) -> date:
    return day.replace(year=year, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=year)
