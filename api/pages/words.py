"""What the agent does, said as people say it."""

from collections.abc import Mapping

from domain.actions.registry import ACTION_KINDS
from domain.plain_json import JsonObject, PlainAction

_LEFT_OUT = ("band", "reason", "item")
_MOST_NAME = 48


def in_words(action: PlainAction, names: Mapping[str, str]) -> str:
    """An action as a clause; `names` are the building's lines by id. What the phrase does not hold follows it."""
    name, arguments = str(action["name"]), dict(action["arguments"])
    if "item" in arguments:
        arguments["item"] = shorten(names.get(str(arguments["item"]), str(arguments["item"])))
    if isinstance(event := arguments.get("event"), dict):
        arguments["event"] = event.get("event_type")
    kind = ACTION_KINDS.get(name)
    phrase = name.replace("_", " ") if kind is None else kind.phrase
    said = phrase.format_map(_Words(arguments))
    rest = [
        f"{key.replace('_', ' ')}: {value}"
        for key, value in arguments.items()
        if f"{{{key}}}" not in phrase and key not in _LEFT_OUT and value not in (None, "")
    ]
    return said[:1].upper() + said[1:] + (f" ({'; '.join(rest)})" if rest else "")


def shorten(name: str) -> str:
    """A long name, cut at a word: it is said again and again."""
    if len(name) <= _MOST_NAME:
        return name
    return name[:_MOST_NAME].rpartition(" ")[0].rstrip(",;: ") + " …"


class _Words(JsonObject):
    """Arguments as plain text: values from outside are never read as formats of their own."""

    def __missing__(self, key: str) -> str:
        return "it"
