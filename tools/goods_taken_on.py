"""The answer about goods that were on site without a verdict when lines were taken on."""

from collections.abc import Sequence
from decimal import Decimal

from domain.actions.judge_goods_taken_on import JudgeGoodsArguments
from domain.inspections import taken_on_shipments
from domain.lines.facts import Inspected
from domain.lines.lots import LotState
from domain.lines.projection import adopt, changed_rows, next_inspection_id, project, with_facts
from domain.lines.stored import fact_row
from domain.plain_json import JsonObject
from domain.procurement import FactRow, Inspection, LineFile
from domain.schedule import as_date
from storage.taken_on import lines_waiting
from tools.context import ActionContext
from tools.line_files import read_files

ON_SITE_VERDICTS = "longlead.decisions"
"""Source of the verdicts that people give without an inspection."""
MAX_LISTED = 200
"""Lines that the result names one by one."""


async def judge_goods_taken_on(context: ActionContext, arguments: JudgeGoodsArguments) -> JsonObject:
    """Accept the goods as they are, or plan their inspection: of the lines named, else of all that still wait. Lines
    whose goods have their verdict by now are left as they are."""
    building_id = context.building.building_id
    ids = await lines_waiting(context.transaction.conn, building_id, arguments.entry)
    if arguments.lines is not None:
        named = {line.item for line in arguments.lines}
        ids = [item_id for item_id in ids if item_id in named]
    judged: list[str] = []
    async for file in read_files(context, ids):
        shipments = taken_on_shipments(file, arguments.entry)
        if not shipments or file.item.removed:
            continue
        made = (
            _accepted(context, file, shipments)
            if arguments.on is None
            else _planned(context, file, shipments, arguments)
        )
        context.save(*changed_rows(file, made))
        judged.append(file.item.item_id)
    return {"verdict": arguments.verdict, "lines": len(judged), "items": [*judged[:MAX_LISTED]]}


def _accepted(context: ActionContext, file: LineFile, shipments: Sequence[str]) -> LineFile:
    rows: list[FactRow] = []
    names = {shipment.shipment_id: shipment.fact or shipment.shipment_id for shipment in file.shipments}
    for number, shipment_id in enumerate(shipments):
        lots = [one for one in file.lots if one.shipment_id == shipment_id and one.state == LotState.ON_SITE]
        quantity = sum((lot.quantity for lot in lots), Decimal(0))
        name = f"{context.seq}-taken-on-{file.item.item_id}-{number}"
        fact = Inspected(
            day=max(context.today, *(lot.since or context.today for lot in lots)),
            said_at=context.entry.at(context.building.zone),
            received_at=context.entry.received_at,
            source=ON_SITE_VERDICTS,
            event_id=name,
            order=lots[0].order,
            shipment_id=names.get(shipment_id, shipment_id),
            quantity=None if any(lot.is_unknown for lot in lots) or not quantity else quantity,
            passed=True,
            judgement="another",
        )
        rows.append(fact_row(fact, file.item.item_id, name, context.seq))
    return with_facts(file, rows, context.seq)


def _planned(
    context: ActionContext, file: LineFile, shipments: Sequence[str], arguments: JudgeGoodsArguments
) -> LineFile:
    rounds = {shipment.shipment_id: shipment.round for shipment in file.shipments}
    made: list[Inspection] = []
    for shipment_id in shipments:
        round_ = rounds.get(shipment_id, file.item.round)
        made.append(
            Inspection(
                inspection_id=next_inspection_id(file.item, round_, [*file.inspections, *made]),
                item_id=file.item.item_id,
                round=round_,
                shipment_id=shipment_id,
                scheduled_on=as_date(arguments.on),
                caused_seq=context.seq,
            )
        )
    known = adopt(file)
    return project(known.model_copy(update={"inspections": [*known.inspections, *made]}), context.seq)
