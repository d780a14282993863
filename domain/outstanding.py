"""What is outstanding on a line, told from the facts alone.

The agent acts on where a line stands, not on which event came last: so a repeat finds nothing to do, an event out of
order does no harm, and when a hold ends the line is simply looked at afresh.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from domain.actions import action
from domain.buildings import MANAGER, Building
from domain.commitments import missing_for_order, order_authority
from domain.counts import write_count
from domain.inspections import uninspected
from domain.lines.stored import read_row
from domain.lines.submittals import newest_verdict
from domain.lump_sums import why_not_whole
from domain.orders import is_to_be_ordered, order_preview
from domain.outside import quoted, shown_name
from domain.plain_json import JsonObject, PlainAction
from domain.policy import Authority
from domain.procurement import Item, LineFile, Logistics
from domain.schedule import next_working_day


@dataclass
class Need:
    """Something to be done about a line: actions the agent may take, or a question it must put."""

    item_id: str
    why: str
    actions: list[PlainAction] = field(default_factory=list)
    ask: str | None = None
    subject: JsonObject = field(default_factory=dict)


def outstanding(file: LineFile, building: Building, *, may_order: bool = True) -> list[Need]:
    """Everything that the line's facts call for now. Nothing for a line that was removed.

    `may_order`: False where another line of its group orders it, or waits for an answer.

    Where the agent may not order by itself (in watch, and on the first day after it), an order that it would place is
    called for once, until something of it changes.
    """
    if file.item.removed:
        return []
    return [
        *(_order(file, building) if may_order else []),
        *_tracking(file),
        *to_receive(file, building),
        *_undecided_rest(file),
        *_conflict(file, building),
    ]


def outstanding_while_asked(file: LineFile, building: Building) -> list[Need]:
    """What a line calls for while a question about it is open: goods at the gate do not wait for an answer, and what is
    known to be late or undecided is said whatever else is asked: which of two reports came first does not matter.
    Orders and chasing wait."""
    if file.item.removed:
        return []
    return [*to_receive(file, building), *_undecided_rest(file), *_conflict(file, building)]


def _order(file: LineFile, building: Building) -> list[Need]:
    item = file.item
    if not is_to_be_ordered(file):
        return []
    if item.logistics != Logistics.NOT_SHIPPED:
        detail = unordered_detail(item)
        return [
            Need(
                item.item_id,
                detail,
                ask="facts_contradict",
                subject={"detail": detail, "unordered_delivery": True},
            )
        ]
    if missing := missing_for_order(file, building):
        why = f"{item.shown}: {' and '.join(missing)} missing"
        return [Need(item.item_id, why, ask="order_incomplete", subject={"missing": [*missing]})]
    verdict = order_verdict(file, building)
    if not verdict.allowed:
        beyond: JsonObject = {"policy_line": verdict.policy_line}
        return [Need(item.item_id, verdict.policy_line, ask="order_beyond_authority", subject=beyond)]
    if not building.orders_alone and is_told_already(file):
        return []
    wanted = [action("issue_purchase_order", item=item.item_id), action("start_tracking", item=item.item_id)]
    return [Need(item.item_id, f"submittal approved; {verdict.policy_line}", wanted)]


def settles_group(file: LineFile, building: Building) -> bool:
    """Whether the line orders its group, or asks about that. In watch, each line shows what would be ordered."""
    return any(need.ask is not None or building.orders_alone for need in _order(file, building))


def unordered_detail(item: Item) -> str:
    """What contradicts what on a line that is delivered without an order."""
    where = item.logistics.replace("_", " ")
    return f"{item.shown}: its submittal is approved, and it is already {where} without an order"


ORDERED_ELSEWHERE = (
    "ordered elsewhere: report it with the event Purchase_Order_Acknowledged and its purchase_order (longlead events "
    "send)"
)
"""Note of a hold until an order that people placed is reported."""


def note_subject(item: Item, text: str, seq: int) -> JsonObject:
    """What is asked about a line that a person has said something of in entry `seq`, before the agent orders it: it
    does not read notes, and the order may have been placed or called off."""
    return {
        "detail": f"A note on {item.shown} says: {quoted(text)} Order it all the same?",
        "note_seq": seq,
        "policy_line": "a note of the team came before the agent could order by itself",
    }


def is_about_note(subject: JsonObject) -> bool:
    """Whether a contradiction is one between a person's note and an order that is planned."""
    return "note_seq" in subject


def is_to_order(file: LineFile, building: Building) -> bool:
    """Whether the agent would order the line now, if it could order by itself."""
    acting = building.model_copy(update={"is_watching": False, "acts_from": None})
    return any(action["name"] == "issue_purchase_order" for need in _order(file, acting) for action in need.actions)


def is_told_already(file: LineFile) -> bool:
    """Whether the line shows the very order that the agent would place now."""
    shown = file.item.would_order
    return shown is not None and shown.is_same_as(order_preview(file, None, shown.on))


NOT_KNOWN_TO_BE_ORDERED = "its approval was taken on with the log: a person knows whether it was ordered elsewhere"


def order_verdict(file: LineFile, building: Building) -> Authority:
    """Whether the agent may order this line alone; of a lump sum, the whole group."""
    if _is_approved_as_taken_on(file):
        return Authority(False, NOT_KNOWN_TO_BE_ORDERED)
    why = why_not_whole(file)
    if why is not None:
        return Authority(False, why)
    return order_authority(
        building.policy,
        file.item.total,
        file.item.currency,
        building.currency,
        file.vendor is None or file.vendor.approved,
    )


def _is_approved_as_taken_on(file: LineFile) -> bool:
    """Whether the approval that stands was told with a running project, and no order was."""
    if file.item.taken_on is None or file.order_lines:
        return False
    verdict = newest_verdict(read_row(row) for row in file.facts if row.kind == "submitted")
    return verdict is not None and verdict.is_adopted


def _tracking(file: LineFile) -> list[Need]:
    item = file.item
    tracked = any(milestone.round == item.round for milestone in file.milestones)
    if not item.is_ordered or tracked:
        return []
    return [Need(item.item_id, "a new order is tracked", [action("start_tracking", item=item.item_id)])]


def to_receive(file: LineFile, building: Building) -> list[Need]:
    """What has arrived and is neither announced to the site nor planned for inspection."""
    item = file.item
    waiting = uninspected(file)
    receipts = [receipt for receipt in file.receipts if receipt.shipment_id in waiting and not receipt.is_voided]
    if not receipts:
        return []
    arrived = max(receipt.received_on for receipt in receipts)
    on = next_working_day(arrived, building.working_week)
    what = " and ".join(_received(file, receipt.shipment_id) for receipt in receipts)
    message = (
        f"{item.shown} arrived on {arrived}{what and ': ' + what}{_beyond_order(file, waiting)}. "
        f"Receive and store it; inspection is planned for {on}."
    )
    return [
        Need(
            item.item_id,
            "what has arrived is inspected on the next working day",
            [
                action("notify_team", team="receiving", message=message, item=item.item_id),
                action("schedule_inspection", item=item.item_id, on=on),
            ],
        )
    ]


def _undecided_rest(file: LineFile) -> list[Need]:
    """A nonconformance of which only a part was decided: the rest is asked about."""
    return [
        Need(
            file.item.item_id,
            f"{ncr.undecided.normalize():f} of NCR {shown_name(ncr.ncr_number)} are undecided",
            ask="inspection_failed",
            subject={"inspection_id": ncr.inspection_id, "ncr_number": ncr.ncr_number},
        )
        for ncr in file.open_ncrs
        if ncr.undecided < ncr.quantity
    ]


def _beyond_order(file: LineFile, waiting: list[str]) -> str:
    over = sum((lot.quantity for lot in file.lots if lot.is_over and lot.shipment_id in waiting), Decimal(0))
    return f" ({over.normalize():f} more than ordered)" if over else ""


def _received(file: LineFile, shipment_id: str) -> str:
    receipt = file.receipt_of(shipment_id)
    if receipt is None or receipt.quantity is None:
        return f"shipment {shown_name(shipment_id)}"
    return (
        f"{receipt.quantity.normalize():f} {shown_name(file.item.unit or 'units')} (shipment {shown_name(shipment_id)})"
    )


def _conflict(file: LineFile, building: Building) -> list[Need]:
    item = file.item
    asks = not is_let_pass(item, building) and item.logistics != Logistics.ON_SITE
    told = ("conflict",) if asks else ("conflict", LET_PASS)
    if item.schedule_band != "conflict" or item.told_band in told or item.is_released:
        return []
    detail = conflict_detail(item)
    flag = action("flag_potential_issue", item=item.item_id, band="conflict", detail=detail)
    needs = [Need(item.item_id, "the expected arrival is on or after the required day", [flag])]
    if asks:
        subject: JsonObject = {"policy_line": conflict_policy_line(building)}
        needs.append(Need(item.item_id, detail, ask="schedule_conflict", subject=subject))
    return needs


def conflict_policy_line(building: Building) -> str:
    """The line of the policy for which a late line is put to a person."""
    return f"ask_from_days_late: {building.policy.ask_from_days_late}"


LET_PASS = "let_pass"
"""Told of a conflict by a flag alone, since policy lets it pass: when it grows beyond that, a person is asked."""


def is_let_pass(item: Item, building: Building) -> bool:
    """Whether the line is late by less than policy asks about."""
    return (item.days_late or 0) < building.policy.ask_from_days_late


def conflict_detail(item: Item) -> str:
    """One line with the three dates that matter, never mixed: need, promise, ETA. Of several needs, the latest."""
    need = item.latest_need
    expected, required = (item.expected, item.required_by) if need is None else (need.expected_on, need.required_by)
    late = item.days_late or 0
    known = f"ETA {item.eta}" if item.eta and item.eta == expected else f"promised for {item.promised_date}"
    if expected not in (item.eta, item.promised_date):
        known = f"expected on {expected}"
    lateness = f"{write_count(late, 'calendar day')} late" if late else "on the very day it is required"
    return f"{item.shown}: {_late_part(item)}{known}, required by {required}: {lateness}."


def _late_part(item: Item) -> str:
    """How much of it is late, where that is only a part."""
    needs = item.account.needs if item.account else []
    late = sum((need.late_quantity for need in needs), Decimal(0))
    needed = sum((need.quantity for need in needs), Decimal(0))
    if not late or late >= needed:
        return ""
    return f"{late.normalize():f} of {needed.normalize():f} {shown_name(item.unit or 'units')}: "


def is_resolved(before: Item, after: Item) -> bool:
    """Whether people were told of a conflict that is no more."""
    is_in_time = after.schedule_band in ("clear", "tight") or after.required_by is None or after.is_released
    return before.told_band in ("conflict", LET_PASS) and is_in_time


def resolved_message(item: Item) -> PlainAction:
    needed = "no day is required any more" if item.required_by is None else f"required by {item.required_by}"
    message = f"{item.shown}: no longer in conflict; expected on {item.expected}, {needed}."
    return action("notify_team", team=MANAGER, message=message, item=item.item_id)
