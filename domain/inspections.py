"""Inspections as they are reported, and what of a delivery none is planned for."""

from domain.events import InspectionFailed, InspectionPassed
from domain.lines.facts import Inspected
from domain.lines.taking_in import Report, take_in, with_shipment
from domain.procurement import Inspection, LineFile
from domain.recording import Recorded
from domain.schedule import as_date
from domain.shipments import ask_about_unit, in_unit_of, order_named


def record_inspection(file: LineFile, event: InspectionPassed | InspectionFailed, report: Report) -> Recorded:
    """A verdict. What failed is a nonconformance, which a person is asked about."""
    on = as_date(event.inspection_date)
    failed = event if isinstance(event, InspectionFailed) else None
    defects = () if failed is None else _defects(failed)
    fact = Inspected(
        **report.said,
        day=on,
        order=order_named(file, event.purchase_order),
        shipment_id=event.shipment_id,
        quantity=in_unit_of(file, event.quantity, event.unit),
        passed=failed is None,
        rejected=in_unit_of(file, failed.quantity_rejected, failed.unit) if failed else None,
        ncr_number=_ncr_named(file, failed.ncr_number) if failed else None,
        document=event.document_name,
        defects=defects,
    )
    if asked := ask_about_unit(file, event, fact, report, event.document_url):
        return asked
    note = f"{file.item.shown}: {'failed' if failed else 'passed'} inspection on {on}"
    return take_in(file, with_shipment(file, fact), report, note, document_url=event.document_url)


def _ncr_named(file: LineFile, number: str | None) -> str | None:
    """The NCR as it is kept, where it is named by the number that Longlead gave it."""
    return next((ncr.ncr_id for ncr in file.ncrs if ncr.ncr_number == number), number)


def _defects(event: InspectionFailed) -> tuple[str, ...]:
    return (event.defects,) if isinstance(event.defects, str) else tuple(event.defects or ())


def is_open_ncr(inspection: Inspection) -> bool:
    """Whether nobody has decided what becomes of what failed here."""
    return inspection.status == "failed" and inspection.disposition is None


def open_ncrs(file: LineFile) -> list[Inspection]:
    """Failed inspections without a disposition, the oldest first."""
    return sorted((i for i in file.inspections if is_open_ncr(i)), key=lambda i: (i.caused_seq, i.inspection_id))


def taken_on_shipments(file: LineFile, seq: int | None = None) -> list[str]:
    """Shipments that were on site without a verdict when the line was taken on, and still are, and that no planned
    inspection covers: one question for all of them asks what of them is good. `seq`: only of that entry."""
    planned = {row.shipment_id for row in file.inspections if row.status == "scheduled" and row.fact is None}
    taken = {
        receipt.shipment_id
        for receipt in file.receipts
        if receipt.is_taken_on and not receipt.is_voided and seq in (None, receipt.caused_seq)
    }
    return sorted((taken & waiting_shipments(file)) - planned)


def uninspected(file: LineFile) -> list[str]:
    """Shipments with goods on site that have no verdict, and that no planned inspection covers; without those of which
    nothing has come since the line was taken on."""
    plans = [row for row in file.inspections if row.status == "scheduled" and row.fact is None]
    planned = {row.shipment_id for row in plans}
    general = min((row.caused_seq for row in plans if row.shipment_id is None), default=None)
    waiting = waiting_shipments(file) - set(taken_on_shipments(file))
    return [
        shipment.shipment_id
        for shipment in file.shipments
        if shipment.shipment_id in waiting
        and shipment.shipment_id not in planned
        and (general is None or _received_seq(file, shipment.shipment_id) > general)
    ]


def waiting_shipments(file: LineFile) -> set[str]:
    """Shipments of which something is on site without a verdict."""
    if file.item.account is None:
        done = {row.shipment_id for row in file.inspections}
        rows = file.shipments_in(file.item.round)
        return {row.shipment_id for row in rows if row.is_received and row.shipment_id not in done and None not in done}
    return {lot.shipment_id for lot in file.lots if lot.state == "on_site" and lot.shipment_id and not lot.is_gone}


def _received_seq(file: LineFile, shipment_id: str) -> int:
    return max((row.caused_seq for row in file.receipts if row.shipment_id == shipment_id), default=0)
