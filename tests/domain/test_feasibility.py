"""What is answered can be done: the actions of a decision are tried in order on the line's file."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.actions import action
from domain.feasibility import find_obstacle
from domain.procurement import Inspection, Item, LineFile, Logistics, OrderLine, PurchaseOrder, Receipt, Shipment

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
        "inspections": [
            Inspection(inspection_id="I-1", item_id="steel", round=1, status="failed", inspected_on=date(2026, 3, 2))
        ],
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


RECEIPT = Receipt(
    receipt_id="R-1", shipment_id="S-1", item_id="steel", received_on=date(2026, 3, 1), quantity=Decimal(6)
)
COUNTED = ORDERED.model_copy(
    update={
        "item": ORDERED.item.model_copy(update={"quantity": Decimal(10), "unit_price": Decimal(100)}),
        "order_lines": [OrderLine(number="PO-1", line=1, item_id="steel", round=1, quantity=Decimal(10))],
        "shipments": [Shipment(shipment_id="S-1", item_id="steel", round=1, status="received")],
        "receipts": [RECEIPT],
    }
)
ALL_HERE = COUNTED.model_copy(
    update={"item": COUNTED.item.model_copy(update={"logistics": Logistics.ON_SITE}), "receipts": []}
)
IN_DOLLARS = COUNTED.model_copy(update={"orders": [PurchaseOrder(number="PO-1", currency="USD")]})
COUNTED_CANCELLED = COUNTED.model_copy(update={"orders": CANCELLED.orders})


def revision(*lines: dict[str, Any], order: str = "PO-1") -> dict[str, Any]:
    return action("revise_purchase_order", order=order, lines=list(lines))


@pytest.mark.parametrize(
    ("file", "made", "why"),
    [
        (OPEN, revision({"item": "steel", "quantity": "7"}), "Steel is not on PO-1; it has no order"),
        (COUNTED, revision({"item": "steel", "quantity": "7"}, order="PO-2"), "not on PO-2; it is on PO-1"),
        (COUNTED_CANCELLED, revision({"item": "steel", "quantity": "7"}), "PO-1 is cancelled"),
        (IN_DOLLARS, revision({"item": "steel", "unit_price": "7"}), "PO-1 is in USD and Steel is priced in EUR"),
        (COUNTED, revision({"item": "steel", "quantity": "5"}), "6 of Steel have arrived on PO-1"),
        (ALL_HERE, revision({"item": "steel", "quantity": "9"}), "10 of Steel have arrived on PO-1"),
        (COUNTED, revision({"item": "steel", "quantity": "7"}, {"item": "steel", "unit_price": "9"}), "listed 2 times"),
    ],
)
def test_a_revision_that_cannot_be_is_refused_with_its_reason(file: LineFile, made: dict[str, Any], why: str) -> None:
    found = find_obstacle({"steel": file}, [made])
    assert found is not None
    assert why in found.why


@pytest.mark.parametrize(
    "made",
    [
        revision({"item": "steel", "quantity": "6"}),
        revision({"item": "steel", "unit_price": "0"}),
        revision({"item": "steel", "required_by": "2026-04-01"}),
    ],
)
def test_an_order_is_revised_down_to_what_has_arrived(made: dict[str, Any]) -> None:
    assert find_obstacle({"steel": COUNTED}, [made, action("accept_as_is", item="steel")]) is None


def test_each_line_of_a_revision_is_checked() -> None:
    other = LineFile(item=Item(item_id="doors", name="Doors", currency="EUR"))
    made = revision({"item": "steel", "quantity": "7"}, {"item": "doors", "quantity": "7"})
    found = find_obstacle({"steel": COUNTED, "doors": other}, [made])
    assert found is not None
    assert "Doors is not on PO-1" in found.why
