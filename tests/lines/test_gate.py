"""Days that cannot be true are found on every fact, and the day that was probably meant is offered."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.lines.facts import Arrived, Departed, Fact, Inspected, Stated
from domain.lines.gate import check_days, correct_day

SAID = {"source": "erp", "event_id": "1"}


def fact(of: type[Fact], day: date, said: date, **fields: Any) -> Fact:
    moment = datetime(said.year, said.month, said.day, 9, tzinfo=UTC)
    return of(day=day, said_at=moment, received_at=moment, **SAID, **fields)


@pytest.mark.parametrize(
    ("told", "probably"),
    [
        (fact(Arrived, date(2062, 3, 10), date(2026, 3, 10)), date(2026, 3, 10)),
        (fact(Arrived, date(2027, 3, 9), date(2026, 3, 10)), date(2026, 3, 9)),
        (fact(Arrived, date(2027, 12, 30), date(2026, 1, 3)), date(2025, 12, 30)),
        (fact(Inspected, date(1926, 3, 10), date(2026, 3, 11), passed=True), date(2026, 3, 10)),
        (fact(Stated, date(2025, 3, 20), date(2026, 3, 1), kind="eta"), date(2026, 3, 20)),
        (fact(Stated, date(2062, 3, 20), date(2026, 3, 1), kind="promise"), date(2026, 3, 20)),
        (fact(Departed, date(2026, 12, 28), date(2026, 12, 29), eta=date(2026, 1, 5)), date(2027, 1, 5)),
    ],
)
def test_a_day_of_the_wrong_year_is_found_and_corrected(told: Fact, probably: date) -> None:
    found = check_days(told)
    assert found is not None
    assert found.probably == probably
    corrected = correct_day(told, found)
    assert corrected is not None
    assert check_days(corrected) is None


def test_an_eta_before_its_shipment_left_is_found() -> None:
    eta = fact(Stated, date(2026, 2, 20), date(2026, 3, 1), kind="eta")
    assert check_days(eta) is None
    found = check_days(eta, departed_on=date(2026, 2, 25))
    assert found is not None
    assert found.reason == "eta_before_departure"


@pytest.mark.parametrize(
    "told",
    [
        fact(Arrived, date(2026, 3, 11), date(2026, 3, 10)),
        fact(Arrived, date(2025, 3, 11), date(2026, 3, 10)),
        fact(Stated, date(2028, 3, 11), date(2026, 3, 10), kind="promise"),
        fact(Departed, date(2026, 3, 10), date(2026, 3, 10), eta=date(2026, 3, 10)),
    ],
)
def test_what_is_possible_passes(told: Fact) -> None:
    assert check_days(told) is None
