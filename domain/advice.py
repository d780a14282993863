"""Showing a recommendation with a question: its option first, with who recommends it and why.

The facts, and so the fingerprint and the version of a question, stay as they are: who recommends what is no fact.
"""

from collections.abc import Callable, Sequence

from domain.approvals import Advice, Option, Question
from domain.plain_json import JsonObject, PlainAction, object_in
from domain.templates import fitting

Actions = Sequence[PlainAction]


def with_advice(
    question: Question, advice: Advice | None, is_pointless: Callable[[Actions], bool] = lambda _: False
) -> Question:
    """The question with the recommended way out first. What cannot be said in this situation, or is pointless for the
    party that is asked, is left out."""
    if advice is None:
        return question
    option = fitting(advice.template, question.options, question.item_id, advice.title) if advice.template else None
    if not advice.template and advice.actions:
        option = _given(advice, question.options)
    if option is not None and (not can_be_done(option.actions, question) or is_pointless(option.actions)):
        option = None
    told = _evidence(advice)
    evidence = {**question.evidence, **told} if option is not None or advice.remark else question.evidence
    if option is None:
        return question.model_copy(update={"evidence": evidence, "summary": _remarked(question, advice)})
    first = option.model_copy(update={"recommended_by": advice.responder, "why": advice.why})
    others = [other for other in question.options if other.actions != option.actions]
    return question.model_copy(
        update={"options": [first, *others], "evidence": evidence, "summary": _remarked(question, advice)}
    )


def can_be_done(actions: Sequence[PlainAction], question: Question) -> bool:
    """Whether the line's facts leave anything for the actions to act on: an order that is not there, or that is
    cancelled, is not recommended to be cancelled, whatever was decided of another line."""
    order = object_in(question.evidence, "order")
    is_standing = order.get("number") is not None and order.get("status") != "cancelled"
    return is_standing or all(action["name"] != "cancel_purchase_order" for action in actions)


def renewed(advice: Advice | None) -> Advice | None:
    """The advice for a question whose facts have changed: a rule says the same of the new ones, a model must be asked
    again."""
    return None if advice is None or not advice.template else advice.model_copy(update={"remark": None})


def _given(advice: Advice, options: list[Option]) -> Option:
    """The option that was chosen, with its days as they are now (a question is put anew on a later day); else one of
    its own."""
    same = next((option for option in options if option.actions == advice.actions), None)
    same = same or next((option for option in options if option.title == advice.title), None)
    return same or Option(title=advice.title, actions=advice.actions, assumptions=_of_its_own(advice))


def is_an_option(actions: Sequence[PlainAction], options: Sequence[Option]) -> bool:
    """Whether these are exactly the actions of one of the question's options, word for word."""
    return any(option.actions == list(actions) for option in options)


def _of_its_own(advice: Advice) -> list[str]:
    """What must be said of a way out that is none of the question's own, with the words that it would send."""
    words = [str(one["arguments"][key]) for one in advice.actions for key in _WORDS if one["arguments"].get(key)]
    told = [f"written by {advice.responder.name}, not from the facts on file: {text[:500]}" for text in words]
    return ["not among the usual ways out", *told]


_WORDS = ("question", "message", "method", "reason", "note")
"""Arguments that are words."""


def _evidence(advice: Advice) -> JsonObject:
    shown: JsonObject = {}
    if advice.actions:
        recommendation = {
            "by": advice.responder.name,
            "type": advice.responder.type,
            "what": advice.title,
            "why": advice.why,
            "confidence": advice.confidence,
            "not_alone_because": advice.limit,
        }
        shown["recommendation"] = {key: value for key, value in recommendation.items() if value is not None}
    if advice.remark:
        shown["no_progress"] = advice.remark
    return shown


def _remarked(question: Question, advice: Advice) -> str:
    return f"{question.summary} {advice.remark}" if advice.remark else question.summary
