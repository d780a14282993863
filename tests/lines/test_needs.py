"""What is needed and what covers it are one thing: a change of either shows on the line at once, whoever makes it."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.actions import RevisedLine
from domain.lines.facts import Fact
from domain.lines.needs import counts_otherwise, with_needs
from domain.lines.projection import project, recount
from domain.orders import is_to_be_ordered
from domain.procurement import (
    Commercial,
    DatedNeed,
    FactDetails,
    FactRow,
    Item,
    LineFile,
    OrderLine,
    PurchaseOrder,
    Submittal,
)
from domain.revising_orders import revise_file, revise_lines
from tests.lines.histories import facts, told
from tests.lines.test_shown import file_of

FEW = settings(max_examples=60, deadline=None)
START = date(2026, 1, 1)


@st.composite
def needs(draw: st.DrawFn, of: int = 10) -> list[DatedNeed]:
    """Needs of ten pieces together, each with its own day and buffer."""
    cuts = sorted(draw(st.sets(st.integers(1, of - 1), max_size=3)))
    sizes = [end - start for start, end in zip([0, *cuts], [*cuts, of], strict=True)]
    found = [
        DatedNeed(
            quantity=Decimal(size),
            required_by=START + timedelta(days=draw(st.integers(0, 200))),
            buffer_days=draw(st.integers(0, 30)),
        )
        for size in sizes
    ]
    return sorted(found, key=lambda need: need.required_by)


def asked_for(item: Item, wanted: list[DatedNeed], **more: Any) -> Item:
    first = {"required_by": wanted[0].required_by, "buffer_days": wanted[0].buffer_days} if wanted else {}
    return item.model_copy(update={"needs": wanted, **first, **more})


@FEW
@given(facts(), needs(), needs())
def test_a_line_compared_without_its_file_is_as_its_facts_make_it(
    history: list[Fact], before: list[DatedNeed], after: list[DatedNeed]
) -> None:
    file = file_of(history)
    file = recount(file, asked_for(file.item, before), 2)
    wanted = asked_for(file.item, after)
    assert not counts_otherwise(file.item, wanted)
    whole = project(file.model_copy(update={"item": wanted}), 3).item
    alone = with_needs(wanted)
    assert (alone.account, alone.schedule_band) == (whole.account, whole.schedule_band)
    assert with_needs(alone) == alone


@FEW
@given(facts(), needs(), needs(of=14), st.integers(5, 60))
def test_another_quantity_or_lead_time_is_as_if_it_had_always_been_so(
    history: list[Fact], before: list[DatedNeed], after: list[DatedNeed], lead_time_days: int
) -> None:
    file = file_of(history)
    wanted = asked_for(file.item, after, quantity=Decimal(14), lead_time_days=lead_time_days)
    step_by_step = recount(recount(file, asked_for(file.item, before), 2), wanted, 3).item
    at_once = recount(file, wanted, 2).item
    assert (step_by_step.account, step_by_step.schedule_band) == (at_once.account, at_once.schedule_band)
    assert at_once.account is not None
    assert at_once.account.quantities["needed"] == 14


@FEW
@given(facts(), needs())
def test_the_needs_that_are_shown_are_those_of_the_schedule(history: list[Fact], wanted: list[DatedNeed]) -> None:
    account = with_needs(asked_for(file_of(history).item, wanted)).account
    assert account is not None
    assert [(need.quantity, need.required_by, need.buffer_days) for need in account.needs] == [
        (need.quantity, need.required_by, need.buffer_days) for need in wanted
    ]
    assert all(need.late_quantity <= need.quantity for need in account.needs)


def ordered(**item: Any) -> LineFile:
    """A line of ten that was approved, and ordered on the first day from `kent`, with twenty days of lead time."""
    fields = {
        "quantity": Decimal(10),
        "unit": "pcs",
        "unit_price": Decimal(100),
        "vendor_id": "kent",
        "submittal": Submittal.APPROVED,
        "submittal_revision": 1,
        "lead_time_days": 20,
    } | item
    file = LineFile(
        item=Item(item_id="pumps", name="Pumps", currency="USD", **fields),
        orders=[
            PurchaseOrder(
                number="PO-1",
                currency="USD",
                vendor_id="kent",
                total=Decimal(1000),
                issued_on=START,
                caused_seq=2,
            )
        ],
        order_lines=[
            OrderLine(number="PO-1", line=1, item_id="pumps", round=1, quantity=Decimal(10), unit_price=Decimal(100))
        ],
        facts=[verdict(1, is_approved=True, revision=1)],
    )
    return project(file, 2)


def verdict(seq: int, *, is_approved: bool, revision: int | None) -> FactRow:
    return FactRow(
        item_id="pumps",
        fact_id=f"s-{seq}",
        kind="submitted",
        source="yard",
        details=FactDetails(is_approved=is_approved, revision=revision),
        caused_seq=seq,
        **told(seq, day(seq)),
    )


def day(number: int) -> date:
    return START + timedelta(days=number)


def test_each_need_has_the_band_of_its_own_buffer() -> None:
    """All ten are expected on day 20: five are needed on day 60, five on day 24 with ten days for the crane."""
    far, near = (
        DatedNeed(quantity=Decimal(5), required_by=day(60)),
        DatedNeed(quantity=Decimal(5), required_by=day(24)),
    )
    file = ordered(lead_time_days=20)
    said = told(3, day(3)) | {"day": day(20), "source": "kent"}
    promised = FactRow(
        item_id="pumps", fact_id="p", kind="stated", details=FactDetails(kind="promise"), caused_seq=3, **said
    )
    file = project(file.model_copy(update={"facts": [*file.facts, promised]}), 3)
    assert with_needs(asked_for(file.item, [near, far])).schedule_band == "clear"
    hurried = near.model_copy(update={"buffer_days": 10})
    assert with_needs(asked_for(file.item, [hurried, far])).schedule_band == "tight"
    late = near.model_copy(update={"required_by": day(18)})
    assert with_needs(asked_for(file.item, [late, far])).days_late == 2


@pytest.mark.parametrize("quantity", [4, 10, 15])
def test_the_lots_follow_a_revised_order(quantity: int) -> None:
    file = ordered()
    change = {"item": "pumps", "quantity": str(quantity)}
    order, lines = revise_lines(file.order_lines, file.orders[0], [RevisedLine.model_validate(change)], 5)
    after = revise_file(file, order, file.order_lines[0], lines[0], 5)
    assert [(lot.quantity, lot.state) for lot in after.lots if not lot.is_gone] == [(quantity, "ordered")]
    assert after.item.account is not None
    assert after.item.account.quantities["needed"] == quantity
    assert after.item.account.quantities["ordered"] == quantity
    assert (after.orders[0].revision, after.orders[0].total) == (1, 100 * quantity)


def cancelled(file: LineFile) -> LineFile:
    order = file.orders[0].model_copy(update={"status": "cancelled", "cancelled_on": day(5), "caused_seq": 7})
    return project(file.model_copy(update={"orders": [order]}), 7)


@pytest.mark.parametrize(
    ("news", "is_ordered_again"),
    [
        ([], False),
        ([(8, True, 1)], False),
        ([(8, True, None)], False),
        ([(8, True, 2)], True),
        ([(8, False, 2)], False),
        ([(8, False, 1), (9, True, 1)], True),
        ([(8, False, 2), (9, True, 2)], True),
        ([(8, True, 0)], False),
    ],
)
def test_after_a_cancellation_only_news_of_the_submittal_leads_to_an_order(
    news: list[tuple[int, bool, int | None]], is_ordered_again: bool
) -> None:
    file = cancelled(ordered())
    assert (file.item.commercial, file.item.status) == (Commercial.CANCELLED, "ready_to_order")
    rows = [verdict(seq, is_approved=is_approved, revision=revision) for seq, is_approved, revision in news]
    file = project(file.model_copy(update={"facts": [*file.facts, *rows]}), 9)
    assert is_to_be_ordered(file) == is_ordered_again


@pytest.mark.parametrize(("vendor", "is_ordered_again"), [("york", True), ("kent", False), (None, False)])
def test_after_a_cancellation_another_vendor_leads_to_an_order(vendor: str | None, is_ordered_again: bool) -> None:
    file = cancelled(ordered())
    changed = file.model_copy(update={"item": file.item.model_copy(update={"vendor_id": vendor})})
    assert is_to_be_ordered(changed) == is_ordered_again


def test_an_order_without_a_quantity_orders_all_that_is_needed() -> None:
    """Nobody said how much: when the line gets its quantity, the order is for that."""
    file = ordered(quantity=None)
    line = file.order_lines[0].model_copy(update={"quantity": None})
    file = project(file.model_copy(update={"order_lines": [line]}), 3)
    counted = recount(file, file.item.model_copy(update={"quantity": Decimal(14)}), 4)
    assert [lot.quantity for lot in counted.lots if not lot.is_gone] == [14]
