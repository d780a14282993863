"""Ranked ways out for every kind of question, from the facts and without any model. The first is recommended.

Every option is a what-if: when usable material would be there, how many calendar days late that is, what it costs
(or `unknown`), and what was assumed.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from domain.actions import action
from domain.approvals import Option
from domain.buildings import Building
from domain.procurement import LineFile, money
from domain.schedule import add_working_days, days_late

REPAIR_WORKING_DAYS = 5
"""Assumed for a repair on site until somebody knows better; said so in the option."""


class Situation:
    """The facts that options are computed from: the line's file, the building, the business day, the subject."""

    def __init__(self, file: LineFile | None, building: Building, today: date, subject: dict[str, Any]) -> None:
        self._file = file
        self.building = building
        self.today = today
        self.subject = subject

    @property
    def file(self) -> LineFile:
        if self._file is None:
            raise LookupError("this kind of question is about a line, and none was given")
        return self._file

    @property
    def item_id(self) -> str:
        return self.file.item.item_id

    def option(
        self,
        title: str,
        actions: list[dict[str, Any]],
        *,
        arrival: date | None = None,
        cost: str = "unknown",
        assumptions: list[str] | None = None,
    ) -> Option:
        return Option(
            title=title,
            actions=actions,
            arrival=None if arrival is None else arrival.isoformat(),
            days_late=days_late(arrival, self.file.item.required_by) if self._file else None,
            cost=cost,
            assumptions=assumptions or [],
        )

    def hold(self, note: str = "held until somebody decides") -> Option:
        review = add_working_days(self.today, self.building.policy.hold_review_after_days, self.building.working_week)
        return self.option(
            "Hold: do nothing for now",
            [action("hold_item", item=self.item_id, until=review, note=note)],
            cost="none now",
            assumptions=[f"asked again on {review}"],
        )

    def ask_vendor(self, question: str, title: str = "Ask the vendor first", *, and_hold: bool = False) -> Option:
        """A question to the vendor; with `and_hold` the line waits, and is asked about again after a while."""
        asked = [action("request_information", item=self.item_id, to="vendor", question=question)]
        waiting = self.hold("waiting for the vendor")
        return self.option(
            title,
            [*asked, *waiting.actions] if and_hold else asked,
            cost="none",
            assumptions=waiting.assumptions if and_hold else ["nothing else changes until the vendor answers"],
        )


def options_for(kind: str, situation: Situation) -> list[Option]:
    """At least three ranked options for every kind that the spine raises."""
    return _BY_KIND[kind](situation)


def _inspection_failed(s: Situation) -> list[Option]:
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
    amount = item.total if quantity is None or item.unit_price is None else quantity * item.unit_price
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


def _schedule_conflict(s: Situation) -> list[Option]:
    item = s.file.item
    expected = item.expected
    needed = None if expected is None else expected + timedelta(days=max(1, item.buffer_days))
    chase = s.option(
        "Expedite: air or dedicated freight",
        [action("expedite_order", item=item.item_id, method="air or dedicated freight")],
        assumptions=["the vendor confirms a date before the required day; none is known yet"],
    )
    confirm = s.ask_vendor(
        f"{item.name} is expected on {expected} and required by {item.required_by}. What is the earliest date you can "
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
    return [*options, confirm, s.hold("waiting for a firm date"), _remove(s)]


def _remove(s: Situation) -> Option:
    return s.option(
        "Take the line out",
        [action("remove_item", item=s.item_id, note="no longer needed")],
        assumptions=["the work can do without it, or another line replaces it"],
    )


def _order_beyond_authority(s: Situation) -> list[Option]:
    item = s.file.item
    if s.subject.get("change_order"):
        return _change_order(s)
    arrival = None if item.lead_time_days is None else s.today + timedelta(days=item.lead_time_days)
    issue = s.option(
        "Issue the purchase order",
        _order_and_track(item.item_id),
        arrival=arrival,
        cost=money(item.total, item.currency) or "unknown",
        assumptions=[f"ordered on {s.today}, the vendor keeps the lead time"],
    )
    quote = s.ask_vendor(f"Please send your best price and delivery for {item.name} before we order.", and_hold=True)
    return [issue, quote, s.hold("not ordered yet"), _remove(s)]


def _order_and_track(item_id: str) -> list[dict[str, Any]]:
    return [action("issue_purchase_order", item=item_id), action("start_tracking", item=item_id)]


def _change_order(s: Situation) -> list[Option]:
    item, revision = s.file.item, s.subject.get("revision")
    confirm = s.ask_vendor(
        f"Revision {revision} of the submittal of {item.name} was approved after your order was placed. Please confirm "
        "that you deliver to it, and any change of price or date.",
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


def _order_incomplete(s: Situation) -> list[Option]:
    item, missing = s.file.item, " and ".join(s.subject.get("missing", ["data"]))
    ask = s.option(
        f"Ask the project manager for the {missing}",
        [
            action(
                "request_information",
                item=item.item_id,
                to="project_manager",
                question=f"{item.name} is approved but cannot be ordered: {missing} missing. Send Items_Changed.",
            )
        ],
        cost="none",
        assumptions=["the line is completed with an Items_Changed event; the order then follows by itself"],
    )
    anyway = s.option(
        "Order without it",
        _order_and_track(item.item_id),
        arrival=None if item.lead_time_days is None else s.today + timedelta(days=item.lead_time_days),
        cost=money(item.total, item.currency) or "unknown",
        assumptions=[f"{missing} is settled with the vendor outside Longlead"],
    )
    return [ask, anyway, s.hold(f"{missing} missing"), _remove(s)]


def _acknowledgement_exception(s: Situation) -> list[Option]:
    item = s.file.item
    said = "; ".join(f"{e['kind']}: {e['detail']}" for e in s.subject.get("exceptions", []))
    ask = s.ask_vendor(f"Please deliver {item.name} as ordered. You noted: {said}", "Insist on the order as placed")
    accept = s.option(
        "Accept the vendor's terms",
        [action("accept_as_is", item=item.item_id, note=f"accepted: {said}")],
        arrival=item.expected,
        assumptions=["the difference in price or quantity is agreed in a change order outside Longlead"],
    )
    elsewhere = s.option(
        "Cancel the order",
        [action("cancel_purchase_order", item=item.item_id, reason=f"vendor's exceptions: {said}")],
        assumptions=["another vendor can deliver; it needs a submittal of its own"],
    )
    return [ask, accept, s.hold("vendor's exceptions are open"), elsewhere]


def _item_unknown(s: Situation) -> list[Option]:
    body = s.subject["event"]
    matches = [
        s.option(
            f"It is {name}",
            [action("restate_event", event={**body, "item": item_id})],
            cost="none",
            assumptions=[f"{body['item']!r} was meant as {name!r}"],
        )
        for item_id, name in s.subject.get("closest", [])
    ]
    return [*matches, _ask_sender(s), _dismiss(s), _later(s)]


def _event_unclear(s: Situation) -> list[Option]:
    events = (s.subject.get("reading") or {}).get("events") or []
    return [*([_as_read(s, events)] if events else []), _ask_sender(s), _dismiss(s), _later(s)]


def _as_read(s: Situation, events: list[dict[str, Any]]) -> Option:
    """What a model read, with what it was not sure of."""
    doubts = [str(doubt) for doubt in s.subject["reading"].get("doubts", [])]
    return s.option(
        f"Take it in as a model read it: {'; '.join(map(event_told, events))}"[:500],
        [action("restate_event", event=event) for event in events],
        cost="none",
        assumptions=[f"not certain: {doubt}" for doubt in doubts],
    )


def event_told(event: dict[str, Any]) -> str:
    """An event in one line: its type, its line and its day."""
    days = ("eta", "promised_date", "date_arrived", "inspection_date")
    day = next((f" {event[field]}" for field in days if event.get(field)), "")
    return f"{event['event_type'].replace('_', ' ')} of {event['item']}{day}"


def _ask_sender(s: Situation) -> Option:
    who = s.subject.get("sender") or s.subject.get("source") or "sender"
    return s.option(
        "Have the project manager clear it up with the sender",
        [
            action(
                "notify_team",
                team="project_manager",
                message=f"Please clear up with {who} what was meant: {str(s.subject.get('text', ''))[:500]}",
            )
        ],
        cost="none",
        assumptions=["the sender sends it again, as a typed event or in other words"],
    )


def _dismiss(s: Situation) -> Option:
    return s.option(
        "Leave it: nothing needs doing",
        [action("dismiss_event", note="nothing needs doing")],
        cost="none",
        assumptions=["it has no consequence for the procurement log"],
    )


def _later(s: Situation) -> Option:
    return s.option(
        "Record it as a note of the team",
        [
            action(
                "restate_event",
                event={"event_type": "Human_Input", "text": str(s.subject.get("text", "-"))[:5000] or "-"},
            )
        ],
        cost="none",
        assumptions=["shown as evidence where it names a line"],
    )


def _facts_contradict(s: Situation) -> list[Option]:
    keep = s.option(
        "Keep what is on file; leave the report",
        [action("dismiss_event", note="the report contradicts what is on file")],
        cost="none",
        assumptions=["the report is wrong, or repeats an older one"],
    )
    question = f"Two reports on {s.file.item.name} contradict each other: {s.subject.get('detail')}. Which is right?"
    ask = s.ask_vendor(question, "Ask the vendor which is right")
    hold = s.hold("reports contradict each other")
    if s.subject.get("unordered_delivery"):
        return [ask, s.option("Issue the order all the same", _order_and_track(s.item_id)), keep, hold]
    return [keep, ask, hold]


def _event_failed(s: Situation) -> list[Option]:
    tell = s.option(
        "Have the engineers look at it",
        [
            action(
                "notify_team",
                team="engineering",
                message=f"Event {s.subject.get('event_id')} could not be processed: {s.subject.get('error')}",
            )
        ],
        cost="none",
        assumptions=["after a fix it is processed with `longlead events retry`"],
    )
    again = s.option(
        "Send it again as it was",
        [action("restate_event", event=s.subject["event"])] if s.subject.get("event") else [],
        cost="none",
        assumptions=["what went wrong was passing"],
    )
    return [tell, *([again] if again.actions else []), _dismiss(s)]


def _milestone_overdue(s: Situation) -> list[Option]:
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


def _hold_expired(s: Situation) -> list[Option]:
    """What the line was, or now is, held for; then going on, or holding it again."""
    item = s.file.item
    release = s.option(
        "End the hold and go on",
        [action("dismiss_event", note="the hold has ended")],
        cost="none",
        assumptions=["nothing stands against it any more"],
    )
    if item.quality == "failed":
        matter = _inspection_failed(s)
    elif item.submittal == "approved" and item.commercial == "unordered":
        matter = _order_beyond_authority(s)
    elif item.schedule_band == "conflict":
        matter = _schedule_conflict(s)
    else:
        return [release, s.ask_vendor(f"How does {item.name} stand?"), s.hold("held again"), _remove(s)]
    return [*(o for o in matter if o.actions[0]["name"] != "hold_item"), release, s.hold("held again")]


def _decision_overruled(s: Situation) -> list[Option]:
    """What is to become of what was decided alone and found wrong."""
    done = {made["name"] for made in s.subject["actions"]}
    leave = s.option(
        "Leave it as it was decided",
        [action("dismiss_event", note="left as it was decided")],
        cost="none",
        assumptions=["what was done stands; only the rule behind it asks again"],
    )
    hold = s.hold("what was decided is being undone")
    if not done & {"reorder_item", "issue_purchase_order"}:
        return [hold, leave, s.ask_vendor(f"How does {s.file.item.name} stand?"), _remove(s)]
    cancel = s.option(
        "Cancel the order that was placed",
        [action("cancel_purchase_order", item=s.item_id, reason="ordered by mistake")],
        assumptions=["the vendor accepts the cancellation without charge"],
    )
    return [cancel, leave, hold, _remove(s)]


def _delegation_request(s: Situation) -> list[Option]:
    """Allow it for good, for a while, or not."""
    asked = s.subject["delegation"]
    limit = asked.get("amount_limit") or s.building.policy.po_limit
    money_bound = "no amount is set" if limit is None else f"at most {limit} {s.building.currency} for one decision"
    whole = s.option(
        "Delegate it until it is revoked",
        [action("grant_delegation", **asked)],
        cost="none now",
        assumptions=[money_bound, "you are told of every decision; overruling one suspends the delegation"],
    )
    short = s.option(
        f"Delegate it for {DELEGATED_DAYS} days",
        [action("grant_delegation", **{**asked, "days": DELEGATED_DAYS})],
        cost="none now",
        assumptions=[money_bound, f"it ends by itself after {DELEGATED_DAYS} days"],
    )
    no = s.option(
        "No: go on asking",
        [action("dismiss_event", note="not delegated")],
        cost="none",
        assumptions=["the rule goes on recommending, and does not ask for this again"],
    )
    return [whole, short, no]


DELEGATED_DAYS = 90
"""The shorter delegation that is offered."""

_BY_KIND: dict[str, Callable[[Situation], list[Option]]] = {
    "inspection_failed": _inspection_failed,
    "schedule_conflict": _schedule_conflict,
    "order_beyond_authority": _order_beyond_authority,
    "order_incomplete": _order_incomplete,
    "acknowledgement_exception": _acknowledgement_exception,
    "item_unknown": _item_unknown,
    "event_unclear": _event_unclear,
    "facts_contradict": _facts_contradict,
    "event_failed": _event_failed,
    "hold_expired": _hold_expired,
    "milestone_overdue": _milestone_overdue,
    "decision_overruled": _decision_overruled,
    "delegation_request": _delegation_request,
}
