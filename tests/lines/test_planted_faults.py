"""The properties find faults: each is broken on purpose, and some history shows it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from domain.lines import bookkeeping, sameness
from domain.lines.account import Account
from domain.lines.facts import Fact
from domain.lines.lots import Change, Stock, Where
from tests.lines.histories import facts
from tests.lines.properties import (
    check_conservation,
    check_order_of_arrival,
    check_release,
    check_told_again,
    reports_of,
)

SOME = settings(
    max_examples=2000, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None
)


def finds(check: Callable[[list[Fact]], None]) -> bool:
    """Whether some history breaks the property."""

    @SOME
    @given(facts())
    def holds(history: list[Fact]) -> None:
        check(history)

    try:
        holds()
    except AssertionError:
        return True
    return False


def test_goods_that_are_lost_in_a_move_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    move = Stock.move

    def loses(stock: Stock, where: Where, change: Change, most: Any = None) -> Any:
        moved = move(stock, where, change, most)
        if change.state == "on_site":
            stock.lots = [lot for lot in stock.lots if lot.state != "on_site"]
        return moved

    monkeypatch.setattr(Stock, "move", loses)
    assert finds(check_conservation)


def test_a_release_in_spite_of_an_open_nonconformance_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Account, "is_released", property(lambda account: account.is_complete))
    assert finds(check_release)


def test_an_account_that_depends_on_the_order_of_arrival_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bookkeeping._Bookkeeper, "_sort", lambda _, steps: steps)
    assert finds(lambda history: check_order_of_arrival(history, history[::-1]))


def test_reports_that_are_counted_twice_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sameness, "_compare_senders", lambda _claim, _report: "another")

    def check(history: list[Fact]) -> None:
        for report in reports_of(history)[:3]:
            check_told_again(history, report, with_id=False)

    assert finds(check)
