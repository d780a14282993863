"""Ways out of questions on what is delivered: it failed its inspection, comes too late, or is reported in two ways."""

from datetime import timedelta
from decimal import Decimal

from domain.actions import action
from domain.approvals import Option
from domain.money import line_total
from domain.outstanding import ORDERED_ELSEWHERE, is_about_note
from domain.procurement import money
from domain.schedule import add_working_days
from domain.situation import Situation, order_and_track, remove_line

REPAIR_WORKING_DAYS = 5
"""Assumed for a repair on site until somebody knows better; said so in the option."""


def inspection_failed(s: Situation) -> list[Option]:
    """Replace or repair first, as the required day allows; accept, return, or hold."""
    replace, repair = _replace(s), _repair(s)
    only_repair_meets = (replace.days_late or 0) > 0 and repair.days_late == 0
    first = [repair, replace] if only_repair_meets else [replace, repair]
    if only_repair_meets:
        repair.assumptions.append("recommended since a replacement would miss the required day and a repair would not")
    return [*first, _accept_as_is(s), _return_and_remove(s), s.hold()]


def _replace(s: Situation) -> Option:
    item = s.file.item
    arrival = None if item.lead_time_days is None else s.today + timedelta(days=item.lead_time_days)
    rejected = s.subject.get("quantity_rejected")
    quantity = Decimal(rejected) if rejected else None
    amount = item.total if quantity is None else line_total(item.unit_price, quantity, item.currency)
    assumptions = [
        f"ordered on {s.today}, lead time {item.lead_time_days} calendar days"
        if item.lead_time_days is not None
        else "the lead time is not known, so neither is the arrival"
    ]
    if amount is not None:
        assumptions.append("the vendor charges the replacement at the price of the order; a claim is separate")
    return s.option(
        "Replace: order a replacement",
        [action("reorder_item", item=item.item_id, quantity=quantity, reason="failed inspection")],
        arrival=arrival,
        cost=money(amount, item.currency) or "unknown",
        assumptions=assumptions,
    )


def _repair(s: Situation) -> Option:
    again = add_working_days(s.today, REPAIR_WORKING_DAYS, s.building.working_week)
    return s.option(
        "Repair on site and inspect again",
        [
            action("repair_item", item=s.item_id, note="repair after failed inspection"),
            action("schedule_inspection", item=s.item_id, on=again),
        ],
        arrival=again,
        assumptions=[
            f"{REPAIR_WORKING_DAYS} working days for the repair are assumed; the vendor's time is not known",
            "the re-inspection passes",
        ],
    )


def _accept_as_is(s: Situation) -> Option:
    return s.option(
        "Accept as is (use-as-is)",
        [action("accept_as_is", item=s.item_id, note="accepted in spite of the failed inspection")],
        arrival=s.today,
        cost="none, or a credit from the vendor",
        assumptions=["the designer agrees that the defects do not matter"],
    )


def _return_and_remove(s: Situation) -> Option:
    return s.option(
        "Return it and take it out of the schedule",
        [
            action("return_item", item=s.item_id, note="returned after failed inspection"),
            action("remove_item", item=s.item_id, note="no longer needed"),
        ],
        cost="a credit from the vendor, if agreed",
        assumptions=["the work can do without it"],
    )


def schedule_conflict(s: Situation) -> list[Option]:
    """Make it faster, move the day, have a firm date, hold, or do without it."""
    item = s.file.item
    expected = item.expected
    needed = None if expected is None else expected + timedelta(days=max(1, item.buffer_days))
    chase = s.option(
        "Expedite: air or dedicated freight",
        [action("expedite_order", item=item.item_id, method="air or dedicated freight")],
        assumptions=["the vendor confirms a date before the required day; none is known yet"],
    )
    confirm = s.ask_vendor(
        f"{item.shown} is expected on {expected} and required by {item.required_by}. What is the earliest date you can "
        "confirm, and what would overtime or faster freight cost?",
        "Chase the vendor for a firm date",
    )
    options = [chase]
    if needed is not None:
        options.append(
            s.option(
                f"Accept the slip: move the required day to {needed}",
                [action("change_required_by", item=item.item_id, required_by=needed)],
                arrival=expected,
                cost="none for the order; the work that waits for it is not priced",
                assumptions=["the site can resequence the work that needs it", "the ETA holds"],
            )
        )
    return [*options, confirm, s.hold("waiting for a firm date"), remove_line(s)]


def facts_contradict(s: Situation) -> list[Option]:
    """Keep what is on file, or ask the vendor; a delivery that nobody ordered may be ordered after all. What a note
    speaks against is ordered, was ordered elsewhere, is taken out or held."""
    if is_about_note(s.subject):
        return _order_in_spite_of_note(s)
    keep = s.option(
        "Keep what is on file; leave the report",
        [action("dismiss_event", note="the report contradicts what is on file")],
        cost="none",
        assumptions=["the report is wrong, or repeats an older one"],
    )
    # What was reported may be anybody's words, so the vendor is asked about its own order and told none of them.
    order = f" ({s.file.order.number})" if s.file.order else ""
    question = (
        f"We have two reports on {s.file.item.shown}{order} that contradict each other. Please tell us what of it has "
        "left, what has arrived, and on which days, and when the rest comes."
    )
    ask = s.ask_vendor(question, "Ask the vendor which is right")
    hold = s.hold("reports contradict each other")
    if s.subject.get("unordered_delivery"):
        return [ask, s.option("Issue the order all the same", order_and_track(s.item_id)), keep, hold]
    if s.subject.get("corrected"):
        meant = s.option(
            f"It was meant as {s.subject['probably']}: record it so",
            [action("restate_event", event=s.subject["corrected"])],
            cost="none",
            assumptions=[f"{s.subject['known']['day']} was a slip"],
        )
        return [meant, keep, ask, hold]
    if s.subject.get("event") and s.subject.get("doubt") in ("told_twice", "nothing_left_to_arrive"):
        count = s.option(
            "Count it: it is another delivery",
            [action("restate_event", event=s.subject["event"])],
            cost="none",
            assumptions=["it came beside what is on file"],
        )
        return [keep, count, ask, hold]
    return [keep, ask, hold]


def _order_in_spite_of_note(s: Situation) -> list[Option]:
    item = s.file.item
    arrival = None if item.lead_time_days is None else s.today + timedelta(days=item.lead_time_days)
    order = s.option(
        "Order it all the same",
        order_and_track(s.item_id),
        arrival=arrival,
        cost=money(item.total, item.currency) or "unknown",
        assumptions=["the note does not speak against the order"],
    )
    elsewhere = s.option(
        "It was ordered elsewhere: wait until that order is reported",
        s.hold(ORDERED_ELSEWHERE).actions,
        cost="none",
        assumptions=["its number is reported as purchase_order of Purchase_Order_Acknowledged; the hold then ends"],
    )
    return [order, elsewhere, remove_line(s), s.hold("a note of the team is to be cleared up")]
