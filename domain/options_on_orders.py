"""Ways out of questions on an order: may it be placed, what does it lack, what does the vendor say to it, or not."""

from datetime import timedelta
from typing import Any

from domain.actions import action
from domain.approvals import Option
from domain.buildings import MANAGER
from domain.procurement import money
from domain.situation import Situation, order_and_track, remove_line


def order_beyond_authority(s: Situation) -> list[Option]:
    """Issue it, have the vendor quote first, hold, or do without it; a change order after an order has its own."""
    item = s.file.item
    if s.subject.get("change_order"):
        return _change_order(s)
    arrival = None if item.lead_time_days is None else s.today + timedelta(days=item.lead_time_days)
    issue = s.option(
        "Issue the purchase order",
        order_and_track(item.item_id),
        arrival=arrival,
        cost=money(item.total, item.currency) or "unknown",
        assumptions=[f"ordered on {s.today}, the vendor keeps the lead time"],
    )
    quote = s.ask_vendor(f"Please send your best price and delivery for {item.shown} before we order.", and_hold=True)
    return [issue, quote, s.hold("not ordered yet"), remove_line(s)]


def _change_order(s: Situation) -> list[Option]:
    item, revision = s.file.item, s.subject.get("revision")
    confirm = s.ask_vendor(
        f"Revision {revision} of the submittal of {item.shown} was approved after your order was placed. Please "
        "confirm that you deliver to it, and any change of price or date.",
        "Have the vendor confirm the new revision",
    )
    keep = s.option(
        "Keep the order as it is",
        [action("accept_as_is", item=item.item_id, note=f"order kept in spite of revision {revision}")],
        arrival=item.expected,
        cost="none",
        assumptions=["the difference between the revisions does not matter"],
    )
    anew = s.option(
        "Cancel and order to the new revision",
        [
            action("cancel_purchase_order", item=item.item_id, reason=f"superseded by revision {revision}"),
            action("reorder_item", item=item.item_id, reason=f"revision {revision}"),
        ],
        arrival=None if item.lead_time_days is None else s.today + timedelta(days=item.lead_time_days),
        cost=money(item.total, item.currency) or "unknown",
        assumptions=["the vendor accepts the cancellation without charge"],
    )
    return [confirm, keep, anew, s.hold("change order open")]


def order_incomplete(s: Situation) -> list[Option]:
    """Ask for what is missing, wait for it, order without it, hold, or do without the line."""
    item, names = s.file.item, list(s.subject.get("missing", ["data"]))
    missing = " and ".join(names)
    follows = "the line is completed with an Items_Changed event; the order then follows by itself"
    ask = s.option(
        f"Ask the project manager for the {missing}",
        [
            action(
                "request_information",
                item=item.item_id,
                to=MANAGER,
                question=f"{item.shown} is approved but cannot be ordered: {missing} missing. Send Items_Changed.",
            )
        ],
        cost="none",
        assumptions=[follows],
    )
    quote = s.ask_vendor(f"Please quote your {missing} for {item.shown}.", f"Ask the vendor for the {missing}")
    wait = s.option(
        f"Wait for the {missing}",
        [action("dismiss_event", note=f"waits for the {missing}")],
        cost="none",
        assumptions=[follows, "nobody is asked again before"],
    )
    anyway = s.option(
        "Order without it",
        order_and_track(item.item_id),
        arrival=None if item.lead_time_days is None else s.today + timedelta(days=item.lead_time_days),
        cost=money(item.total, item.currency) or "unknown",
        assumptions=[f"{missing} is settled with the vendor outside Longlead"],
    )
    quotes = [quote] if "vendor" not in names and item.vendor_id is not None else []
    return [ask, *quotes, wait, anyway, s.hold(f"{missing} missing"), remove_line(s)]


def acknowledgement_exception(s: Situation) -> list[Option]:
    """Insist on the order, accept the vendor's terms, hold, or cancel."""
    item = s.file.item
    # Whoever reported them chose the words, so the vendor is told only what they are about.
    points = ", ".join(sorted({str(e["kind"]) for e in s.subject.get("exceptions", [])})) or "other"
    ask = s.ask_vendor(
        f"Please deliver {item.shown} as ordered ({s.subject['order']}). We have not agreed to your exceptions "
        f"({points}).",
        "Insist on the order as placed",
    )
    revised = _terms_in_numbers(s)
    left = sorted({str(e["kind"]) for e in s.subject.get("exceptions", []) if not _has_numbers(e)} - {"date"})
    accept = s.option(
        "Accept the vendor's terms",
        [*revised, action("accept_as_is", item=item.item_id, note=f"accepted: the vendor's exceptions ({points})")],
        arrival=item.expected,
        assumptions=[f"the order does not say what is agreed on: {', '.join(left)}"]
        if revised and left
        else ["the order is revised to the vendor's numbers"]
        if revised
        else ["the difference in price or quantity is agreed in a change order outside Longlead"],
    )
    elsewhere = s.option(
        "Cancel the order",
        [action("cancel_purchase_order", item=item.item_id, reason=f"Your exceptions ({points}) are not agreed.")],
        assumptions=["another vendor can deliver; it needs a submittal of its own"],
    )
    return [ask, accept, s.hold("vendor's exceptions are open"), elsewhere]


def _has_numbers(exception: dict[str, Any]) -> bool:
    return "quantity" in exception or "unit_price" in exception


def _terms_in_numbers(s: Situation) -> list[dict[str, Any]]:
    """The revision of the order to the vendor's terms, as far as they were given as numbers."""
    revised: dict[str, Any] = {}
    for exception in s.subject.get("exceptions", []):
        revised |= {name: exception[name] for name in ("quantity", "unit_price") if name in exception}
    if not revised:
        return []
    line = {"item": s.item_id, **revised}
    return [action("revise_purchase_order", order=s.subject["order"], lines=[line], reason="vendor's terms accepted")]


def milestone_overdue(s: Situation) -> list[Option]:
    """Chase once more, expedite, leave it, or cancel."""
    item = s.file.item
    chase = s.ask_vendor(f"{s.subject['detail']}. Please tell us today where it stands.", "Chase the vendor once more")
    expedite = s.option(
        "Expedite the order",
        [action("expedite_order", item=item.item_id)],
        assumptions=["the vendor can still make up for the delay"],
    )
    wait = s.option(
        "Leave it: somebody knows better",
        [action("dismiss_event", note="settled outside Longlead")],
        arrival=item.expected,
        cost="none",
        assumptions=["what was expected has happened, or will, without being reported"],
    )
    cancel = s.option(
        "Cancel the order",
        [action("cancel_purchase_order", item=item.item_id, reason=s.subject["detail"])],
        assumptions=["another vendor can deliver; it needs a submittal of its own"],
    )
    return [chase, expedite, wait, cancel]
