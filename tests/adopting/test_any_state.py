"""Whatever somebody knows of a line, however incomplete: it adds up, releases nothing, and orders nothing."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.buildings import Building
from domain.line_states import LineState
from domain.lines.lots import LotState
from domain.lines.projection import account_of, changed_rows, project
from domain.outstanding import outstanding
from domain.procurement import Item, LineFile, Submittal
from domain.taking_on import Moment, NotPossibleError, OrderBook, TakenOn, take_on

TODAY = date(2026, 3, 2)
SOME = settings(max_examples=80, deadline=None)
BUILDING = Building(building_id="site", name="Site", thread_id="")

days = st.none() | st.integers(-60, 0).map(lambda n: (TODAY + timedelta(days=n)).isoformat())
ahead = st.none() | st.integers(-30, 90).map(lambda n: (TODAY + timedelta(days=n)).isoformat())
quantities = st.none() | st.integers(1, 60).map(str)


def known(**fields: Any) -> Any:
    """Some of these fields: what is None is left out."""
    return st.fixed_dictionaries(fields).map(lambda made: {k: v for k, v in made.items() if v is not None})


shipments = known(
    shipment_id=st.none() | st.sampled_from(["L1", "L2", "L3"]),
    quantity=quantities,
    status=st.none() | st.sampled_from(["expected", "in_transit", "received"]),
    departed_on=days,
    eta=ahead,
    arrived_on=days,
    accepted=quantities,
    rejected=quantities,
    disposition=st.none() | st.sampled_from(["use_as_is", "repair", "return", "scrap"]),
    inspected_on=days,
)
orders = known(
    number=st.sampled_from(["A", "B", "45 00/17"]),
    ordered_on=days,
    quantity=quantities,
    over=st.none() | st.integers(1, 20).map(str),
    unit_price=st.none() | st.just("12.50"),
    promised_on=ahead,
    said_on=days,
    cancelled=st.booleans(),
    shipments=st.lists(shipments, max_size=3),
)
states = known(
    submittal=st.none() | known(verdict=st.sampled_from(["approved", "rejected"]), on=days),
    orders=st.lists(orders, max_size=3),
)
lines = st.tuples(st.none() | st.integers(20, 100).map(Decimal), st.none() | st.just(date(2026, 6, 1)))


def taken(state: Any, line: Any, submittal: Submittal = Submittal.PENDING) -> TakenOn | None:
    """The line with this state; None where it is refused."""
    quantity, required_by = line
    item = Item(item_id="doors", name="Doors", currency="USD", quantity=quantity, required_by=required_by)
    item = item.model_copy(update={"submittal": submittal})
    moment = Moment(TODAY, datetime(2026, 3, 2, 8, tzinfo=UTC), ZoneInfo("UTC"), 0)
    try:
        told = LineState.model_validate(state)
        return take_on(LineFile(item=item), told, BUILDING, moment, book=OrderBook(), vendors=())
    except (ValidationError, NotPossibleError):
        return None


@SOME
@given(states, lines)
def test_quantities_add_up(state: Any, line: Any) -> None:
    made = taken(state, line)
    assume(made is not None)
    assert made is not None
    account = account_of(made.file)
    for order in account.orders:
        lots = [lot.quantity for lot in account.lots if lot.order == order.number]
        assert sum(lots, Decimal(0)) == order.all_lots
        assert min(lots, default=Decimal(0)) >= 0
    assert account.doubts == ()


@SOME
@given(states, lines)
def test_only_what_is_said_to_be_good_releases_a_line(state: Any, line: Any) -> None:
    made = taken(state, line)
    assume(made is not None)
    assert made is not None
    told = [one for order in state.get("orders", []) for one in order["shipments"]]
    good = sum((Decimal(one.get("accepted", 0)) for one in told), Decimal(0))
    good += sum((Decimal(one["rejected"]) for one in told if one.get("disposition") == "use_as_is"), Decimal(0))
    account = account_of(made.file)
    assert account.quantity(LotState.ACCEPTED) <= good
    assert made.file.item.is_released <= (good >= account.needed)


@SOME
@given(states, lines)
def test_nothing_is_ordered_and_nobody_is_written_to(state: Any, line: Any) -> None:
    made = taken(state, line)
    assume(made is not None)
    assert made is not None
    called_for = [one["name"] for need in outstanding(made.file, BUILDING) for one in need.actions]
    assert not {"issue_purchase_order", "reorder_item", "request_information", "schedule_inspection"} & set(called_for)
    first = date(2026, 3, 10)
    assert all(one.chase_on is None or one.chase_on >= first for one in made.file.milestones if one.met_on is None)
    assert all(order.placed_outside for order in made.file.orders)


@SOME
@given(states, lines)
def test_told_again_it_changes_nothing_and_projected_again_neither(state: Any, line: Any) -> None:
    made = taken(state, line)
    assume(made is not None)
    assert made is not None
    assume(made.rows)
    assert changed_rows(made.file, project(made.file, 0)) == []
    book = OrderBook({order.number: order for order in made.file.orders})
    moment = Moment(TODAY + timedelta(days=1), datetime(2026, 3, 3, 8, tzinfo=UTC), ZoneInfo("UTC"), 7)
    again = take_on(made.file, LineState.model_validate(state), BUILDING, moment, book=book, vendors=())
    assert [type(row).__name__ for row in again.rows] == []


@pytest.mark.parametrize("seed", range(3))
def test_most_states_that_are_made_up_here_are_refused_or_taken_for_a_reason(seed: int) -> None:
    """The properties above look at something: plain states are taken."""
    plain = {"orders": [{"number": "A", "shipments": [{"quantity": str(seed + 1), "status": "received"}]}]}
    assert taken(plain, (Decimal(20), None)) is not None
