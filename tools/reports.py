"""What a person makes of a report that was unclear: it was another event, or nothing."""

import json
from typing import Any

from domain.actions import DismissArguments, RestateArguments
from domain.events import body_of
from domain.lines.taking_in import COUNTED, RESTATED
from storage import inbox, procurement
from tools.context import ActionContext


async def restate_event(context: ActionContext, arguments: RestateArguments) -> dict[str, Any]:
    """Put the event as it should have been sent into the building's own inbox; it is processed in its turn."""
    accepted = await inbox.add(
        context.transaction,
        source=RESTATED,
        event_id=f"{context.key}{await _ending(context)}",
        event_type=arguments.event.event_type,
        body=json.loads(json.dumps(body_of(arguments.event))),
        now=context.now,
    )
    return {"seq": accepted.seq}


async def _ending(context: ActionContext) -> str:
    """Where a contradiction is answered, the report counts as another than what it contradicts."""
    approval_id = context.entry.body.get("approval_id")
    approval = await procurement.approval(context.transaction.conn, approval_id) if approval_id else None
    is_doubt = approval is not None and approval.kind == "facts_contradict" and approval.subject.get("fact")
    return COUNTED if is_doubt else ""


async def dismiss_event(context: ActionContext, arguments: DismissArguments) -> dict[str, Any]:
    """Nothing needs doing; the reason stays in the ledger."""
    return {"dismissed": True}
