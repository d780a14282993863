"""A building goes live: it starts from the facts, says what it would do, and orders nothing by itself that day.

What was held back in watch stays held back. Open questions are put again, since nobody received them; answers that
were given in watch are asked for again; what is overdue is chased from now on. The next working day the agent acts.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from domain.buildings import MANAGER, Building
from domain.events import Entry
from domain.mail_subjects import live_subject
from domain.milestones import restart_overdue
from domain.orders import order_preview
from domain.outside import shown_name
from domain.outstanding import outstanding
from domain.procurement import Item, LineFile, Milestone, Row, WouldOrder, money
from domain.working_time import add_working_time
from storage import procurement
from storage.unsent import unsent_orders
from storage.watching import answered_in_watch
from tools.approvals import announce
from tools.context import ActionContext, Toolbox
from tools.messages import say
from tools.noted import ask_about_notes
from tools.recording import Finding, record_facts

MAX_LISTED = 20
"""Orders and chases that the message names one by one."""


async def go_live(toolbox: Toolbox, entry: Entry) -> Finding:
    """Go live with this entry, and put the open questions to those who never received them."""
    finding = await record_facts(toolbox, entry, _go_live)
    if not finding.repeat and toolbox.acts:
        async with toolbox.lock:
            open_ = await procurement.open_questions(toolbox.conn, entry.building_id)
        for approval in open_:
            if approval.raised_seq < entry.seq:
                await announce(toolbox, entry, approval.approval_id)
    return finding


async def _go_live(context: ActionContext) -> dict[str, Any]:
    building, conn = context.building, context.transaction.conn
    if not (building.is_watching and building.goes_live):
        return vars(Finding(note="it is not to go live any more", repeat=True))
    answered = await answered_in_watch(conn, building.building_id, building.live_from_seq)
    items = [item for item in await procurement.items(conn, building.building_id) if not item.removed]
    _, questions, files = await procurement.standing(conn, building.building_id, [item.item_id for item in items])
    held = {question.item_id for question in questions if question.holds_item}
    chased = {question.item_id for question in questions if question.kind == "milestone_overdue"}
    building.is_watching, building.goes_live = False, False
    building.live_from_seq = context.seq
    building.acts_from = first_morning(building, context.now)
    today = context.now.astimezone(building.zone).date()
    orders = _marked(files, building, held, context.today)
    notes = await ask_about_notes(context, files)
    orders |= {ask["item_id"]: None for ask in notes}
    unsent = await unsent_orders(conn, building.building_id)
    chased |= {order.item_id for order in unsent}
    chases = restart_overdue([file for file in files if file.item.item_id not in chased], building, today, context.seq)
    context.save(*_changed(files, orders), *chases)
    by_id = {item.item_id: item for item in items}
    text = _announcement(building, by_id, orders, [chase for chase in chases if chase.chase_on is not None])
    text += _never_sent(
        [f"{order.number} ({by_id[order.item_id].shown})" for order in unsent if order.item_id in by_id]
    )
    say(
        context,
        MANAGER,
        text,
        None,
        subject=live_subject(sum(order is not None for order in orders.values())),
    )
    asks = [vars(one) for one in answered if one.item_id is None or one.item_id in by_id]
    return vars(Finding(note="live from now on", items=list(by_id), ask=asks + notes))


def _never_sent(orders: Sequence[str]) -> str:
    """What the message says of orders whose own message watch withheld."""
    if not orders:
        return ""
    return f" On file, but never sent to the vendor, and not chased: {_listed(orders)}. Send or cancel each by hand."


def first_morning(building: Building, now: datetime) -> datetime:
    """When the next working day begins for people, in UTC."""
    tomorrow = now.astimezone(building.zone).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, datetime.min.time(), building.zone)
    quiet = building.policy.quiet_hours
    return add_working_time(midnight, timedelta(0), building.zone, building.working_week, quiet)


def _marked(
    files: Sequence[LineFile], building: Building, held: set[str | None], today: date
) -> dict[str, WouldOrder | None]:
    """The order that the agent would place of each line; None where it would place none."""
    acting = building.model_copy(update={"is_watching": False, "acts_from": None})
    return {
        file.item.item_id: order_preview(file, None, today)
        if file.item.item_id not in held and not file.item.is_held and _is_to_order(file, acting)
        else None
        for file in files
    }


def _is_to_order(file: LineFile, building: Building) -> bool:
    needs = outstanding(file, building)
    return any(action["name"] == "issue_purchase_order" for need in needs for action in need.actions)


def _changed(files: Sequence[LineFile], orders: dict[str, WouldOrder | None]) -> list[Row]:
    """The lines that show another order from now on."""
    found: list[Row] = []
    for file in files:
        shown, order = file.item.would_order, orders[file.item.item_id]
        if order != shown and not (order is not None and order.is_same_as(shown)):
            found.append(file.item.model_copy(update={"would_order": order}))
    return found


def _announcement(
    building: Building, items: dict[str, Item], orders: dict[str, WouldOrder | None], chases: Sequence[Milestone]
) -> str:
    assert building.acts_from is not None
    begins = building.acts_from.astimezone(building.zone)
    placed = [
        f"{items[item_id].shown} from {shown_name(order.vendor) if order.vendor else 'a vendor that is not on file'}"
        f" ({money(order.total, order.currency) or 'no price known'})"
        for item_id, order in orders.items()
        if order is not None
    ]
    asked = [f"{items[one.item_id].shown} ({one.kind}, due on {one.due_on}) on {one.chase_on}" for one in chases]
    return (
        f"{shown_name(building.name)} is live: messages are sent from now on. Today nothing is ordered without a "
        f"person. From {begins:%Y-%m-%d %H:%M} on it orders by itself: {_listed(placed)}. It chases: {_listed(asked)}. "
        "To stop one of them, put the line on hold, take it out, or report an order that was placed elsewhere: send "
        "the event Purchase_Order_Acknowledged with its purchase_order (longlead events send)."
    )


def _listed(what: Sequence[str]) -> str:
    beyond = f"; and {len(what) - MAX_LISTED} more" if len(what) > MAX_LISTED else ""
    return "; ".join(what[:MAX_LISTED]) + beyond if what else "nothing"


async def end_first_day(toolbox: Toolbox, entry: Entry) -> Finding:
    """From now on the agent orders by itself: all lines are looked at, as they are now."""

    async def act(context: ActionContext) -> dict[str, Any]:
        building = context.building
        if building.acts_from is None or building.acts_from > context.now:
            return vars(Finding(note="its first day live is over, or has not ended", repeat=True))
        building.acts_from = None
        items = await procurement.items(context.transaction.conn, building.building_id)
        open_ = [item.item_id for item in items if not item.removed and not item.is_released]
        _, _, files = await procurement.standing(context.transaction.conn, building.building_id, open_)
        asks = await ask_about_notes(context, files)
        return vars(Finding(note="the first day live is over", items=open_, ask=asks))

    return await record_facts(toolbox, entry, act)
