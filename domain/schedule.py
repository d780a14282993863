"""Dates against the schedule: bands, working days, lateness. Days are local to the building."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

from domain.buildings import WEEKDAYS
from domain.plain_json import FactValue, JsonObject, PlainObject, object_in

Band = Literal["clear", "tight", "conflict"]
"""Where an expected arrival lies: before the buffer, within it, on or after the required day."""


def as_date(value: FactValue) -> date:
    """A day that was localised before: by now always a plain date."""
    if not isinstance(value, date):
        raise TypeError(f"{value!r} is not a day")
    return value


def band(expected: date | None, required_by: date | None, buffer_days: int) -> Band | None:
    """Where an expected arrival stands against the need; None when either date is unknown.

    `clear` leaves the whole buffer (calendar days), `tight` eats part of it, `conflict` is on or after the
    required day (api.md, "Schedule comparison").
    """
    if expected is None or required_by is None:
        return None
    if expected >= required_by:
        return "conflict"
    return "clear" if expected <= required_by - timedelta(days=buffer_days) else "tight"


def days_late(arrival: date | None, required_by: date | None) -> int | None:
    """Calendar days after the required day; 0 when in time; None when either is unknown."""
    if arrival is None or required_by is None:
        return None
    return max(0, (arrival - required_by).days)


def next_working_day(day: date, working_week: Sequence[str]) -> date:
    """The first working day of the site after `day`."""
    return add_working_days(day, 1, working_week)


def add_working_days(day: date, count: int, working_week: Sequence[str]) -> date:
    """`count` working days after `day`; the day itself does not count. `working_week` is never empty."""
    while count > 0:
        day += timedelta(days=1)
        if WEEKDAYS[day.weekday()] in working_week:
            count -= 1
    return day


def with_project_end(body: PlainObject, end: date) -> JsonObject:
    """The schedule as posted, with another project end."""
    return {**body, "project": {**object_in(body, "project"), "end_date": end.isoformat()}}
