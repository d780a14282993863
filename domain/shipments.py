"""Deliveries as they are reported: departed, expected on another day, arrived."""

from dataclasses import replace
from decimal import Decimal

from domain.events import EtaChanged, GoodsEvent, InspectionFailed, ShipmentArrivedSite, ShipmentDepartedFactory
from domain.lines.facts import Arrived, Departed, Fact, Inspected, Stated
from domain.lines.taking_in import OTHER_UNIT, Report, plain_event, set_aside, take_in, with_shipment
from domain.lines.units import factor_between
from domain.outside import shown_name
from domain.plain_json import JsonObject
from domain.procurement import LineFile
from domain.recording import Recorded
from domain.schedule import as_date


def record_departure(file: LineFile, event: ShipmentDepartedFactory, report: Report) -> Recorded:
    """A shipment left the factory, with the day on which it is expected."""
    departed, eta = as_date(event.date_departed), as_date(event.eta)
    fact = Departed(
        **report.said,
        day=departed,
        order=order_named(file, event.purchase_order),
        shipment_id=event.shipment_id,
        quantity=in_unit_of(file, event.quantity, event.unit),
        eta=eta,
        origin=event.location_address,
    )
    if asked := ask_about_unit(file, event, fact, report):
        return asked
    note = f"{file.item.shown}: departed on {departed}, expected on {eta}"
    return take_in(file, with_shipment(file, fact), report, note)


def record_eta(file: LineFile, event: EtaChanged, report: Report) -> Recorded:
    """A day on which a shipment, or all that is not on site, is expected. The newest saying counts."""
    eta = as_date(event.eta)
    fact: Fact = Stated(
        **report.said,
        day=eta,
        kind="eta",
        order=order_named(file, event.purchase_order),
        shipment_id=event.shipment_id,
        quantity=event.quantity,
    )
    return take_in(file, with_shipment(file, fact), report, f"{file.item.shown}: now expected on {eta}")


def record_arrival(file: LineFile, event: ShipmentArrivedSite, report: Report) -> Recorded:
    """Goods reached the site."""
    arrived = as_date(event.date_arrived)
    fact = Arrived(
        **report.said,
        day=arrived,
        order=order_named(file, event.purchase_order),
        shipment_id=event.shipment_id,
        quantity=in_unit_of(file, event.quantity, event.unit),
        place=event.location_address,
        is_complete=event.complete,
        serials=frozenset(event.serials or ()),
        is_off_site=event.place == "storage",
        damaged=in_unit_of(file, event.quantity_damaged, event.unit),
        condition=event.condition,
    )
    if asked := ask_about_unit(file, event, fact, report):
        return asked
    note = f"{file.item.shown}: {'stored elsewhere' if fact.is_off_site else 'arrived'} on {arrived}"
    if fact.quantity is not None:
        note += f", {fact.quantity.normalize():f} {shown_name(file.item.unit or 'units')}"
    return take_in(file, with_shipment(file, fact), report, note)


def in_unit_of(file: LineFile, quantity: Decimal | None, unit: str | None) -> Decimal | None:
    """A reported quantity in the unit of the line. Units that nobody has explained are asked about before
    (`ask_about_unit`)."""
    factor = factor_between(unit, file.item.unit, file.item.unit_factors)
    return quantity if quantity is None or factor is None else quantity * factor


def ask_about_unit(
    file: LineFile, event: GoodsEvent, fact: Fact, report: Report, document_url: str | None = None
) -> Recorded | None:
    """The question about a report in a unit of which nobody knows how much it is; None where it is known. Until it is
    answered the report counts for nothing, and no quantity of it is shown in a unit that it is not in."""
    item = file.item
    counted = event.quantity
    if isinstance(event, InspectionFailed):
        counted = counted or event.quantity_rejected
    if counted is None or factor_between(event.unit, item.unit, item.unit_factors) is not None:
        return None
    unit, own = shown_name(event.unit or ""), shown_name(item.unit or "")
    detail = (
        f"{item.shown}: {counted.normalize():f} {unit} reported, but the line counts in {own}. "
        f"How many {own} is one {unit}?"
    )
    subject: JsonObject = {
        "known": {"unit": item.unit},
        "doubt": OTHER_UNIT,
        "event": {**plain_event(report.body), "unit": item.unit},
        "reported": {"unit": event.unit, "quantity": str(counted)},
    }
    return set_aside(file, _without_quantities(fact), report, detail, subject, document_url=document_url)


def _without_quantities(fact: Fact) -> Fact:
    if isinstance(fact, Arrived):
        return replace(fact, quantity=None, damaged=None)
    return replace(fact, quantity=None, rejected=None) if isinstance(fact, Inspected) else replace(fact, quantity=None)


def order_named(file: LineFile, number: str | None) -> str | None:
    """The order that a report names, by our number or by its number elsewhere."""
    return file.number_of(number)
