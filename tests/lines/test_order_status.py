"""The status of an order follows from all of its lines, in whichever order their reports come in."""

import itertools
from decimal import Decimal

import pytest

from domain.lines.projection import project, with_facts
from domain.procurement import FactDetails, FactRow, Item, LineFile, OrderLine, PurchaseOrder
from tests.lines.histories import FIRST_DAY, told

ITEMS = ("pumps", "valves")


def file_of(item_id: str, order: PurchaseOrder, lines: dict[str, OrderLine], facts: list[FactRow]) -> LineFile:
    """A line of ten pieces on an order with two lines."""
    item = Item(item_id=item_id, name=item_id, quantity=Decimal(10), unit="pcs", currency="USD")
    others = [line for other, line in lines.items() if other != item_id]
    line = lines[item_id]
    return project(LineFile(item=item, orders=[order], order_lines=[line], other_order_lines=others, facts=facts), 1)


def fact(item_id: str, number: int, what: str) -> FactRow:
    """`promise`, or an arrival of so much."""
    is_promise = what == "promise"
    return FactRow(
        item_id=item_id,
        fact_id=str(number),
        kind="stated" if is_promise else "arrived",
        source="gate",
        order="PO-1",
        quantity=None if is_promise else Decimal(what),
        details=FactDetails(kind="promise") if is_promise else FactDetails(),
        caused_seq=number,
        **told(number, FIRST_DAY),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("reports", "status"),
    [
        ([], "issued"),
        ([("pumps", "promise")], "issued"),
        ([("pumps", "promise"), ("valves", "promise")], "acknowledged"),
        ([("pumps", "4")], "partially_received"),
        ([("pumps", "10")], "partially_received"),
        ([("pumps", "10"), ("valves", "promise")], "partially_received"),
        ([("pumps", "10"), ("valves", "9")], "partially_received"),
        ([("pumps", "10"), ("valves", "10")], "received"),
        ([("pumps", "4"), ("valves", "10"), ("pumps", "6")], "received"),
    ],
)
def test_an_order_is_as_far_as_its_lines(reports: list[tuple[str, str]], status: str) -> None:
    numbered = list(enumerate(reports, start=2))
    for permuted in itertools.permutations(numbered):
        order, facts = PurchaseOrder(number="PO-1", currency="USD", issued_on=FIRST_DAY), dict[str, list[FactRow]]()
        lines = {
            item_id: OrderLine(number="PO-1", line=number, item_id=item_id, round=1, quantity=Decimal(10))
            for number, item_id in enumerate(ITEMS, start=1)
        }
        for item_id in ITEMS:
            lines[item_id] = file_of(item_id, order, lines, []).order_lines[0]
        for number, (item_id, what) in permuted:
            known = file_of(item_id, order, lines, facts.get(item_id, []))
            row = fact(item_id, number, what)
            facts[item_id] = [*known.facts, row]
            made = with_facts(known, [row], number)
            order, lines[item_id] = made.orders[0], made.order_lines[0]
        assert order.status == status
