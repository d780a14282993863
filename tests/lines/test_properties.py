"""What must hold of every line, whatever is said about it and in which order (truth of a line)."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.lines.bookkeeping import keep_account
from domain.lines.facts import Arrived, Departed, Fact, Inspected
from domain.lines.lots import LotState
from tests.lines.histories import facts

NEEDED = Decimal(10)
MANY = settings(max_examples=600, deadline=None)


@MANY
@given(facts())
def test_quantities_are_conserved(history: list[Fact]) -> None:
    for end in range(len(history) + 1):
        account = keep_account(NEEDED, "pcs", history[:end])
        assert all(lot.quantity >= 0 for lot in account.lots)
        for order in account.orders:
            lots = sum((lot.quantity for lot in account.lots if lot.order == order.number), Decimal(0))
            assert lots == order.all_lots, order


@MANY
@given(facts())
def test_no_line_is_released_too_early(history: list[Fact]) -> None:
    account = keep_account(NEEDED, "pcs", history)
    if account.is_released:
        assert account.quantity(LotState.ACCEPTED) >= NEEDED
        assert not account.quantity(LotState.ON_SITE, LotState.IN_REPAIR)
        assert all(ncr.undecided == 0 for ncr in account.ncrs)


@MANY
@given(facts(), st.randoms(use_true_random=False))
def test_the_order_in_which_facts_come_in_does_not_matter(history: list[Fact], random) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)
    assert keep_account(NEEDED, "pcs", shuffled) == keep_account(NEEDED, "pcs", history)


@MANY
@given(facts(), st.data())
def test_a_fact_told_again_by_another_system_changes_nothing(history: list[Fact], data: st.DataObject) -> None:
    reports = [fact for fact in history if isinstance(fact, (Departed, Arrived, Inspected))]
    if not reports:
        return
    report = data.draw(st.sampled_from(reports))
    later = max(fact.received_at for fact in history) + timedelta(days=1)
    again = replace(report, source="mailbox", event_id="again", received_at=later)
    if data.draw(st.booleans()):
        again = replace(again, shipment_id=None)
    before, after = keep_account(NEEDED, "pcs", history), keep_account(NEEDED, "pcs", [*history, again])
    assert (after.lots, after.orders, after.ncrs) == (before.lots, before.orders, before.ncrs)
