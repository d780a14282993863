"""Days that cannot be true are found on every fact, and the day that was probably meant is offered."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.lines.bookkeeping import keep_account
from domain.lines.facts import Arrived, Departed, Fact, Inspected, Ordered, Stated
from domain.lines.gate import Dating, check_days, correct_day
from domain.lines.statements import expect_arrivals

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


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ((date(2027, 2, 5), date(2027, 2, 20)), (date(2026, 2, 5), date(2026, 2, 20))),
        ((date(2023, 2, 5), date(2023, 2, 20)), (date(2026, 2, 5), date(2026, 2, 20))),
        ((date(2027, 2, 5), date(2026, 2, 20)), (date(2026, 2, 5), date(2026, 2, 20))),
        ((date(2023, 2, 5), date(2026, 2, 20)), (date(2026, 2, 5), date(2026, 2, 20))),
        ((date(2026, 12, 28), date(2027, 1, 5)), (date(2025, 12, 28), date(2026, 1, 5))),
        ((date(2027, 2, 5), None), (date(2026, 2, 5), None)),
    ],
    ids=[
        "both a year late",
        "both years ago",
        "the arrival is right",
        "only the departure",
        "over new year",
        "no arrival",
    ],
)
def test_an_arrival_told_with_a_departure_of_the_wrong_year_moves_with_it(
    told: tuple[date, date | None], meant: tuple[date, date | None]
) -> None:
    departed = fact(Departed, told[0], date(2026, 2, 6), eta=told[1])
    found = check_days(departed)
    assert found is not None
    corrected = correct_day(departed, found)
    assert isinstance(corrected, Departed)
    assert (corrected.day, corrected.eta) == meant
    assert check_days(corrected) is None


ORDER = fact(Ordered, date(2026, 2, 1), date(2026, 2, 1), order="PO-1", quantity=Decimal(10))
LEFT = fact(Departed, date(2026, 2, 25), date(2026, 2, 25), shipment_id="S1", eta=date(2026, 3, 20))
HERE = fact(Arrived, date(2026, 3, 3), date(2026, 3, 3), shipment_id="S1")


@pytest.mark.parametrize(
    ("eta", "said", "names", "others", "is_doubted"),
    [
        pytest.param(date(2026, 2, 20), date(2026, 3, 1), "S1", [LEFT], True, id="before it left"),
        pytest.param(date(2026, 2, 20), date(2026, 3, 1), None, [LEFT], True, id="of all that is under way"),
        pytest.param(date(2026, 2, 25), date(2026, 3, 1), "S1", [LEFT], False, id="the day on which it left"),
        pytest.param(date(2026, 2, 20), date(2026, 2, 10), "S1", [LEFT], False, id="overtaken by a late departure"),
        pytest.param(date(2026, 2, 20), date(2026, 3, 1), "S2", [LEFT], False, id="of another shipment"),
        pytest.param(date(2026, 2, 20), date(2026, 3, 1), "S1", [LEFT, HERE], False, id="it has arrived since"),
    ],
)
def test_an_eta_before_its_departure_is_doubted_whichever_is_told_first(
    eta: date, said: date, names: str | None, others: list[Fact], *, is_doubted: bool
) -> None:
    told = replace(fact(Stated, eta, said, kind="eta", shipment_id=names), event_id="eta")
    for history in ([ORDER, told, *others], [ORDER, *others, told]):
        account = keep_account(Decimal(10), Decimal(0), history)
        doubts = [one for one in account.doubts if one.reason == "eta_before_departure"]
        assert [one.fact for one in doubts] == (["erp:eta"] if is_doubted else [])
        if is_doubted:
            assert eta not in [part.on for part in expect_arrivals(account, history, None)]


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


@pytest.mark.parametrize(
    ("eta", "needed_on", "is_slip"),
    [
        (date(2026, 6, 16), date(2027, 7, 5), True),
        (date(2027, 5, 2), date(2027, 7, 5), False),
        (date(2026, 6, 16), date(2026, 7, 1), False),
        (date(2026, 6, 16), None, False),
        (date(2025, 4, 1), date(2026, 7, 1), True),
    ],
    ids=["the year that is over", "ten days late", "a line of last year told later", "no need known", "years ago"],
)
def test_an_undated_eta_of_a_line_that_is_still_needed_is_not_of_last_year(
    eta: date, needed_on: date | None, is_slip: bool
) -> None:
    heard_on = date(2027, 5, 12)
    told = fact(Stated, eta, heard_on, kind="eta")
    found = check_days(told, Dating(heard_on, heard_on, is_dated=False, needed_on=needed_on))
    assert (found is not None) == is_slip
    if found is not None and needed_on == date(2027, 7, 5):
        assert found.probably == date(2027, 6, 16)
