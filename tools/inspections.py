"""Inspections planned, and the disposition of what failed (NCR): repair, return, use as is."""

from collections.abc import Sequence
from typing import Any

from domain.actions import InspectionArguments, NoteArguments
from domain.inspections import inspection_id, open_ncrs, uninspected
from domain.orders import as_date
from domain.procurement import Inspection, Item, LineFile, Logistics, Message, Quality, Row
from tools.context import ActionContext
from tools.meant_ncrs import meant_ncrs


async def schedule_inspection(context: ActionContext, arguments: InspectionArguments) -> dict[str, Any]:
    """Plan the inspection of every received shipment that has none; or another one, where all have."""
    file = await context.file(arguments.item)
    on = as_date(arguments.on)
    planned = [i for i in file.inspections_in(file.item.round) if i.status == "scheduled" and i.scheduled_on == on]
    targets: list[str | None] = [*uninspected(file)]
    if not targets and planned:
        return {"inspections": [i.inspection_id for i in planned], "already_scheduled": True}
    made: list[Inspection] = []
    for shipment_id in targets or [None]:
        seen = file.model_copy(update={"inspections": [*file.inspections, *made]})
        made.append(
            Inspection(
                inspection_id=inspection_id(seen, file.item.round),
                item_id=file.item.item_id,
                round=file.item.round,
                shipment_id=shipment_id,
                scheduled_on=on,
                caused_seq=context.seq,
            )
        )
    context.save(*made, file.item.model_copy(update={"quality": Quality.INSPECTION_SCHEDULED}))
    return {"inspections": [i.inspection_id for i in made], "on": on.isoformat()}


async def repair_item(context: ActionContext, arguments: NoteArguments) -> dict[str, Any]:
    """Have it repaired; it is inspected again before it counts."""
    file = await context.file(arguments.item)
    meant = await meant_ncrs(context, file)
    context.save(*_disposed(meant, "repair"), _judged(file, meant, Quality.NOT_INSPECTED))
    return {"disposition": "repair"}


async def return_item(context: ActionContext, arguments: NoteArguments) -> dict[str, Any]:
    """Send what arrived back to the vendor: as if it had not come."""
    file = await context.file(arguments.item)
    returned: list[Row] = [
        shipment.model_copy(update={"status": "returned"})
        for shipment in file.shipments_in(file.item.round)
        if shipment.is_received
    ]
    meant = await meant_ncrs(context, file)
    back = {"logistics": Logistics.NOT_SHIPPED, "eta": None}
    item = _judged(file, meant, Quality.NOT_INSPECTED).model_copy(update=back)
    context.save(*_disposed(meant, "return"), *returned, item)
    return {"disposition": "return", "shipments": len(returned)}


async def accept_as_is(context: ActionContext, arguments: NoteArguments) -> dict[str, Any]:
    """Use what failed as it is; for anything else (a vendor's terms) the acceptance is put on file."""
    file = await context.file(arguments.item)
    meant = await meant_ncrs(context, file)
    if meant or file.item.quality == Quality.FAILED:
        context.save(*_disposed(meant, "use_as_is"), _judged(file, meant, Quality.ACCEPTED_AS_IS))
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


def _disposed(meant: Sequence[Inspection], disposition: str) -> list[Row]:
    return [inspection.model_copy(update={"disposition": disposition}) for inspection in meant]


def _judged(file: LineFile, meant: Sequence[Inspection], quality: Quality) -> Item:
    """The line with this word for its quality; it stays failed while an NCR is left that nobody has decided."""
    left = [inspection for inspection in open_ncrs(file) if inspection not in meant]
    still = [inspection for inspection in left if inspection.round == file.item.round]
    return file.item.model_copy(update={"quality": Quality.FAILED if still else quality})
