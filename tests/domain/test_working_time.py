"""Working time, as properties and at the edges: nights, weekends, changes of the clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.buildings import WEEKDAYS
from domain.policy import QuietHours
from domain.working_time import add_working_time

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = WEEKDAYS[:5]
NIGHT = QuietHours(start="19:00", end="07:00")

moments = st.timedeltas(timedelta(0), timedelta(days=1500)).map(lambda after: datetime(2024, 1, 1, tzinfo=UTC) + after)
durations = st.timedeltas(timedelta(0), timedelta(hours=60))


def local(day: int, hour: int, minute: int = 0, month: int = 2) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        (local(23, 9), 4, local(23, 13)),
        (local(23, 17), 4, local(24, 9)),  # over the night
        (local(27, 17), 4, local(27 - 27 + 2, 9, month=3)),  # Friday evening: Monday morning
        (local(24, 3), 0, local(24, 7)),  # not at three in the morning
        (local(28, 12), 1, local(2, 8, month=3)),  # raised on a Saturday
        (local(23, 9), 24, local(25, 9)),  # twelve hours a working day
    ],
)
def test_hours_are_counted_on_working_days_outside_the_night(start: datetime, hours: int, end: datetime) -> None:
    assert add_working_time(start, timedelta(hours=hours), BERLIN, WEEK, NIGHT) == end.astimezone(UTC)


def test_without_quiet_hours_whole_working_days_count() -> None:
    assert add_working_time(local(27, 20), timedelta(hours=5), BERLIN, WEEK, None) == local(2, 1, month=3)


def test_quiet_hours_within_the_day_split_it() -> None:
    siesta = QuietHours(start="12:00", end="14:00")
    assert add_working_time(local(23, 11), timedelta(hours=2), BERLIN, WEEK, siesta) == local(23, 15)


def test_a_change_of_the_clocks_neither_adds_nor_loses_an_hour() -> None:
    # Clocks go forward on Sunday 29 March 2026; every day of the week counts here.
    start = datetime(2026, 3, 28, 23, 0, tzinfo=BERLIN)
    end = add_working_time(start, timedelta(hours=5), BERLIN, WEEKDAYS, None)
    assert end - start == timedelta(hours=5)
    assert end.astimezone(BERLIN).hour == 5


def test_quiet_hours_that_leave_nothing_are_an_error() -> None:
    with pytest.raises(ValueError, match="whole day"):
        QuietHours(start="08:00", end="08:00")


@given(moments, durations, st.sets(st.sampled_from(WEEKDAYS), min_size=1))
def test_it_never_ends_in_the_night_or_on_a_free_day(start: datetime, hours: timedelta, week: set[str]) -> None:
    end = add_working_time(start, hours, BERLIN, sorted(week), NIGHT).astimezone(BERLIN)
    assert 7 <= end.hour < 19
    assert WEEKDAYS[end.weekday()] in week
    assert end >= start + hours


@given(moments, durations, durations)
def test_more_time_never_ends_earlier_and_parts_add_up(start: datetime, one: timedelta, two: timedelta) -> None:
    whole = add_working_time(start, one + two, BERLIN, WEEK, NIGHT)
    half = add_working_time(start, one, BERLIN, WEEK, NIGHT)
    assert half <= whole
    assert add_working_time(half, two, BERLIN, WEEK, NIGHT) == whole
