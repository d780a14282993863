"""Recording inspections: passed, failed (an NCR), repeated, re-inspected."""

from datetime import date
from itertools import count

from domain.events import InspectionFailed, InspectionPassed
from domain.milestones import met
from domain.orders import as_date
from domain.outside import shown_name
from domain.procurement import Inspection, LineFile, Quality, Row
from domain.recording import Recorded, round_of, saved


def record_passed(file: LineFile, event: InspectionPassed, seq: int) -> Recorded:
    """The item is released. An older report than the last failure, or than the arrival, cannot be true of it."""
    on = as_date(event.inspection_date)
    if known := _known(file, "passed", on, event.document_name):
        return known
    round_ = round_of(file, event.purchase_order, event.shipment_id, on)
    if refused := _impossible(file, round_, on, event.shipment_id):
        return refused
    failed = _last(file, round_, "failed")
    if failed is not None and failed.inspected_on is not None and on < failed.inspected_on:
        return Recorded.contradicts(
            f"{file.item.shown}: reported as passed on {on}, but it failed on {failed.inspected_on}",
            {"failed_on": str(failed.inspected_on), "ncr_number": failed.ncr_number},
        )
    passed = [
        inspection.model_copy(
            update={
                "status": "passed",
                "inspected_on": on,
                "document_url": event.document_url,
                "document_name": event.document_name,
            }
        )
        for inspection in _open(file, round_, event.shipment_id)
    ] or [_new(file, round_, "passed", on, event, seq)]
    rows: list[Row] = [*passed, *met(file, round_, "inspect", on)]
    item = file.item
    if round_ == item.round:
        left = [
            i
            for i in file.inspections_in(round_)
            if i.status == "scheduled" and i.inspection_id not in {p.inspection_id for p in passed}
        ]
        quality = Quality.INSPECTION_SCHEDULED if left else Quality.PASSED
        if any(ncr.round == round_ for ncr in open_ncrs(file)):
            quality = Quality.FAILED  # a pass decides nothing about what another report rejected
        item = item.model_copy(update={"quality": quality, "caused_seq": seq})
    return Recorded(f"{file.item.shown}: passed inspection on {on}", saved(file, item, *rows))


def record_failed(file: LineFile, event: InspectionFailed, seq: int) -> Recorded:
    """The item is held by the question that this raises, once for each report."""
    on = as_date(event.inspection_date)
    if known := _known(file, "failed", on, event.document_name):
        return known
    round_ = round_of(file, event.purchase_order, event.shipment_id, on)
    if refused := _impossible(file, round_, on, event.shipment_id):
        return refused
    passed = _last(file, round_, "passed")
    if passed is not None and passed.inspected_on is not None and on < passed.inspected_on:
        return Recorded.contradicts(
            f"{file.item.shown}: reported as failed on {on}, but it passed on {passed.inspected_on}",
            {"passed_on": str(passed.inspected_on), "document_name": passed.document_name},
        )
    defects = [event.defects] if isinstance(event.defects, str) else list(event.defects or [])
    scheduled = _open(file, round_, event.shipment_id)
    failed = (scheduled[0] if scheduled else _new(file, round_, "failed", on, event, seq)).model_copy(
        update={
            "status": "failed",
            "inspected_on": on,
            "document_url": event.document_url,
            "document_name": event.document_name,
            "defects": defects,
            "quantity_rejected": event.quantity_rejected,
            "ncr_number": event.ncr_number or _own_ncr_number(file, round_),
            "caused_seq": seq,
        }
    )
    rows: list[Row] = [failed, *met(file, round_, "inspect", on)]
    if round_ != file.item.round:
        return Recorded(f"{file.item.shown}: failed on {on}, of an earlier delivery; recorded", rows)
    item = file.item.model_copy(update={"quality": Quality.FAILED, "caused_seq": seq})
    subject = {"inspection_id": failed.inspection_id}
    return Recorded(
        f"{file.item.shown}: failed inspection on {on}",
        saved(file, item, *rows),
        ask=[("inspection_failed", subject)],
    )


def is_open_ncr(inspection: Inspection) -> bool:
    """Whether nobody has decided what becomes of what failed here."""
    return inspection.status == "failed" and inspection.disposition is None


def open_ncrs(file: LineFile) -> list[Inspection]:
    """Failed inspections without a disposition, the oldest first."""
    return sorted((i for i in file.inspections if is_open_ncr(i)), key=lambda i: (i.caused_seq, i.inspection_id))


def _own_ncr_number(file: LineFile, round_: int) -> str:
    """The number of an NCR that came without one: no other NCR of the line has it."""
    taken = {inspection.ncr_number for inspection in file.inspections}
    numbers = (f"NCR-{file.item.item_id}-{round_}-{number}" for number in count(len(file.inspections) + 1))
    return next(number for number in numbers if number not in taken)


def _known(file: LineFile, status: str, on: date, document: str) -> Recorded | None:
    """The same report again, of any round."""
    same = any((i.status, i.inspected_on, i.document_name) == (status, on, document) for i in file.inspections)
    if not same:
        return None
    return Recorded.repeated(f"{file.item.shown}: the report {shown_name(document)} of {on} is already on file; noted")


def _impossible(file: LineFile, round_: int, on: date, shipment_id: str | None) -> Recorded | None:
    received = [
        receipt.received_on
        for shipment in file.shipments_in(round_)
        if shipment_id in (None, shipment.shipment_id) and (receipt := file.receipt_of(shipment.shipment_id))
    ]
    if received and on < min(received):
        return Recorded.contradicts(
            f"{file.item.shown}: reported as inspected on {on}, before it arrived on {min(received)}",
            {"arrived": str(min(received))},
        )
    return None


def _open(file: LineFile, round_: int, shipment_id: str | None) -> list[Inspection]:
    """Scheduled inspections that the report may be of: those of the shipment it names, else all."""
    return [
        i
        for i in file.inspections_in(round_)
        if i.status == "scheduled" and (shipment_id is None or i.shipment_id in (None, shipment_id))
    ]


def _last(file: LineFile, round_: int, status: str) -> Inspection | None:
    found = [i for i in file.inspections_in(round_) if i.status == status and i.inspected_on is not None]
    return max(found, key=lambda i: (i.inspected_on, i.caused_seq), default=None)


def _new(
    file: LineFile, round_: int, status: str, on: date, event: InspectionPassed | InspectionFailed, seq: int
) -> Inspection:
    """An inspection that nobody had scheduled here."""
    return Inspection(
        inspection_id=inspection_id(file, round_),
        item_id=file.item.item_id,
        round=round_,
        shipment_id=event.shipment_id,
        status=status,
        inspected_on=on,
        document_url=event.document_url,
        document_name=event.document_name,
        caused_seq=seq,
    )


def inspection_id(file: LineFile, round_: int) -> str:
    return f"{file.item.item_id}-{round_}-I{len(file.inspections_in(round_)) + 1}"


def uninspected(file: LineFile) -> list[str]:
    """Received shipments of the current round that no inspection covers yet."""
    covered = {i.shipment_id for i in file.inspections_in(file.item.round)}
    if None in covered:
        unscheduled = [i for i in file.inspections_in(file.item.round) if i.shipment_id is None]
        first = min(i.caused_seq for i in unscheduled)
        return [
            s.shipment_id
            for s in file.shipments_in(file.item.round)
            if s.is_received and s.shipment_id not in covered and _received_seq(file, s.shipment_id) > first
        ]
    return [s.shipment_id for s in file.shipments_in(file.item.round) if s.is_received and s.shipment_id not in covered]


def _received_seq(file: LineFile, shipment_id: str) -> int:
    receipt = file.receipt_of(shipment_id)
    return receipt.caused_seq if receipt else 0
