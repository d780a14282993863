"""Which NCRs a disposition is about: an answer to the question about one NCR settles that one and no other."""

from domain.inspections import open_ncrs
from domain.lines.facts import AfterReturn, Disposed, Handling
from domain.lines.projection import project
from domain.lines.stored import fact_row
from domain.procurement import FactRow, Inspection, LineFile
from storage import procurement
from tools.context import ActionContext


async def meant_ncrs(context: ActionContext, file: LineFile) -> list[Inspection]:
    """The NCR that the entry is about: the one of the question that it answers, or the one that it reports; else all
    that nobody has decided."""
    undecided = open_ncrs(file)
    return await _own(context, undecided) or undecided


async def _own(context: ActionContext, undecided: list[Inspection]) -> list[Inspection]:
    if context.entry.event_type == "Inspection_Failed":
        return [inspection for inspection in undecided if inspection.caused_seq == context.seq]
    answered = context.entry.body.get("approval_id")
    approval = await procurement.approval(context.transaction.conn, answered) if answered else None
    if approval is None or approval.kind != "inspection_failed" or approval.item_id is None:
        return []
    asked = {one.ncr_number for one in undecided if one.inspection_id == approval.subject.get("inspection_id")}
    return [one for one in undecided if one.ncr_number in asked]


def projected(file: LineFile, seq: int) -> LineFile:
    """The file as its facts make it: of a line that was kept without facts, with its nonconformances."""
    return project(file, seq) if file.item.account is None else file


async def decide_on_ncrs(
    context: ActionContext, file: LineFile, handling: Handling, then: AfterReturn = "owed"
) -> list[FactRow]:
    """The facts of what was decided now about the nonconformances that are meant."""
    meant = {inspection.inspection_id for inspection in await meant_ncrs(context, file)}
    said_at = context.entry.at(context.building.zone)
    ncrs = [one for one in file.open_ncrs if one.inspection_id in meant]
    rows: list[FactRow] = []
    if not ncrs and handling != "return":
        ncrs = [one for one in file.ncrs if not one.is_gone][-1:]  # decided before, and now otherwise
        ids = {one.ncr_id for one in ncrs}
        rows = [
            row.model_copy(update={"voided_by": f"longlead.decisions:{context.seq}"})
            for row in file.facts
            if row.kind == "disposed" and row.details.ncr in ids and row.voided_by is None
        ]
    for number, ncr in enumerate(ncrs):
        name = f"{context.seq}-{context.key.action}-{context.key.ordinal}-{number}"
        fact = Disposed(
            day=context.today,
            said_at=said_at,
            received_at=context.entry.received_at,
            source="longlead.decisions",
            event_id=name,
            ncr=ncr.ncr_id,
            handling=handling,
            then=then,
        )
        rows.append(fact_row(fact, file.item.item_id, name, context.seq))
    return rows
