"""Facts of a line that several kinds of questions rest on, in the order in which fingerprints have always had them."""

from collections.abc import Sequence
from decimal import Decimal

from domain.buildings import Building
from domain.inspections import open_ncrs
from domain.orders import is_to_be_ordered
from domain.plain_json import FactValue, JsonObject
from domain.procurement import Inspection, Item, LineFile


def is_unordered(file: LineFile) -> bool:
    """Whether the line may be ordered and is not."""
    return is_to_be_ordered(file)


def order_facts(file: LineFile, building: Building, revision: int | None) -> list[FactValue]:
    item = file.item
    return [
        item.round,
        item.vendor_id,
        item.quantity,
        item.unit_price,
        item.currency,
        item.submittal_revision,
        building.policy.po_limit,
        revision,
        *group_facts(item),
    ]


def group_facts(item: Item) -> list[FactValue]:
    """Of a line that is bought in a lump sum: its group and its price. Nothing for others: theirs is as it was."""
    return [] if item.group is None else [item.group, item.group_total]


def conflict_facts(file: LineFile) -> list[FactValue]:
    item = file.item
    needs: list[FactValue] = [(str(need.quantity), need.required_by, need.buffer_days) for need in item.needs]
    facts: list[FactValue] = [item.round, item.eta, item.promised_date, item.required_by, item.buffer_days]
    return [*facts, needs] if len(needs) > 1 else facts


def report_facts(file: LineFile, failed: Sequence[Inspection]) -> list[FactValue]:
    """Failed inspections, and what a replacement depends on."""
    item = file.item
    return [
        item.round,
        [(report.inspection_id, report.defects, report.quantity_rejected) for report in failed],
        item.required_by,
        item.quantity,
        item.unit_price,
        item.vendor_id,
        item.lead_time_days,
        *group_facts(item),
    ]


def failed_in_round(file: LineFile) -> list[Inspection]:
    """The failed inspections of the current round, whatever became of them."""
    return [report for report in file.inspections_in(file.item.round) if report.status == "failed"]


def failed_inspection(file: LineFile, inspection_id: str | None) -> Inspection | None:
    """The failed inspection of this id; without one, the last that is open."""
    if inspection_id is None:
        failed = open_ncrs(file) or failed_in_round(file)
    else:
        failed = [one for one in file.inspections if one.inspection_id == inspection_id and one.status == "failed"]
    return max(failed, key=lambda one: one.caused_seq, default=None)


DAMAGED, WRONG = "damaged on arrival", "not what was ordered"


def on_arrival(file: LineFile, report: Inspection) -> str | None:
    """What was seen of rejected goods on arrival, in words; None where an inspection rejected them."""
    told = next((row for row in file.facts if row.key == report.fact and row.kind == "arrived"), None)
    if told is None:
        return None
    return WRONG if told.details.condition == "wrong" else DAMAGED


def inspection_shown(report: Inspection) -> JsonObject:
    """A failed inspection as evidence shows it."""
    return {
        "inspected_on": None if report.inspected_on is None else report.inspected_on.isoformat(),
        "document_name": report.document_name,
        "document_url": report.document_url,
        "defects": [*report.defects],
        "quantity_rejected": plain(report.quantity_rejected),
        "ncr_number": report.ncr_number,
    }


def plain(quantity: Decimal | None) -> str | None:
    """A quantity without needless zeros."""
    return None if quantity is None else f"{quantity.normalize():f}"
