"""Facts to and from the rows that keep them."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from domain.lines.facts import Arrived, Departed, Disposed, Fact, Inspected, Stated, Submitted
from domain.procurement import FactDetails, FactKind, FactRow


def fact_row(fact: Fact, item_id: str, fact_id: str, seq: int, *, document_url: str | None = None) -> FactRow:
    """The row that keeps a fact. Orders and their cancellation are kept by the orders themselves.

    Raises:
        TypeError: the fact is of an order.
    """
    kind, details = _details(fact)
    return FactRow(
        item_id=item_id,
        fact_id=fact_id,
        kind=kind,
        day=fact.day,
        said_at=fact.said_at,
        received_at=fact.received_at,
        source=fact.source,
        event_id=fact.event_id,
        order=fact.order,
        shipment_id=fact.shipment_id,
        quantity=fact.quantity,
        judgement=fact.judgement,
        details=details.model_copy(update={"document_url": document_url}),
        caused_seq=seq,
    )


KINDS: Mapping[FactKind, type[Fact]] = {
    "departed": Departed,
    "arrived": Arrived,
    "inspected": Inspected,
    "disposed": Disposed,
    "stated": Stated,
    "submitted": Submitted,
}
"""The facts that have rows of their own, by their kind."""


_OF_EVERY_FACT = {field.name for field in fields(Fact)}
_OWN_FIELDS: Mapping[FactKind, tuple[Field[Any], ...]] = {
    kind: tuple(field for field in fields(made) if field.name not in _OF_EVERY_FACT) for kind, made in KINDS.items()
}
"""The fields that only one kind of facts has: `FactDetails` has them under the same names."""


def _details(fact: Fact) -> tuple[FactKind, FactDetails]:
    kind = next((kind for kind, made in KINDS.items() if type(fact) is made), None)
    if kind is None:
        raise TypeError(f"{type(fact).__name__} is kept by its order, not as a fact of its own")
    values = {field.name: getattr(fact, field.name) for field in _OWN_FIELDS[kind]}
    plain = {name: sorted(value) if isinstance(value, frozenset) else value for name, value in values.items()}
    return kind, FactDetails.model_validate(plain)


def _own_values(kind: FactKind, details: FactDetails) -> dict[str, Any]:
    """What a row keeps of the fields that only this kind of facts has. What it does not say is as it is by default."""
    values: dict[str, Any] = {}
    for field in _OWN_FIELDS[kind]:
        value = getattr(details, field.name)
        if isinstance(value, list):
            values[field.name] = frozenset(value) if field.default == frozenset() else tuple(value)
        elif value is not None or field.default is MISSING:
            values[field.name] = value
    return values


def read_row(row: FactRow) -> Fact:
    """The fact that a row keeps."""
    told: dict[str, Any] = {
        "day": row.day,
        "said_at": row.said_at,
        "received_at": row.received_at,
        "source": row.source,
        "event_id": row.event_id,
        "order": row.order,
        "shipment_id": row.shipment_id,
        "quantity": row.quantity,
        "is_voided": row.voided_by is not None,
        "judgement": row.judgement,
    }
    return KINDS[row.kind](**told, **_own_values(row.kind, row.details))
