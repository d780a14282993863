"""What a person makes of a report that was unclear: it was another event, or nothing."""

import json
from decimal import Decimal

from domain.actions import DismissArguments, RestateArguments
from domain.approvals import Approval
from domain.events import Event, body_of
from domain.lines.taking_in import COUNTED, OTHER_UNIT, RESTATED
from domain.lines.units import unit_named
from domain.plain_json import JsonObject, object_in
from storage import inbox
from storage.inbox import Accepted
from tools.context import ActionContext


async def restate_event(context: ActionContext, arguments: RestateArguments) -> JsonObject:
    """Put the event as it should have been sent into the building's own inbox; it is processed in its turn."""
    approval = await context.answered()
    accepted = await tell_again(context, arguments.event, _ending(approval))
    if approval is not None and approval.item_id is not None:
        await _keep_factor(context, approval, arguments.event)
    return {"seq": accepted.seq}


async def tell_again(context: ActionContext, event: Event, ending: str) -> Accepted:
    """Put an event as a person tells it into the building's own inbox. `ending`: of its id, beside the effect's key."""
    return await inbox.add(
        context.transaction,
        source=RESTATED,
        event_id=f"{context.key}{ending}",
        event_type=event.event_type,
        body=json.loads(json.dumps(body_of(event))),
        now=context.now,
    )


def _ending(approval: Approval | None) -> str:
    """Where a contradiction is answered, the report counts as another than what it contradicts."""
    is_doubt = (
        approval is not None
        and approval.kind == "facts_contradict"
        and (approval.subject.get("fact") or approval.subject.get("outside"))
    )
    return COUNTED if is_doubt else ""


async def _keep_factor(context: ActionContext, approval: Approval, event: Event) -> None:
    """A report in another unit was told again in the line's: from then on it is known how much that unit is."""
    reported = object_in(approval.subject, "reported")
    quantity = getattr(event, "quantity", None) or getattr(event, "quantity_rejected", None)
    if approval.subject.get("doubt") != OTHER_UNIT or not reported or quantity is None:
        return
    file = await context.file(approval.item_id or "")
    factors = {
        **file.item.unit_factors,
        unit_named(str(reported["unit"])): quantity / Decimal(str(reported["quantity"])),
    }
    context.save(file.item.model_copy(update={"unit_factors": factors, "caused_seq": context.seq}))


async def dismiss_event(context: ActionContext, arguments: DismissArguments) -> JsonObject:
    """Nothing needs doing; the reason stays in the ledger."""
    return {"dismissed": True}
