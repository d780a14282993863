"""Situations of the trade, each with the outcome that a procurement manager would write down."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.lines.account import Account
from domain.lines.bookkeeping import keep_account
from domain.lines.coverage import Need, cover_needs
from domain.lines.facts import Arrived, Cancelled, Departed, Disposed, Fact, Inspected, Ordered, Stated
from domain.lines.lots import LotState
from domain.lines.quantities import share_of
from domain.lines.statements import expect_arrivals


class Line:
    """A line of `needed` pieces to which things happen on days of March 2026."""

    def __init__(self, needed: str | None = "10", unit: str = "pcs", ordered: str | None = "10") -> None:
        self.needed, self.unit = None if needed is None else Decimal(needed), unit
        self.facts: list[Fact] = []
        if ordered is not None:
            self.order(1, ordered)

    def _add(self, fact: type[Fact], march: int, source: str = "erp", **fields: Any) -> None:
        day = date(2026, 2, 28) + timedelta(days=march)
        number = len(self.facts)
        said = datetime(day.year, day.month, day.day, 9, number % 60, tzinfo=UTC)
        for name in ("quantity", "rejected"):
            if isinstance(fields.get(name), str):
                fields[name] = Decimal(fields[name])
        told = {"day": day, "said_at": said, "received_at": said, "source": source, "event_id": f"e{number}", **fields}
        self.facts.append(fact(**told))

    def order(self, march: int, quantity: str | None, number: str = "PO-1") -> None:
        self._add(Ordered, march, "longlead", order=number, quantity=quantity)

    def cancel(self, march: int, number: str = "PO-1") -> None:
        self._add(Cancelled, march, "longlead", order=number)

    def depart(self, march: int, shipment: str | None = None, quantity: str | None = None, **fields: Any) -> None:
        self._add(Departed, march, shipment_id=shipment, quantity=quantity, **fields)

    def arrive(self, march: int, shipment: str | None = None, quantity: str | None = None, **fields: Any) -> None:
        self._add(Arrived, march, shipment_id=shipment, quantity=quantity, **fields)

    def passes(self, march: int, shipment: str | None = None, quantity: str | None = None, **fields: Any) -> None:
        self._add(Inspected, march, passed=True, shipment_id=shipment, quantity=quantity, **fields)

    def fails(self, march: int, ncr: str, rejected: str | None = None, **fields: Any) -> None:
        self._add(Inspected, march, passed=False, ncr_number=ncr, rejected=rejected, **fields)

    def decide(self, march: int, ncr: str, handling: str, **fields: Any) -> None:
        self._add(Disposed, march, "longlead", ncr=ncr, handling=handling, **fields)

    def state(self, march: int, said: int, kind: str = "promise", **fields: Any) -> None:
        """On `said` somebody says: on day `march`."""
        said_at = datetime(2026, 2, 28, 9, tzinfo=UTC) + timedelta(days=said)
        self._add(Stated, march, kind=kind, said_at=said_at, **fields)

    @property
    def account(self) -> Account:
        return keep_account(self.needed, share_of(self.unit), self.facts)

    def quantities(self) -> dict[str, str]:
        sums = {state: self.account.quantity(state) for state in LotState}
        return {str(state): f"{quantity.normalize():f}" for state, quantity in sums.items() if quantity}

    def doubts(self) -> list[str]:
        return [doubt.reason for doubt in self.account.doubts]

    def covered_on(self, *needs: tuple[str, int]) -> list[int | None]:
        """For each need (quantity, day of March) the day of March on which it is covered."""
        wanted = [Need(Decimal(quantity), date(2026, 2, 28) + timedelta(days=day)) for quantity, day in needs]
        account = self.account
        found = cover_needs(wanted, account, expect_arrivals(account, self.facts, None))
        return [None if covered.on is None else (covered.on - date(2026, 2, 28)).days for covered in found]


def test_a_part_of_what_was_returned_does_not_complete_the_line() -> None:
    line = Line()
    line.arrive(10, "S1", "10")
    line.fails(11, "N1", "10", shipment_id="S1")
    line.decide(12, "N1", "return")
    line.arrive(20, "S2", "4")
    assert not line.account.is_complete
    line.passes(21, "S2")
    assert line.quantities() == {"accepted": "4", "ordered": "6", "returned": "10"}
    assert not line.account.is_released
    line.arrive(25, quantity="6")
    line.passes(26)
    assert line.account.is_released


def test_goods_that_went_back_are_not_received() -> None:
    line = Line("60", ordered="60")
    line.arrive(10, "S1", "40")
    line.fails(11, "N1", "20", shipment_id="S1")
    line.decide(12, "N1", "return")
    line.arrive(20, "S2", "20")
    line.passes(21, "S2")
    assert line.quantities() == {"accepted": "40", "ordered": "20", "returned": "20"}
    assert not line.account.is_released


def test_a_pass_of_one_lot_leaves_the_failure_of_another() -> None:
    line = Line()
    line.arrive(10, "S1", "6")
    line.arrive(10, "S2", "4")
    line.fails(11, "N1", "6", shipment_id="S1")
    line.passes(11, "S2")
    assert line.quantities() == {"accepted": "4", "rejected": "6"}
    assert line.account.ncrs[0].is_open
    assert not line.account.is_released


def test_a_pass_of_a_part_leaves_the_rest_without_a_verdict() -> None:
    line = Line()
    line.arrive(10)
    line.passes(11, quantity="6")
    assert line.quantities() == {"accepted": "6", "on_site": "4"}
    assert not line.account.is_released


def test_what_a_failed_inspection_does_not_reject_is_accepted() -> None:
    line = Line()
    line.arrive(10)
    line.fails(11, "N1", "4")
    assert line.quantities() == {"accepted": "6", "rejected": "4"}
    line.decide(12, "N1", "repair")
    line.passes(14)
    assert line.account.is_released


def test_more_rejected_than_there_is_doubted_and_counts_for_nothing() -> None:
    line = Line()
    line.arrive(10, quantity="10")
    line.fails(11, "N1", "50")
    assert line.doubts() == ["more_rejected_than_there"]
    assert line.quantities() == {"on_site": "10"}


def test_a_corrected_report_of_an_ncr_is_no_second_ncr_and_hits_no_replacement() -> None:
    line = Line()
    line.arrive(10, "S1")
    line.fails(11, "N17", "4", document="report.pdf")
    line.decide(12, "N17", "return", then="replaced")
    line.order(12, "4", "PO-2")
    line.fails(11, "N17", "4", document="report rev B.pdf")
    assert line.quantities() == {"accepted": "6", "ordered": "4", "returned": "4"}


def test_a_second_part_of_a_shipment_counts_while_the_order_has_room() -> None:
    line = Line()
    line.arrive(10, "S1", "4")
    line.arrive(10, "S1", "6")
    assert line.account.is_complete


def test_a_departure_told_again_with_another_quantity_is_a_correction() -> None:
    line = Line()
    line.depart(1, "S1", "10")
    line.depart(1, "S1", "6")
    line.arrive(10, "S1")
    assert line.quantities() == {"on_site": "6", "ordered": "4"}


def test_too_many_are_a_lot_of_their_own() -> None:
    line = Line()
    line.arrive(10, "S1", "15")
    assert line.account.orders[0].over == 5
    assert line.quantities() == {"on_site": "15"}


def test_gate_and_erp_report_one_truck() -> None:
    line = Line("20", ordered="20")
    line.arrive(10, quantity="10", source="gate")
    line.arrive(10, "WH/IN/00012", "10", source="erp")
    assert line.quantities() == {"on_site": "10", "ordered": "10"}


def test_two_trucks_of_one_system_are_two() -> None:
    line = Line("20", ordered="20")
    line.arrive(10, "T1", "10", source="gate")
    line.arrive(10, "T2", "10", source="gate")
    assert line.account.is_complete


def test_two_equal_reports_without_ids_are_asked_about_and_counted_once() -> None:
    line = Line("20", ordered="20")
    line.arrive(10, quantity="10", source="gate")
    line.arrive(10, quantity="10", source="gate")
    assert line.doubts() == ["told_twice"]
    assert line.quantities() == {"on_site": "10", "ordered": "10"}


def test_the_promise_of_the_rest_does_not_move_what_is_here() -> None:
    line = Line()
    line.depart(1, "S1", "4", eta=date(2026, 3, 5))
    line.arrive(5, "S1", "4")
    line.state(41, said=6)
    assert line.covered_on(("4", 15), ("6", 15)) == [5, 41]


def test_older_news_changes_nothing() -> None:
    line = Line()
    line.depart(1, "S1", eta=date(2026, 3, 5))
    line.state(20, said=7, kind="eta")
    line.state(6, said=4, kind="eta")
    assert line.covered_on(("10", 15)) == [20]


def test_three_thirds_are_the_whole_of_what_is_weighed() -> None:
    line = Line("10", unit="t")
    for number in range(3):
        line.arrive(10 + number, f"S{number}", "3.333")
    line.passes(15)
    assert line.account.is_released
    pieces = Line("10")
    for number in range(3):
        pieces.arrive(10 + number, f"S{number}", "3")
    pieces.passes(15)
    assert not pieces.account.is_released


def test_a_latent_defect_takes_the_release_back() -> None:
    line = Line()
    line.arrive(10)
    line.passes(11)
    assert line.account.is_released
    line.fails(20, "N1", "2")
    assert line.quantities() == {"accepted": "8", "rejected": "2"}
    assert not line.account.is_released


def test_two_ncrs_are_decided_each_by_itself() -> None:
    line = Line()
    line.arrive(10, "S1", "6")
    line.arrive(10, "S2", "4")
    line.fails(11, "N1", "3", shipment_id="S1")
    line.fails(11, "N2", "2", shipment_id="S2")
    line.decide(12, "N1", "return", then="replaced")
    assert [ncr.is_open for ncr in line.account.ncrs] == [False, True]


def test_a_repaired_lot_that_fails_again_is_open_again() -> None:
    line = Line()
    line.arrive(10)
    line.fails(11, "N1", "2")
    line.decide(12, "N1", "repair")
    line.fails(15, "N1", "2")
    assert line.account.ncrs[0].is_open
    assert line.quantities() == {"accepted": "8", "rejected": "2"}


def test_an_inspection_told_before_the_arrival_waits_for_it() -> None:
    line = Line()
    line.passes(11)
    assert line.doubts() == ["nothing_to_inspect"]
    line.arrive(10)
    assert line.account.is_released
    assert line.doubts() == []


def test_a_part_of_unknown_size_keeps_the_line_open_until_all_is_said_to_be_here() -> None:
    line = Line()
    line.arrive(10, "S1", is_complete=False)
    line.passes(11)
    assert not line.account.is_released
    line.arrive(12, "S2", is_complete=True)
    line.passes(13)
    assert line.account.is_released


def test_a_cancelled_order_leaves_its_need() -> None:
    line = Line()
    line.cancel(5)
    assert line.quantities() == {"cancelled": "10"}
    assert line.covered_on(("10", 15)) == [None]


def test_a_late_report_of_the_rejected_delivery_does_not_hit_its_replacement() -> None:
    line = Line()
    line.arrive(10, "S1")
    line.fails(11, "N1")
    line.decide(12, "N1", "return", then="replaced")
    line.order(12, "10", "PO-2")
    line.arrive(10, quantity="10", source="carrier")
    assert line.quantities() == {"ordered": "10", "returned": "10"}


def test_goods_that_failed_were_there_though_nobody_reported_their_arrival() -> None:
    line = Line()
    line.fails(11, "N1", "4")
    assert line.quantities() == {"ordered": "6", "rejected": "4"}
    assert line.account.ncrs[0].is_open
    line.arrive(10)
    assert line.quantities() == {"accepted": "6", "rejected": "4"}


def test_goods_that_failed_before_their_arrival_was_told_are_not_those_of_the_replacement() -> None:
    line = Line()
    line.fails(11, "N1")
    line.decide(11, "N1", "return", then="replaced")
    line.order(11, "10", "PO-2")
    assert line.quantities() == {"ordered": "10", "returned": "10"}
