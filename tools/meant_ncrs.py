"""Which NCRs a disposition is about: an answer to the question about one NCR settles that one and no other."""

from domain.inspections import open_ncrs
from domain.procurement import Inspection, LineFile
from storage import procurement
from tools.context import ActionContext


async def meant_ncrs(context: ActionContext, file: LineFile) -> list[Inspection]:
    """The NCR that the entry is about: the one of the question that it answers, or the one that it reports; else all
    of the current round that nobody has decided."""
    undecided = open_ncrs(file)
    own = await _own(context, undecided)
    return own or [inspection for inspection in undecided if inspection.round == file.item.round]


async def _own(context: ActionContext, undecided: list[Inspection]) -> list[Inspection]:
    if context.entry.event_type == "Inspection_Failed":
        return [inspection for inspection in undecided if inspection.caused_seq == context.seq]
    answered = context.entry.body.get("approval_id")
    approval = await procurement.approval(context.transaction.conn, answered) if answered else None
    if approval is None or approval.kind != "inspection_failed" or approval.item_id is None:
        return []
    asked = {one.ncr_number for one in undecided if one.inspection_id == approval.subject.get("inspection_id")}
    return [one for one in undecided if one.ncr_number in asked]
