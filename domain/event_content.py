"""Whether two bodies say the same: compared by what they mean, not by how they are written.

A digest is made of the typed body without what is at its default, and without what its model does not write
(`Field(exclude=True)`): that belongs to the request, and not to what it specifies. So neither the order of keys nor
`10` for `10.0` makes another body, and a later version that adds an optional field, at any depth, still knows the
bodies of this one.
Digests that earlier versions stored are made in their ways again: see `domain/earlier_digests.py`.
"""

import hashlib
import json
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import cache, partial
from typing import Any

from pydantic import BaseModel, ValidationError

from domain.events import DAY_FIELDS, EVENT, PublicEvent
from domain.plain_json import JsonObject

ENVELOPE = frozenset({"event_id", "source"})

MARK = "2:"
"""How digests begin that are made as here. A digest without it is an earlier version's."""

Plain = Callable[[str, Any], Any]
"""A field's value in JSON's types, given the field's name."""


def digest_of_body(body: JsonObject) -> str:
    """Digest of what a stored or accepted body means; of the plain body where it is no event that can be read."""
    try:
        event = EVENT.validate_python(body)
    except ValidationError:
        return digest_of_plain(body)
    return digest_of_typed(event)


def digest_of_typed(body: BaseModel, zone: tzinfo | None = None) -> str:
    """Digest of what a typed body says; of an event without its envelope. `zone`: where its days are counted, if that
    is known."""
    envelope = body.ENVELOPE if isinstance(body, PublicEvent) else ENVELOPE
    said = without_defaults(body, partial(_plain, zone), leave_out=envelope)
    return MARK + digest_of_plain(said)


def digest_of_plain(body: Any) -> str:
    """Digest of plain JSON as it is written; the order of keys does not count."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()


def without_defaults(body: BaseModel, plain: Plain, leave_out: Collection[str] = ()) -> JsonObject:
    """What a body says beyond its defaults, and its parts beyond theirs.

    Not pydantic's `exclude_defaults`: that keeps the defaults of fields with a serializer of their own.
    """
    said: JsonObject = {}
    for name, default in _defaults_of(type(body)).items():
        value = getattr(body, name)
        if name in leave_out or value is default or value == default:
            continue
        plainly = _walked(name, value, plain)
        # A part may be of a model that another version has in place of this one's: then their words are compared.
        if not isinstance(default, BaseModel) or plainly != _walked(name, default, plain):
            said[name] = plainly
    return said


@cache
def _defaults_of(model: type[BaseModel]) -> dict[str, Any]:
    """The default of every field that a model writes; one that equals nothing where a field has none."""
    return {
        name: _NO_DEFAULT if field.is_required() else field.get_default(call_default_factory=True)
        for name, field in model.model_fields.items()
        if not field.exclude
    }


_NO_DEFAULT = object()


def _walked(name: str, value: Any, plain: Plain) -> Any:
    if isinstance(value, BaseModel):
        return without_defaults(value, plain)
    if isinstance(value, dict):
        return {str(key): _walked(str(key), inner, plain) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_walked(name, inner, plain) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    return plain(name, value)


def as_exact(value: Any) -> Any:
    """An amount or a moment in the one form that its meaning has; anything else as it is."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value


def _plain(zone: tzinfo | None, name: str, value: Any) -> Any:
    """As `as_exact`, and a day with a time of the day is that day, where its zone is known."""
    if name in DAY_FIELDS and isinstance(value, datetime):
        if value.tzinfo is None:
            return value.date().isoformat()
        if zone is not None:
            return value.astimezone(zone).date().isoformat()
    return as_exact(value)
