"""Rules at work: counted when they recommend or decide, taught by people's decisions, overruled by them."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from pydantic import BaseModel

from domain.actions.registry import ONLY_UNDOES
from domain.approvals import POLICY, Advice, Approval, Decision
from domain.buildings import MANAGER
from domain.commitments import spending_of
from domain.events import Entry
from domain.learning import Learned, Lesson, learn, overrule, suspended
from domain.mail_subjects import decided_subject, rule_subject
from domain.plain_json import JsonObject, PlainAction, as_json, object_in, restated_event
from domain.plan import RaisedQuestion, Tell
from domain.principals import Mandate, Responder
from domain.procurement import LineFile
from domain.rules import Rule, case_of, full_id
from domain.settlement import SETTLEMENT, Applied, Outdated, Settlement
from domain.templates import template_of
from domain.wording import actions_in_words, delegation_question
from storage import procurement, rules
from storage.approvals import locked
from storage.rows import select
from tools.authority import Matter, answerer_on_record, authority_of
from tools.context import ActionContext, Toolbox
from tools.effects import run_effect
from tools.messages import say


async def count_recommended(context: ActionContext, advice: Advice | None) -> None:
    """Count a recommendation of one of the building's own rules, in the transaction that puts the question."""
    if advice is None or advice.rule_id is None or not advice.actions:
        return
    await _count(context, advice.rule_id, decided=0)


async def _count(context: ActionContext, rule_id: str, decided: int) -> None:
    rule = await rules.rule(context.transaction.conn, context.building.building_id, rule_id)
    if rule is not None:
        counted = {"applied": rule.applied + 1, "decided": rule.decided + decided, "caused_seq": context.seq}
        context.save(rule.model_copy(update=counted))


async def tell_decided(toolbox: Toolbox, entry: Entry, step: Tell, ordinal: int) -> JsonObject:
    """Tell whoever would have been asked what was decided without asking, and how to overrule it."""

    async def act(context: ActionContext) -> JsonObject:
        if step.rule_id is not None:
            await _count(context, step.rule_id, decided=1)
        file = None if step.item_id is None else await context.file(step.item_id)
        amount = None if file is None else file.item.total
        party = context.building.approver_for(amount) or MANAGER
        building_id, delegation = context.building.building_id, step.delegation_id
        by = f"{step.policy} ({full_id(building_id, delegation)})" if delegation else step.policy
        text = f"{step.summary} Decided without asking: {step.title}. {step.why}; {by}."
        if step.rule_id is not None:
            rule_id = full_id(building_id, step.rule_id)
            text += f" If that is wrong: longlead rules overrule {rule_id} --entry {context.seq}"
        line = None if file is None else file.item.name
        subject = decided_subject(line, step.title, step.summary)
        return say(context, party, text, step.item_id, subject=subject)

    return await run_effect(
        toolbox,
        entry,
        "decided",
        item=step.item_id,
        ordinal=ordinal,
        kind="question",
        arguments=step.model_dump(include={"kind", "item_id", "rule_id", "title"}),
        responder=step.responder,
        act=act,
    )


async def learn_from(toolbox: Toolbox, entry: Entry, approval_id: str) -> JsonObject:
    """What a person's decision on a question teaches. Returns {made, confirmed, overruled, ask}: names of rules, and
    the subject of a request for a delegation where it is time for one."""

    async def act(context: ActionContext) -> JsonObject:
        approval = await locked(context.transaction, approval_id)
        if approval.kind == "delegation_request":
            return await _answered_request(context, approval)
        building_id, conn = context.building.building_id, context.transaction.conn
        file = await _file(context, approval.item_id)
        lesson = _lesson(context, approval, file)
        own = await rules.own_rules(conn, building_id, approval.kind)
        delegated = await rules.delegations(conn, building_id, approval.kind)
        return await _save(context, learn(own, delegated, lesson, context.building.policy))

    return await run_effect(
        toolbox,
        entry,
        "learn",
        item=approval_id,
        ordinal=0,
        kind="question",
        arguments={"approval_id": approval_id},
        responder=POLICY,
        act=act,
    )


async def _file(context: ActionContext, item_id: str | None) -> LineFile | None:
    if item_id is None:
        return None
    return await procurement.line_file(context.transaction.conn, context.building.building_id, item_id)


def _lesson(context: ActionContext, approval: Approval, file: LineFile | None) -> Lesson:
    decision = approval.decision or {}
    actions = decision["actions"]
    chosen = next((option for option in approval.options if option.actions == actions), None)
    refused = decision["type"] == "reject"
    advice = approval.advice
    return Lesson(
        case=case_of(approval.kind, file, approval.subject),
        seq=context.seq,
        at=context.now,
        source=approval.key,
        by=str(decision["responder"]["name"]),
        item_name=file.item.name if file else None,
        why=decision.get("why", ""),
        template=None if refused or not _is_of_the_case(approval, actions) else template_of(actions, approval.item_id),
        title=chosen.title if chosen else actions_in_words(actions),
        late=bool(chosen and chosen.days_late),
        amount=_amount(context, actions, file),
        advised=advice.rule_id if advice and advice.actions and not approval.refused else None,
        refused=refused,
    )


def _is_of_the_case(approval: Approval, actions: Sequence[PlainAction]) -> bool:
    """Whether a report that named no line was only taken for one: told as another event, it says nothing of the
    name."""
    meant = object_in(approval.subject, "event").get("event_type")
    told = [event for action in actions if (event := restated_event(action)) is not None]
    return approval.kind != "item_unknown" or all(event["event_type"] == meant for event in told)


def _amount(context: ActionContext, actions: Sequence[PlainAction], file: LineFile | None) -> Decimal | None:
    spent = None if file is None else spending_of(actions, file, context.building)
    return None if spent is None else spent.value


async def _save(context: ActionContext, learned: Learned) -> JsonObject:
    context.save(*learned.rules, *learned.delegations)
    for rule in learned.rules:
        if rule.rule_id == learned.overruled:
            await _withdraw_request(context, rule)
            _tell_retired(context, rule)
    asked = learned.ask_for
    return {
        "made": learned.made,
        "confirmed": learned.confirmed,
        "overruled": learned.overruled,
        "suspended": [one.delegation_id for one in learned.delegations],
        "ask": None if asked is None else _request(context, asked),
    }


def _request(context: ActionContext, rule: Rule) -> JsonObject:
    """The subject of the question that asks for a delegation: what the rule says, where it holds, and no more money
    than people have confirmed."""
    limit = context.building.policy.po_limit
    above = rule.most if limit is not None and rule.most is not None and rule.most > limit else None
    asked: JsonObject = {
        "kind": rule.kind,
        "actions": list(dict.fromkeys(str(action["name"]) for action in rule.actions)),
        "category": rule.category,
        "vendor_id": rule.vendor_id,
        "item": rule.item_id,
        "about": rule.about,
        "amount_limit": None if above is None else str(above),
    }
    return {
        "rule_id": rule.rule_id,
        "delegation": {key: value for key, value in asked.items() if value is not None},
        "policy_line": f"rule_autonomy_after: {context.building.policy.rule_autonomy_after}; what it says needs a "
        "person, unless one delegated it",
        "detail": delegation_question(rule, full_id(context.building.building_id, rule.rule_id)),
    }


async def _answered_request(context: ActionContext, approval: Approval) -> JsonObject:
    """A refused delegation is not asked for again; a granted one was granted by its action."""
    granted = any(action["name"] == "grant_delegation" for action in (approval.decision or {})["actions"])
    rule = await rules.rule(
        context.transaction.conn, context.building.building_id, str(approval.subject.get("rule_id"))
    )
    if rule is not None and not granted:
        context.save(rule.model_copy(update={"delegation": "refused"}))
    return {"made": None, "confirmed": None, "overruled": None, "suspended": [], "ask": None}


async def _withdraw_request(context: ActionContext, rule: Rule) -> None:
    """An overruled rule no longer asks for a delegation."""
    for approval in await pending_requests(context, rule.rule_id):
        context.save(approval.withdraw())


async def pending_requests(context: ActionContext, rule_id: str) -> list[Approval]:
    return await select(
        context.transaction.conn,
        Approval,
        "building_id = %s AND kind = 'delegation_request' AND status = 'pending' AND subject ->> 'rule_id' = %s",
        (context.building.building_id, rule_id),
    )


def _tell_retired(context: ActionContext, rule: Rule) -> None:
    """Refused twice in a row: say so, once, and recommend it no more."""
    if rule.status != "retired":
        return
    rule_id = full_id(context.building.building_id, rule.rule_id)
    text = (
        f"Rule {rule_id} was overruled {rule.refusals} times in a row, so it recommends nothing any more: {rule.text} "
        f"To take it up again: longlead rules edit {rule_id} --enable"
    )
    say(context, MANAGER, text, None, subject=rule_subject(rule_id, rule.refusals))


class Overruling(BaseModel):
    """What a person says who overrules a rule."""

    rule_id: str
    decided_seq: int | None
    """The entry on which it decided; None: its last decision."""
    actions: list[PlainAction]
    """What is to be done instead."""
    responder: Responder
    why: str
    mandate: Mandate | None = None


class DecidedAlone(BaseModel):
    """What a rule decided without asking."""

    seq: int
    kind: str
    item_id: str | None
    actions: list[PlainAction]


async def overruled(toolbox: Toolbox, entry: Entry) -> Settlement:
    """A person overruled what a rule decided alone: it only recommends again, its delegation is suspended, and what
    the person wants instead is learned."""

    async def act(context: ActionContext) -> JsonObject:
        said, conn, building_id = Overruling.model_validate(entry.body), context.transaction.conn, entry.building_id
        rule = await rules.rule(conn, building_id, said.rule_id)
        row = await rules.last_decision(conn, building_id, said.rule_id, said.decided_seq)
        if rule is None or row is None:
            return Outdated(applied=False, why="the rule or its decision is no longer on file").plain()
        decided = DecidedAlone.model_validate(row)
        if await _beyond_authority(context, decided, said) is not None:
            # The rule is overruled all the same, and what is to be done is asked.
            said = said.model_copy(update={"actions": []})
        file = await _file(context, decided.item_id)
        own = await rules.own_rules(conn, building_id, rule.kind)
        delegated = await rules.delegations(conn, building_id, rule.kind)
        instead = _instead(context, rule, file, said)
        learned = learn(own, delegated, instead, context.building.policy) if instead else Learned()
        if learned.overruled is None:
            learned.rules = [one for one in learned.rules if one.rule_id != rule.rule_id] + [overrule(rule)]
            learned.overruled, learned.delegations = rule.rule_id, suspended(rule, delegated)
        await _save(context, learned)
        return _as_settled(rule, decided, said).plain()

    result = await run_effect(
        toolbox,
        entry,
        "overrule",
        item=str(entry.body["rule_id"]),
        ordinal=0,
        kind="question",
        arguments=entry.body,
        responder=POLICY,
        act=act,
    )
    if "would_do" in result:
        return Outdated(applied=False, why="nothing is overruled here")
    return SETTLEMENT.validate_python(result)


async def _beyond_authority(context: ActionContext, decided: DecidedAlone, said: Overruling) -> str | None:
    """Why what a person wants instead is beyond their authority by now."""
    given = Decision(type="edit", responder=said.responder, actions=said.actions, mandate=said.mandate)
    matter = Matter(decided.kind, decided.item_id)
    conn, building = context.transaction.conn, context.building
    authority = await authority_of(conn, building, answerer_on_record(given), matter, given.actions, context.now)
    return None if authority.allowed else authority.policy_line


def _instead(context: ActionContext, rule: Rule, file: LineFile | None, said: Overruling) -> Lesson | None:
    """What the person did instead, as a lesson; None where they only said no, or only undid it."""
    template = template_of(said.actions, file.item.item_id if file else None)
    if file is None or not template or {action["name"] for action in template} <= ONLY_UNDOES:
        return None
    return Lesson(
        case=replace(case_of(rule.kind, file, {}), about=rule.about),
        seq=context.seq,
        at=context.now,
        source=f"{said.decided_seq}.0",
        by=said.responder.name,
        item_name=file.item.name,
        why=said.why,
        template=[action for action in template if action["name"] not in ONLY_UNDOES],
        title=actions_in_words([action for action in template if action["name"] not in ONLY_UNDOES]),
        amount=_amount(context, said.actions, file),
        advised=rule.rule_id,
    )


def _as_settled(rule: Rule, decided: DecidedAlone, said: Overruling) -> Applied:
    detail = f"What rule {rule.rule_id} decided was overruled ({actions_in_words(decided.actions)}): what now?"
    subject: JsonObject = {
        "rule_id": rule.rule_id,
        "decided": decided.seq,
        "actions": as_json(decided.actions),
        "detail": detail,
    }
    ask = RaisedQuestion(kind="decision_overruled", item_id=decided.item_id, subject=subject)
    return Applied(
        approval_id=None,
        kind=rule.kind,
        item_id=decided.item_id,
        applied=True,
        type="overrule",
        actions=said.actions,
        responder=said.responder,
        why=said.why,
        asks=[] if said.actions or decided.item_id is None else [ask],
    )
