"""What a line's facts cost: twice the facts take about twice the work, however many parts the line comes in. The work
is counted in calls, so that the machine does not decide."""

import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from domain.lines.facts import Arrived, Departed, Fact, Inspected
from domain.lines.projection import project
from domain.lines.stored import fact_row
from domain.lines.taking_in import Report, Said, take_in
from domain.procurement import Commercial, Item, LineAccount, LineFile, OrderLine, PurchaseOrder

FIRST = date(2026, 3, 1)
MORNING = datetime(2026, 6, 20, 8, tzinfo=UTC)


def said(number: int) -> Said:
    at = MORNING + timedelta(seconds=number)
    return {"said_at": at, "received_at": at, "source": "gate", "event_id": f"e{number}"}


def deliveries(count: int, *, named: bool, judged: bool) -> list[Fact]:
    """So many trucks that left and came, one after the other."""
    facts: list[Fact] = []
    for number in range(count):
        day = FIRST + timedelta(days=number % 28)
        shipment = f"S{number}" if named else None
        # Without names, trucks of one day are told apart by what is on them.
        quantity = Decimal(1) if named else 1 + Decimal(number) / 1000
        common = {"shipment_id": shipment, "quantity": quantity}
        facts.append(Departed(**said(len(facts)), **common, day=day, eta=day + timedelta(days=5)))
        facts.append(Arrived(**said(len(facts)), **common, day=day + timedelta(days=5)))
        if judged:
            fails = number % 10 == 0
            ncr = f"NCR-{number}" if fails else None
            checked = day + timedelta(days=6)
            facts.append(Inspected(**said(len(facts)), **common, day=checked, passed=not fails, ncr_number=ncr))
    return facts


def line(facts: list[Fact]) -> LineFile:
    item = Item(
        item_id="beam",
        name="Beam",
        quantity=Decimal(len(facts)),
        unit="pcs",
        currency="USD",
        commercial=Commercial.ORDERED,
        round=1,
        account=LineAccount(),
    )
    order = PurchaseOrder(
        number="PO-1", vendor_id="v", currency="USD", total=Decimal(1), status="issued", issued_on=date(2026, 2, 1)
    )
    ordered = OrderLine(number="PO-1", line=1, item_id="beam", round=1, quantity=item.quantity)
    rows = [fact_row(fact, "beam", str(number), number) for number, fact in enumerate(facts)]
    return project(LineFile(item=item, orders=[order], order_lines=[ordered], facts=rows), 1)


def work_of_one_more(facts: list[Fact]) -> int:
    """Calls of functions while a further arrival is taken in."""
    file, last = line(facts), said(10_000)
    arrival = Arrived(**last, day=date(2026, 6, 19), shipment_id="last", quantity=Decimal(1))
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        take_in(file, arrival, Report(**last, seq=10_000, body={}), "it arrived")
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("named", [True, False], ids=["named", "without names"])
@pytest.mark.parametrize("judged", [True, False], ids=["judged", "not judged"])
def test_one_more_arrival_on_a_line_of_twice_the_deliveries_is_twice_the_work(named: bool, judged: bool) -> None:
    few, many = (work_of_one_more(deliveries(count, named=named, judged=judged)) for count in (60, 120))
    assert many / few < 2.5, (few, many)
