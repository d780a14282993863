"""The one way to change anything: one transaction, one ledger key, one effect. Called twice, it acts once."""

from collections.abc import Awaitable, Callable
from typing import Any

from domain.actions import ACTION, item_of
from domain.approvals import Responder
from domain.events import Entry
from domain.text import ON_FILE
from domain.watch import is_held_back
from storage import ledger, procurement
from storage.ledger import EffectKey
from storage.transaction import building_transaction
from tools.catalogue import EFFECTS
from tools.context import ActionContext, Toolbox
from tools.holding_back import tell_would_do

Result = dict[str, Any]


async def run_effect(
    toolbox: Toolbox,
    entry: Entry,
    name: str,
    *,
    item: str | None,
    ordinal: int,
    kind: str,
    arguments: dict[str, Any],
    responder: Responder,
    act: Callable[[ActionContext], Awaitable[Result]],
) -> Result:
    """Carry out `act` once for its key and return its result; a repeated call returns the stored one.

    The checkpoint that led here, where it still waits, is committed with it: one message and one commit for both. Where
    the toolbox may not act, nothing is touched and the result says what would have been done.

    Raises:
        LedgerMismatchError: the key was used before with other arguments.
    """
    if not toolbox.acts:
        return {"would_do": {"name": name, "arguments": arguments}}
    key = EffectKey(entry.building_id, entry.seq, name, item or "", ordinal)
    ahead = [ledger.finding(key)]
    if item is not None and kind != "question":  # a fact or an action about a line begins with the line's file
        ahead.append(procurement.filing(entry.building_id, item))
    with toolbox.steps.going_along() as steps:
        async with (
            toolbox.lock,
            building_transaction(toolbox.conn, entry.building_id, entry.seq, ahead=ahead) as transaction,
        ):
            if steps is not None:
                transaction.first(steps)
            known, *read = transaction.ahead
            stored = ledger.found(known, key, arguments)
            if stored is not None:
                return stored
            now = toolbox.clock.now()
            today = entry.today(transaction.building.zone)
            context = ActionContext(transaction, key, entry, responder, now, today)
            if item is not None and read:
                context.files[item] = procurement.filed(*read)
            result = await act(context)
            ledger.record(
                transaction,
                key,
                kind=kind,
                arguments=arguments,
                result=result,
                responder=responder.model_dump(),
                at=now,
            )
            return result


async def carry_out(
    toolbox: Toolbox, entry: Entry, action: dict[str, Any], ordinal: int, responder: Responder
) -> Result:
    """Carry out one action of the closed union; a commitment that the building holds back is told and not made."""
    typed = ACTION.validate_python(action, context=ON_FILE)
    effect = EFFECTS[typed.name]

    async def act(context: ActionContext) -> Result:
        named = item_of(action)
        file = None if named is None or context.building.orders_alone else await context.file(named)
        if is_held_back(typed.name, file, context.building, by_a_person=responder.type == "human"):
            return tell_would_do(context, typed, file)
        return await effect(context, typed.arguments)

    return await run_effect(
        toolbox,
        entry,
        typed.name,
        item=item_of(action),
        ordinal=ordinal,
        kind="action",
        arguments=action["arguments"],
        responder=responder,
        act=act,
    )
