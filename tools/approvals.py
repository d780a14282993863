"""Questions to people: raised, kept true to the facts, and settled by the first answer."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.approvals import POLICY, Approval, Question
from domain.buildings import Building
from domain.events import Entry
from domain.procurement import LineFile
from domain.questions import Background, build_question
from domain.recollections import about
from domain.working_time import add_working_time
from storage import evidence, procurement
from storage.approvals import locked
from storage.database import Connection
from storage.long_term import Sought, similar_cases
from tools.context import ActionContext, Toolbox
from tools.effects import run_effect
from tools.messages import say


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
) -> dict[str, Any]:
    """Raise a question, or renew the pending one of the same line and kind.

    `refused` options are behind it; `number` is its place among the questions of the entry, and names it.
    """

    async def act(context: ActionContext) -> dict[str, Any]:
        question = await _built(context, kind, item_id, subject)
        if question is None:
            return {"stands": False}
        standing = await _pending(context, kind, item_id)
        if standing is not None and standing.fingerprint == question.fingerprint:
            return {"approval_id": standing.approval_id, "version": standing.version}
        if standing is not None:
            _renew(context, standing, question)
            return {"approval_id": standing.approval_id, "version": standing.version + 1}
        if not refused and kind in ASKED_ONCE and await _answered_before(context, question):
            return {"stands": False, "answered_before": True}
        approval = _raised(context, question, refused, number)
        context.save(approval)
        _tell(context, approval, "Approval needed")
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
            question = await _built(context, approval.kind, item_id, approval.subject)
            if question is None:
                context.save(approval.model_copy(update={"status": "superseded"}))
                _tell(context, approval, "Approval no longer needed")
                result["superseded"].append(approval.approval_id)
            elif question.fingerprint != approval.fingerprint:
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


async def settle(toolbox: Toolbox, entry: Entry) -> dict[str, Any]:
    """Apply an accepted answer to its question, if the facts are still those it was given on.

    Returns {applied, approval_id, kind, item_id, subject, why, actions, refused, options}. An outdated answer does
    nothing: the question is pending again at its next version, or superseded where it no longer stands.
    """

    async def act(context: ActionContext) -> dict[str, Any]:
        approval = await locked(context.transaction, entry.body["approval_id"])
        about = {"approval_id": approval.approval_id, "kind": approval.kind, "item_id": approval.item_id}
        if approval.decision is None or approval.decision["event_id"] != entry.event_id:
            return {**about, "applied": False, "why": "the question was closed before the answer was reached"}
        question = await _built(context, approval.kind, approval.item_id, approval.subject)
        if question is not None and question.fingerprint == approval.fingerprint:
            consequence = _consequence(approval)
            context.save(_decided(approval, "applied", consequence["actions"]))
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
    return {
        "type": decision["type"],
        "actions": [] if decision["type"] == "reject" else actions,
        "subject": approval.subject,
        "refused": approval.refused,
        "options": len(approval.options),
        "why": decision.get("why", ""),
        "responder": decision["responder"],
    }


def _decided(approval: Approval, status: str, actions: list[dict[str, Any]] | None = None) -> Approval:
    done = {**(approval.decision or {}), "status": status}
    return approval.model_copy(update={"decision": done if actions is None else {**done, "actions": actions}})


async def _end_hold(context: ActionContext, approval: Approval) -> None:
    """Somebody has decided on the line: a hold from before ends with it."""
    if approval.item_id is None:
        return
    item = (await context.file(approval.item_id)).item
    if item.is_held:
        context.save(item.model_copy(update={"held_until": None, "hold_note": None}))


async def _reopen(context: ActionContext, approval: Approval, question: Question | None) -> str:
    """Put the question again at its next version, where it still stands and no newer one took its place."""
    newer = await _pending(context, approval.kind, approval.item_id)
    if question is None or newer is not None:
        context.save(_decided(approval, "outdated").model_copy(update={"status": "superseded"}))
        return "the question no longer stands: the facts have changed since it was answered"
    due = _due(context.building, context.now, escalates=not context.building.is_top(approval.asked_of))
    reopened = approval.model_copy(update={"status": "pending", "decision": None, "decision_seq": None, **due})
    _renew(context, reopened, question)
    return "the facts have changed since it was answered: it is asked again with what they are now"


async def _built(context: ActionContext, kind: str, item_id: str | None, subject: dict[str, Any]) -> Question | None:
    conn, building_id = context.transaction.conn, context.building.building_id
    file = None if item_id is None else await procurement.line_file(conn, building_id, item_id)
    background = await _background(conn, context.building, kind, file, context.entry)
    return build_question(kind, file, context.building, context.today, subject, background)


async def _background(
    conn: Connection, building: Building, kind: str, file: LineFile | None, entry: Entry
) -> Background:
    """The events behind the facts, the team's notes, and how similar questions were answered before."""
    item_id = file.item.item_id if file else None
    facts = await evidence.facts(conn, building.building_id, item_id, entry.seq)
    notes = await evidence.notes(conn, building.building_id, item_id) if item_id else []
    past = await _past_cases(conn, building.building_id, kind, file)
    return Background(facts=facts, notes=notes, past_cases=past)


async def _past_cases(conn: Connection, building_id: str, kind: str, file: LineFile | None) -> list[dict[str, Any]]:
    """The cases of this kind that are most like this one; where few are remembered, also the last ones on file."""
    line = about(file)
    query = " ".join([kind.replace("_", " "), *(str(value) for value in line.values() if value)])
    fields = {name: line.get(name) for name in ("item_id", "vendor_id", "category")}
    found = await similar_cases(conn, building_id, Sought(query, kind, only=kind, limit=MOST_CASES, **fields))
    cases = [_as_case(building_id, case) for case in found]
    known = {case.get("approval_id") for case in cases}
    on_file = await evidence.past_cases(conn, building_id, kind)
    return [*cases, *(case for case in on_file if case["approval_id"] not in known)][:MOST_CASES]


MOST_CASES = 5


def _as_case(building_id: str, case: dict[str, Any]) -> dict[str, Any]:
    """A remembered case as evidence shows it; of another building without a name that would mean nothing here."""
    named = {} if case.get("elsewhere") else {"approval_id": f"{building_id}-{case['key'].replace('.', '-')}"}
    return {
        **named,
        "item_id": case["item_id"],
        "summary": case["question"],
        "decision": case["decision"],
        "actions": case["actions"],
        "why": case["why"],
        "outcome": case["outcome"],
        "elsewhere": bool(case.get("elsewhere")),
    }


async def _pending(context: ActionContext, kind: str, item_id: str | None) -> Approval | None:
    if item_id is None:
        return None
    open_ = await procurement.open_questions(context.transaction.conn, context.building.building_id, item_id)
    return next((approval for approval in open_ if approval.kind == kind), None)


ASKED_ONCE = ("order_beyond_authority", "order_incomplete", "facts_contradict")
"""Kinds that the facts alone call for, as long as they stand: on the same facts a person is asked only once."""


async def _answered_before(context: ActionContext, question: Question) -> bool:
    decided = await procurement.decided_questions(
        context.transaction.conn, context.building.building_id, question.item_id, question.kind
    )
    return any(approval.fingerprint == question.fingerprint for approval in decided)


def _raised(context: ActionContext, question: Question, refused: int, number: int) -> Approval:
    building, now = context.building, context.now
    return Approval(
        approval_id=f"{building.building_id}-{context.seq}-{number}",
        key=f"{context.seq}.{number}",
        item_id=question.item_id,
        kind=question.kind,
        summary=_with_refused(question, refused),
        options=question.options,
        refused=refused,
        evidence=question.evidence,
        subject=question.subject,
        fingerprint=question.fingerprint,
        holds_item=question.holds_item,
        amount=question.amount,
        asked_of=_asked(building, question.amount, 0),
        raised_at=now,
        raised_seq=context.seq,
        **_due(building, now, escalates=True),
    )


def _asked(building: Building, amount: str | None, level: int) -> str | None:
    return building.approver_for(None if amount is None else Decimal(amount), level)


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
        if approval.escalate_at is not None and approval.escalate_at <= context.now:
            return _escalated(context, approval)
        if approval.due_at is None or approval.due_at > context.now:
            return {"moot": True}
        # At the top of the chain the reminder is all there is: it is repeated.
        again = _due(context.building, context.now, escalates=True)["escalate_at"]
        due_at = None if approval.escalate_at is not None else again
        _brought_up(context, approval.model_copy(update={"due_at": due_at}), "Reminder")
        return {"reminded": approval.asked_of}

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


def _escalated(context: ActionContext, approval: Approval) -> dict[str, Any]:
    level = approval.escalation_level + 1
    asked_of = _asked(context.building, approval.amount, level)
    due = _due(context.building, context.now, escalates=not context.building.is_top(asked_of))
    raised = approval.model_copy(update={"escalation_level": level, "asked_of": asked_of, **due})
    _brought_up(context, raised, "Escalation")
    return {"escalated_to": asked_of, "level": level}


def _brought_up(context: ActionContext, approval: Approval, subject: str) -> None:
    context.save(approval)
    _tell(context, approval, subject, urgency="urgent")


def _with_refused(question: Question, refused: int) -> str:
    if not refused:
        return question.summary
    left = len(question.options) - refused
    return f"{question.summary} ({refused} refused; next best: {question.options[refused].title}; {left} left)"


def _renew(context: ActionContext, approval: Approval, question: Question) -> None:
    """The same question with the facts as they are now, at its next version; whoever was asked is told."""
    refused = min(approval.refused, len(question.options) - 1)
    renewed = approval.model_copy(
        update={
            "version": approval.version + 1,
            "summary": _with_refused(question, refused),
            "options": question.options,
            "refused": refused,
            "evidence": question.evidence,
            "subject": question.subject,
            "fingerprint": question.fingerprint,
        }
    )
    context.save(renewed)
    _tell(context, renewed, "Approval changed")


def _tell(context: ActionContext, approval: Approval, subject: str, urgency: str = "high") -> None:
    """Tell whoever is asked. One message an effect: the ledger key is its idempotency key."""
    if context.told:
        return
    context.told = True
    first = approval.options[approval.refused].title
    answer = f"Recommended: {first}. Answer approval {approval.approval_id}."
    text = (
        f"{approval.summary} {answer if approval.status == 'pending' else 'This has settled itself: no answer needed.'}"
    )
    say(
        context,
        approval.asked_of or "project_manager",
        text,
        approval.item_id,
        subject=subject,
        urgency=urgency,
        approval_id=approval.approval_id,
    )
