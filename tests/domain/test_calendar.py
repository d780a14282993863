"""Bands and working days, as properties."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.buildings import WEEKDAYS
from domain.schedule import add_working_days, band, days_late, next_working_day

days = st.dates(date(2020, 1, 1), date(2040, 1, 1))
weeks = st.sets(st.sampled_from(WEEKDAYS), min_size=1)


@given(days, days, st.integers(0, 60))
def test_on_or_after_the_required_day_is_a_conflict_and_before_it_never_is(eta: date, need: date, buffer: int) -> None:
    assert (band(eta, need, buffer) == "conflict") == (eta >= need)


@given(days, st.integers(1, 60), st.integers(0, 90))
def test_the_whole_buffer_left_is_clear_and_part_of_it_is_tight(need: date, buffer: int, early: int) -> None:
    eta = need - timedelta(days=early)
    expected = "conflict" if early == 0 else "clear" if early >= buffer else "tight"
    assert band(eta, need, buffer) == expected


@given(days, st.integers(0, 60))
def test_an_unknown_date_has_no_band(day: date, buffer: int) -> None:
    assert band(None, day, buffer) is None
    assert band(day, None, buffer) is None


@given(days, st.integers(1, 30), weeks)
def test_working_days_end_on_a_working_day_and_count_each_once(day: date, count: int, week: set[str]) -> None:
    end = add_working_days(day, count, sorted(week))
    between = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert WEEKDAYS[end.weekday()] in week
    assert sum(WEEKDAYS[one.weekday()] in week for one in between) == count


def test_the_next_working_day_after_a_friday_is_monday() -> None:
    assert next_working_day(date(2026, 2, 13), WEEKDAYS[:5]) == date(2026, 2, 16)


@given(days, days)
def test_lateness_is_counted_in_calendar_days_and_never_negative(arrival: date, need: date) -> None:
    assert days_late(arrival, need) == max(0, (arrival - need).days)
