"""The evidence of a question, put in the order in which a person reads it: what is on file has none of its own."""

from dataclasses import dataclass

from pydantic import JsonValue

from domain.plain_json import JsonObject
from domain.what_changed import TOLD

# Groups by name: their title, and their fields in reading order. Fields not named follow; those in _PLAIN are left out.
_GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "changed": ("What has changed since it was asked", ()),
    "dates": ("Dates", ("required_by", "days_left", "buffer_days", "promised_date", "eta", "days_late", "order_by")),
    "inspection": (
        "Inspection",
        ("inspected_on", "ncr_number", "defects", "quantity_rejected", "document_name", "document_url"),
    ),
    "replacement": ("A replacement would be", ("arrival", "days_late", "if_decided_on")),
    "missing": ("What is missing", ()),
    "exceptions": ("The vendor's exceptions", ()),
    "known": ("What is on file", ()),
    "subject": ("What came in", ()),
    "order": ("The order", ("number", "status", "vendor", "quantity", "unit", "unit_price", "value")),
    "recommendation": ("What is recommended", ("what", "by", "why", "confidence", "not_alone_because")),
    "no_progress": ("Why the agent does not go on by itself", ()),
    "item": ("The line", ("name", "category", "status")),
}
_LISTS = {
    "facts": "Reports behind this",
    "notes": "Notes of the team",
    "past_cases": "How similar questions were answered",
    "rules": "Rules",
    "conversation": "What was said about this question",
}
_PLAIN = ("seq", "event_id", "item_id", "event_type", "approval_id", "as_of")
_ENTRY = ("report", "source", "from", "text", "summary", "decision", "why", "item", "said", "answer")


@dataclass(frozen=True)
class Evidence:
    """`policy` says why a person is asked; `groups` are read at once, `lists` are folded away. Both by their titles."""

    policy: str
    groups: JsonObject
    lists: dict[str, list[JsonValue]]


def evidence(found: JsonObject) -> Evidence:
    groups = {title: _ordered(found.get(name), fields) for name, (title, fields) in _GROUPS.items()}
    known = {*_GROUPS, *_LISTS, "policy", TOLD}
    groups |= {name.replace("_", " ").capitalize(): value for name, value in found.items() if name not in known}
    lists = {title: [_entry(one) for one in _listed(found.get(name))] for name, title in _LISTS.items()}
    return Evidence(
        str(found.get("policy") or ""),
        {title: group for title, group in groups.items() if group},
        {title: entries for title, entries in lists.items() if entries},
    )


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _ordered(group: JsonValue, fields: tuple[str, ...]) -> JsonValue:
    """A group with these fields first, and without what is empty or only for programs."""
    if not isinstance(group, dict):
        return group
    names = [*fields, *(name for name in group if name not in fields and name not in _PLAIN)]
    return {name: group[name] for name in names if group.get(name) not in (None, "", [], {})}


def _entry(one: JsonValue) -> JsonValue:
    """An event with its report on the same level, without the ids that only programs need."""
    if not isinstance(one, dict):
        return one
    report = str(one.get("event_type", "")).replace("_", " ")
    body = found if isinstance(found := one.get("body"), dict) else {}
    return _ordered({"report": report} | {k: v for k, v in one.items() if k != "body"} | body, _ENTRY)
