"""Whether two bodies say the same: compared by what they mean, not by how they are written.

A digest is made of the typed body without what is at its default. So neither the order of keys nor `10` for `10.0`
makes another body, and a later version that adds a field with a default still knows the bodies of this one.
"""

import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ValidationError

from domain.events import EVENT

ENVELOPE = {"event_id", "source"}


def digest_of_body(body: dict[str, Any]) -> str:
    """Digest of what a stored or accepted body means; of the plain body where it is no event that can be read."""
    try:
        event = EVENT.validate_python(body)
    except ValidationError:
        return digest_of_plain(body)
    return digest_of_typed(event)


def digest_of_typed(body: BaseModel) -> str:
    """Digest of what a typed body says; of an event without its envelope."""
    return digest_of_plain(_plain(body.model_dump(exclude_defaults=True, exclude=ENVELOPE)))


def digest_of_plain(body: Any) -> str:
    """Digest of plain JSON as it is written; the order of keys does not count."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """JSON in which one meaning has one form."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value
