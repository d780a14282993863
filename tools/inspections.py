"""Inspections planned, and the disposition of what failed (NCR): repair, return, use as is."""

from collections.abc import Sequence
from decimal import Decimal

from domain.actions.return_item import ReturnArguments
from domain.actions.schedule_inspection import InspectionArguments
from domain.actions.shapes import DispositionArguments
from domain.dispositions import Disposition
from domain.errors import InvalidError
from domain.inspections import uninspected
from domain.lines.projection import adopt, changed_rows, next_inspection_id, project, with_account, with_facts
from domain.plain_json import JsonObject
from domain.procurement import FactRow, Inspection, LineFile, Message
from domain.schedule import as_date
from tools.context import ActionContext
from tools.meant_ncrs import decide_on_ncrs
from tools.orders import place_order


async def schedule_inspection(context: ActionContext, arguments: InspectionArguments) -> JsonObject:
    """Plan the inspection of every received shipment that has none; or another one, where all have."""
    file = await context.file(arguments.item)
    on = as_date(arguments.on)
    planned = [i for i in file.inspections_in(file.item.round) if i.status == "scheduled" and i.scheduled_on == on]
    targets: list[str | None] = [*uninspected(file)]
    if not targets and planned:
        return {"inspections": [i.inspection_id for i in planned], "already_scheduled": True}
    made: list[Inspection] = []
    for shipment_id in targets or [None]:
        taken = [*file.inspections, *made]
        made.append(
            Inspection(
                inspection_id=next_inspection_id(file.item, file.item.round, taken),
                item_id=file.item.item_id,
                round=file.item.round,
                shipment_id=shipment_id,
                scheduled_on=on,
                caused_seq=context.seq,
            )
        )
    known = adopt(file)
    planned_too = known.model_copy(update={"inspections": [*known.inspections, *made]})
    context.save(*changed_rows(file, project(planned_too, context.seq)))
    return {"inspections": [i.inspection_id for i in made], "on": on.isoformat()}


async def repair_item(context: ActionContext, arguments: DispositionArguments) -> JsonObject:
    """Have it repaired; it is inspected again before it counts."""
    await _dispose(context, arguments, Disposition("repair", quantity=arguments.quantity))
    return {"disposition": "repair"}


async def return_item(context: ActionContext, arguments: ReturnArguments) -> JsonObject:
    """Send back to the vendor what was rejected; it comes again on the same order, unless something else was said."""
    decided = Disposition("return", arguments.then or "owed", arguments.quantity)
    if decided.then == "replaced":
        return await _replace(context, arguments, decided)
    returned = await _dispose(context, arguments, decided)
    return {"disposition": "return", "quantity": f"{returned.normalize():f}"}


async def _replace(context: ActionContext, arguments: ReturnArguments, decided: Disposition) -> JsonObject:
    """Send it back against the next order, for which the vendor charges nothing."""
    file = with_account(await context.file(arguments.item), context.seq)
    rows = await decide_on_ncrs(context, file, arguments.ncr_number, decided)
    if not rows:
        raise _nothing_rejected(file)
    returned = _quantity_of(rows, file)
    placed = place_order(context, file, None if file.item.quantity is None else returned, rows, is_free=True)
    return {"disposition": "return", "quantity": f"{returned.normalize():f}", **placed}


async def accept_as_is(context: ActionContext, arguments: DispositionArguments) -> JsonObject:
    """Use what failed as it is; for anything else (a vendor's terms) the acceptance is put on file."""
    file = await context.file(arguments.item)
    if with_account(file, context.seq).open_ncrs:
        await _dispose(context, arguments, Disposition("accept", quantity=arguments.quantity))
        return {"disposition": "use_as_is"}
    note = Message(
        message_id=f"M-{context.key.seq}-accept_as_is-{file.item.item_id}-{context.key.ordinal}",
        item_id=file.item.item_id,
        direction="in",
        party=context.responder.name,
        text=arguments.note or "accepted as is",
        caused_seq=context.seq,
    )
    context.save(note)
    return {"noted": note.message_id}


async def _dispose(context: ActionContext, arguments: DispositionArguments, decided: Disposition) -> Decimal:
    """Decide what becomes of the nonconformances that are meant. Returns how much that is of.

    Raises:
        InvalidError: nothing of the line is rejected and undecided, or less than that.
    """
    before = await context.file(arguments.item)
    file = with_account(before, context.seq)
    rows = await decide_on_ncrs(context, file, arguments.ncr_number, decided)
    if not rows:
        raise _nothing_rejected(file)
    context.save(*changed_rows(before, with_facts(file, rows, context.seq)))
    return _quantity_of(rows, file)


def _nothing_rejected(file: LineFile) -> InvalidError:
    return InvalidError(f"Nothing of {file.item.shown} is rejected and undecided.", "item")


def _quantity_of(rows: Sequence[FactRow], file: LineFile) -> Decimal:
    """How much was decided about."""
    new = [row for row in rows if row.voided_by is None]
    whole = {ncr.ncr_id: ncr.undecided or ncr.quantity for ncr in file.ncrs}
    return sum((row.quantity or whole[row.details.ncr or ""] for row in new), Decimal(0))
