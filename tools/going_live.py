"""A building goes live: it starts from the facts, says what it would do, and orders nothing by itself that day.

What was held back in watch stays held back. Open questions are put again, since nobody received them; so are those that
were answered in watch with what was held back; what is overdue is chased from now on. The next working day the agent
acts.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from domain.buildings import MANAGER, Building
from domain.events import Entry
from domain.intentions import orders_to_show, plan_of
from domain.mail_subjects import live_subject
from domain.outside import shown_name
from domain.plan import RaisedQuestion
from domain.procurement import Item, Row, money
from domain.watch import Intentions
from domain.working_time import add_working_time
from storage import procurement
from storage.unsent import UnsentOrder, unsent_orders
from storage.watching import read_standing
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


async def _go_live(context: ActionContext) -> Finding:
    building, conn = context.building, context.transaction.conn
    if not (building.is_watching and building.goes_live):
        return Finding(note="it is not to go live any more", repeat=True)
    today = context.now.astimezone(building.zone).date()
    standing = await read_standing(conn, building, today)
    plan = plan_of(building, standing, today, context.seq)
    by_id = {item.item_id: item for item in await procurement.items(conn, building.building_id) if not item.removed}
    building.is_watching, building.goes_live = False, False
    building.live_from_seq = context.seq
    building.acts_from = first_morning(building, context.now)
    shown = orders_to_show(plan, standing.files)
    lines: list[Row] = [by_id[item_id].model_copy(update={"would_order": order}) for item_id, order in shown.items()]
    context.save(*lines, *plan.restarted)
    notes = await ask_about_notes(context, standing.files)
    unsent = await unsent_orders(conn, building.building_id)
    text = _announcement(building, plan.intentions) + _name_never_sent(unsent, by_id)
    say(context, MANAGER, text, None, subject=live_subject(len(plan.intentions.orders)))
    asks = [RaisedQuestion(**vars(one)) for one in standing.answered if one.item_id is None or one.item_id in by_id]
    return Finding(note="live from now on", items=list(by_id), ask=asks + notes)


def _name_never_sent(orders: Sequence[UnsentOrder], by_id: Mapping[str, Item]) -> str:
    """What the message says of orders whose own message watch withheld."""
    named = [f"{order.number} ({by_id[order.item_id].shown})" for order in orders if order.item_id in by_id]
    if not named:
        return ""
    return f" On file, but never sent to the vendor, and not chased: {_listed(named)}. Send or cancel each by hand."


def first_morning(building: Building, now: datetime) -> datetime:
    """When the next working day begins for people, in UTC."""
    tomorrow = now.astimezone(building.zone).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, datetime.min.time(), building.zone)
    quiet = building.policy.quiet_hours
    return add_working_time(midnight, timedelta(0), building.zone, building.working_week, quiet)


def _announcement(building: Building, intentions: Intentions) -> str:
    assert building.acts_from is not None
    begins = building.acts_from.astimezone(building.zone)
    placed = [
        f"{shown_name(one.item)} from {shown_name(one.vendor) if one.vendor else 'a vendor that is not on file'}"
        f" ({money(one.total, one.currency) or 'no price known'}"
        f"{f', the lump sum {shown_name(one.group)} together' if one.group else ''})"
        for one in intentions.orders
    ]
    asked = [f"{shown_name(one.item)} ({one.milestone}, due on {one.due_on}) on {one.on}" for one in intentions.chases]
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

    async def act(context: ActionContext) -> Finding:
        building = context.building
        if building.acts_from is None or building.acts_from > context.now:
            return Finding(note="its first day live is over, or has not ended", repeat=True)
        building.acts_from = None
        items = await procurement.items(context.transaction.conn, building.building_id)
        open_ = [item.item_id for item in items if not item.removed and not item.is_released]
        _, _, files = await procurement.standing(context.transaction.conn, building.building_id, open_)
        asks = await ask_about_notes(context, files)
        return Finding(note="the first day live is over", items=open_, ask=asks)

    return await record_facts(toolbox, entry, act)
