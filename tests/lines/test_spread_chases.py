"""What was overdue when lines were taken on is chased by and by, however many lines they are."""

from datetime import date
from decimal import Decimal

import pytest

from domain.buildings import Building
from domain.lines.projection import project
from domain.milestones import spread_chases
from domain.procurement import Item, LineFile, Milestone, OrderLine, PurchaseOrder

BUILDING = Building(building_id="site", name="Site", thread_id="")
MONDAY = date(2026, 3, 2)


def late_line(number: int) -> LineFile:
    """Ordered on 1 January; it should have arrived on 1 February, and nothing was heard of it."""
    name, order = f"line-{number:03}", f"PO-{number}"
    bought = LineFile(
        item=Item(item_id=name, name=name, quantity=Decimal(1), currency="EUR", round=1, taken_on=MONDAY),
        orders=[PurchaseOrder(number=order, currency="EUR", issued_on=date(2026, 1, 1), caused_seq=1)],
        order_lines=[OrderLine(number=order, line=1, item_id=name, round=1, quantity=Decimal(1))],
    )
    due = Milestone(
        item_id=name, round=1, kind="arrive", due_on=date(2026, 2, 1), chase_on=date(2026, 3, 3), caused_seq=1
    )
    return project(bought.model_copy(update={"milestones": [due]}), 1)


def test_each_late_line_is_compared_with_its_own_milestones_only(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [late_line(number) for number in range(200)]
    compared = 0
    plain = Milestone.__eq__

    def count(self: Milestone, other: object) -> bool:
        nonlocal compared
        compared += 1
        return plain(self, other)

    monkeypatch.setattr(Milestone, "__eq__", count)
    spread = spread_chases(files, BUILDING, MONDAY, 2)
    assert compared <= 2 * len(files)
    monkeypatch.undo()
    # Five working days nobody is chased: from Tuesday the 10th on, a twentieth of them or more on each day.
    assert {milestone.item_id for milestone in spread} == {file.item.item_id for file in files}
    assert len(spread) == 200
    assert min(milestone.chase_on or date.max for milestone in spread) == date(2026, 3, 10)


def test_chases_that_are_spread_already_are_not_saved_again() -> None:
    files = [late_line(number) for number in range(3)]
    spread = {milestone.item_id: milestone for milestone in spread_chases(files, BUILDING, MONDAY, 2)}
    known = [file.model_copy(update={"milestones": [spread[file.item.item_id]]}) for file in files]
    assert spread_chases(known, BUILDING, MONDAY, 2) == []
