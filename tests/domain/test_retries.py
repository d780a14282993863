"""When something is tried again: the pauses, and how long it takes until it is given up."""

import pytest

from domain.retries import RetrySchedule
from runtime.settings import Settings

MINUTE, HOUR, DAY = 60, 3600, 86400
LONG_WEEKEND = 4 * DAY
"""From Thursday evening before Easter to Tuesday morning, less a night."""


def _add_pauses(schedule: RetrySchedule) -> float:
    """Seconds from the first failure to the last one, where every attempt fails at once."""
    return sum(schedule.pause_s(failures) for failures in range(1, schedule.attempts))


def test_pauses_double_up_to_the_longest_one() -> None:
    schedule = RetrySchedule(first_pause_s=10, longest_pause_s=60, attempts=6)
    assert [schedule.pause_s(failures) for failures in range(1, 6)] == [10, 20, 40, 60, 60]
    assert _add_pauses(schedule) == 190
    assert [failures for failures in range(1, 8) if schedule.is_over(failures)] == [6, 7]


def test_a_pause_after_any_number_of_failures_is_a_number() -> None:
    assert RetrySchedule(1, 1800, 10**6).pause_s(10**6) == 1800


@pytest.mark.parametrize(
    ("schedule", "at_least", "at_most"),
    [
        # A deployment with a bug is taken back within minutes; the building's next events wait no longer for it.
        (Settings().failure_schedule, 5 * MINUTE, 15 * MINUTE),
        # A network or a disk that fails at night is repaired in the morning.
        (Settings().outage_schedule, 16 * HOUR, 2 * DAY),
        # A mail server may be away for a long weekend; mail servers themselves try for four to five days.
        (Settings().delivery_schedule, LONG_WEEKEND, 7 * DAY),
    ],
)
def test_what_fails_is_given_up_after_as_long_as_its_cause_may_last(
    schedule: RetrySchedule, at_least: float, at_most: float
) -> None:
    shortest, longest = 0.8 * _add_pauses(schedule), 1.2 * _add_pauses(schedule)
    assert at_least <= shortest
    assert longest <= at_most


def test_no_pause_is_so_long_that_a_repair_goes_unnoticed() -> None:
    settings = Settings()
    assert settings.outage_schedule.pause_s(1000) <= HOUR / 2
    assert settings.delivery_schedule.pause_s(1000) <= HOUR
