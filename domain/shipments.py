"""Deliveries as they are reported: departed, expected on another day, arrived."""

from domain.events import EtaChanged, ShipmentArrivedSite, ShipmentDepartedFactory
from domain.lines.facts import Arrived, Departed, Fact, Stated
from domain.lines.taking_in import Report, take_in, with_shipment
from domain.outside import shown_name
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
        quantity=event.quantity,
        eta=eta,
        origin=event.location_address,
    )
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
        quantity=event.quantity,
        place=event.location_address,
    )
    note = f"{file.item.shown}: arrived on {arrived}"
    if event.quantity is not None:
        note += f", {event.quantity.normalize():f} {shown_name(file.item.unit or 'units')}"
    return take_in(file, with_shipment(file, fact), report, note)


def order_named(file: LineFile, number: str | None) -> str | None:
    """The order that a report names, by our number or by its number elsewhere."""
    alias = next((order.number for order in file.orders if number and order.external_ref == number), None)
    return alias or number
