"""The properties that every line must have, as checks of one history (tests/lines/test_properties.py says which)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from domain.lines.account import Account
from domain.lines.bookkeeping import keep_account
from domain.lines.facts import Arrived, Departed, Fact, Inspected
from domain.lines.lots import LotState

NEEDED = Decimal(10)


def account_of(history: Sequence[Fact]) -> Account:
    return keep_account(NEEDED, Decimal(0), history)


def check_conservation(history: Sequence[Fact]) -> None:
    """At every position the lots of an order line are what was ordered, came beyond it or is owed again."""
    for end in range(len(history) + 1):
        account = account_of(history[:end])
        assert all(lot.quantity >= 0 for lot in account.lots)
        for order in account.orders:
            lots = sum((lot.quantity for lot in account.lots if lot.order == order.number), Decimal(0))
            assert lots == order.all_lots, order


def check_release(history: Sequence[Fact]) -> None:
    """A released line has all it needs accepted, nothing without a verdict, and no open nonconformance."""
    account = account_of(history)
    if account.is_released:
        assert account.quantity(LotState.ACCEPTED) >= NEEDED
        assert not account.quantity(LotState.ON_SITE, LotState.IN_REPAIR)
        rejected = {lot.ncr: lot.quantity for lot in account.lots if lot.state == LotState.REJECTED}
        assert not rejected, rejected


def check_order_of_arrival(history: Sequence[Fact], shuffled: Sequence[Fact]) -> None:
    """Facts that come in in another order end in the same account."""
    assert account_of(shuffled) == account_of(history)


def check_told_again(history: Sequence[Fact], report: Fact, *, with_id: bool) -> None:
    """A fact that another system tells again, later, with or without its id, changes nothing."""
    later = max(fact.received_at for fact in history) + timedelta(days=1)
    again = replace(report, source="mailbox", event_id="again", received_at=later)
    if not with_id:
        again = replace(again, shipment_id=None)
    before, after = account_of(history), account_of([*history, again])
    assert (after.lots, after.orders, after.ncrs) == (before.lots, before.orders, before.ncrs)


def reports_of(history: Sequence[Fact]) -> list[Fact]:
    """What other systems may tell again."""
    return [fact for fact in history if isinstance(fact, (Departed, Arrived, Inspected))]
