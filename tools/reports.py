"""What a person makes of a report that was unclear: it was another event, or nothing."""

import json

from domain.actions import DismissArguments, RestateArguments
from domain.events import body_of
from domain.plain_json import JsonObject
from storage import inbox
from tools.context import ActionContext


async def restate_event(context: ActionContext, arguments: RestateArguments) -> JsonObject:
    """Put the event as it should have been sent into the building's own inbox; it is processed in its turn."""
    accepted = await inbox.add(
        context.transaction,
        source="longlead.restated",
        event_id=str(context.key),
        event_type=arguments.event.event_type,
        body=json.loads(json.dumps(body_of(arguments.event))),
        now=context.now,
    )
    return {"seq": accepted.seq}


async def dismiss_event(context: ActionContext, arguments: DismissArguments) -> JsonObject:
    """Nothing needs doing; the reason stays in the ledger."""
    return {"dismissed": True}
