"""A reply in free words: taken as an answer where it is certain, else talked over while the question stays open."""

from typing import Any

from domain.answers_back import answer_from_facts
from domain.approvals import Approval
from domain.replies import Reply, with_wishes
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
    read = {**decision, "type": kind, "actions": actions, "reading": reading_of(reply)}
    return approval.model_copy(update={"decision": read})


def reading_of(reply: Reply) -> dict[str, Any]:
    """What was read, as it is shown beside the person's own words."""
    return {
        "understood": reply.understood,
        "doubts": reply.doubts[:20],
        "model": reply.model,
        "confidence": reply.confidence,
        "tokens": reply.tokens,
    }


def answer_to(approval: Approval, reply: Reply) -> str:
    """What whoever replied is told: the facts that they asked for, or what was understood and what was not."""
    if reply.means == "answer":
        return f"{answer_from_facts(reply.topics, approval.evidence, approval.options)} The question stays open."
    heard = f"I understood: {reply.understood}" if reply.understood else "I could not read your answer"
    why = f" ({'; '.join(reply.doubts)[:500]})" if reply.doubts else ""
    return f"{heard}{why}. Nothing was done. Please answer yes or no, choose an option, or say it in other words."


def kept_open(context: ActionContext, approval: Approval, reply: Reply, due: dict[str, Any]) -> dict[str, Any]:
    """Give the question back as it was, with what was said in its evidence, and tell whoever is asked."""
    decision, told = approval.decision or {}, answer_to(approval, reply)
    kind = "answered" if reply.means == "answer" else "asked_again"
    exchange = {"from": decision["responder"]["name"], "said": decision["why"], "kind": kind, "answer": told}
    talk = [*approval.evidence.get("conversation", []), exchange][-MOST_KEPT:]
    evidence = {**approval.evidence, "conversation": talk}
    reopened = {"status": "pending", "decision": None, "decision_seq": None, "evidence": evidence, **due}
    context.save(approval.model_copy(update=reopened))
    say(
        context,
        approval.asked_of or "project_manager",
        told,
        approval.item_id,
        subject="Your answer",
        approval_id=approval.approval_id,
    )
    return {
        "kept_open": kind,
        "told": told,
        "why": decision["why"],
        "responder": decision["responder"],
        "reading": reading_of(reply),
    }
