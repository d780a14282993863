"""What happened, as a scenario would expect it: the shortest form that says all of it."""

from pydantic import JsonValue

from domain.plain_json import JsonObject
from evals.graders.actions import TEXTS
from evals.observed import Observed, Question
from evals.on_file import EffectRow, EntryRow

MOST_ERROR = 80
"""Characters of an error's first line that are expected again."""


def expectations_of(observed: Observed, item_id: str | None) -> JsonObject:
    """The expectations of a step about that line (or none). Words of messages are left out: they may be put better."""
    texts = any(one["event_type"] == "Message_Received" for one in observed.entries)
    found: JsonObject = {
        "does": [_did(action, item_id) for action in observed.actions],
        "would_do": [_did(action, item_id) for action in observed.would_do],
        "asks": [_asked(question, item_id) for question in observed.raised],
        "renews": [_standing(question, item_id) for question in observed.renewed],
        "closes": [_standing(question, item_id) for question in observed.closed],
        "reminds": [_standing(question, item_id, to=True) for question in observed.reminded],
        "escalates": [_standing(question, item_id, to=True) for question in observed.escalated],
        "becomes": _becomes(observed, item_id),
        "reads": [*observed.restated] if texts else [],
        "outdated": observed.settled == "outdated",
        "asked_again": observed.settled in ("asked_again", "answered"),
        "dies": next((_error(entry) for entry in observed.entries if entry["status"] == "dead"), None),
    }
    return {name: value for name, value in found.items() if value}


def _did(action: EffectRow, item_id: str | None) -> JsonValue:
    arguments = {
        name: value
        for name, value in action["arguments"].items()
        if name not in TEXTS and (name, value) != ("item", item_id) and not _is_note(name, value)
    }
    return {action["action"]: arguments} if arguments else action["action"]


def _is_note(name: str, value: JsonValue) -> bool:
    """A report that is kept as a note is nothing but words."""
    return name == "event" and isinstance(value, dict) and value.get("event_type") == "Human_Input"


def _asked(question: Question, item_id: str | None) -> JsonValue:
    return {"kind": question.kind, **_of(question, item_id), "to": question.to, "recommends": question.recommends}


def _standing(question: Question, item_id: str | None, *, to: bool = False) -> JsonValue:
    further = _of(question, item_id) | ({"to": question.to} if to else {})
    return {"kind": question.kind, **further} if further else question.kind


def _of(question: Question, item_id: str | None) -> JsonObject:
    return {} if question.item in (None, item_id) else {"item": question.item}


def _becomes(observed: Observed, item_id: str | None) -> JsonValue:
    made: JsonObject = {}
    for line in {**observed.words, **observed.moved}:
        days: list[JsonValue] = [{"required_by": observed.moved[line]}] if line in observed.moved else []
        made[line] = [*observed.words.get(line, []), *days]
    return made[item_id] if item_id is not None and list(made) == [item_id] else made


def _error(entry: EntryRow) -> str:
    return str(entry["error"] or "").partition("\n")[0][:MOST_ERROR]
