"""What a model read in a person's reply, put back to that person: nothing that binds is done on a reading alone.

The question stays open at its next version with what was understood as its recommendation, so that a plain yes carries
it out and a no goes on to the next. The facts are the same, and so is the fingerprint: nothing but talk has happened.
"""

from collections.abc import Sequence

from domain.approvals import Approval, Option, Responder
from domain.plain_json import JsonObject, PlainAction, object_in
from domain.replies import Reply
from domain.wording import actions_in_words

UNDERSTOOD = "understood"
"""Where the evidence of a question keeps what was understood: said, by, what, model, confidence, and where the
option was among the question's own (None: nowhere)."""
MAX_TITLE = 200
MAX_SAID = 300
IN_THESE_WORDS = "in these words:"


def must_be_confirmed(reply: Reply) -> bool:
    """Whether a reply waits for the person's plain yes: it acts, and not every word of it is accounted for."""
    return reply.means in ("approve", "edit") and not reply.accounted


def with_understood(approval: Approval, actions: Sequence[PlainAction], said: str, by: str, reply: Reply) -> Approval:
    """The question with what was understood as its recommendation, at its next version. `said` are the person's words,
    `by` is the person's name."""
    base = without_understood(approval)
    places = range(base.refused, len(base.options))
    place = next((one for one in places if base.options[one].actions == list(actions)), None)
    option = _made(actions) if place is None else base.options[place]
    reader = Responder(type="ai_agent", id=(reply.model or "reader")[:200], name=(reply.model or "reader")[:200])
    marked = option.model_copy(
        update={"recommended_by": reader, "why": f'read in the words of {by}, to be confirmed: "{said[:MAX_SAID]}"'}
    )
    understood: JsonObject = {
        "said": said,
        "by": by,
        "what": option.title,
        "model": reply.model,
        "confidence": reply.confidence,
        "own": place == base.refused,
        "place": place,
        "reading": reply.understood,
    }
    if option.recommended_by is not None:
        understood["before"] = option.model_dump(mode="json", include={"recommended_by", "why"})
    others = [one for number, one in enumerate(base.options) if number != place]
    return approval.model_copy(
        update={
            "options": [*others[: base.refused], marked, *others[base.refused :]],
            "evidence": {**approval.evidence, UNDERSTOOD: understood},
            "version": approval.version + 1,
        }
    )


def without_understood(approval: Approval) -> Approval:
    """The question as it was before something was understood, at its next version; as it is where nothing was."""
    understood = understood_of(approval)
    if understood is None:
        return approval
    options = [one for number, one in enumerate(approval.options) if number != approval.refused]
    if isinstance(place := understood["place"], int):
        before = {"recommended_by": None, "why": None, **object_in(understood, "before")}
        option = approval.options[approval.refused].model_dump(mode="json") | before
        options.insert(place, Option.model_validate(option))
    evidence = {key: value for key, value in approval.evidence.items() if key != UNDERSTOOD}
    return approval.model_copy(update={"options": options, "evidence": evidence, "version": approval.version + 1})


def understood_of(approval: Approval) -> JsonObject | None:
    """What waits to be confirmed; None where nothing does."""
    return object_in(approval.evidence, UNDERSTOOD) or None


def reading_confirmed(understood: JsonObject) -> JsonObject:
    """What was read and then confirmed, as it is shown beside the person's words."""
    return {
        "understood": understood["reading"],
        "doubts": [],
        "model": understood["model"],
        "confidence": understood["confidence"],
        "confirmed": True,
    }


def refuses_the_reading(approval: Approval) -> bool:
    """Whether a no says only that the reply was misread: what was understood is no way out of the question's own."""
    understood, decision = understood_of(approval), approval.decision or {}
    return decision.get("type") == "reject" and understood is not None and not understood["own"]


def _made(actions: Sequence[PlainAction]) -> Option:
    """A way out that is none of the question's own; its title says what it does, with the words that it would send."""
    title = actions_in_words(actions)
    said = [str(one["arguments"][key]) for one in actions for key in _WORDS if one["arguments"].get(key)]
    return Option(
        title=(title[:1].upper() + title[1:])[:MAX_TITLE],
        actions=list(actions),
        assumptions=["not among the usual ways out", *(f"{IN_THESE_WORDS} {words[:MAX_SAID]}" for words in said)],
    )


_WORDS = ("question", "message", "method", "reason", "note")
"""Arguments that are words."""
