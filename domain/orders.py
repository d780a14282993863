"""Recording what a vendor says of an order, and the rows of a new order."""

import re
from datetime import date
from decimal import Decimal

from domain.buildings import Building
from domain.errors import InvalidError
from domain.events import PurchaseOrderAcknowledged
from domain.milestones import met
from domain.money import line_total
from domain.outside import shown_name
from domain.procurement import (
    Commercial,
    Item,
    LineFile,
    Logistics,
    OrderLine,
    PurchaseOrder,
    Quality,
    Row,
    Shipment,
    WouldOrder,
)
from domain.recording import Recorded, round_of, saved
from domain.schedule import compared


def record_acknowledgement(file: LineFile, event: PurchaseOrderAcknowledged, today: date, seq: int) -> Recorded:
    """The vendor's promise; exceptions to the order are asked."""
    item, promised = file.item, as_date(event.promised_date)
    if event.purchase_order is not None and file.round_of_order(event.purchase_order) is None:
        return Recorded.contradicts(
            f"{item.shown}: acknowledgement of {shown_name(event.purchase_order)}, which is not an order of this line",
            {"orders": [order.number for order in file.orders]},
        )
    if not file.order_lines:
        return Recorded.contradicts(
            f"{item.shown}: acknowledged by the vendor, but it was never ordered",
            {"commercial": item.commercial},
        )
    round_ = round_of(file, event.purchase_order, None, None)
    line = next(line for line in file.order_lines if line.round == round_)
    order = next(order for order in file.orders if order.number == line.number)
    exceptions = [
        {"kind": "other", "detail": found}
        if isinstance(found, str)
        else found.model_dump(mode="json", exclude_none=True)
        for found in event.exceptions
    ]
    if order.status == "cancelled":
        return Recorded.contradicts(
            f"{item.shown}: {order.number} was acknowledged, but it is cancelled", {"order": order.number}
        )
    if line.promised_date == promised and order.status != "issued" and not exceptions:
        return Recorded.repeated(f"{item.shown}: {order.number} was already acknowledged for {promised}; noted")
    rows: list[Row] = [line.model_copy(update={"promised_date": promised})]
    confirmed = order.model_copy(
        update={
            "status": "acknowledged" if order.status == "issued" else order.status,
            "external_ref": event.external_ref or order.external_ref,
            "caused_seq": seq,
        }
    )
    if (confirmed.status, confirmed.external_ref) != (order.status, order.external_ref):
        rows.append(confirmed)
    rows += met(file, round_, "acknowledge", today)
    recorded = Recorded(f"{item.shown}: {order.number} acknowledged for {promised}")
    changed = item
    if round_ == item.round:
        changed = item.model_copy(
            update={"commercial": Commercial.ACKNOWLEDGED, "promised_date": promised, "caused_seq": seq}
        )
        if exceptions:
            recorded.ask.append(
                (
                    "acknowledgement_exception",
                    {"order": order.number, "exceptions": exceptions, "promised": str(promised)},
                )
            )
    recorded.rows = saved(file, changed, *rows)
    return recorded


def order_rows(
    file: LineFile, building: Building, *, quantity: Decimal | None, replaces: bool, today: date, seq: int
) -> tuple[PurchaseOrder, list[Row]]:
    """A new order for the line's next round. Counts the building's order number up; the caller holds its lock.

    `replaces`: what came before was rejected or cancelled, and the new round starts afresh.

    Raises:
        InvalidError: the building is in watch, where nothing is ordered.
    """
    if building.is_watching:
        raise InvalidError(f"{building.building_id} is in watch: nothing is ordered.", "item")
    building.po_counter += 1
    item = file.item
    number = f"{own_numbers(building)}{building.po_counter:04d}"
    ordered = quantity if quantity is not None else item.quantity
    total = line_total(item.unit_price, ordered, item.currency)
    order = PurchaseOrder(
        number=number,
        vendor_id=item.vendor_id,
        currency=item.currency,
        total=total,
        issued_on=today,
        caused_seq=seq,
    )
    round_ = item.round + 1
    line = OrderLine(
        number=number,
        line=1,
        item_id=item.item_id,
        round=round_,
        quantity=ordered,
        unit=item.unit,
        unit_price=item.unit_price,
        required_by=item.required_by,
    )
    return order, [order, line, *_opened(file, round_, replaces, ordered, seq)]


def order_preview(file: LineFile, quantity: Decimal | None, today: date) -> WouldOrder:
    """What an order of the line would say, without placing it; `quantity`: the line's own when None."""
    item, vendor = file.item, file.vendor
    ordered = quantity if quantity is not None else item.quantity
    total = line_total(item.unit_price, ordered, item.currency)
    return WouldOrder(
        vendor_id=item.vendor_id,
        vendor=vendor.name if vendor else None,
        quantity=ordered,
        unit=item.unit,
        total=total,
        currency=item.currency,
        on=today,
    )


_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_/#-]{0,63}")


def own_numbers(building: Building) -> str:
    """How the numbers of the building's own orders begin."""
    return f"PO-{building.known_as}-"


def outside_number(item: Item, building: Building, reference: str | None) -> str:
    """How an order that was placed outside is named here: by its number there, where that is a plain one and could not
    be the number of an order that the agent places some day."""
    is_plain = reference is not None and _NUMBER.fullmatch(reference) is not None
    if reference is None or not is_plain or reference.casefold().startswith(own_numbers(building).casefold()):
        return f"outside-{item.item_id}"
    return reference


def outside_order(
    file: LineFile, *, number: str, reference: str | None, line: int, standing: PurchaseOrder | None, seq: int
) -> tuple[LineFile, list[Row]]:
    """The line's file with an order that was placed without the agent, and what is to be saved of it. Nothing is known
    of its price and its day. `standing`: the order, where it is on file for other lines; `line`: its line there."""
    order = standing or PurchaseOrder(
        number=number,
        vendor_id=file.item.vendor_id,
        currency=file.item.currency,
        external_ref=reference,
        placed_outside=True,
        caused_seq=seq,
    )
    round_ = file.item.round + 1
    ordered = OrderLine(
        number=order.number,
        line=line,
        item_id=file.item.item_id,
        round=round_,
        quantity=file.item.quantity,
        unit=file.item.unit,
        required_by=file.item.required_by,
    )
    opened = _opened(file, round_, False, file.item.quantity, seq)
    rows: list[Row] = [order, ordered, *opened]
    moved = {
        "item": next(row for row in opened if isinstance(row, Item)),
        "orders": [*file.orders, order],
        "order_lines": [*file.order_lines, ordered],
        "shipments": [s.model_copy(update={"round": round_}) for s in file.shipments],
        "inspections": [i.model_copy(update={"round": round_}) for i in file.inspections],
    }
    return file.model_copy(update=moved), rows


def _opened(file: LineFile, round_: int, replaces: bool, quantity: Decimal | None, seq: int) -> list[Row]:
    """The line in its new round. What was recorded before a first order (it was ordered elsewhere, or its events
    came out of order) belongs to that order; a replacement starts afresh."""
    item = file.item
    update = {"round": round_, "commercial": Commercial.ORDERED, "would_order": None, "caused_seq": seq}
    if item.round == 0 and not replaces:
        moved = {"round": round_}
        earlier: list[Row] = [s.model_copy(update=moved) for s in file.shipments_in(0)]
        earlier += [i.model_copy(update=moved) for i in file.inspections_in(0)]
        return [compared(item.model_copy(update=update)), *earlier]
    still = _still_under_way(file, quantity)
    fresh = {
        "logistics": Logistics.IN_TRANSIT if still else Logistics.NOT_SHIPPED,
        "quality": Quality.NOT_INSPECTED,
        "promised_date": None,
        "eta": max((shipment.eta for shipment in still if shipment.eta), default=None),
        "told_band": None,
    }
    moved_on: list[Row] = [shipment.model_copy(update={"round": round_}) for shipment in still]
    return [compared(item.model_copy(update={**update, **fresh})), *moved_on]


def _still_under_way(file: LineFile, quantity: Decimal | None) -> list[Shipment]:
    """What is on its way of an order that is replaced only in part: it is awaited together with the replacement."""
    before = file.order_line
    if before is None or not replaces_in_part(file, before, quantity):
        return []
    return [shipment for shipment in file.shipments_in(file.item.round) if not shipment.is_received]


def replaces_in_part(file: LineFile, before: OrderLine, quantity: Decimal | None) -> bool:
    """Whether an order of this quantity leaves the order before it standing: it makes good what was rejected of it."""
    order = next((order for order in file.orders if order.number == before.number), None)
    in_part = quantity is not None and before.quantity is not None and quantity < before.quantity
    return in_part and order is not None and order.status != "cancelled"


def as_date(value: object) -> date:
    """A day that was localised before: by now always a plain date."""
    if not isinstance(value, date):
        raise TypeError(f"{value!r} is not a day")
    return value
