"""The one way to change anything: one transaction, one ledger key, one effect. Called twice, it acts once."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from domain.actions import ACTION, item_of
from domain.approvals import Responder
from domain.events import Entry
from domain.plain_json import JsonObject, PlainAction
from domain.text import ON_FILE
from domain.watch import is_held_back
from storage import ledger, procurement
from storage.connection import Statement
from storage.ledger import EffectKey
from storage.transaction import building_transaction, roll_back
from tools.catalogue import EFFECTS
from tools.context import ActionContext, Toolbox
from tools.flags import close_flags_of_done_lines
from tools.holding_back import tell_would_do

Result = JsonObject


@dataclass(frozen=True)
class Effect:
    """Something to be done once under its key."""

    name: str
    item: str | None
    ordinal: int
    kind: str
    arguments: JsonObject
    responder: Responder
    act: Callable[[ActionContext], Awaitable[Result]]

    def would_do(self) -> Result:
        return {"would_do": {"name": self.name, "arguments": self.arguments}}


async def run_effect(
    toolbox: Toolbox,
    entry: Entry,
    name: str,
    *,
    item: str | None,
    ordinal: int,
    kind: str,
    arguments: JsonObject,
    responder: Responder,
    act: Callable[[ActionContext], Awaitable[Result]],
) -> Result:
    """Carry out `act` once for its key and return its result; a repeated call returns the stored one.

    The checkpoint that led here, where it still waits, is committed with it: one message and one commit for both. Where
    the toolbox may not act, nothing is touched and the result says what would have been done.

    Raises:
        LedgerMismatchError: the key was used before with other arguments.
    """
    effect = Effect(name, item, ordinal, kind, arguments, responder, act)
    return (await run_together(toolbox, entry, [effect]))[0]


async def run_together(toolbox: Toolbox, entry: Entry, effects: Sequence[Effect]) -> list[Result]:
    """Carry out several effects in one transaction, each under its own key; each sees what those before it saved. Cut
    off anywhere, none of them was done.

    Raises:
        LedgerMismatchError: a key was used before with other arguments.
    """
    if not toolbox.acts:
        return [effect.would_do() for effect in effects]
    with toolbox.steps.going_along() as steps:
        async with toolbox.lock:
            try:
                return [
                    await _run(toolbox, entry, effect, None if place else steps, place, place == len(effects) - 1)
                    for place, effect in enumerate(effects)
                ]
            except BaseException:
                if len(effects) > 1:
                    await roll_back(toolbox.conn)
                raise


async def _run(
    toolbox: Toolbox, entry: Entry, effect: Effect, steps: Statement | None, place: int, is_last: bool
) -> Result:
    key = EffectKey(entry.building_id, entry.seq, effect.name, effect.item or "", effect.ordinal)
    ahead = [ledger.finding(key)]
    if effect.item is not None and effect.kind != "question":  # a fact or an action about a line needs the line's file
        ahead.append(procurement.filing(entry.building_id, effect.item))
    async with building_transaction(
        toolbox.conn, entry.building_id, entry.seq, ahead=ahead, joins=place > 0, commits=is_last
    ) as transaction:
        if steps is not None:
            transaction.first(steps)
        known, *read = transaction.ahead
        stored = ledger.found(known, key, effect.arguments)
        if stored is not None:
            return stored
        now = toolbox.clock.now()
        today = entry.today(transaction.building.zone)
        context = ActionContext(transaction, key, entry, effect.responder, now, today)
        if effect.item is not None and read:
            context.files[effect.item] = procurement.filed(*read)
        result = await effect.act(context)
        await close_flags_of_done_lines(context)
        ledger.record(
            transaction,
            key,
            kind=effect.kind,
            arguments=effect.arguments,
            result=result,
            responder=effect.responder.model_dump(),
            at=now,
        )
        return result


async def carry_out(toolbox: Toolbox, entry: Entry, action: PlainAction, ordinal: int, responder: Responder) -> Result:
    """Carry out one action of the closed union."""
    return (await carry_out_together(toolbox, entry, [action], [ordinal], responder))[0]


async def carry_out_together(
    toolbox: Toolbox, entry: Entry, actions: Sequence[PlainAction], ordinals: Sequence[int], responder: Responder
) -> list[Result]:
    """Carry out the actions of one decision in order, all or none, each with a row of its own in the ledger."""
    effects = [_effect(action, ordinal, responder) for action, ordinal in zip(actions, ordinals, strict=True)]
    return await run_together(toolbox, entry, effects)


def _effect(action: PlainAction, ordinal: int, responder: Responder) -> Effect:
    """An action's effect; a commitment that the building holds back is told and not made."""
    typed = ACTION.validate_python(action, context=ON_FILE)
    carry_out_typed = EFFECTS[typed.name]

    async def act(context: ActionContext) -> Result:
        named = item_of(action)
        file = None if named is None or context.building.orders_alone else await context.file(named)
        if is_held_back(typed.name, file, context.building, by_a_person=responder.type == "human"):
            return tell_would_do(context, typed, file)
        return await carry_out_typed(context, typed.arguments)

    return Effect(typed.name, item_of(action), ordinal, "action", action["arguments"], responder, act)
