"""Facts to and from the rows that keep them."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypedDict

from domain.lines.facts import Arrived, Departed, Disposed, Fact, Inspected, Judgement, Stated, Submitted
from domain.procurement import FactDetails, FactKind, FactRow


def tie_breaker(seq: int) -> timedelta:
    """What is added to the time of an entry: of two that came in at one moment, the first is the older."""
    return timedelta(microseconds=seq)


def fact_row(
    fact: Fact,
    item_id: str,
    fact_id: str,
    seq: int,
    *,
    document_url: str | None = None,
    aside: str | None = None,
) -> FactRow:
    """The row that keeps a fact. Orders and their cancellation are kept by the orders themselves.

    `aside`: why it is not counted; None: it is.

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
        details=details.model_copy(
            update={
                "document_url": document_url,
                "aside": aside,
                "is_adopted": fact.is_adopted,
                "is_undated": fact.is_undated,
            }
        ),
        caused_seq=seq,
    )


def _details(fact: Fact) -> tuple[FactKind, FactDetails]:
    if isinstance(fact, Departed):
        return "departed", FactDetails(eta=fact.eta, origin=fact.origin)
    if isinstance(fact, Arrived):
        serials = sorted(fact.serials)
        return "arrived", FactDetails(
            is_complete=fact.is_complete,
            serials=serials,
            place=fact.place,
            is_off_site=fact.is_off_site,
            damaged=fact.damaged,
            condition=fact.condition,
        )
    if isinstance(fact, Inspected):
        return "inspected", FactDetails(
            passed=fact.passed,
            rejected=fact.rejected,
            ncr_number=fact.ncr_number,
            document=fact.document,
            defects=list(fact.defects),
        )
    if isinstance(fact, Disposed):
        return "disposed", FactDetails(ncr=fact.ncr, handling=fact.handling, then=fact.then)
    if isinstance(fact, Submitted):
        return "submitted", FactDetails(is_approved=fact.is_approved, revision=fact.revision, document=fact.document)
    if isinstance(fact, Stated):
        return "stated", FactDetails(kind=fact.kind)
    raise TypeError(f"{type(fact).__name__} is kept by its order, not as a fact of its own")


class _Told(TypedDict):
    """What every fact says."""

    day: date
    said_at: datetime
    received_at: datetime
    source: str
    event_id: str
    order: str | None
    shipment_id: str | None
    quantity: Decimal | None
    is_voided: bool
    judgement: Judgement | None
    is_adopted: bool
    is_undated: bool


def _judgement(row: FactRow) -> Judgement | None:
    """A person's word on whether it tells a known fact again, where he has said that."""
    if row.judgement == "same" or row.judgement == "another":
        return row.judgement
    return None


def read_row(row: FactRow) -> Fact:
    """The fact that a row keeps."""
    told: _Told = {
        "day": row.day,
        "said_at": row.said_at,
        "received_at": row.received_at,
        "source": row.source,
        "event_id": row.event_id,
        "order": row.order,
        "shipment_id": row.shipment_id,
        "quantity": row.quantity,
        "is_voided": not row.is_live,
        "judgement": _judgement(row),
        "is_adopted": row.details.is_adopted,
        "is_undated": row.details.is_undated,
    }
    details = row.details
    if row.kind == "departed":
        return Departed(**told, eta=details.eta, origin=details.origin)
    if row.kind == "arrived":
        serials = frozenset(details.serials)
        return Arrived(
            **told,
            is_complete=details.is_complete,
            serials=serials,
            place=details.place,
            is_off_site=details.is_off_site,
            damaged=details.damaged,
            condition=details.condition,
        )
    if row.kind == "submitted":
        approved = bool(details.is_approved)
        return Submitted(**told, is_approved=approved, revision=details.revision, document=details.document)
    if row.kind == "inspected":
        return Inspected(
            **told,
            passed=bool(details.passed),
            rejected=details.rejected,
            ncr_number=details.ncr_number,
            document=details.document,
            defects=tuple(details.defects),
        )
    if row.kind == "disposed":
        if details.ncr is None or details.handling is None:
            raise TypeError(f"{row.fact_id} does not say what becomes of what")
        return Disposed(**told, ncr=details.ncr, handling=details.handling, then=details.then or "owed")
    return Stated(**told, kind=details.kind)  # type: ignore[arg-type]  # one of the two that are stored
