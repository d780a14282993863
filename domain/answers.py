"""Reading what inbox UIs and Studio send as an answer, in all the shapes that they have. The one parser for them."""

import json

from pydantic import JsonValue, ValidationError

from domain.approvals import Answer, plain_answer
from domain.plain_json import JsonObject

_TYPES = {
    "accept": "approve",
    "approve": "approve",
    "reject": "reject",
    "ignore": "reject",
    "edit": "edit",
    "response": "respond",
    "respond": "respond",
}


class UnreadableAnswerError(ValueError):
    """The answer does not say which question it answers, or what it says cannot be read. It is asked again."""


def read_answer(value: JsonValue, *, free_text: bool = False) -> Answer:
    """Read an answer: our own `{approval_id, version, type, ...}`, `{"decisions": [...]}`, or `[{"type", "args"}]`.

    `free_text`: whether an answer in free words can be read later. It must name its approval and the version that was
    read: a bare "accept" once answered whatever was on top.

    Raises:
        UnreadableAnswerError: with what is missing, to be shown to whoever answers.
    """
    one = _single(_parsed(value))
    args = _object(one.get("args"))
    edited = _object(one.get("edited_action"))
    inner = {**(_object(args.get("args")) or args), **(_object(edited.get("args")) or _object(edited.get("arguments")))}
    given = {
        "approval_id": one.get("approval_id", inner.get("approval_id")),
        "version": one.get("version", inner.get("version")),
        "type": _TYPES.get(str(one.get("type", "")).lower()),
        "actions": _parsed(one.get("actions", inner.get("actions"))),
        "message": one.get("message") or (one["args"] if isinstance(one.get("args"), str) else None),
    }
    if given["approval_id"] is None or given["version"] is None:
        raise UnreadableAnswerError("Say which question this answers: approval_id and version, as they were shown.")
    if given["type"] is None:
        raise UnreadableAnswerError("Say approve, reject, edit or respond.")
    try:
        answer = Answer.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnreadableAnswerError(f"{where}: {first['msg']}") from error
    return _read_reply(answer, free_text)


def _parsed(value: JsonValue) -> JsonValue:
    """UIs with plain text fields send objects and lists as JSON text."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            parsed: JsonValue = json.loads(value)
            return parsed
        except (ValueError, RecursionError):
            return value
    return value


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _single(value: JsonValue) -> JsonObject:
    if isinstance(value, dict) and isinstance(value.get("decisions"), list):
        value = value["decisions"]
    if isinstance(value, list):
        if len(value) != 1:
            raise UnreadableAnswerError("Send exactly one answer: one question is shown at a time.")
        value = value[0]
    if not isinstance(value, dict):
        raise UnreadableAnswerError("Send an object with approval_id, version and type.")
    return value


def _read_reply(answer: Answer, free_text: bool) -> Answer:
    """A plain yes or no is read here; free text is left to a model, where there is one."""
    if answer.type == "edit" and not answer.actions:
        raise UnreadableAnswerError("edit needs actions: what is to be done instead.")
    if answer.type != "respond":
        return answer
    read = plain_answer(answer.message or "")
    if read is None and free_text and answer.message:
        return answer
    if read is None:
        raise UnreadableAnswerError(
            "no model is configured to read free text: answer yes or no, or send approve, reject or edit"
        )
    return answer.model_copy(update={"type": read})
