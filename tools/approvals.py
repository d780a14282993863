"""Questions to people: raised, kept true to the facts, and settled by the first answer."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.advice import renewed as renewed_advice
from domain.advice import with_advice
from domain.approvals import POLICY, Advice, Approval, Decision, Question
from domain.buildings import MANAGER, Building
from domain.confirming import reading_confirmed, understood_of
from domain.events import Entry
from domain.feasibility import Obstacle, find_obstacle
from domain.mail_subjects import Occasion, question_subject
from domain.options import for_party
from domain.parties import merely_tells
from domain.procurement import LineFile
from domain.questions.registry import ASKED_ONCE, ESCALATES
from domain.replies import Reply
from domain.what_changed import CHANGED, TOLD, changes_between, facts_shown, facts_told, in_words
from domain.working_time import add_working_time
from storage import procurement
from storage.approvals import locked
from tools.asking import answered_before, built_on, pending
from tools.authority import answerer_on_record, authority_of
from tools.context import ActionContext, Toolbox
from tools.conversation import keep_open, stays_open, taken
from tools.effects import run_effect
from tools.messages import say
from tools.rules import count_recommended


async def ask(
    toolbox: Toolbox,
    entry: Entry,
    *,
    kind: str,
    item_id: str | None,
    subject: dict[str, Any],
    refused: int,
    ordinal: int,
    number: int,
    advice: Advice | None = None,
) -> dict[str, Any]:
    """Raise a question, or renew the pending one of the same line, kind and matter.

    `refused` options are behind it; `number` is its place among the questions of the entry, and names it; `advice` is
    what a rule or a model recommends.
    """

    async def act(context: ActionContext) -> dict[str, Any]:
        conn, building_id = context.transaction.conn, context.building.building_id
        file = await _file(context, item_id)
        question = await built_on(conn, context.building, entry, kind, file, subject)
        if question is None:
            return {"stands": False}
        standing = await pending(conn, building_id, question, file)
        if standing is not None and not _has_changed(standing, question):
            return {"approval_id": standing.approval_id, "version": standing.version}
        if standing is not None:
            _renew(context, standing, question)
            return {"approval_id": standing.approval_id, "version": standing.version + 1}
        if not refused and kind in ASKED_ONCE and await answered_before(conn, context.building, question, entry):
            return {"stands": False, "answered_before": True}
        approval = _raised(context, _fit_for(context.building, None, question, advice), refused, number, advice)
        context.save(approval)
        if not refused:
            await count_recommended(context, advice)
        _tell(context, approval, "asked")
        return {"approval_id": approval.approval_id, "version": 1}

    return await run_effect(
        toolbox,
        entry,
        f"ask:{kind}",
        item=item_id,
        ordinal=ordinal,
        kind="question",
        arguments={"kind": kind, "item_id": item_id, "refused": refused},
        responder=POLICY,
        act=act,
    )


async def review(toolbox: Toolbox, entry: Entry, item_id: str, ordinal: int) -> dict[str, Any]:
    """Hold the line's pending questions against the facts: renewed where they changed, closed where they no longer
    ask anything."""

    async def act(context: ActionContext) -> dict[str, Any]:
        result: dict[str, Any] = {"renewed": [], "superseded": []}
        for approval in await procurement.open_questions(context.transaction.conn, entry.building_id, item_id):
            question = await _rebuilt(context, approval)
            if question is None:
                context.save(approval.supersede())
                _tell(context, approval, "settled")
                result["superseded"].append(approval.approval_id)
            elif _has_changed(approval, question):
                _renew(context, approval, question)
                result["renewed"].append(approval.approval_id)
        return result

    return await run_effect(
        toolbox,
        entry,
        "review",
        item=item_id,
        ordinal=ordinal,
        kind="question",
        arguments={"item_id": item_id},
        responder=POLICY,
        act=act,
    )


async def settle(toolbox: Toolbox, entry: Entry, reply: Reply | None = None) -> dict[str, Any]:
    """Apply an accepted answer to its question, if the facts are still those it was given on.

    `reply` is what was read of an answer in free words. Returns {applied, approval_id, kind, item_id, subject, why,
    actions, refused, options}. An outdated answer does nothing: the question is pending again at its next version, or
    superseded where it no longer stands. A question back, what is not certain, and what a model read and the person has
    yet to confirm leave it open: {kept_open, told}.
    """

    async def act(context: ActionContext) -> dict[str, Any]:
        approval = await locked(context.transaction, entry.body["approval_id"])
        about = {"approval_id": approval.approval_id, "kind": approval.kind, "item_id": approval.item_id}
        if approval.decision is None or approval.decision["event_id"] != entry.event_id:
            return {**about, "applied": False, "why": "the question was closed before the answer was reached"}
        if reply is not None:
            approval = taken(approval, reply)
        question = await _rebuilt(context, approval)
        beyond = await _beyond_authority(context, approval)
        if beyond is not None and question is not None:
            return {**about, "applied": False, "why": await _reopen(context, approval, question, beyond)}
        stands = question is not None and question.rests_on(approval.matter, approval.fingerprint)
        if stands and stays_open(approval, reply):
            if await _newer(context, approval) is None:
                due = _due(context.building, context.now, escalates=not context.building.is_top(approval.asked_of))
                return {**about, "applied": False, **keep_open(context, approval, reply, due)}
            stands = False
        if stands and (obstacle := await _obstacle(context, approval)) is not None and question is not None:
            why = f"it cannot be done, so nothing was: {obstacle}"
            asked_again = question.model_copy(update={"summary": f"{question.summary} (The last answer: {why}.)"})
            await _reopen(context, approval, asked_again)
            return {**about, "applied": False, "why": why}
        if stands:
            consequence = _consequence(approval)
            context.save(approval.apply(consequence["actions"]))
            await _end_hold(context, approval)
            return {**about, "applied": True, **consequence}
        return {**about, "applied": False, "why": await _reopen(context, approval, question)}

    return await run_effect(
        toolbox,
        entry,
        "settle",
        item=entry.body["approval_id"],
        ordinal=0,
        kind="question",
        arguments={"approval_id": entry.body["approval_id"], "event_id": entry.event_id},
        responder=POLICY,
        act=act,
    )


def _consequence(approval: Approval) -> dict[str, Any]:
    """What the answer calls for, as the person saw it."""
    decision = approval.decision or {}
    actions = decision["actions"] if decision["type"] == "edit" else approval.recommended
    confirmed = understood_of(approval) if decision["type"] == "approve" else None
    return {
        "type": decision["type"],
        "actions": [] if decision["type"] == "reject" else actions,
        "subject": approval.subject,
        "refused": approval.refused,
        "options": len(approval.options),
        "why": confirmed["said"] if confirmed else decision.get("why", ""),
        "responder": decision["responder"],
        "reading": reading_confirmed(confirmed) if confirmed else decision.get("reading"),
        "advice": None if approval.advice is None else approval.advice.model_dump(mode="json"),
    }


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
        _consequence(approval)["actions"],
        context.now,
        approval_id=approval.approval_id,
    )
    return None if authority.allowed else authority.policy_line


async def _obstacle(context: ActionContext, approval: Approval) -> Obstacle | None:
    """What stands against the actions of an answer as the facts are by now."""
    actions = _consequence(approval)["actions"]
    files = await procurement.files_of(context.transaction.conn, context.building.building_id, actions)
    return find_obstacle(files, actions)


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
    due = _due(context.building, context.now, escalates=not context.building.is_top(approval.asked_of))
    reopened = approval.reopen(**due)
    if beyond is not None:
        reopened = _asked_for_amount(context.building, reopened, question, context.now)
    _renew(context, reopened, question)
    if beyond is not None:
        return f"the person or program that answered may not decide that: {beyond}"
    return "the facts have changed since it was answered: it is asked again with what they are now"


async def _newer(context: ActionContext, approval: Approval) -> Approval | None:
    """The question on the same matter that was raised while this one was being answered."""
    file = await _file(context, approval.item_id)
    return await pending(context.transaction.conn, context.building.building_id, approval, file)


async def _file(context: ActionContext, item_id: str | None) -> LineFile | None:
    """The line's file as committed before this effect; None where there is no such line."""
    if item_id is None:
        return None
    if item_id not in context.files:
        conn, building_id = context.transaction.conn, context.building.building_id
        context.files[item_id] = await procurement.line_file(conn, building_id, item_id)
    return context.files[item_id]


async def _rebuilt(context: ActionContext, approval: Approval) -> Question | None:
    """The question of an approval as the facts now are."""
    file = await _file(context, approval.item_id)
    return await built_on(
        context.transaction.conn, context.building, context.entry, approval.kind, file, approval.subject
    )


def _raised(context: ActionContext, question: Question, refused: int, number: int, advice: Advice | None) -> Approval:
    building, now = context.building, context.now
    return Approval(
        approval_id=f"{building.building_id}-{context.seq}-{number}",
        key=f"{context.seq}.{number}",
        item_id=question.item_id,
        kind=question.kind,
        matter=question.matter,
        summary=_with_refused(question, refused),
        options=question.options,
        refused=refused,
        evidence=question.evidence | ({TOLD: {}} if building.is_watching else {}),
        subject=question.subject,
        advice=advice,
        fingerprint=question.fingerprint,
        holds_item=question.holds_item,
        amount=question.amount,
        amount_unknown=question.amount_unknown,
        asked_of=_asked(building, question, 0),
        raised_at=now,
        raised_seq=context.seq,
        **_due(building, now, escalates=question.kind in ESCALATES),
    )


def _asked(building: Building, question: Question | Approval, level: int) -> str | None:
    amount = None if question.amount is None else Decimal(question.amount)
    return building.approver_for(amount, level, is_unknown=question.amount_unknown)


def _due(building: Building, now: datetime, *, escalates: bool) -> dict[str, Any]:
    """When somebody is reminded, and when somebody else is asked: in the building's working time, never at night."""
    policy = building.policy

    def after(duration: timedelta) -> datetime:
        return add_working_time(now, duration, building.zone, building.working_week, policy.quiet_hours)

    return {
        "due_at": after(policy.reminder_after),
        "escalate_at": after(policy.escalate_after) if escalates else None,
    }


async def remind(toolbox: Toolbox, entry: Entry) -> dict[str, Any]:
    """An answer is overdue: bring the question to mind, or move it up the approver chain. Moot once it is answered.

    Silence is never consent: nothing else happens, however long it lasts.
    """

    async def act(context: ActionContext) -> dict[str, Any]:
        approval = await locked(context.transaction, entry.body["approval_id"])
        if approval.status != "pending":
            return {"moot": True}
        if (morning := _next_working_moment(context)) > context.now:
            return _put_off(context, approval, morning)
        if approval.escalate_at is not None and approval.escalate_at <= context.now:
            return _escalated(context, approval)
        if approval.due_at is None or approval.due_at > context.now:
            return {"moot": True}
        # At the top of the chain the reminder is all there is: it is repeated.
        again = _due(context.building, context.now, escalates=True)["escalate_at"]
        once = approval.escalate_at is not None or approval.kind not in ESCALATES
        # The approver chain may have changed since it was put.
        asked_of = _asked(context.building, approval, approval.escalation_level)
        reminded = approval.remind(asked_of, None if once else again)
        reminded = _without_pointless(context.building, reminded)
        _brought_up(context, reminded, "reminder")
        return {"reminded": asked_of}

    return await run_effect(
        toolbox,
        entry,
        "remind",
        item=entry.body["approval_id"],
        ordinal=0,
        kind="question",
        arguments=entry.body,
        responder=POLICY,
        act=act,
    )


async def announce(toolbox: Toolbox, entry: Entry, approval_id: str) -> dict[str, Any]:
    """Put a question to people who never received it, as it stands now: whoever is asked first has all the time to
    answer it. Those who were told of it before watch began are told what has changed. Closed where the facts no longer
    ask it."""

    async def act(context: ActionContext) -> dict[str, Any]:
        approval = await locked(context.transaction, approval_id)
        if approval.status != "pending":
            return {"moot": True}
        question = await _rebuilt(context, approval)
        if question is None:
            context.save(approval.supersede())
            return {"approval_id": approval_id, "superseded": True}
        escalates = approval.kind in ESCALATES
        first = {"escalation_level": 0, "asked_of": _asked(context.building, question, 0)}
        put_again = approval.model_copy(update={**first, **_due(context.building, context.now, escalates=escalates)})
        if _has_changed(put_again, question):
            _renew(context, put_again, question)
        else:
            put_again, occasion = _as_announced(put_again)
            context.save(put_again)
            _tell(context, put_again, occasion)
        return {"approval_id": approval_id, "announced": True}

    return await run_effect(
        toolbox,
        entry,
        "announce",
        item=approval_id,
        ordinal=0,
        kind="question",
        arguments={"approval_id": approval_id},
        responder=POLICY,
        act=act,
    )


def _as_announced(approval: Approval) -> tuple[Approval, Occasion]:
    """The question as it is put by a building that has gone live: as a new one to people who were never told of it,
    and with what has changed to those who were told of it before watch began."""
    if TOLD not in approval.evidence:
        return approval, "asked"
    told, shown = facts_told(approval.evidence), facts_shown(approval.evidence)
    changes = changes_between(told, shown) if told else []
    evidence = {name: value for name, value in approval.evidence.items() if name not in (TOLD, CHANGED)}
    evidence |= {CHANGED: changes} if changes else {}
    return approval.model_copy(update={"evidence": evidence}), "changed" if changes else "asked"


def _next_working_moment(context: ActionContext) -> datetime:
    building = context.building
    quiet = building.policy.quiet_hours
    return add_working_time(context.now, timedelta(0), building.zone, building.working_week, quiet)


def _put_off(context: ActionContext, approval: Approval, until: datetime) -> dict[str, Any]:
    """What fell due while nobody was there to tell it is not told in the night in which somebody is again."""
    due = {
        name: max(moment, until)
        for name in ("due_at", "escalate_at")
        if (moment := getattr(approval, name)) is not None
    }
    context.save(approval.model_copy(update=due))
    return {"moot": True, "put_off_until": until.isoformat()}


def _escalated(context: ActionContext, approval: Approval) -> dict[str, Any]:
    level = approval.escalation_level + 1
    asked_of = _asked(context.building, approval, level)
    due = _due(context.building, context.now, escalates=not context.building.is_top(asked_of))
    raised = approval.escalate(asked_of, **due)
    raised = _without_pointless(context.building, raised)
    _brought_up(context, raised, "escalated")
    return {"escalated_to": asked_of, "level": level}


def _brought_up(context: ActionContext, approval: Approval, occasion: Occasion) -> None:
    if not context.building.is_watching:  # in watch nobody receives it
        untold = {name: value for name, value in approval.evidence.items() if name != TOLD}
        approval = approval.model_copy(update={"evidence": untold})
    context.save(approval)
    _tell(context, approval, occasion, urgency="urgent")


def _fit_for(building: Building, asked_of: str | None, question: Question, advice: Advice | None) -> Question:
    """The question as it is put to this party (None: to the first that may decide it): with the advice, and without
    ways out that would only write to the one who is asked."""
    party = asked_of or _asked(building, question, 0) or MANAGER
    advised = with_advice(question, advice, lambda actions: merely_tells(actions, party, building))
    return advised.model_copy(update={"options": for_party(advised.options, party, building) or advised.options})


def _without_pointless(building: Building, approval: Approval) -> Approval:
    """The question without ways out that would only write to the one who is asked now. What was refused stays, and so
    does the last way out."""
    party = approval.asked_of or MANAGER
    left = for_party(approval.options[approval.refused :], party, building)
    if not left:
        return approval
    return approval.model_copy(update={"options": [*approval.options[: approval.refused], *left]})


def _with_refused(question: Question, refused: int) -> str:
    if not refused:
        return question.summary
    left = len(question.options) - refused
    return f"{question.summary} ({refused} refused; next best: {question.options[refused].title}; {left} left)"


def _renew(context: ActionContext, approval: Approval, question: Question) -> None:
    """The same question with the facts as they are now, at its next version; whoever was asked is told. In watch nobody
    receives that: what people were told last stays on file, and what changed is only shown."""
    if _amount_of(question) != _amount_of(approval):
        approval = _asked_for_amount(context.building, approval, question, context.now)
    advice = renewed_advice(approval.advice)
    dropped = approval.advice is not None and advice is None and bool(approval.advice.actions)
    question = _fit_for(context.building, approval.asked_of, question, advice)
    refused = min(max(approval.refused - dropped, 0), len(question.options) - 1)
    is_watching = context.building.is_watching
    told = facts_told(approval.evidence)
    before = facts_shown(approval.evidence) if is_watching else told
    changes = changes_between(before, facts_told(question.evidence)) if before else []
    changed = {CHANGED: changes} if changes else {}
    as_told = {TOLD: told} if context.told or is_watching else {}
    renewed = approval.model_copy(
        update={
            "version": approval.version + 1,
            "summary": _with_refused(question, refused),
            "options": question.options,
            "refused": refused,
            "advice": advice,
            "evidence": question.evidence | _talk(approval) | changed | as_told,
            "subject": question.subject,
            "matter": question.matter,
            "fingerprint": question.fingerprint,
        }
    )
    context.save(renewed)
    _tell(context, renewed, "changed" if before else "asked")


def _has_changed(approval: Approval, question: Question) -> bool:
    """Whether a question is another one by now: it rests on other facts, or another amount is at stake."""
    return not question.rests_on(approval.matter, approval.fingerprint) or _amount_of(question) != _amount_of(approval)


def _amount_of(asked: Question | Approval) -> tuple[Decimal | None, bool]:
    return None if asked.amount is None else Decimal(asked.amount), asked.amount_unknown


def _asked_for_amount(building: Building, approval: Approval, question: Question, now: datetime) -> Approval:
    """The question put to somebody who may decide on the amount that is at stake by now."""
    amount = {"amount": question.amount, "amount_unknown": question.amount_unknown}
    asked_of = _asked(building, question, approval.escalation_level)
    if asked_of == approval.asked_of:
        return approval.model_copy(update=amount)
    due = _due(building, now, escalates=not building.is_top(asked_of))
    return approval.model_copy(update={**amount, "asked_of": asked_of, **due})


def _talk(approval: Approval) -> dict[str, Any]:
    """What was said about the question stays with it when the facts change."""
    said = approval.evidence.get("conversation")
    return {"conversation": said} if said else {}


def _tell(context: ActionContext, approval: Approval, occasion: Occasion, urgency: str = "high") -> None:
    """Tell whoever is asked. One message an effect: the ledger key is its idempotency key."""
    if context.told:
        return
    context.told = True
    first = approval.options[approval.refused]
    by = f" ({first.recommended_by.name}: {first.why})" if first.recommended_by else ""
    answer = f"Recommended: {first.title}{by}. Answer approval {approval.approval_id}."
    if occasion == "settled":
        answer = "This has settled itself: no answer needed."
    said = approval.statement if occasion == "settled" else approval.summary
    changes = in_words(approval.evidence.get(CHANGED) or []) if occasion == "changed" else ""
    text = f"{said} {f'Changed: {changes}. ' if changes else ''}{answer}"
    say(
        context,
        approval.asked_of or MANAGER,
        text,
        approval.item_id,
        subject=question_subject(approval, occasion, context.today),
        urgency=urgency,
        approval_id=approval.approval_id,
        # A person asked to go live, and waits for it: that it failed is not withheld.
        on_going_live=approval.kind == "event_failed" and approval.subject.get("event_type") == "Building_Went_Live",
    )
