"""Tolerances are policy: when they change, lines of which something is known are counted again."""

from domain.counts import write_count
from domain.events import Entry
from domain.lines.projection import changed_rows, recount
from domain.lines.quantities import share_of
from domain.outstanding import resolved_message
from domain.plain_json import PlainAction
from storage import procurement
from tools.context import ActionContext, Toolbox
from tools.flags import band_settled
from tools.line_files import read_files
from tools.recording import Finding, record_facts


async def recount_lines(toolbox: Toolbox, entry: Entry) -> Finding:
    """Count the lines again that have another tolerance now; the others are not read."""

    async def act(context: ActionContext) -> Finding:
        conn, building_id = context.transaction.conn, entry.building_id
        shares = context.building.policy.tolerances
        ids = [
            item.item_id
            for item in await procurement.items(conn, building_id)
            if not item.removed and item.account is not None
            if item.tolerance != share_of(item.unit, shares)
        ]
        settles: list[PlainAction] = []
        async for file in read_files(context, ids):
            after = recount(file, file.item, context.seq)
            settled, cleared = await band_settled(conn, building_id, file.item, after.item, context.seq)
            context.save(*changed_rows(file, after.model_copy(update={"item": settled})), *cleared)
            settles += [resolved_message(settled)] if cleared else []
        note = f"the tolerances were changed: {write_count(len(ids), 'line')} counted again"
        return Finding(note=note, items=ids, settles=settles, repeat=not ids)

    return await record_facts(toolbox, entry, act)
