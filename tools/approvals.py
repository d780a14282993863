"""Questions to people: raised, kept true to the facts, and brought up again. Answers: settling.py."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypedDict

from pydantic import JsonValue

from domain.advice import renewed as renewed_advice
from domain.advice import with_advice
from domain.approvals import POLICY, Advice, Approval, Question
from domain.buildings import MANAGER, Building
from domain.events import Entry
from domain.mail_subjects import Occasion, question_subject
from domain.options import for_party
from domain.parties import merely_tells
from domain.plain_json import JsonObject, texts_in
from domain.plan import Ask
from domain.procurement import LineFile
from domain.questions.registry import ASKED_ONCE, ESCALATES
from domain.what_changed import CHANGED, TOLD, changes_between, facts_shown, facts_told, in_words
from domain.working_time import add_working_time
from storage import procurement
from storage.approvals import locked
from tools.asking import answered_before, built_on, pending
from tools.context import ActionContext, Toolbox
from tools.effects import run_effect
from tools.messages import say
from tools.rules import count_recommended


async def ask(toolbox: Toolbox, entry: Entry, step: Ask, *, ordinal: int, number: int) -> JsonObject:
    """Raise a question, or renew the pending one of the same line, kind and matter.

    `number` is its place among the questions of the entry, and names it.
    """
    kind, item_id, refused, advice = step.kind, step.item_id, step.refused, step.advice

    async def act(context: ActionContext) -> JsonObject:
        conn, building_id = context.transaction.conn, context.building.building_id
        file = await load_file(context, item_id)
        question = await built_on(conn, context.building, entry, kind, file, step.subject)
        if question is None:
            return {"stands": False}
        standing = await pending(conn, building_id, question, file)
        if standing is not None and not _has_changed(standing, question):
            return {"approval_id": standing.approval_id, "version": standing.version}
        if standing is not None:
            renew_question(context, standing, question)
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


async def review(toolbox: Toolbox, entry: Entry, item_id: str, ordinal: int) -> JsonObject:
    """Hold the line's pending questions against the facts: renewed where they changed, closed where they no longer
    ask anything."""

    async def act(context: ActionContext) -> JsonObject:
        renewed: list[JsonValue] = []
        superseded: list[JsonValue] = []
        for approval in await procurement.open_questions(context.transaction.conn, entry.building_id, item_id):
            question = await rebuild_question(context, approval)
            if question is None:
                context.save(approval.supersede())
                _tell(context, approval, "settled")
                superseded.append(approval.approval_id)
            elif _has_changed(approval, question):
                renew_question(context, approval, question)
                renewed.append(approval.approval_id)
        return {"renewed": renewed, "superseded": superseded}

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


async def load_file(context: ActionContext, item_id: str | None) -> LineFile | None:
    """The line's file as committed before this effect; None where there is no such line."""
    if item_id is None:
        return None
    if item_id not in context.files:
        conn, building_id = context.transaction.conn, context.building.building_id
        context.files[item_id] = await procurement.line_file(conn, building_id, item_id)
    return context.files[item_id]


async def rebuild_question(context: ActionContext, approval: Approval) -> Question | None:
    """The question of an approval as the facts now are."""
    file = await load_file(context, approval.item_id)
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
        **due_dates(building, now, escalates=question.kind in ESCALATES),
    )


def _asked(building: Building, question: Question | Approval, level: int) -> str | None:
    amount = None if question.amount is None else Decimal(question.amount)
    return building.approver_for(amount, level, is_unknown=question.amount_unknown)


class Due(TypedDict):
    """When somebody is reminded, and when somebody else is asked; None: nobody else is."""

    due_at: datetime
    escalate_at: datetime | None


def due_dates(building: Building, now: datetime, *, escalates: bool) -> Due:
    """When somebody is reminded, and when somebody else is asked: in the building's working time, never at night."""
    policy = building.policy

    def after(duration: timedelta) -> datetime:
        return add_working_time(now, duration, building.zone, building.working_week, policy.quiet_hours)

    return {
        "due_at": after(policy.reminder_after),
        "escalate_at": after(policy.escalate_after) if escalates else None,
    }


async def remind(toolbox: Toolbox, entry: Entry) -> JsonObject:
    """An answer is overdue: bring the question to mind, or move it up the approver chain. Moot once it is answered.

    Silence is never consent: nothing else happens, however long it lasts.
    """

    async def act(context: ActionContext) -> JsonObject:
        approval = await locked(context.transaction, str(entry.body["approval_id"]))
        if approval.status != "pending":
            return {"moot": True}
        if (morning := _next_working_moment(context)) > context.now:
            return _put_off(context, approval, morning)
        if approval.escalate_at is not None and approval.escalate_at <= context.now:
            return _escalated(context, approval)
        if approval.due_at is None or approval.due_at > context.now:
            return {"moot": True}
        # At the top of the chain the reminder is all there is: it is repeated.
        again = due_dates(context.building, context.now, escalates=True)["escalate_at"]
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
        item=str(entry.body["approval_id"]),
        ordinal=0,
        kind="question",
        arguments=entry.body,
        responder=POLICY,
        act=act,
    )


async def announce(toolbox: Toolbox, entry: Entry, approval_id: str) -> JsonObject:
    """Put a question to people who never received it, as it stands now: whoever is asked first has all the time to
    answer it. Those who were told of it before watch began are told what has changed. Closed where the facts no longer
    ask it."""

    async def act(context: ActionContext) -> JsonObject:
        approval = await locked(context.transaction, approval_id)
        if approval.status != "pending":
            return {"moot": True}
        question = await rebuild_question(context, approval)
        if question is None:
            context.save(approval.supersede())
            return {"approval_id": approval_id, "superseded": True}
        escalates = approval.kind in ESCALATES
        first = {"escalation_level": 0, "asked_of": _asked(context.building, question, 0)}
        put_again = approval.model_copy(
            update={**first, **due_dates(context.building, context.now, escalates=escalates)}
        )
        if _has_changed(put_again, question):
            renew_question(context, put_again, question)
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
    evidence |= {CHANGED: [*changes]} if changes else {}
    return approval.model_copy(update={"evidence": evidence}), "changed" if changes else "asked"


def _next_working_moment(context: ActionContext) -> datetime:
    building = context.building
    quiet = building.policy.quiet_hours
    return add_working_time(context.now, timedelta(0), building.zone, building.working_week, quiet)


def _put_off(context: ActionContext, approval: Approval, until: datetime) -> JsonObject:
    """What fell due while nobody was there to tell it is not told in the night in which somebody is again."""
    due = {
        name: max(moment, until)
        for name in ("due_at", "escalate_at")
        if (moment := getattr(approval, name)) is not None
    }
    context.save(approval.model_copy(update=due))
    return {"moot": True, "put_off_until": until.isoformat()}


def _escalated(context: ActionContext, approval: Approval) -> JsonObject:
    level = approval.escalation_level + 1
    asked_of = _asked(context.building, approval, level)
    due = due_dates(context.building, context.now, escalates=not context.building.is_top(asked_of))
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


def renew_question(context: ActionContext, approval: Approval, question: Question) -> None:
    """The same question with the facts as they are now, at its next version; whoever was asked is told. In watch nobody
    receives that: what people were told last stays on file, and what changed is only shown."""
    if _amount_of(question) != _amount_of(approval):
        approval = ask_for_amount(context.building, approval, question, context.now)
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


def ask_for_amount(building: Building, approval: Approval, question: Question, now: datetime) -> Approval:
    """The question put to somebody who may decide on the amount that is at stake by now."""
    amount = {"amount": question.amount, "amount_unknown": question.amount_unknown}
    asked_of = _asked(building, question, approval.escalation_level)
    if asked_of == approval.asked_of:
        return approval.model_copy(update=amount)
    due = due_dates(building, now, escalates=not building.is_top(asked_of))
    return approval.model_copy(update={**amount, "asked_of": asked_of, **due})


def withdraw(context: ActionContext, approval: Approval) -> None:
    """Take a question back, and tell whoever was asked."""
    context.save(approval.withdraw())
    _tell(context, approval, "settled")


def _talk(approval: Approval) -> JsonObject:
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
    changes = in_words(texts_in(approval.evidence, CHANGED)) if occasion == "changed" else ""
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
