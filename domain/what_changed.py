"""What has changed on a question since people were told of it, in a few words."""

from collections.abc import Mapping

from pydantic import JsonValue

from domain.counts import write_count
from domain.outside import own_words, shown_phrase
from domain.plain_json import JsonObject, PlainObject, number_in, object_in

CHANGED = "changed"
"""Where the evidence of a renewed question says what changed."""
TOLD = "as_told"
"""Where it keeps the facts that people were told last, while a later change has not been told. Empty: nobody has
been told of the question yet."""

_DATES = {
    "eta": "ETA",
    "promised_date": "promised for",
    "required_by": "required by",
    "buffer_days": "buffer of days:",
}
_ORDER = {
    "number": "order",
    "vendor": "vendor",
    "quantity": "quantity",
    "unit_price": "unit price",
    "value": "value",
}
_REPORT = {"quantity_rejected": "rejected", "defects": "defects", "inspected_on": "inspected on"}
_GROUPS: dict[str, Mapping[str, str]] = {"dates": _DATES, "order": _ORDER, "inspection": _REPORT}


def facts_told(evidence: PlainObject) -> JsonObject:
    """The facts of a question that a person was told, or will be compared with what comes; empty where nobody was told
    of it."""
    kept = evidence.get(TOLD)
    if isinstance(kept, dict):
        return kept
    groups: JsonObject = {group: object_in(evidence, group) for group in _GROUPS}
    return {**groups, "policy": evidence.get("policy"), "missing": evidence.get("missing")}


def facts_shown(evidence: PlainObject) -> JsonObject:
    """The facts that a question shows, whether people were told of them or not."""
    return facts_told({name: value for name, value in evidence.items() if name != TOLD})


def changes_between(before: PlainObject, after: PlainObject) -> list[str]:
    """What is different now: how late it is first, then fact by fact, the new value before the old."""
    told = [f"{words} {_said(now)} instead of {_said(was)}" for words, was, now in _differences(before, after)]
    if (before.get("missing") or []) != (after.get("missing") or []):
        told.append(f"missing: {_said(after.get('missing'))} instead of {_said(before.get('missing'))}")
    if before.get("policy") != after.get("policy"):
        told.append(f"policy: {_said(after.get('policy'))}")
    lateness = _lateness(before, after)
    return [*([lateness] if lateness else []), *told]


def in_words(changes: list[str]) -> str:
    """`was 2 days late, now 6: ETA 2026-02-21 instead of 2026-02-17`; empty where nothing changed."""
    if not changes:
        return ""
    first, rest = changes[0], changes[1:]
    if not rest:
        return own_words(first, 600)
    return own_words(f"{first}{': ' if ', now ' in first else '; '}{'; '.join(rest)}", 600)


def _differences(before: PlainObject, after: PlainObject) -> list[tuple[str, JsonValue, JsonValue]]:
    found: list[tuple[str, JsonValue, JsonValue]] = []
    for group, fields in _GROUPS.items():
        was, now = object_in(before, group), object_in(after, group)
        found += [(words, was.get(name), now.get(name)) for name, words in fields.items()]
    return [(words, was, now) for words, was, now in found if was != now]


def _lateness(before: PlainObject, after: PlainObject) -> str | None:
    was, now = (number_in(object_in(side, "dates"), "days_late") for side in (before, after))
    if was == now or was is None or now is None:
        return None
    return f"was {_days(was)}, now {now if was and now else _days(now)}"


def _days(late: int) -> str:
    if not late:
        return "not late"
    return f"{write_count(late, 'day')} late"


def _said(value: JsonValue) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, list):
        return " and ".join(shown_phrase(str(one)) for one in value)
    return shown_phrase(str(value))
