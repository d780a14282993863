"""What a line was taken on with is told again: by the ERP, by the same list, by another line of the order."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.buildings import Building
from domain.line_states import LineState
from domain.lines.facts import Arrived, Departed, Fact, Inspected
from domain.lines.projection import project, with_facts
from domain.lines.stored import fact_row
from domain.procurement import Item, LineFile, OrderLine, PurchaseOrder
from domain.taking_on import Moment, NotPossibleError, OrderBook, TakenOn, take_on
from tests.adopting.half_bought import HalfBought, line, order

MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
BERLIN, LIMA, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Lima"), ZoneInfo("UTC")
BUILDING = Building(building_id="site", name="Site", thread_id="")


def item(item_id: str = "pumps", **more: Any) -> Item:
    fields: dict[str, Any] = {"quantity": Decimal(100), "vendor_id": "kent", "unit_price": Decimal(10)}
    return Item(item_id=item_id, name=item_id.title(), currency="EUR", unit="pcs", **(fields | more))


def take(file: LineFile | Item, *orders: Any, book: OrderBook | None = None, **more: Any) -> TakenOn:
    """The line with these orders, on the Monday morning or `now` in a `zone`."""
    now, zone = more.get("now", MORNING), more.get("zone", UTC_ZONE)
    moment = Moment(now.astimezone(zone).date(), now, zone, more.get("seq", 0))
    file = LineFile(item=file) if isinstance(file, Item) else file
    state = LineState.model_validate({"orders": list(orders)})
    known = OrderBook() if book is None else book
    return take_on(file, state, BUILDING, moment, book=known, vendors=("kent", "york"))


def quantities(file: LineFile) -> dict[str, Decimal]:
    found = file.item.account.quantities if file.item.account else {}
    return {name: value for name, value in found.items() if value and name not in ("needed", "open")}


LORRY = {
    "shipment_id": "L-1", "quantity": "50", "departed_on": "2026-02-02", "arrived_on": "2026-02-05",
    "accepted": "45", "rejected": "5", "ncr_number": "NCR-3", "inspected_on": "2026-02-06",
}  # fmt: skip


def history(zone: ZoneInfo, hour: int) -> list[Fact]:
    """The same lorry as the ERP tells it, each at this hour of its day."""

    def told(name: str, day: int) -> dict[str, Any]:
        said_at = datetime(2026, 2, day, hour, tzinfo=zone)
        common = {"day": date(2026, 2, day), "said_at": said_at, "received_at": MORNING, "source": "erp"}
        return common | {"event_id": name, "order": "1", "shipment_id": "L-1"}

    return [
        Departed(**told("d", 2), quantity=Decimal(50)),
        Arrived(**told("a", 5), quantity=Decimal(50)),
        Inspected(**told("i", 6), quantity=Decimal(45), passed=True),
        Inspected(**told("n", 6), quantity=Decimal(5), rejected=Decimal(5), passed=False, ncr_number="NCR-3"),
    ]


@pytest.mark.parametrize("zone", [BERLIN, UTC_ZONE, LIMA], ids=str)
@pytest.mark.parametrize("hour", [1, 12, 23])
def test_the_erp_tells_a_lorry_again_and_it_counts_once(zone: ZoneInfo, hour: int) -> None:
    file = take(item(), {"number": "1", "shipments": [LORRY]}, zone=zone).file
    for place, fact in enumerate(history(zone, hour)):
        file = with_facts(file, [fact_row(fact, "pumps", f"9{place}", 9)], 9)
    assert quantities(file) == {"accepted": Decimal(45), "rejected": Decimal(5), "ordered": Decimal(50)}
    assert not file.item.is_released


def test_an_order_is_received_when_all_of_its_lines_are() -> None:
    book, came = OrderBook(), {"number": "1", "shipments": [{"quantity": "100", "accepted": "100"}]}
    first = take(item("a"), came, book=book)
    assert (first.file.orders[0].status, first.file.order_lines[0].status) == ("received", "received")
    second = take(item("b"), {"number": "1"}, book=book)
    assert second.file.orders[0].status == "partially_received"
    third = take(item("c"), came, book=book)
    assert third.file.orders[0].status == "partially_received"
    assert [line.status for line in book.lines["1"]] == ["received", "issued", "received"]


def test_the_replacement_of_what_went_back_is_no_surplus() -> None:
    """A hundred were ordered, ten went back, ten came for them: with the quantity of the order or without it."""
    shipments = [
        {"quantity": "100", "arrived_on": "2026-02-02", "accepted": "90", "rejected": "10", "disposition": "return",
         "inspected_on": "2026-02-03"},
        {"quantity": "10", "arrived_on": "2026-02-20", "accepted": "10"},
    ]  # fmt: skip
    for told in ({"quantity": "100"}, {}):
        file = take(item(), {"number": "1", "shipments": shipments, **told}).file
        assert quantities(file)["accepted"] == Decimal(100)
        assert file.item.is_released
    too_many = [*shipments, {"quantity": "1", "accepted": "1"}]
    with pytest.raises(NotPossibleError, match=r"orders\.0\.shipments"):
        take(item(), {"number": "1", "shipments": too_many, "quantity": "100"})


def test_the_same_list_after_a_cancellation_changes_nothing() -> None:
    told = {"number": "1", "quantity": "100"}
    file = take(item(), told).file
    order = file.orders[0].model_copy(update={"status": "cancelled", "cancelled_on": date(2026, 3, 4)})
    cancelled = project(file.model_copy(update={"orders": [order]}), 5)
    assert take(cancelled, told, seq=6).rows == []
    with pytest.raises(NotPossibleError, match=r"orders\.0\.cancelled"):
        take(cancelled, told | {"cancelled": False}, seq=6)


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Europe/Berlin", "UTC", "Pacific/Honolulu"])
@pytest.mark.parametrize("hour", [0, 8, 13, 23])
def test_the_same_list_on_the_next_day_changes_nothing(zone: str, hour: int) -> None:
    """Also what was said on the very day, which is another day in UTC where the building stands far away."""
    now = datetime(2026, 3, 2, hour, tzinfo=ZoneInfo(zone))
    arrived = {"quantity": "5", "arrived_on": "2026-03-02"}
    told = {"number": "1", "promised_on": "2026-04-10", "said_on": "2026-03-02", "shipments": [arrived]}
    file = take(item(), told, now=now, zone=ZoneInfo(zone)).file
    for later in (timedelta(hours=1), timedelta(days=1), timedelta(days=30)):
        assert take(file, told, now=now + later, zone=ZoneInfo(zone), seq=7).rows == []


def test_a_line_that_was_cancelled_on_its_order_leaves_room_for_another() -> None:
    """The order stands for another item; this line of it was cancelled: another order has all of the line."""
    order = PurchaseOrder(number="P", status="issued", currency="EUR", issued_on=date(2026, 1, 5), caused_seq=1)
    line = OrderLine(number="P", line=1, item_id="pumps", round=1, quantity=Decimal(100))
    line = line.model_copy(update={"cancelled_on": date(2026, 2, 1), "cancelled_seq": 2})
    other = OrderLine(number="P", line=2, item_id="valves", round=1, quantity=Decimal(1))
    file = LineFile(item=item(round=1), orders=[order], order_lines=[line], other_order_lines=[other])
    made = take(project(file, 2), {"number": "Q"}, seq=3).file
    assert [(one.number, one.quantity) for one in made.order_lines] == [("P", Decimal(100)), ("Q", Decimal(100))]
    assert quantities(made)["ordered"] == Decimal(100)


def test_an_order_has_one_vendor_also_where_only_its_lines_say_which() -> None:
    book = OrderBook()
    take(item("a"), {"number": "1"}, book=book)
    with pytest.raises(NotPossibleError, match=r"orders\.0\.vendor_id"):
        take(item("b", vendor_id="york"), {"number": "1"}, book=book)


def test_an_order_of_an_odd_number_is_known_again_whatever_its_vendor_calls_it() -> None:
    file = take(item(), {"number": "45 00/17"}).file
    order = file.orders[0].model_copy(update={"external_ref": "X-9"})
    renamed = file.model_copy(update={"orders": [order]})
    assert take(renamed, {"number": "45 00/17"}, seq=6).rows == []


def test_a_day_of_an_order_that_one_line_says_holds_for_all_of_its_lines() -> None:
    told = [{"number": "1"}, {"number": "1", "ordered_on": "2026-01-12", "acknowledged_on": "2026-01-15"}]
    book = OrderBook()
    book.note(LineState.model_validate({"orders": [one]}) for one in told)
    for item_id, one in zip("ab", told, strict=True):
        account = take(item(item_id), one, book=book).file.item.account
        assert account is not None
        assert (account.ordered_on, account.acknowledged_on) == (date(2026, 1, 12), date(2026, 1, 15))


@pytest.mark.parametrize("spelt", ["PO-7", "po-7", "PO -7"])
def test_one_order_on_two_lines_is_one_however_it_is_spelt(spelt: str) -> None:
    book = OrderBook()
    take(item("a"), {"number": "PO-7"}, book=book)
    take(item("b"), {"number": spelt}, book=book)
    assert list(book.orders) == ["PO-7"]
    assert [line.line for line in book.lines["PO-7"]] == [1, 2]


def test_the_number_in_the_erp_of_an_order_of_ours_makes_no_second_order() -> None:
    ours = PurchaseOrder(number="PO-site-0001", currency="EUR", external_ref="4500017", caused_seq=1)
    with pytest.raises(NotPossibleError, match=r"orders\.0\.number"):
        take(item(), {"number": "4500017"}, book=OrderBook({ours.number: ours}))
    elsewhere = ours.model_copy(update={"placed_outside": True, "number": "outside-a"})
    made = take(item(), {"number": "4500017"}, book=OrderBook({elsewhere.number: elsewhere}))
    assert [order.number for order in made.file.orders] == ["outside-a"]


async def test_a_later_line_joins_the_order_on_file_however_it_is_spelt(half: HalfBought) -> None:
    await half.open(line(state={"orders": [order("PO-7/a")]}))
    await half.change(line("valves", state={"orders": [order("po-7/A")]}))
    orders = await half.orders()
    assert list(orders) == ["PO-7/a"]
    assert sorted(one["item"] for one in orders["PO-7/a"]["lines"]) == ["pumps", "valves"]


@pytest.mark.parametrize("known", [{}, {"arrived_on": "2026-02-01"}], ids=["undated", "dated"])
@pytest.mark.parametrize("sent", [{"departed_on": "2026-02-20"}, {"status": "in_transit"}], ids=["dated", "undated"])
def test_goods_went_back_before_their_replacement_set_out(known: Any, sent: Any) -> None:
    """Of sixty ten went back, nobody knows when; fifty are on the way, ten of them for those: a hundred in all."""
    returned = {"quantity": "60", "accepted": "50", "rejected": "10", "disposition": "return", **known}
    file = take(item(), {"number": "1", "shipments": [returned, {"quantity": "50", **sent}]}).file
    assert quantities(file) == {"accepted": Decimal(50), "returned": Decimal(10), "in_transit": Decimal(50)}


def test_what_is_on_the_way_and_has_no_room_on_its_order_is_refused() -> None:
    """The goods were inspected, and went back, after what is to replace them had left."""
    returned = {"quantity": "60", "accepted": "50", "rejected": "10", "disposition": "return"}
    shipments = [returned | {"inspected_on": "2026-02-25"}, {"quantity": "50", "departed_on": "2026-02-20"}]
    with pytest.raises(NotPossibleError, match=r"orders\.0\.shipments"):
        take(item(), {"number": "1", "shipments": shipments})
