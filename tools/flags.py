"""Flags: what people should look at, raised and cleared with the schedule band of a line."""

from collections.abc import Sequence

from domain.actions import FlagArguments
from domain.barring import VENDOR_BARRED
from domain.outstanding import LET_PASS, is_let_pass, is_resolved
from domain.plain_json import JsonObject
from domain.procurement import Flag, Item
from storage.connection import Connection
from storage.rows import select
from tools.context import ActionContext


async def flag_potential_issue(context: ActionContext, arguments: FlagArguments) -> JsonObject:
    """Raise a flag on the line; an open one of the same band is renewed with the new detail."""
    item = (await context.file(arguments.item)).item
    open_ = await _open(context.transaction.conn, context.building.building_id, item.item_id)
    same = next((flag for flag in open_ if flag.band == arguments.band), None)
    number = f"F-{context.key.seq}-{item.item_id}-{context.key.ordinal}"
    flag = (same or Flag(flag_id=number, item_id=item.item_id, band="", detail="", raised_seq=context.seq)).model_copy(
        update={"band": arguments.band, "detail": arguments.detail}
    )
    let_pass = arguments.band == "conflict" and is_let_pass(item, context.building)
    context.save(flag, item.model_copy(update={"told_band": LET_PASS if let_pass else arguments.band}))
    return {"flag_id": flag.flag_id}


async def band_settled(
    conn: Connection, building_id: str, before: Item, after: Item, seq: int
) -> tuple[Item, list[Flag]]:
    """The line after a change of dates, and its flags cleared where a told conflict is no more."""
    (settled,), cleared = await bands_settled(conn, building_id, [(before, after)], seq)
    return settled, cleared


async def bands_settled(
    conn: Connection, building_id: str, changes: Sequence[tuple[Item, Item]], seq: int
) -> tuple[list[Item], list[Flag]]:
    """The same of many lines, each as it was and as it is: their flags are read at once."""
    resolved = [after.item_id for before, after in changes if is_resolved(before, after)]
    if not resolved:
        return [after for _, after in changes], []
    flags = await select(
        conn, Flag, "building_id = %s AND item_id = ANY(%s) AND status = 'open'", (building_id, resolved)
    )
    cleared = [
        flag.model_copy(update={"status": "cleared", "cleared_seq": seq})
        for flag in flags
        if flag.band != VENDOR_BARRED
    ]
    named = set(resolved)
    return [
        after.model_copy(update={"told_band": after.schedule_band}) if after.item_id in named else after
        for _, after in changes
    ], cleared


async def close_flags_of_done_lines(context: ActionContext) -> None:
    """Clear the flags of lines that this effect released or removed: nobody needs to look at them any more."""
    for item in context.transaction.saved_of(Item):
        known = context.files.get(item.item_id)
        if not item.is_done or (known is not None and known.item.is_done):
            continue
        open_ = await _open(context.transaction.conn, context.building.building_id, item.item_id)
        cleared = {row.flag_id for row in context.transaction.saved_of(Flag) if row.status == "cleared"}
        context.save(
            *(
                flag.model_copy(update={"status": "cleared", "cleared_seq": context.seq})
                for flag in open_
                if flag.flag_id not in cleared
            )
        )


async def _open(conn: Connection, building_id: str, item_id: str) -> list[Flag]:
    return await select(conn, Flag, "building_id = %s AND item_id = %s AND status = 'open'", (building_id, item_id))
