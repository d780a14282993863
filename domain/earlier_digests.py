"""Digests of bodies as earlier versions made and stored them, so that what was posted then is still known.

Nothing here may follow today's models: fields that came later are left out by name, or by being at their default.
"""

import hashlib

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from domain.buildings import BuildingSpec
from domain.event_content import ENVELOPE, as_exact, digest_of_plain, without_defaults
from domain.events import CLEAR, EVENT
from domain.plain_json import JsonObject, object_in, objects_in

_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


def earlier_digests_of_body(body: JsonObject) -> frozenset[str]:
    """The digests of an event's body that earlier versions may have stored. A field that was null counted as absent
    then, and before that the body counted as it is written."""
    try:
        event = EVENT.validate_python(body)
    except ValidationError:
        return frozenset([digest_of_plain(body)])
    return frozenset([digest_of_plain(body), digest_of_plain(_without_clear(_said(event)))])


def earlier_digests_of_building(spec: BuildingSpec) -> frozenset[str]:
    """The digests of a building's body that earlier versions may have stored."""
    return frozenset([_without_some_defaults(spec), *_with_all_defaults(spec)])


def _said(body: BaseModel) -> JsonObject:
    return without_defaults(body, lambda _name, value: as_exact(value), leave_out=ENVELOPE)


def _without_clear(said: JsonObject) -> JsonObject:
    if "items" not in said:
        return said
    return {**said, "items": [{k: v for k, v in line.items() if k != CLEAR} for line in objects_in(said, "items")]}


_ALWAYS_THERE = ("po_limit", "model_cost_per_day")
"""Fields of a policy with a serializer of their own: they were kept at their default where the policy had others."""


def _without_some_defaults(spec: BuildingSpec) -> str:
    said = _said(spec)
    if "policy" in said:
        said["policy"] = {**dict.fromkeys(_ALWAYS_THERE), **object_in(said, "policy")}
    return digest_of_plain(said)


_SHAPES: dict[str, tuple[str, ...]] = {
    "spec": ("building_id", "name", "time_zone", "currency", "working_week", "schedule", "items", "vendors")
    + ("contacts", "approvers"),
    "schedule": ("project", "deliveries"),
    "project": ("name", "start_date", "end_date"),
    "deliveries": ("item", "required_by", "buffer_days"),
    "items": ("item_id", "name", "category", "vendor_id", "quantity", "unit", "unit_price", "currency")
    + ("lead_time_days", "required_by", "buffer_days"),
    "vendors": ("vendor_id", "name", "contact", "approved"),
    "contacts": ("name", "contact", "email", "phone"),
    "approvers": ("role", "name", "contact", "limit"),
}
"""The fields of every part of a body, in their order of then: the digest was one of the JSON with all defaults."""

_QUIET_HOURS = ("start", "end")
_POLICY = ("po_limit", "ask_from_days_late", "reminder_after", "escalate_after", "quiet_hours", "share_memory") + (
    ("rule_autonomy_after", "confidence_needed", "hold_review_after_days", "acknowledge_within_days")
    + ("chase_again_after_days", "inspect_within_days", "reading_confidence", "model_reports")
    + ("model_tokens_per_day", "model_cost_per_day")
)
_OF_READING = frozenset({"reading_confidence", "model_reports"})
_OF_BUDGETS = frozenset({"model_tokens_per_day", "model_cost_per_day"})
_OF_MODELS = _OF_READING | _OF_BUDGETS | {"share_memory", "confidence_needed"}
_NOT_YET: tuple[frozenset[str], ...] = (
    frozenset(),
    frozenset({"share_memory"}),
    frozenset({"share_memory", "confidence_needed"}),
    frozenset({"confidence_needed"}) | _OF_READING,
    frozenset({"share_memory", "confidence_needed"}) | _OF_READING,
    _OF_MODELS - {"confidence_needed"},
    _OF_MODELS,
    _OF_MODELS | {"chase_again_after_days"},
)
"""Which fields a policy did not have yet, version by version."""


def _with_all_defaults(spec: BuildingSpec) -> list[str]:
    if not _is_sayable(spec):
        return []
    plain = spec.model_dump(mode="json")
    policy = plain["policy"]
    if policy.get("quiet_hours"):
        policy["quiet_hours"] = {name: policy["quiet_hours"][name] for name in _QUIET_HOURS}
    begun = hashlib.sha256(_JSON.dump_json(_shaped("spec", plain))[:-1] + b',"policy":')
    digests = []
    for missing in _NOT_YET:
        whole = begun.copy()
        whole.update(_JSON.dump_json({name: policy[name] for name in _POLICY if name not in missing}) + b"}")
        digests.append(whole.hexdigest())
    return digests


def _is_sayable(spec: BuildingSpec) -> bool:
    """Whether an earlier version could have taken this body: it says nothing in fields that came later."""
    said = _said(spec)
    policy = object_in(said, "policy")
    hours = object_in(policy, "quiet_hours")
    said.pop("policy", None)
    return _fits("spec", said) and set(policy) <= set(_POLICY) and set(hours) <= set(_QUIET_HOURS)


def _shaped(part: str, value: JsonValue) -> JsonValue:
    """A part's fields of then, in their order of then."""
    if isinstance(value, list):
        return [_shaped(part, one) for one in value]
    if not isinstance(value, dict):
        return value
    if part == "contacts-by-role":
        return {role: _shaped("contacts", contact) for role, contact in value.items()}
    return {name: _shaped(_part(part, name), value[name]) for name in _SHAPES[part]}


def _fits(part: str, value: JsonValue) -> bool:
    if isinstance(value, list):
        return all(_fits(part, one) for one in value)
    if not isinstance(value, dict):
        return True
    if part == "contacts-by-role":
        return all(_fits("contacts", contact) for contact in value.values())
    return all(name in _SHAPES[part] and _fits(_part(part, name), inner) for name, inner in value.items())


def _part(part: str, name: str) -> str:
    return "contacts-by-role" if (part, name) == ("spec", "contacts") else name
