"""What a person makes of a report that was unclear: it was another event, or nothing."""

import json
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from domain.actions import DismissArguments, RestateArguments
from domain.approvals import Approval
from domain.events import Event, body_of
from domain.lines.projection import changed_rows, with_facts
from domain.lines.taking_in import COUNTED, OTHER_UNIT, RESTATED
from domain.lines.units import unit_named
from domain.plain_json import JsonObject, object_in
from storage import inbox
from storage.inbox import Accepted
from tools.context import ActionContext
from tools.flags import band_settled


async def restate_event(context: ActionContext, arguments: RestateArguments) -> JsonObject:
    """Put the event as it should have been sent into the building's own inbox; it is processed in its turn."""
    approval = await context.answered()
    accepted = await tell_again(context, arguments.event, _ending(approval))
    if approval is not None:
        await _judge(context, approval, "restated", _factors(approval, arguments.event))
    return {"seq": accepted.seq}


async def tell_again(context: ActionContext, event: Event, ending: str) -> Accepted:
    """Put an event as a person tells it into the building's own inbox. `ending`: of its id, beside the effect's key."""
    return await inbox.add(
        context.transaction,
        source=RESTATED,
        event_id=f"{context.key}{ending}",
        event_type=event.event_type,
        body=json.loads(json.dumps(body_of(event))),
        now=context.now,
    )


def _ending(approval: Approval | None) -> str:
    """Where a contradiction is answered, the report counts as another than what it contradicts."""
    is_doubt = (
        approval is not None
        and approval.kind == "facts_contradict"
        and (approval.subject.get("fact") or approval.subject.get("outside"))
    )
    return COUNTED if is_doubt else ""


def _factors(approval: Approval, event: Event) -> dict[str, Decimal]:
    """How much another unit is, where a report in it was told again in the line's."""
    reported = object_in(approval.subject, "reported")
    quantity = getattr(event, "quantity", None) or getattr(event, "quantity_rejected", None)
    if approval.subject.get("doubt") != OTHER_UNIT or not reported or quantity is None:
        return {}
    return {unit_named(str(reported["unit"])): quantity / Decimal(str(reported["quantity"]))}


async def dismiss_event(context: ActionContext, arguments: DismissArguments) -> JsonObject:
    """Nothing needs doing; the reason stays in the ledger. A report that was asked about counts for nothing more."""
    approval = await context.answered()
    if approval is not None:
        await _judge(context, approval, "left")
    return {"dismissed": True}


async def _judge(
    context: ActionContext,
    approval: Approval,
    judgement: Literal["left", "restated"],
    factors: Mapping[str, Decimal] = MappingProxyType({}),
) -> None:
    """Put on the report that a contradiction was about what a person has made of it: whatever comes in later, it is
    counted no more, since told again it would count twice. `factors`: how much other units are, which is known from now
    on."""
    if approval.kind != "facts_contradict" or approval.item_id is None:
        return
    file = await context.file(approval.item_id)
    told = [row for row in file.facts if row.key == approval.matter and row.voided_by is None]
    if not told and not factors:
        return
    known = {"unit_factors": {**file.item.unit_factors, **factors}, "caused_seq": context.seq} if factors else {}
    item = file.item.model_copy(update=known)
    judged = [row.model_copy(update={"judgement": judgement}) for row in told]
    made = with_facts(file.model_copy(update={"item": item}), judged, context.seq)
    settled, flags = await band_settled(
        context.transaction.conn, context.building.building_id, file.item, made.item, context.seq
    )
    rows = changed_rows(file, made.model_copy(update={"item": settled}))
    context.save(*rows, *flags)
