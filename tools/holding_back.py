"""What takes the place of a commitment that a building holds back: it is told, and nothing is ordered."""

from domain.actions import Action, IssuePurchaseOrder, OrderArguments, plain
from domain.actions.registry import SPENDING
from domain.orders import order_preview
from domain.plain_json import JsonObject
from domain.procurement import LineFile, money
from tools.context import ActionContext


def tell_would_do(context: ActionContext, action: Action, file: LineFile | None) -> JsonObject:
    """What the action would have done, as its result. A line that would have been ordered shows what the order would
    have said; no number is taken from the counter."""
    made = plain(action)
    would_do: JsonObject = {"name": made["name"], "arguments": made["arguments"]}
    arguments = action.arguments
    if file is None or action.name not in SPENDING or not isinstance(arguments, OrderArguments):
        return {"would_do": would_do}
    order = order_preview(file, arguments.quantity, context.today)
    if isinstance(action, IssuePurchaseOrder) and not file.item.is_ordered:
        context.save(file.item.model_copy(update={"would_order": order}))
    shown = order.model_dump(mode="json", exclude={"total"})
    return {"would_do": {**would_do, "order": {**shown, "total": money(order.total, order.currency)}}}
