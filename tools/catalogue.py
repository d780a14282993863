"""Which function carries out which action. Every action of the union has exactly one."""

from collections.abc import Awaitable, Callable
from typing import Any

from domain.plain_json import JsonObject
from tools import (
    completing,
    delegations,
    flags,
    goods_taken_on,
    holds,
    inspections,
    messages,
    order_revisions,
    orders,
    reports,
    schedule,
)
from tools.context import ActionContext

Effect = Callable[[ActionContext, Any], Awaitable[JsonObject]]

EFFECTS: dict[str, Effect] = {
    "issue_purchase_order": orders.issue_purchase_order,
    "reorder_item": orders.reorder_item,
    "cancel_purchase_order": orders.cancel_purchase_order,
    "revise_purchase_order": order_revisions.revise_purchase_order,
    "start_tracking": orders.start_tracking,
    "expedite_order": orders.expedite_order,
    "flag_potential_issue": flags.flag_potential_issue,
    "notify_team": messages.notify_team,
    "request_information": messages.request_information,
    "schedule_inspection": inspections.schedule_inspection,
    "repair_item": inspections.repair_item,
    "return_item": inspections.return_item,
    "accept_as_is": inspections.accept_as_is,
    "change_required_by": schedule.change_required_by,
    "change_project_end": schedule.change_project_end,
    "remove_item": schedule.remove_item,
    "hold_item": holds.hold_item,
    "complete_item": completing.complete_item,
    "judge_goods_taken_on": goods_taken_on.judge_goods_taken_on,
    "restate_event": reports.restate_event,
    "dismiss_event": reports.dismiss_event,
    "grant_delegation": delegations.grant_delegation,
}
