"""Changes of the schedule that people decide on: another required day, another project end, a line taken out."""

from collections.abc import Collection, Iterable
from datetime import date

from pydantic import JsonValue

from domain.actions import NoteArguments, ProjectEndArguments, RequiredByArguments
from domain.buildings import MANAGER
from domain.changing_lines import Log, WantedLine
from domain.mail_subjects import notice_subject
from domain.needs_plan import needs_to_move
from domain.plain_json import JsonObject, object_in
from domain.procurement import Commercial, Item, LineValue, ScheduleVersion
from domain.schedule import as_date, with_project_end
from storage import procurement
from tools.apart import work_apart
from tools.context import ActionContext
from tools.flags import band_settled
from tools.messages import say


async def change_required_by(context: ActionContext, arguments: RequiredByArguments) -> JsonObject:
    """Move the day on which the line is required: a new version of the schedule. Of several needs those move that are
    late, and no other; where none is, the first."""
    item = (await context.file(arguments.item)).item
    log = await _open_log_of_all(context, item)
    day = as_date(arguments.required_by)
    moved = needs_to_move(item, day)
    if moved:
        log.move_needs(item, [need.required_by for need in moved], day)
    else:
        need: dict[str, LineValue] = {"required_by": day, "buffer_days": item.buffer_days}
        log.change(WantedLine(item.item_id, values=need, is_posted=item.posted))
    settled, cleared = await band_settled(
        context.transaction.conn, context.building.building_id, item, log.items[item.item_id], context.seq
    )
    version = await save_version(context, log.plan.body)
    context.save(settled, *cleared)
    before = " and ".join(need.required_by.isoformat() for need in moved)
    if not before and item.required_by is not None:
        before = item.required_by.isoformat()
    quantities: list[JsonValue] = [
        {"quantity": str(need.quantity), "required_by": need.required_by.isoformat()} for need in moved
    ]
    return {"schedule_version": version, "before": before or None, **({"moved": quantities} if moved else {})}


async def change_project_end(context: ActionContext, arguments: ProjectEndArguments) -> JsonObject:
    """Move the project's end: a new version of the schedule."""
    current = await _body(context)
    version = await save_version(context, with_project_end(current, as_date(arguments.end_date)))
    return {"schedule_version": version, "before": object_in(current, "project").get("end_date")}


async def remove_item(context: ActionContext, arguments: NoteArguments) -> JsonObject:
    """Take the line out of the log and the schedule. A standing order is named, so that somebody cancels it."""
    file = await context.file(arguments.item)
    item = file.item
    log = await _open_log_of_all(context, item)
    removed = log.remove(item).item
    version = await save_version(context, log.plan.body)
    settled, cleared = await band_settled(
        context.transaction.conn,
        context.building.building_id,
        item,
        removed.model_copy(update={"schedule_band": "clear"}),
        context.seq,
    )
    context.save(settled.model_copy(update={"schedule_band": None}), *cleared)
    result: JsonObject = {"schedule_version": version}
    if file.order is not None and item.commercial in (Commercial.ORDERED, Commercial.ACKNOWLEDGED):
        result["standing_order"] = file.order.number
        text = f"{item.shown} was taken out of the schedule; its order {file.order.number} still stands."
        result |= say(context, MANAGER, text, item.item_id, subject=notice_subject(item.shown, text))
    return result


async def _body(context: ActionContext) -> JsonObject:
    current = await procurement.current_schedule(context.transaction.conn, context.building.building_id)
    return {} if current is None else dict(current.body)


async def _open_log_of_all(context: ActionContext, item: Item) -> Log:
    """The whole log, so that no delivery of another line is taken for one of this line."""
    items = await procurement.items(context.transaction.conn, context.building.building_id)
    return await open_log(context, [item, *(one for one in items if one.item_id != item.item_id)])


async def open_log(context: ActionContext, items: Iterable[Item], vendors: Collection[str] | None = None) -> Log:
    """The log of these lines with the schedule that stands, to be changed. `vendors`: the ids of those that lines may
    name, where some were just added."""
    if vendors is None:
        rows = await procurement.vendors(context.transaction.conn, context.building.building_id)
        vendors = {vendor.vendor_id for vendor in rows}
    body = await _body(context)
    currency, seq = context.building.currency, context.seq
    return await work_apart(Log, list(items), body, currency=currency, vendors=vendors, seq=seq)


async def save_version(context: ActionContext, body: JsonObject, data_date: date | None = None) -> int:
    """The next version of the schedule. `data_date`: the standing version's where none is given."""
    if data_date is None:
        standing = await procurement.current_schedule(context.transaction.conn, context.building.building_id)
        data_date = None if standing is None else standing.data_date
    context.building.schedule_version += 1
    version = context.building.schedule_version
    context.save(ScheduleVersion(version=version, body=body, data_date=data_date, caused_seq=context.seq))
    return version
