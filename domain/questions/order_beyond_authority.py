"""An order is beyond what the agent may place alone, or a new revision was approved after it was placed."""

from datetime import timedelta

from domain.actions import action
from domain.approvals import Option
from domain.buildings import Building
from domain.outstanding import order_verdict
from domain.plain_json import FactValue, JsonObject, PlainObject, object_in
from domain.procurement import LineFile, money
from domain.questions.kinds import (
    CONTRADICTS,
    LineKind,
    Subject,
    line_of,
    never_without_matter,
    nothing_more,
    one_per_line,
)
from domain.questions.line_facts import is_unordered, order_facts
from domain.situation import Situation, order_and_track, remove_line


class OrderBeyondAuthoritySubject(Subject):
    """Whether it is about an order that stands."""

    change_order: bool = False
    """A revision of the submittal was approved after the order."""
    revision: int | None = None


def offer_order(s: Situation, subject: OrderBeyondAuthoritySubject) -> list[Option]:
    """Issue it, have the vendor quote first, hold, or do without it; a change order after an order has its own."""
    item = s.file.item
    if subject.change_order:
        return _change_order(s, subject)
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


def _change_order(s: Situation, subject: OrderBeyondAuthoritySubject) -> list[Option]:
    item, revision = s.file.item, subject.revision
    confirm = s.ask_vendor(
        f"Revision {revision} of the submittal of {item.shown} was approved after your order was placed. Please "
        "confirm that you deliver to it, and any change of price or date.",
        "Have the vendor confirm the new revision",
        contact="orders",
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


def _summary(s: Situation, subject: OrderBeyondAuthoritySubject) -> str:
    item = s.file.item
    if subject.change_order:
        return f"{item.shown} is ordered, and revision {subject.revision} was approved since: a change order?"
    return f"Order {item.shown} for {money(item.total, item.currency)}? {subject.policy_line}."


def _stands(file: LineFile, building: Building, subject: OrderBeyondAuthoritySubject) -> bool:
    if subject.change_order:
        return file.item.is_ordered
    return is_unordered(file) and not order_verdict(file, building).allowed


def _facts(file: LineFile, building: Building, subject: OrderBeyondAuthoritySubject) -> list[FactValue]:
    return order_facts(file, building, subject.revision)


def _told_again(file: LineFile, building: Building, subject: OrderBeyondAuthoritySubject) -> JsonObject:
    return {} if subject.change_order else {"policy_line": order_verdict(file, building).policy_line}


def _case(subject: OrderBeyondAuthoritySubject) -> str | None:
    return "change order" if subject.change_order else None


def _title(subject: OrderBeyondAuthoritySubject, evidence: PlainObject) -> str:
    if subject.change_order:
        return "change order"
    value = object_in(evidence, "order").get("value")
    return f"order of {value}" if value else "order"


KIND = LineKind(
    name="order_beyond_authority",
    subject=OrderBeyondAuthoritySubject,
    summary=_summary,
    stands=_stands,
    facts=_facts,
    earlier_facts=never_without_matter,
    told_again=_told_again,
    matter=one_per_line,
    options=offer_order,
    evidence=nothing_more,
    policy_line=line_of(CONTRADICTS),
    is_always_a_persons=False,
    needs_a_person=True,
    any_key_may_answer=False,
    escalates=True,
    decides_on="nothing",
    holds_line=True,
    is_asked_once=True,
    is_about_an_event=True,
    is_told_from_outside=False,
    is_put_to_models=True,
    rests_on_vendors=True,
    when="When an order is beyond the agent's authority",
    names_its_case=False,
    case=_case,
    title=_title,
)
