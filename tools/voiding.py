"""Taking an event back: its facts leave the account, and what rested on them is told or asked about."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.actions import action
from domain.approvals import Approval
from domain.events import LINE_EVENTS, Entry, EventVoided
from domain.lines.doubts import doubt_subject
from domain.lines.projection import changed_rows, facts_of
from domain.lines.taking_in import RESTATED
from domain.outside import quoted
from domain.plan import RaisedQuestion
from domain.procurement import FactRow, Item, Message
from domain.voiding import (
    TakenBack,
    approval_lost,
    ask_about_decision,
    ask_about_order,
    rests_on,
    say_taken_back,
    take_back,
)
from storage.rows import select
from tools.approvals import withdraw
from tools.context import ActionContext, Toolbox
from tools.flags import band_settled
from tools.recording import Finding, keep_note, record_facts
from tools.reports import tell_again

_TARGET = "SELECT seq, event_type FROM events WHERE building_id = %s AND source = %s AND event_id = %s"
_ABOUT = "building_id = %s AND matter = %s"


@dataclass(frozen=True)
class Target:
    """The event that is taken back."""

    seq: int
    event_type: str


async def void_event(toolbox: Toolbox, entry: Entry, event: EventVoided) -> Finding:
    """Take a reported event back. Nothing is undone silently: what was decided on its ground is asked about."""

    async def act(context: ActionContext) -> Finding:
        target = await _target(context, event)
        if target is None:
            note = f"There is no event {quoted(event.event_id)} of {quoted(event.source)}: nothing is taken back."
            return Finding(note=note)
        if target.event_type == "Event_Voided":
            note = "A taking back is not taken back: send the report once more, under an id of its own."
            return Finding(note=note)
        finding = await _take_back(context, event, target)
        if event.instead is not None:
            await tell_again(context, event.instead, ":instead")
        return finding

    return await record_facts(toolbox, entry, act)


async def _target(context: ActionContext, event: EventVoided) -> Target | None:
    key = (context.building.building_id, event.source, event.event_id)
    found = await (await context.transaction.conn.execute(_TARGET, key)).fetchone()
    return None if found is None else Target(**found)


async def _take_back(context: ActionContext, event: EventVoided, target: Target) -> Finding:
    building_id, conn = context.building.building_id, context.transaction.conn
    named = f"{event.source}:{event.event_id}"
    asked = await select(conn, Approval, _ABOUT, (building_id, named))
    keys = {(event.source, event.event_id), *await _find_restated(context, asked)}
    rows = [row for key in keys for row in await _facts_of(context, key)]
    text = f"Event {quoted(event.event_id)} of {quoted(event.source)} is taken back: {event.reason}"
    finding = Finding(note=text, items=sorted({row.item_id for row in rows}))
    for approval in asked:
        if approval.status == "pending":
            withdraw(context, approval)
    if not rows:
        finding.note += " (it had changed nothing on any line)"
    if rows and all(row.voided_by for row in rows):
        return Finding(note=f"{text} (it was taken back before)", repeat=True)
    keep_note(context, context.entry.source, text, finding.items)
    for item_id in finding.items:
        await _take_from_line(context, item_id, keys, event, target, finding)
    return finding


async def _take_from_line(
    context: ActionContext,
    item_id: str,
    keys: set[tuple[str, str]],
    event: EventVoided,
    target: Target,
    finding: Finding,
) -> None:
    file = await context.file(item_id)
    by = f"{context.entry.source}:{context.entry.event_id}"
    taken = take_back(file, keys, by, context.seq)
    for row in changed_rows(file, taken.file):
        if isinstance(row, Item):
            row, flags = await band_settled(
                context.transaction.conn, context.building.building_id, file.item, row, context.seq
            )
            context.save(*flags)
        context.save(row)
    model = LINE_EVENTS.get(target.event_type)
    what = "a report" if model is None else model.CALLED
    told = await _told_of(context, item_id, target.seq)
    finding.say += [
        action("notify_team", team=party, message=text, item=item_id)
        for party, text in say_taken_back(file, what, event.reason, told)
    ]
    finding.ask += _contradictions(taken)
    if lost := approval_lost(file, taken.file):
        subject = ask_about_order(taken.file, lost, event.reason, by)
        finding.ask.append(RaisedQuestion(kind="facts_contradict", item_id=item_id, subject=subject))
    for approval in await _find_decided(context, item_id):
        if rests_on(approval, target.seq, taken.gone_ncrs):
            subject = ask_about_decision(taken.file, approval, event.reason, by)
            finding.ask.append(RaisedQuestion(kind="facts_contradict", item_id=item_id, subject=subject))


def _contradictions(taken: TakenBack) -> list[RaisedQuestion]:
    """Questions about what contradicts itself without the report."""
    facts = {fact.key: fact for fact in facts_of(taken.file)}
    return [
        RaisedQuestion(
            kind="facts_contradict",
            item_id=taken.file.item.item_id,
            subject=doubt_subject(taken.file, facts[doubt.fact], doubt),
        )
        for doubt in taken.doubts
    ]


async def _find_restated(context: ActionContext, asked: Sequence[Approval]) -> set[tuple[str, str]]:
    """Events as people told them again in answer to a question about this one."""
    building_id = context.building.building_id
    found: set[tuple[str, str]] = set()
    for approval in asked:
        if approval.decision_seq is not None:
            like = f"{building_id}:{approval.decision_seq}:restate\\_event:%"
            rows = await select(
                context.transaction.conn,
                FactRow,
                "building_id = %s AND source = %s AND event_id LIKE %s",
                (building_id, RESTATED, like),
            )
            found |= {(row.source, row.event_id) for row in rows}
    return found


async def _facts_of(context: ActionContext, key: tuple[str, str]) -> list[FactRow]:
    where = "building_id = %s AND source = %s AND event_id = %s"
    return await select(context.transaction.conn, FactRow, where, (context.building.building_id, *key))


async def _told_of(context: ActionContext, item_id: str, seq: int) -> list[str]:
    """Whom the agent told something of the line when the event came in; not who was asked a question."""
    where = "building_id = %s AND item_id = %s AND caused_seq = %s AND direction = 'out'"
    rows = await select(
        context.transaction.conn, Message, where, (context.building.building_id, item_id, seq), "message_id"
    )
    return [row.party for row in rows if "-notify_team-" in row.message_id]


async def _find_decided(context: ActionContext, item_id: str) -> list[Approval]:
    where = "building_id = %s AND item_id = %s AND status = 'decided'"
    return await select(
        context.transaction.conn, Approval, where, (context.building.building_id, item_id), "raised_seq, key"
    )
