"""Which NCRs a disposition is about: an answer to the question about one NCR settles that one and no other."""

from domain.dispositions import Disposition, Saying, disposition_facts, find_meant
from domain.errors import InvalidError
from domain.procurement import FactRow, LineFile, NonconformanceRow
from domain.questions.build import ncrs_asked_about
from tools.context import ActionContext


async def meant_ncrs(context: ActionContext, file: LineFile, named: str | None) -> list[NonconformanceRow]:
    """The undecided NCRs that an action is about: the one that it names, else the one of the question that the entry
    answers or that it reports.

    Raises:
        InvalidError: it names none that is undecided, or none of several.
    """
    try:
        return find_meant(file, named, await _asked_about(context, file))
    except ValueError as error:
        raise InvalidError(f"{error}.", "ncr_number") from error


async def _asked_about(context: ActionContext, file: LineFile) -> list[str] | None:
    if context.entry.event_type == "Inspection_Failed":
        reported = {row.inspection_id for row in file.inspections if row.caused_seq == context.seq}
        return [ncr.ncr_number for ncr in file.open_ncrs if ncr.inspection_id in reported]
    approval = await context.answered()
    if approval is None or approval.item_id != file.item.item_id:
        return None
    about = ncrs_asked_about(approval.kind, approval.matter, file)
    if about is None or any(ncr.ncr_number in about for ncr in file.open_ncrs):
        return about
    # A question of an earlier version is named after its report.
    reports = approval.subject.get("inspection_id"), approval.matter
    return [ncr.ncr_number for ncr in file.open_ncrs if ncr.inspection_id in reports]


async def decide_on_ncrs(
    context: ActionContext, file: LineFile, named: str | None, decided: Disposition
) -> list[FactRow]:
    """The facts of what was decided now about the nonconformances that are meant."""
    meant = await meant_ncrs(context, file, named)
    rows: list[FactRow] = []
    if not meant and decided.handling != "return":
        meant = [one for one in file.ncrs if not one.is_gone][-1:]  # decided before, and now otherwise
        ids = {one.ncr_id for one in meant}
        rows = [
            row.model_copy(update={"voided_by": f"longlead.decisions:{context.seq}"})
            for row in file.facts
            if row.kind == "disposed" and row.details.ncr in ids and row.voided_by is None
        ]
        meant = [one.model_copy(update={"undecided": one.quantity}) for one in meant]
    saying = Saying(
        day=context.today,
        said_at=context.entry.at(context.building.zone),
        received_at=context.entry.received_at,
        name=f"{context.seq}-{context.key.action}-{context.key.ordinal}",
        seq=context.seq,
    )
    return [*rows, *disposition_facts(file, meant, decided, saying)]
