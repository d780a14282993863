"""Changes of the schedule that people decide on: another required day, another project end, a line taken out."""

from typing import Any

from domain.actions import NoteArguments, ProjectEndArguments, RequiredByArguments
from domain.buildings import MANAGER
from domain.mail_subjects import notice_subject
from domain.procurement import Commercial, ScheduleVersion
from domain.schedule import as_date, compared, with_project_end, with_required_by, without_item
from storage import procurement
from tools.context import ActionContext
from tools.flags import band_settled
from tools.messages import say


async def change_required_by(context: ActionContext, arguments: RequiredByArguments) -> dict[str, Any]:
    """Move the day on which the line is required: a new version of the schedule."""
    item = (await context.file(arguments.item)).item
    day = as_date(arguments.required_by)
    moved = compared(item.model_copy(update={"required_by": day, "caused_seq": context.seq}))
    settled, cleared = await band_settled(
        context.transaction.conn, context.building.building_id, item, moved, context.seq
    )
    current = await _body(context)
    version = save_version(context, with_required_by(current, item, day))
    context.save(settled, *cleared)
    return {"schedule_version": version, "before": None if item.required_by is None else item.required_by.isoformat()}


async def change_project_end(context: ActionContext, arguments: ProjectEndArguments) -> dict[str, Any]:
    """Move the project's end: a new version of the schedule."""
    current = await _body(context)
    version = save_version(context, with_project_end(current, as_date(arguments.end_date)))
    return {"schedule_version": version, "before": current.get("project", {}).get("end_date")}


async def remove_item(context: ActionContext, arguments: NoteArguments) -> dict[str, Any]:
    """Take the line out of the log and the schedule. A standing order is named, so that somebody cancels it."""
    file = await context.file(arguments.item)
    item = file.item
    version = save_version(context, without_item(await _body(context), item))
    removed = item.model_copy(update={"removed": True, "held_until": None, "caused_seq": context.seq})
    settled, cleared = await band_settled(
        context.transaction.conn,
        context.building.building_id,
        item,
        removed.model_copy(update={"schedule_band": "clear"}),
        context.seq,
    )
    context.save(settled.model_copy(update={"schedule_band": None}), *cleared)
    result: dict[str, Any] = {"schedule_version": version}
    if file.order is not None and item.commercial in (Commercial.ORDERED, Commercial.ACKNOWLEDGED):
        result["standing_order"] = file.order.number
        text = f"{item.shown} was taken out of the schedule; its order {file.order.number} still stands."
        result |= say(context, MANAGER, text, item.item_id, subject=notice_subject(item.shown, text))
    return result


async def _body(context: ActionContext) -> dict[str, Any]:
    current = await procurement.current_schedule(context.transaction.conn, context.building.building_id)
    return {} if current is None else dict(current.body)


def save_version(context: ActionContext, body: dict[str, Any], data_date: Any = None) -> int:
    """The next version of the schedule."""
    context.building.schedule_version += 1
    version = context.building.schedule_version
    context.save(ScheduleVersion(version=version, body=body, data_date=data_date, caused_seq=context.seq))
    return version
