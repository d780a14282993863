"""Putting a line on hold, until a day on which somebody is asked again."""

from domain.actions import HoldArguments
from domain.plain_json import JsonObject
from domain.schedule import add_working_days, as_date
from tools.context import ActionContext


async def hold_item(context: ActionContext, arguments: HoldArguments) -> JsonObject:
    """Hold the line. Without a day, or with one that has passed, it is asked again after the policy's time."""
    item = (await context.file(arguments.item)).item
    until = None if arguments.until is None else as_date(arguments.until)
    # A hold ends by the wall clock: one decided on in a story that is long past must not end at once.
    from_day = max(context.today, context.now.astimezone(context.building.zone).date())
    if until is None or until <= from_day:
        policy = context.building.policy
        until = add_working_days(from_day, policy.hold_review_after_days, context.building.working_week)
    context.save(item.model_copy(update={"held_until": until, "hold_note": arguments.note, "caused_seq": context.seq}))
    return {"held_until": until.isoformat()}
