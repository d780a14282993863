"""What is answered can be done: the actions of a decision are tried in order on the line's file."""

from typing import Any

import pytest

from domain.actions import action
from domain.feasibility import find_obstacle
from domain.procurement import Inspection, Item, LineFile, OrderLine, PurchaseOrder

OPEN = LineFile(item=Item(item_id="steel", name="Steel", currency="EUR"))
ORDERED = OPEN.model_copy(
    update={
        "item": OPEN.item.model_copy(update={"round": 1, "commercial": "ordered"}),
        "orders": [PurchaseOrder(number="PO-1", currency="EUR")],
        "order_lines": [OrderLine(number="PO-1", line=1, item_id="steel", round=1)],
    }
)
CANCELLED = ORDERED.model_copy(update={"orders": [PurchaseOrder(number="PO-1", currency="EUR", status="cancelled")]})
REJECTED = ORDERED.model_copy(
    update={
        "item": ORDERED.item.model_copy(update={"quality": "failed"}),
        "inspections": [Inspection(inspection_id="I-1", item_id="steel", round=1, status="failed")],
    }
)
REMOVED = ORDERED.model_copy(update={"item": ORDERED.item.model_copy(update={"removed": True})})


def of_steel(*names: str) -> list[dict[str, Any]]:
    return [action(name, item="steel") for name in names]


@pytest.mark.parametrize(
    ("file", "names", "place", "why"),
    [
        (OPEN, ["cancel_purchase_order"], 0, "no order to cancel"),
        (CANCELLED, ["cancel_purchase_order"], 0, "already cancelled"),
        (ORDERED, ["cancel_purchase_order", "cancel_purchase_order"], 1, "already cancelled"),
        (ORDERED, ["repair_item"], 0, "nothing of Steel was rejected"),
        (ORDERED, ["return_item"], 0, "nothing of Steel was rejected"),
        (OPEN, ["accept_as_is"], 0, "nothing of Steel was rejected"),
        (REJECTED, ["return_item", "repair_item"], 1, "nothing of Steel was rejected"),
        (OPEN, ["start_tracking"], 0, "no order to track"),
        (ORDERED, ["remove_item", "remove_item"], 1, "taken out"),
        (ORDERED, ["remove_item", "reorder_item"], 1, "taken out"),
        (REMOVED, ["hold_item"], 0, "taken out"),
    ],
)
def test_what_cannot_be_done_is_named_with_its_reason(file: LineFile, names: list[str], place: int, why: str) -> None:
    found = find_obstacle({"steel": file}, of_steel(*names))
    assert found is not None
    assert (found.number, found.name) == (place, names[place])
    assert why in found.why


@pytest.mark.parametrize(
    ("file", "names"),
    [
        (OPEN, ["issue_purchase_order", "start_tracking"]),
        (OPEN, ["issue_purchase_order", "cancel_purchase_order"]),
        (ORDERED, ["cancel_purchase_order", "reorder_item", "start_tracking"]),
        (ORDERED, ["accept_as_is"]),
        (ORDERED, ["reorder_item"]),
        (REJECTED, ["return_item", "remove_item", "cancel_purchase_order"]),
        (REMOVED, ["cancel_purchase_order"]),
    ],
)
def test_later_actions_find_what_earlier_ones_did(file: LineFile, names: list[str]) -> None:
    assert find_obstacle({"steel": file}, of_steel(*names)) is None
