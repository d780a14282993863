"""Hours that count: those of working days, outside quiet hours, in the building's zone. Nobody is reminded at night."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.buildings import WEEKDAYS
from domain.policy import QuietHours

MOST_DAYS = 4000
"""How far ahead a moment is looked for: more than ten years."""


def add_working_time(
    start: datetime, duration: timedelta, zone: ZoneInfo, week: Sequence[str], quiet: QuietHours | None
) -> datetime:
    """The moment, in UTC, at which `duration` of working time after `start` has passed.

    Counted in real elapsed time, so that a change of the clocks neither adds nor loses an hour. With no duration
    left it is the next moment that counts. `week` is never empty.

    Where quiet hours leave no time at all, or so little that it lies further ahead, it is ten years after `start`.
    """
    left = duration
    for opens, closes in _open_hours(start, zone, week, quiet):
        begin = max(opens, start)
        if begin + left < closes:
            return begin + left
        left -= max(timedelta(0), closes - begin)
    return start + timedelta(days=MOST_DAYS)


def _open_hours(
    start: datetime, zone: ZoneInfo, week: Sequence[str], quiet: QuietHours | None
) -> Iterator[tuple[datetime, datetime]]:
    """The open stretches of working days from `start` on, in UTC; only those that are not over."""
    first = start.astimezone(zone).date()
    for number in range(MOST_DAYS):
        day = first + timedelta(days=number)
        if WEEKDAYS[day.weekday()] not in week:
            continue
        for begins, ends in _stretches(day, quiet):
            opens, closes = _moment(begins, zone), _moment(ends, zone)
            if closes > max(opens, start):
                yield opens, closes


def _stretches(day: date, quiet: QuietHours | None) -> list[tuple[datetime, datetime]]:
    """The local hours of a day that are not quiet; quiet hours may run over midnight or within the day."""
    midnight, next_midnight = datetime.combine(day, time()), datetime.combine(day + timedelta(days=1), time())
    if quiet is None:
        return [(midnight, next_midnight)]
    begins = datetime.combine(day, time.fromisoformat(quiet.start))
    ends = datetime.combine(day, time.fromisoformat(quiet.end))
    if begins < ends:
        return [(midnight, begins), (ends, next_midnight)]
    return [(ends, begins)]


def _moment(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)
