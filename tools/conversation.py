"""A reply in free words: taken as an answer where it is certain, else talked over while the question stays open."""

from typing import Literal

from domain.answers_back import answer_from_facts
from domain.approvals import Approval, Responder
from domain.buildings import MANAGER, Building
from domain.confirming import (
    IN_THESE_WORDS,
    must_be_confirmed,
    refuses_the_reading,
    with_understood,
    without_understood,
)
from domain.mail_subjects import question_subject
from domain.plain_json import PlainAction, objects_in
from domain.replies import Reply, with_wishes
from domain.settlement import KeptOpen, Reading
from tools.approvals import Due
from tools.context import ActionContext
from tools.messages import say

MOST_KEPT = 10
"""Exchanges that a question keeps in its evidence."""


def taken(approval: Approval, reply: Reply) -> Approval:
    """The approval with its reply as the typed answer that it was read as; as it was where it is none."""
    decision = approval.decision or {}
    if reply.means in ("answer", "ask_again"):
        return approval
    kind, actions = "edit", reply.actions
    if reply.means == "reject":
        kind = "reject"
    elif reply.means == "approve":
        kind = "edit" if reply.actions else "approve"
        actions = with_wishes(approval.recommended, reply.actions)
    read = {
        **decision,
        "type": kind,
        "actions": actions,
        "reading": reading_of(reply).model_dump(mode="json", exclude_unset=True),
    }
    return approval.model_copy(update={"decision": read})


def reading_of(reply: Reply) -> Reading:
    """What was read, as it is shown beside the person's own words."""
    return Reading(
        understood=reply.understood,
        doubts=reply.doubts[:20],
        model=reply.model,
        confidence=reply.confidence,
        tokens=reply.tokens,
    )


def answer_to(approval: Approval, reply: Reply) -> str:
    """What whoever replied is told: the facts that they asked for, or what was understood and what was not."""
    if reply.means == "answer":
        return f"{answer_from_facts(reply.topics, approval.evidence, approval.options)} The question stays open."
    heard = f"I understood: {reply.understood}" if reply.understood else "I could not read your answer"
    why = f" ({'; '.join(reply.doubts)[:500]})" if reply.doubts else ""
    return f"{heard}{why}. Nothing was done. Please answer yes or no, choose an option, or say it in other words."


def stays_open(approval: Approval, reply: Reply | None) -> bool:
    """Whether an answer leaves its question open: a question back, what is not certain, what a model read and must be
    confirmed first, and a no to what it read."""
    if reply is not None and (must_be_confirmed(reply) or reply.means in ("answer", "ask_again")):
        return True
    return refuses_the_reading(approval)


def keep_open(context: ActionContext, approval: Approval, reply: Reply | None, due: Due) -> KeptOpen:
    """Give the question back, with what was said in its evidence, and tell the person who said it. What was understood
    becomes its recommendation, at its next version."""
    responder, said = Responder.model_validate((approval.decision or {})["responder"]), _words_of(approval)
    kind: Literal["answered", "asked_again"]
    if reply is None:
        kept = without_understood(approval)
        kind, told = "asked_again", _told_misread(kept)
    elif must_be_confirmed(reply):
        kept = with_understood(approval, _actions_of(approval), said, responder.name, reply)
        kind, told = "asked_again", _told_to_confirm(kept, reply)
    elif reply.means == "answer":
        kept = approval
        kind, told = "answered", answer_to(approval, reply)
    else:  # what was understood before is withdrawn by other words: a yes to it now would say neither
        kept = without_understood(approval)
        kind, told = "asked_again", answer_to(approval, reply)
    exchange = {"from": responder.name, "said": said, "kind": kind, "answer": told}
    talk = [*objects_in(approval.evidence, "conversation"), exchange][-MOST_KEPT:]
    evidence = {**kept.evidence, "conversation": talk}
    reopened = {"status": "pending", "decision": None, "decision_seq": None, "evidence": evidence, **due}
    context.save(kept.model_copy(update=reopened))
    say(
        context,
        _person(context.building, responder, approval.asked_of),
        told,
        approval.item_id,
        subject=question_subject(approval, "answered", context.today),
        approval_id=approval.approval_id,
    )
    return KeptOpen(
        approval_id=approval.approval_id,
        kind=approval.kind,
        item_id=approval.item_id,
        applied=False,
        kept_open=kind,
        told=told,
        why=said,
        responder=responder,
        reading=reading_of(reply or Reply("reject", understood="not what was understood", confidence=1.0)),
    )


def _told_to_confirm(approval: Approval, reply: Reply) -> str:
    option = approval.options[approval.refused]
    words = "; ".join(one for one in option.assumptions if one.startswith(IN_THESE_WORDS))
    return (
        f"I understood: {reply.understood}. That is: {option.title}{f' ({words})' if words else ''}. Nothing was done "
        "yet: answer yes to have it done, no for the next option, or say it in other words."
    )


def _told_misread(approval: Approval) -> str:
    return (
        "Then I misread your answer. Nothing was done, and the question stands as it was. Recommended: "
        f"{approval.options[approval.refused].title}."
    )


def _words_of(approval: Approval) -> str:
    return str((approval.decision or {}).get("why", ""))


def _actions_of(approval: Approval) -> list[PlainAction]:
    """The actions that a reply was read as (`taken`)."""
    decision = approval.decision or {}
    return approval.recommended if decision["type"] == "approve" else list(decision["actions"])


def _person(building: Building, responder: Responder, asked_of: str | None) -> str:
    """Whom to tell: the approver who replied, where that is one of the building's, else whoever was asked."""
    named = next((one for one in building.approvers if responder.name in (one.name, one.role)), None)
    return (named.role if named is not None else asked_of) or MANAGER
