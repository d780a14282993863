"""What is shown of a line adds up, whatever was said about it, and is said in a few plain words."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.lines.account import Account
from domain.lines.facts import Fact, Ordered, Stated
from domain.lines.lots import LotState
from domain.lines.projection import account_of, facts_of, project
from domain.lines.shown import account_shown, complete_file, list_facts, list_lots, list_ncrs, list_statements
from domain.lines.statements import expect_arrivals
from domain.lines.stored import fact_row
from domain.lines.words import describe_ncr, describe_promises, describe_quantities
from domain.procurement import Item, LineAccount, LineFile, OrderLine, PurchaseOrder
from tests.lines.histories import days, facts, told

FEW = settings(max_examples=60, deadline=None)


def file_of(history: list[Fact]) -> LineFile:
    """The file of a line of ten pieces about which this was said."""
    orders = [fact for fact in history if isinstance(fact, Ordered)]
    file = LineFile(
        item=Item(
            item_id="pumps", name="Pumps", quantity=Decimal(10), unit="pcs", currency="USD", account=LineAccount()
        ),
        orders=[PurchaseOrder(number=str(one.order), currency="USD", issued_on=one.day) for one in orders],
        order_lines=[
            OrderLine(number=str(one.order), line=1, item_id="pumps", round=number, quantity=one.quantity)
            for number, one in enumerate(orders, start=1)
        ],
        facts=[
            fact_row(fact, "pumps", str(number), number)
            for number, fact in enumerate(history)
            if not isinstance(fact, Ordered)
        ],
    )
    return project(file, 1)


@FEW
@given(facts())
def test_the_lots_that_are_shown_add_up_to_the_quantities_of_the_line(history: list[Fact]) -> None:
    file = file_of(history)
    shown = account_shown(file.item).quantities
    lots = list_lots(file)
    assert len({lot.lot_id for lot in lots}) == len(lots)
    for state in LotState:
        assert sum((lot.quantity or Decimal(0) for lot in lots if lot.state == state), Decimal(0)) == shown[str(state)]
    if not any(isinstance(fact, Ordered) for fact in history):
        assert shown["ordered"] == 0


@FEW
@given(facts())
def test_every_ncr_names_a_lot_that_is_shown(history: list[Fact]) -> None:
    file = file_of(history)
    lots = {lot.lot_id for lot in list_lots(file)}
    for ncr in list_ncrs(file):
        assert ncr.lot_id in lots
        assert (ncr.status == "open") == (ncr.undecided > 0)


@FEW
@given(facts())
def test_every_fact_is_shown_and_every_doubt_says_why(history: list[Fact]) -> None:
    file = file_of(history)
    shown = {f"{one.source}:{one.event_id}": one for one in list_facts(file)}
    assert set(shown) == {fact.key for fact in history if not isinstance(fact, Ordered)}
    account: Account = account_of(file)
    for doubt in account.doubts:
        assert shown[doubt.fact].effect == "doubted"
    for one in shown.values():
        assert (one.why is None) == (one.effect == "counts")


@st.composite
def sayings(draw: st.DrawFn) -> list[Fact]:
    """Promises and ETAs, of all that is to come or of one order or shipment, some of them of a part."""
    found: list[Fact] = []
    for number in range(50, 50 + draw(st.integers(0, 6))):
        said = told(number, draw(days))
        common = {**said, "source": "portal", "day": date(2026, 5, 1) + timedelta(days=number)}
        quantity = draw(st.sampled_from([None, None, Decimal(2), Decimal(4)]))
        if draw(st.booleans()):
            order = draw(st.sampled_from(["PO-0", "PO-1"]))
            found.append(Stated(**common, kind="promise", order=order, quantity=quantity))
        else:
            shipment = draw(st.sampled_from([None, "S1", "S2"]))
            found.append(Stated(**common, kind="eta", shipment_id=shipment, quantity=quantity))
    return found


@FEW
@given(facts(), sayings())
def test_the_days_by_which_goods_are_expected_are_those_of_statements_that_count(
    history: list[Fact], more: list[Fact]
) -> None:
    file = file_of([*history, *more])
    counting = {one.day for one in list_statements(file) if one.current}
    expected = expect_arrivals(account_of(file), facts_of(file), None)
    assert {part.on for part in expected if part.on} == counting
    coming = {lot.expected_on for lot in list_lots(file) if lot.state in ("ordered", "in_transit") and lot.expected_on}
    assert coming <= counting


def test_a_line_that_nothing_was_said_of_is_shown_as_its_projection_has_it() -> None:
    item = Item(
        item_id="pumps",
        name="Pumps",
        quantity=Decimal(10),
        unit="pcs",
        currency="USD",
        required_by=date(2026, 3, 20),
        buffer_days=5,
    )
    assert account_shown(item) == account_shown(complete_file(LineFile(item=item)).item)


@pytest.mark.parametrize(
    ("quantities", "unit", "words"),
    [
        ({"needed": "10", "accepted": "6", "in_transit": "4"}, "pcs", "6 of 10 pcs accepted, 4 in transit"),
        ({"needed": "10", "accepted": "10.0"}, "pcs", "all 10 pcs accepted"),
        ({"needed": "10"}, "pcs", "10 pcs not ordered"),
        ({"needed": "10", "ordered": "6"}, None, "6 of 10 ordered, 4 not ordered"),
        ({"needed": "10", "accepted": "12"}, "pcs", "12 pcs accepted; 10 needed"),
        ({"needed": "10", "accepted": "8", "rejected": "2"}, "t", "8 of 10 t accepted, 2 rejected"),
        (
            {"needed": "10", "ordered": "2", "accepted": "8", "returned": "2"},
            "t",
            "8 of 10 t accepted, 2 ordered, 2 returned",
        ),
        # Goods that are weighed: what is missing is within the tolerance of 0.5 %.
        ({"needed": "10", "accepted": "9.96"}, "t", "9.96 of 10 t accepted"),
        ({"needed": "10", "accepted": "9.94"}, "t", "9.94 of 10 t accepted, 0.06 not ordered"),
        ({"needed": "0"}, "pcs", "nothing needed"),
    ],
)
def test_quantities_are_said_in_a_few_words(quantities: dict[str, str], unit: str | None, words: str) -> None:
    assert describe_quantities(quantities, unit) == words


def test_a_line_without_a_quantity_is_said_without_one() -> None:
    assert describe_quantities({"needed": "1", "in_transit": "1"}, None, has_quantity=False) == "in transit"
    assert describe_quantities({"needed": "1"}, None, has_quantity=False) == "not ordered"


def test_promises_and_ncrs_are_said_in_a_few_words() -> None:
    assert describe_promises("2026-03-10", date(2026, 3, 26)) == "first promised 10 March 2026, now 26 March 2026"
    assert describe_promises("2026-03-10", "2026-03-10") == "promised for 10 March 2026"
    assert describe_promises(None, None) is None
    assert (
        describe_ncr("NCR-7", "2.00", "pcs", ["leaks", "dents"])
        == "NCR-7: 2 pcs rejected and not decided (leaks; dents)"
    )
