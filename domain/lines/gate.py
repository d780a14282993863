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
LONGEST_ON_ITS_WAY = timedelta(days=365)
"""An expected arrival no further than that from its departure was told with the same idea of the year."""

AnyFact = TypeVar("AnyFact", bound=Fact)


@dataclass(frozen=True)
class Impossibility:
    """Why a fact cannot be true as it is, the day that is wrong, and the day that was probably meant."""

    reason: Impossible
    day: date
    probably: date | None


@dataclass(frozen=True)
class Dating:
    """What a fact's days are held against."""

    said_on: date
    """The day on which its sender said it."""
    heard_on: date
    """The day on which it came in."""
    is_dated: bool = True
    """Whether the sender says when he said it. Else it is dated by its own days, and what is in them is believed more:
    reports that were kept for long are told later, and the recordings of a year are played in the next one."""
    needed_on: date | None = None
    """The day on which the site needs the last of the line."""

    @property
    def is_believed(self) -> bool:
        """Whether its days count although they lie long in the past: it is told of a line whose time is over."""
        return not self.is_dated and (self.needed_on is None or self.needed_on < self.heard_on)

    @property
    def latest(self) -> date:
        """The last day on which what it tells of can have happened."""
        return self.said_on + (CLOCKS_APART if self.is_dated else UNDATED)

    @property
    def past_from(self) -> date:
        """From which day the past is counted."""
        return self.said_on if self.is_dated else self.heard_on

    @property
    def longest_past(self) -> timedelta:
        """How far in the past an expected day may lie."""
        return MOST_AGO if self.is_believed else LONG_PAST


def check_days(fact: Fact, dating: Dating | None = None) -> Impossibility | None:
    """The first thing about a fact's own days that cannot be true; None where nothing speaks against it. An ETA is held
    against the departure of its shipment when they are put together (`domain.lines.bookkeeping`), whichever is told
    first.

    Args:
        dating: what its days are held against; by itself the day on which it was said.
    """
    dating = dating or Dating(fact.said_at.date(), fact.received_at.date())
    if isinstance(fact, (Departed, Arrived, Inspected, Ordered, Cancelled)):
        if fact.day > dating.latest:
            return Impossibility("in_the_future", fact.day, _nearest_before(fact.day, dating.said_on + CLOCKS_APART))
        if dating.past_from - fact.day > MOST_AGO:
            return Impossibility("too_long_ago", fact.day, _nearest_before(fact.day, dating.past_from))
    if isinstance(fact, Departed) and fact.eta is not None:
        return _check_expected(fact.eta, dating, fact.day)
    if isinstance(fact, Stated):
        return _check_expected(fact.day, dating, None)
    return None


def _check_expected(day: date, dating: Dating, departed_on: date | None) -> Impossibility | None:
    said_on = dating.said_on
    if departed_on is not None and day < departed_on:
        return Impossibility("eta_before_departure", day, nearest_after(day, departed_on))
    if day - said_on > MOST_AHEAD:
        return Impossibility("too_far_ahead", day, nearest_after(day, said_on))
    if said_on - day > dating.longest_past:
        return Impossibility("eta_long_past", day, nearest_after(day, said_on))
    return None


def correct_day(fact: AnyFact, found: Impossibility) -> AnyFact | None:
    """The fact with the day that was probably meant; None where no other year makes it possible. Where a departure was
    told with the wrong year, its expected arrival was too: it moves by the same years."""
    if found.probably is None:
        return None
    if isinstance(fact, Departed) and fact.eta is not None:
        if fact.day == found.day and timedelta() <= fact.eta - fact.day < LONGEST_ON_ITS_WAY:
            fact = replace(fact, eta=_in_year(fact.eta, fact.eta.year + found.probably.year - found.day.year))
        elif fact.eta == found.day:
            fact = replace(fact, eta=found.probably)
    return replace(fact, day=found.probably) if fact.day == found.day else fact


def _nearest_before(day: date, limit: date) -> date | None:
    """The same day of the last year in which it is no later than the limit."""
    return next((moved for year in (limit.year, limit.year - 1) if (moved := _in_year(day, year)) <= limit), None)


def nearest_after(day: date, limit: date) -> date | None:
    """The same day of the first year in which it is no earlier than the limit."""
    return next((moved for year in (limit.year, limit.year + 1) if (moved := _in_year(day, year)) >= limit), None)


def _in_year(day: date, year: int) -> date:
    return day.replace(year=year, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=year)
