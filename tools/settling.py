"""Applying an accepted answer to its question, if the facts are still those it was given on."""

from domain.approvals import POLICY, Approval, Decision, Question
from domain.confirming import reading_confirmed, understood_of
from domain.events import Entry
from domain.feasibility import Obstacle, find_obstacle
from domain.plain_json import JsonObject, PlainAction
from domain.questions.build import ncrs_asked_about
from domain.replies import Reply
from domain.settlement import SETTLEMENT, Applied, Outdated, Settlement
from storage import procurement
from storage.approvals import locked
from tools.approvals import ask_for_amount, due_dates, load_file, rebuild_question, renew_question
from tools.asking import pending
from tools.authority import answerer_on_record, authority_of
from tools.context import ActionContext, Toolbox
from tools.conversation import keep_open, stays_open, taken
from tools.effects import run_effect


async def settle(toolbox: Toolbox, entry: Entry, reply: Reply | None = None) -> Settlement:
    """Apply an accepted answer to its question, if the facts are still those it was given on.

    `reply` is what was read of an answer in free words. An outdated answer does nothing: the question is pending again
    at its next version, or superseded where it no longer stands. A question back, what is not certain, and what a model
    read and the person has yet to confirm leave it open.
    """

    async def act(context: ActionContext) -> JsonObject:
        return (await _settled(context, entry, reply)).plain()

    result = await run_effect(
        toolbox,
        entry,
        "settle",
        item=str(entry.body["approval_id"]),
        ordinal=0,
        kind="question",
        arguments={"approval_id": entry.body["approval_id"], "event_id": entry.event_id},
        responder=POLICY,
        act=act,
    )
    if "would_do" in result:
        return Outdated(applied=False, why="answers are not applied here")
    return SETTLEMENT.validate_python(result)


async def _settled(context: ActionContext, entry: Entry, reply: Reply | None) -> Settlement:
    """What the answer comes to, and with it the question as it stands from now on."""
    approval = await locked(context.transaction, str(entry.body["approval_id"]))
    if approval.decision is None or approval.decision["event_id"] != entry.event_id:
        return _outdated(approval, "the question was closed before the answer was reached")
    if reply is not None:
        approval = taken(approval, reply)
    question = await rebuild_question(context, approval)
    beyond = await _beyond_authority(context, approval)
    if beyond is not None and question is not None:
        return _outdated(approval, await _reopen(context, approval, question, beyond))
    if question is None or not question.rests_on(approval.matter, approval.fingerprint):
        return _outdated(approval, await _reopen(context, approval, question))
    if stays_open(approval, reply):
        if await _newer(context, approval) is not None:
            return _outdated(approval, await _reopen(context, approval, question))
        due = due_dates(context.building, context.now, escalates=not context.building.is_top(approval.asked_of))
        return keep_open(context, approval, reply, due)
    if (obstacle := await _obstacle(context, approval)) is not None:
        why = f"it cannot be done, so nothing was: {obstacle}"
        asked_again = question.model_copy(update={"summary": f"{question.summary} (The last answer: {why}.)"})
        await _reopen(context, approval, asked_again)
        return _outdated(approval, why)
    context.save(approval.apply(_actions_of(approval)))
    await _end_hold(context, approval)
    return _applied(approval)


def _outdated(approval: Approval, why: str) -> Outdated:
    return Outdated(
        approval_id=approval.approval_id, kind=approval.kind, item_id=approval.item_id, applied=False, why=why
    )


def _actions_of(approval: Approval) -> list[PlainAction]:
    """What the answer calls for, as the person saw it."""
    decision = approval.decision or {}
    if decision["type"] == "reject":
        return []
    return list(decision["actions"]) if decision["type"] == "edit" else approval.recommended


def _applied(approval: Approval) -> Applied:
    """What follows from the answer."""
    decision = approval.decision or {}
    confirmed = understood_of(approval) if decision["type"] == "approve" else None
    return Applied(
        approval_id=approval.approval_id,
        kind=approval.kind,
        item_id=approval.item_id,
        applied=True,
        type=decision["type"],
        actions=_actions_of(approval),
        subject=approval.subject,
        refused=approval.refused,
        options=len(approval.options),
        why=confirmed["said"] if confirmed else decision.get("why", ""),
        responder=decision["responder"],
        reading=reading_confirmed(confirmed) if confirmed else decision.get("reading"),
        advice=approval.advice,
    )


async def _beyond_authority(context: ActionContext, approval: Approval) -> str | None:
    """Why an answer is beyond its giver's authority by now: what it rested on may have changed since it was accepted,
    and what was read in free words is known only now."""
    decision = Decision.model_validate(approval.decision)
    if decision.type == "respond":
        return None
    authority = await authority_of(
        context.transaction.conn,
        context.building,
        answerer_on_record(decision),
        approval,
        _actions_of(approval),
        context.now,
        approval_id=approval.approval_id,
    )
    return None if authority.allowed else authority.policy_line


async def _obstacle(context: ActionContext, approval: Approval) -> Obstacle | None:
    """What stands against the actions of an answer as the facts are by now."""
    actions = _actions_of(approval)
    files = await procurement.files_of(context.transaction.conn, context.building.building_id, actions)
    about = ncrs_asked_about(approval.kind, approval.matter, files.get(approval.item_id or ""))
    return find_obstacle(files, actions, asked_about=about)


async def _end_hold(context: ActionContext, approval: Approval) -> None:
    """Somebody has decided on the line: a hold from before ends with it."""
    if approval.item_id is None:
        return
    item = (await context.file(approval.item_id)).item
    if item.is_held:
        context.save(item.model_copy(update={"held_until": None, "hold_note": None}))


async def _reopen(
    context: ActionContext, approval: Approval, question: Question | None, beyond: str | None = None
) -> str:
    """Put the question again at its next version, where it still stands and no newer one took its place."""
    if question is None or await _newer(context, approval) is not None:
        context.save(approval.outdate())
        return "the question no longer stands: the facts have changed since it was answered"
    due = due_dates(context.building, context.now, escalates=not context.building.is_top(approval.asked_of))
    reopened = approval.reopen(**due)
    if beyond is not None:
        reopened = ask_for_amount(context.building, reopened, question, context.now)
    renew_question(context, reopened, question)
    if beyond is not None:
        return f"the person or program that answered may not decide that: {beyond}"
    return "the facts have changed since it was answered: it is asked again with what they are now"


async def _newer(context: ActionContext, approval: Approval) -> Approval | None:
    """The question on the same matter that was raised while this one was being answered."""
    file = await load_file(context, approval.item_id)
    return await pending(context.transaction.conn, context.building.building_id, approval, file)
