"""Ways out where the log changes under a standing order: revise the order, keep it, or cancel it."""

from decimal import Decimal
from typing import Any

from domain.actions import action
from domain.approvals import Option
from domain.changing_lines import still_wanted
from domain.procurement import Logistics, Quality, money
from domain.situation import Situation


def change_order(s: Situation) -> list[Option]:
    """Revise the order, keep it, order the difference, or hold; for a removal: cancel, or keep."""
    return _removal(s) if s.subject.get("removal") else _other_values(s)


def _removal(s: Situation) -> list[Option]:
    item = s.file.item
    cancel = [action("cancel_purchase_order", item=item.item_id, reason="no longer needed")] if item.is_ordered else []
    remove = s.option(
        "Cancel the order and take the line out" if cancel else "Take the line out",
        [*cancel, action("remove_item", item=item.item_id, note="no longer needed")],
        assumptions=["the vendor accepts the cancellation without charge"]
        if cancel
        else ["what is here is not needed"],
    )
    keep = _keep(s, "Keep the order and the line")
    has_arrived = item.logistics != Logistics.NOT_SHIPPED or item.quality == Quality.FAILED
    first = [keep, remove] if has_arrived else [remove, keep]
    return [*first, s.hold("removal is open")]


def _other_values(s: Situation) -> list[Option]:
    item, wanted = s.file.item, still_wanted(s.file.item, s.subject)
    can_revise = wanted.keys() <= {"quantity", "unit_price"} and None not in wanted.values()
    first = _revise(s, wanted) if can_revise else _order_again(s, wanted)
    more = Decimal(wanted["quantity"] or 0) - (item.quantity or 0) if wanted.keys() == {"quantity"} else Decimal(0)
    separately = [_difference(s, more, wanted)] if can_revise and more > 0 else []
    return [first, _keep(s, "Keep the order and the old value"), *separately, s.hold("change order open")]


def _revise(s: Situation, wanted: dict[str, str | None]) -> Option:
    item, line = s.file.item, s.file.order_line
    quantity = Decimal(wanted.get("quantity") or item.quantity or 1)
    price = Decimal(wanted["unit_price"]) if wanted.get("unit_price") else item.unit_price  # type: ignore[arg-type]
    revised: dict[str, Any] = {"item": item.item_id, **wanted}
    if "quantity" in wanted and line is not None and line.quantity != item.quantity and line.quantity is not None:
        revised["quantity"] = f"{line.quantity + quantity - (item.quantity or 0):f}"
    if line is not None and item.required_by is not None and line.required_by != item.required_by:
        revised["required_by"] = item.required_by.isoformat()
    return s.option(
        "Revise the order",
        [action("revise_purchase_order", order=s.subject["order"], lines=[revised], reason="changed in the log")],
        arrival=item.expected,
        cost=(money(price * quantity, item.currency) if price is not None else None) or "unknown",
        assumptions=["the vendor accepts the revision"],
    )


def _order_again(s: Situation, wanted: dict[str, str | None]) -> Option:
    """The order cannot be revised to that: it is cancelled, and the line takes the values over."""
    item = s.file.item
    cleared = [name for name, value in wanted.items() if value is None]
    values = {name: value for name, value in wanted.items() if value is not None}
    change = {"item_id": item.item_id, **values, **({"clear": cleared} if cleared else {})}
    return s.option(
        "Cancel the order and change the line",
        [
            action("cancel_purchase_order", item=item.item_id, reason="superseded by a change of the log"),
            action("restate_event", event={"event_type": "Items_Changed", "items": [change]}),
        ],
        arrival=None,
        assumptions=[
            "the vendor accepts the cancellation without charge",
            "with another vendor it is ordered again; else once its submittal is approved again",
        ],
    )


def _difference(s: Situation, more: Decimal, wanted: dict[str, str | None]) -> Option:
    item = s.file.item
    change = {"item_id": item.item_id, "quantity": wanted["quantity"]}
    return s.option(
        "Order the difference separately",
        [
            action("reorder_item", item=item.item_id, quantity=f"{more:f}", reason="more is needed than was ordered"),
            action("restate_event", event={"event_type": "Items_Changed", "items": [change]}),
        ],
        cost=(money(item.unit_price * more, item.currency) if item.unit_price is not None else None) or "unknown",
        assumptions=["the first order stays as it is"],
    )


def _keep(s: Situation, title: str) -> Option:
    return s.option(
        title,
        [action("dismiss_event", note="the order and the line stay as they are")],
        arrival=s.file.item.expected,
        cost="none",
        assumptions=["the log was changed by mistake, or the difference is settled outside Longlead"],
    )
