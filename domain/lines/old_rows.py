"""The facts behind a line's rows as versions without facts kept them: one function for the migration, and for forks and
backtests as of positions before it.

Rows have no moment at which they were said: the day's noon stands for it, and the entry that caused a row keeps the
order within a day.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TypedDict

from domain.lines.facts import (
    AfterReturn,
    Arrived,
    Cancelled,
    Departed,
    Disposed,
    Fact,
    Handling,
    Inspected,
    Ordered,
    Stated,
    Submitted,
)
from domain.procurement import Inspection, LineFile, OrderLine, PurchaseOrder, Submittal

SOURCE = "longlead.adopted"

_HANDLINGS: dict[str, tuple[Handling, AfterReturn]] = {
    "repair": ("repair", "owed"),
    "return": ("return", "owed"),
    "use_as_is": ("accept", "owed"),
    "replace": ("return", "replaced"),
}


def read_facts(file: LineFile, *, adopts_verdict: bool = True) -> list[Fact]:
    """Everything that a line's rows say of its goods. `adopts_verdict`: what was rejected on a line that is released,
    and that nobody decided about, was accepted with the line; False: it is undecided."""
    return [
        *_read_orders(file),
        *_read_deliveries(file),
        *_read_inspections(file, adopts_verdict and file.item.is_released),
        *_read_expected(file),
        *_read_submittal(file),
    ]


class Told(TypedDict):
    """The times and the name of a fact that a row tells."""

    day: date
    said_at: datetime
    received_at: datetime
    source: str
    event_id: str


def tell_at_noon(day: date, seq: int, name: str, source: str = SOURCE) -> Told:
    """A fact that was said at noon of its day (UTC); `seq` keeps the order within the day."""
    said_at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return {
        "day": day,
        "said_at": said_at,
        "received_at": said_at + timedelta(microseconds=seq),
        "source": source,
        "event_id": name,
    }


def _read_orders(file: LineFile) -> Iterator[Fact]:
    for line in file.order_lines:
        order = _order_of(file, line)
        placed_on = (order.issued_on if order else None) or _first_day(file)
        seq = order.caused_seq if order else 0
        told = tell_at_noon(placed_on, seq, f"order:{line.number}")
        is_adopted = order is not None and order.placed_outside
        yield Ordered(**told, order=line.number, quantity=line.quantity, is_adopted=is_adopted)
        if order is not None and order.status == "cancelled":
            yield Cancelled(**tell_at_noon(_last_day(file), seq, f"cancelled:{line.number}"), order=line.number)
        if line.promised_date is not None:
            said = tell_at_noon(placed_on, seq, f"promise:{line.number}")
            said["day"] = line.promised_date
            yield Stated(**said, kind="promise", order=line.number)


def _read_deliveries(file: LineFile) -> Iterator[Fact]:
    for shipment in file.shipments:
        number = shipment.purchase_order or _number_in(file, shipment.round)
        if shipment.departed_on is not None:
            yield Departed(
                **tell_at_noon(shipment.departed_on, shipment.caused_seq, f"departed:{shipment.shipment_id}"),
                shipment_id=shipment.shipment_id,
                order=number,
                quantity=shipment.quantity,
                eta=shipment.eta,
            )
        receipt = file.receipt_of(shipment.shipment_id)
        if receipt is not None:
            yield Arrived(
                **tell_at_noon(receipt.received_on, receipt.caused_seq, f"arrived:{shipment.shipment_id}"),
                shipment_id=shipment.shipment_id,
                order=number,
                quantity=receipt.quantity,
            )


def _read_inspections(file: LineFile, adopts_verdict: bool) -> Iterator[Fact]:
    for inspection in file.inspections:
        if inspection.status not in ("passed", "failed") or inspection.inspected_on is None:
            continue
        ncr = inspection.ncr_number or inspection.inspection_id
        yield Inspected(
            **tell_at_noon(inspection.inspected_on, inspection.caused_seq, f"inspected:{inspection.inspection_id}"),
            passed=inspection.status == "passed",
            shipment_id=inspection.shipment_id,
            order=_number_in(file, inspection.round),
            rejected=inspection.quantity_rejected,
            ncr_number=ncr if inspection.status == "failed" else None,
            document=inspection.document_name,
        )
        if inspection.status == "failed":
            yield from _read_disposition(inspection, inspection.inspected_on, ncr, adopts_verdict)


def _read_disposition(inspection: Inspection, day: date, ncr: str, adopts_verdict: bool) -> Iterator[Fact]:
    if inspection.disposition is not None:
        handling, then = _HANDLINGS[inspection.disposition]
        told = tell_at_noon(day, inspection.caused_seq, f"disposed:{inspection.inspection_id}")
        yield Disposed(**told, ncr=ncr, handling=handling, then=then)
    elif adopts_verdict:
        told = tell_at_noon(day, inspection.caused_seq, f"released:{inspection.inspection_id}")
        yield Disposed(**told, ncr=ncr, handling="accept", then="owed")


def _read_expected(file: LineFile) -> Iterator[Fact]:
    """An ETA that no shipment has: somebody said it of all that is to come."""
    eta = file.item.eta
    if eta is not None and not any(shipment.eta == eta for shipment in file.shipments):
        said = tell_at_noon(_last_day(file), file.item.caused_seq, "eta")
        said["day"] = eta
        yield Stated(**said, kind="eta")


def _read_submittal(file: LineFile) -> Iterator[Fact]:
    """The verdict that stands; nobody knows any more when it was said, so whatever is said now is newer."""
    item = file.item
    if item.submittal in (Submittal.APPROVED, Submittal.REJECTED):
        told = tell_at_noon(date.min, 0, "submittal")
        yield Submitted(**told, is_approved=item.submittal == Submittal.APPROVED, revision=item.submittal_revision)


def _order_of(file: LineFile, line: OrderLine) -> PurchaseOrder | None:
    return next((order for order in file.orders if order.number == line.number), None)


def _number_in(file: LineFile, round_: int) -> str | None:
    return next((line.number for line in file.order_lines if line.round == round_), None)


def _first_day(file: LineFile) -> date:
    days = [receipt.received_on for receipt in file.receipts]
    days += [shipment.departed_on for shipment in file.shipments if shipment.departed_on]
    return min(days, default=date.min)


def _last_day(file: LineFile) -> date:
    days = [order.issued_on for order in file.orders if order.issued_on]
    days += [receipt.received_on for receipt in file.receipts]
    days += [shipment.departed_on for shipment in file.shipments if shipment.departed_on]
    return max(days, default=date.min)
