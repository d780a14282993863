"""Inspections planned, and the disposition of what failed (NCR): repair, return, use as is."""

from typing import Any

from domain.actions import InspectionArguments, NoteArguments
from domain.inspections import inspection_id, uninspected
from domain.orders import as_date
from domain.procurement import Inspection, LineFile, Logistics, Message, Quality, Row
from tools.context import ActionContext


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
    context.save(*_disposed(file, "repair"), file.item.model_copy(update={"quality": Quality.NOT_INSPECTED}))
    return {"disposition": "repair"}


async def return_item(context: ActionContext, arguments: NoteArguments) -> dict[str, Any]:
    """Send what arrived back to the vendor: as if it had not come."""
    file = await context.file(arguments.item)
    returned: list[Row] = [
        shipment.model_copy(update={"status": "returned"})
        for shipment in file.shipments_in(file.item.round)
        if shipment.is_received
    ]
    back = {"quality": Quality.NOT_INSPECTED, "logistics": Logistics.NOT_SHIPPED, "eta": None}
    context.save(*_disposed(file, "return"), *returned, file.item.model_copy(update=back))
    return {"disposition": "return", "shipments": len(returned)}


async def accept_as_is(context: ActionContext, arguments: NoteArguments) -> dict[str, Any]:
    """Use what failed as it is; for anything else (a vendor's terms) the acceptance is put on file."""
    file = await context.file(arguments.item)
    if file.item.quality == Quality.FAILED:
        accepted = file.item.model_copy(update={"quality": Quality.ACCEPTED_AS_IS})
        context.save(*_disposed(file, "use_as_is"), accepted)
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


def _disposed(file: LineFile, disposition: str) -> list[Row]:
    return [
        inspection.model_copy(update={"disposition": disposition})
        for inspection in file.inspections_in(file.item.round)
        if inspection.status == "failed" and inspection.disposition is None
    ]
