"""What the agent does, said as people say it."""

from collections.abc import Mapping
from typing import Any

_PHRASES = {
    "issue_purchase_order": "order {item}",
    "reorder_item": "order a replacement for {item}",
    "cancel_purchase_order": "cancel the order of {item}",
    "revise_purchase_order": "revise the order {order}",
    "start_tracking": "follow up the order of {item}",
    "flag_potential_issue": "raise a flag on {item}",
    "notify_team": "tell {team}: {message}",
    "schedule_inspection": "plan the inspection of {item} for {on}",
    "change_required_by": "move the required date of {item} to {required_by}",
    "change_project_end": "move the project's end to {end_date}",
    "remove_item": "take {item} out of the log",
    "expedite_order": "have the vendor speed up {item}",
    "repair_item": "have {item} repaired",
    "return_item": "send {item} back",
    "accept_as_is": "accept {item} as it is",
    "hold_item": "put {item} on hold",
    "complete_item": "complete {item}",
    "request_information": "ask {to}: {question}",
    "restate_event": "take the report as {event}",
    "dismiss_event": "leave the report as it is",
    "grant_delegation": "let the agent decide such cases without asking",
}
_LEFT_OUT = ("band", "reason", "item")
_MOST_NAME = 48


def in_words(action: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """An action as a clause; `names` are the building's lines by id. What the phrase does not hold follows it."""
    name, arguments = str(action["name"]), dict(action["arguments"])
    if "item" in arguments:
        arguments["item"] = shorten(names.get(str(arguments["item"]), str(arguments["item"])))
    if isinstance(arguments.get("event"), dict):
        arguments["event"] = arguments["event"].get("event_type")
    phrase = _PHRASES.get(name, name.replace("_", " "))
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


class _Words(dict[str, Any]):
    """Arguments as plain text: values from outside are never read as formats of their own."""

    def __missing__(self, key: str) -> str:
        return "it"
