"""Recording deliveries by quantity: departed, expected anew, arrived; partial, repeated, late."""

from datetime import date
from decimal import Decimal

from domain.events import EtaChanged, ShipmentArrivedSite, ShipmentDepartedFactory
from domain.milestones import met
from domain.orders import as_date, replaces_in_part
from domain.outside import shown_name
from domain.procurement import Item, LineFile, Logistics, Quality, Receipt, Row, Shipment
from domain.recording import Recorded, round_of, saved


def record_departure(file: LineFile, event: ShipmentDepartedFactory, seq: int) -> Recorded:
    """A shipment on its way. The same one again is noted; a late report of one that has arrived only fills it in."""
    departed, eta = as_date(event.date_departed), as_date(event.eta)
    if eta < departed:
        return Recorded.contradicts(
            f"{file.item.shown}: expected on {eta}, before it departed on {departed}",
            {"eta": str(eta), "date_departed": str(departed)},
        )
    if refused := _cancelled(file, event.purchase_order):
        return refused
    round_ = round_of(file, event.purchase_order, event.shipment_id, departed)
    known = _departed_already(file, round_, event, departed)
    if known is not None:
        return _departure_again(file, known, event, departed, eta, seq)
    if _complete(file, round_):
        return Recorded.contradicts(
            f"{file.item.shown}: reported as departed on {departed}, but all of it has arrived",
            {"arrived": [str(receipt.received_on) for receipt in file.receipts]},
        )
    shipment = Shipment(
        shipment_id=event.shipment_id or _next_id(file, round_),
        item_id=file.item.item_id,
        round=round_,
        purchase_order=event.purchase_order or _order_number(file, round_),
        quantity=event.quantity or _outstanding(file, round_, shipped=True),
        eta=eta,
        departed_on=departed,
        origin=event.location_address,
        caused_seq=seq,
    )
    rows: list[Row] = [shipment, *met(file, round_, "ship", departed)]
    item = _with_logistics(file, [*file.shipments, shipment], round_, seq)
    return Recorded(f"{file.item.shown}: departed on {departed}, expected on {eta}", saved(file, item, *rows))


def _departed_already(file: LineFile, round_: int, event: ShipmentDepartedFactory, departed: date) -> Shipment | None:
    """The shipment that this departure speaks of, when it is already on file."""
    shipments = file.shipments_in(round_)
    if event.shipment_id is not None:
        return next((s for s in shipments if s.shipment_id == event.shipment_id), None)
    same_day = [s for s in shipments if s.departed_on == departed and event.quantity in (None, s.quantity)]
    unreported = [
        s
        for s in shipments
        if s.departed_on is None and (receipt := file.receipt_of(s.shipment_id)) and departed <= receipt.received_on
    ]
    return next(iter([*same_day, *unreported]), None)


def _departure_again(
    file: LineFile, known: Shipment, event: ShipmentDepartedFactory, departed: date, eta: date, seq: int
) -> Recorded:
    receipt = file.receipt_of(known.shipment_id)
    if receipt is not None and departed > receipt.received_on:
        return Recorded.contradicts(
            f"{file.item.shown}: shipment {shown_name(known.shipment_id)} departed on {departed}, after it arrived on "
            f"{receipt.received_on}",
            {"shipment": known.shipment_id, "arrived": str(receipt.received_on)},
        )
    if known.departed_on == departed and known.eta == eta:
        return Recorded.repeated(f"{file.item.shown}: this departure is already on file; noted")
    filled = known.model_copy(
        update={
            "departed_on": departed,
            "origin": known.origin or event.location_address,
            "eta": known.eta if known.is_received else eta,
        }
    )
    others = [s for s in file.shipments if s.shipment_id != known.shipment_id]
    item = _with_logistics(file, [*others, filled], known.round, seq)
    return Recorded(f"{file.item.shown}: departed on {departed}, expected on {eta}", saved(file, item, filled))


def record_eta(file: LineFile, event: EtaChanged, reported: date | None, seq: int) -> Recorded:
    """A new expected arrival for what is still on its way, or not yet shipped.

    `reported` is the day on which the sender says it happened, where it says so.
    """
    if refused := _cancelled(file, event.purchase_order):
        return refused
    eta, item = as_date(event.eta), file.item
    round_ = round_of(file, event.purchase_order, event.shipment_id, reported)
    if round_ != item.round:
        return Recorded.repeated(f"{item.shown}: this ETA is of an earlier delivery; noted")
    if _complete(file, round_):
        return Recorded.repeated(f"{item.shown}: all of it has arrived; the ETA is noted")
    open_ = [s for s in file.shipments_in(round_) if not s.is_received]
    named = [s for s in open_ if event.shipment_id in (None, s.shipment_id)]
    if event.shipment_id is not None and not named and file.shipments_in(round_):
        return _unknown_shipment(file, event.shipment_id)
    if (named and all(s.eta == eta for s in named)) or (not open_ and item.eta == eta):
        return Recorded.repeated(f"{item.shown}: expected on {eta} as before; noted")
    rows: list[Row] = [s.model_copy(update={"eta": eta}) for s in named]
    kept = [s for s in open_ if s not in named]
    latest = max([eta, *(s.eta for s in kept if s.eta)])
    changed = item.model_copy(update={"eta": latest, "caused_seq": seq})
    return Recorded(f"{item.shown}: now expected on {latest}", saved(file, changed, *rows))


def _unknown_shipment(file: LineFile, shipment_id: str) -> Recorded:
    return Recorded.contradicts(
        f"{file.item.shown}: there is no open shipment {shown_name(shipment_id)}",
        {"shipments": [s.shipment_id for s in file.shipments]},
    )


def record_arrival(file: LineFile, event: ShipmentArrivedSite, seq: int) -> Recorded:
    """A receipt by quantity. The same arrival again is noted; one that cannot be is asked."""
    if refused := _cancelled(file, event.purchase_order):
        return refused
    arrived = as_date(event.date_arrived)
    if again := _arrived_already(file, event, arrived):
        return again
    round_ = round_of(file, event.purchase_order, event.shipment_id, arrived)
    shipment = _shipment_of(file, round_, event, arrived)
    if shipment is None and event.shipment_id is None and _complete(file, round_):
        return Recorded.contradicts(
            f"{file.item.shown}: reported as arrived on {arrived}, but all of it had arrived before",
            {"arrived": [str(receipt.received_on) for receipt in file.receipts]},
        )
    if shipment is not None and shipment.departed_on is not None and arrived < shipment.departed_on:
        return Recorded.contradicts(
            f"{file.item.shown}: reported as arrived on {arrived}, before it departed on {shipment.departed_on}",
            {"shipment": shipment.shipment_id, "departed": str(shipment.departed_on)},
        )
    return _receive(file, shipment, round_, event, arrived, seq)


def _arrived_already(file: LineFile, event: ShipmentArrivedSite, arrived: date) -> Recorded | None:
    for receipt in file.receipts:
        if event.shipment_id is not None:
            if receipt.shipment_id != event.shipment_id:
                continue
            named = shown_name(event.shipment_id)
            if receipt.received_on == arrived:
                return Recorded.repeated(
                    f"{file.item.shown}: arrival of {shown_name(event.shipment_id)} is on file; noted"
                )
            return Recorded.contradicts(
                f"{file.item.shown}: shipment {named} arrived on {receipt.received_on}, now reported for {arrived}",
                {"shipment": event.shipment_id, "arrived": str(receipt.received_on)},
            )
        same = receipt.received_on == arrived and event.quantity in (None, receipt.quantity)
        if same and not _another_open(file, event):
            return Recorded.repeated(f"{file.item.shown}: its arrival on {arrived} is already on file; noted")
    return None


def _another_open(file: LineFile, event: ShipmentArrivedSite) -> bool:
    """Whether a further shipment is under way that this report may be of: then it is not a repeat."""
    return any(not s.is_received and event.quantity in (None, s.quantity) for s in file.shipments_in(file.item.round))


def _shipment_of(file: LineFile, round_: int, event: ShipmentArrivedSite, arrived: date) -> Shipment | None:
    """The open shipment that arrived: the one named, else the one of that quantity, else the first that left."""
    open_ = [s for s in file.shipments_in(round_) if not s.is_received]
    if event.shipment_id is not None:
        return next((s for s in open_ if s.shipment_id == event.shipment_id), None)
    by_quantity = [s for s in open_ if event.quantity is not None and s.quantity == event.quantity]
    possible = [s for s in (by_quantity or open_) if s.departed_on is None or s.departed_on <= arrived]
    return next(iter([*possible, *open_]), None)


def _receive(
    file: LineFile,
    shipment: Shipment | None,
    round_: int,
    event: ShipmentArrivedSite,
    arrived: date,
    seq: int,
) -> Recorded:
    item = file.item
    if shipment is None:
        shipment = Shipment(
            shipment_id=event.shipment_id or _next_id(file, round_),
            item_id=item.item_id,
            round=round_,
            purchase_order=event.purchase_order or _order_number(file, round_),
            quantity=event.quantity or _outstanding(file, round_),
            caused_seq=seq,
        )
    quantity = event.quantity or shipment.quantity or _outstanding(file, round_)
    received = shipment.model_copy(update={"status": "received", "quantity": quantity})
    receipt = Receipt(
        receipt_id=f"R-{received.shipment_id}",
        shipment_id=received.shipment_id,
        item_id=item.item_id,
        quantity=quantity,
        received_on=arrived,
        location=event.location_address,
        caused_seq=seq,
    )
    others = [s for s in file.shipments if s.shipment_id != received.shipment_id]
    seen = file.model_copy(update={"shipments": [*others, received], "receipts": [*file.receipts, receipt]})
    changed = _with_logistics(seen, seen.shipments, round_, seq)
    rows: list[Row] = [received, receipt, *_order_received(seen, round_)]
    rows += met(file, round_, "arrive" if changed.logistics == Logistics.ON_SITE else "ship", arrived)
    note = f"{item.shown}: arrived on {arrived}"
    if quantity is not None:
        note += f", {quantity.normalize():f} {shown_name(item.unit or 'units')}"
    return Recorded(note + _over(seen, round_), saved(file, changed, *rows))


def _order_received(file: LineFile, round_: int) -> list[Row]:
    """The order of that round, as received or partially received."""
    number = _order_number(file, round_)
    status = "received" if _complete(file, round_) else "partially_received"
    return [
        order.model_copy(update={"status": status})
        for order in file.orders
        if order.number == number and order.status != status
    ]


def _with_logistics(file: LineFile, shipments: list[Shipment], round_: int, seq: int) -> Item:
    """The line with its logistics and ETA taken from the shipments of its current round."""
    item = file.item
    if round_ != item.round:
        return item
    seen = file.model_copy(update={"shipments": shipments})
    open_ = [s for s in seen.shipments_in(round_) if not s.is_received]
    some = any(s.is_received for s in seen.shipments_in(round_))
    update: dict[str, object] = {"caused_seq": seq}
    if _complete(seen, round_):
        arrived = [
            r.received_on for r in seen.receipts if r.shipment_id in {s.shipment_id for s in seen.shipments_in(round_)}
        ]
        update |= {"logistics": Logistics.ON_SITE, "eta": max(arrived)}
    else:
        etas = [s.eta for s in open_ if s.eta]
        update |= {
            "logistics": Logistics.PARTIALLY_RECEIVED if some else Logistics.IN_TRANSIT,
            "eta": max(etas) if etas else item.eta,
        }
    if some and item.quality in (Quality.PASSED, Quality.ACCEPTED_AS_IS) and item.logistics != Logistics.ON_SITE:
        update["quality"] = Quality.NOT_INSPECTED
    return item.model_copy(update=update)


def _complete(file: LineFile, round_: int) -> bool:
    """Whether all of a round is on site: by quantity where quantities are known, else when nothing is under way."""
    shipments = file.shipments_in(round_)
    if not any(s.is_received for s in shipments):
        return False
    ordered = _ordered(file, round_)
    if ordered is None or any(s.is_received and s.quantity is None for s in shipments):
        return all(s.is_received for s in shipments)
    return file.received(round_) >= ordered


def _ordered(file: LineFile, round_: int) -> Decimal | None:
    """How much a round has to bring: its order, and what an order that it replaces in part has not yet brought."""
    line = file.order_line_in(round_)
    if line is None or line.quantity is None:
        return line.quantity if line is not None else file.item.quantity
    before = file.order_line_in(round_ - 1)
    if before is None or not replaces_in_part(file, before, line.quantity):
        return line.quantity
    owed = (_ordered(file, round_ - 1) or Decimal(0)) - file.received(round_ - 1)
    return line.quantity + max(owed, Decimal(0))


def _outstanding(file: LineFile, round_: int, *, shipped: bool = False) -> Decimal | None:
    """What is still to come (`shipped`: still to leave) of a round; None where no quantity is known or nothing is."""
    ordered = _ordered(file, round_)
    if ordered is None:
        return None
    under_way = sum((s.quantity or Decimal(0) for s in file.shipments_in(round_)), Decimal(0))
    rest = ordered - (under_way if shipped else file.received(round_))
    return rest if rest > 0 else None


def _over(file: LineFile, round_: int) -> str:
    ordered = _ordered(file, round_)
    over = Decimal(0) if ordered is None else file.received(round_) - ordered
    return f" ({over.normalize():f} more than ordered)" if over > 0 else ""


def _order_number(file: LineFile, round_: int) -> str | None:
    return next((line.number for line in file.order_lines if line.round == round_), None)


def _next_id(file: LineFile, round_: int) -> str:
    return f"{file.item.item_id}-{round_}-{len(file.shipments_in(round_)) + 1}"


def _cancelled(file: LineFile, purchase_order: str | None) -> Recorded | None:
    """A delivery of a cancelled or foreign order is put to a person."""
    if purchase_order is not None and file.order_lines and file.round_of_order(purchase_order) is None:
        return Recorded.contradicts(
            f"{file.item.shown}: {shown_name(purchase_order)} is not an order of this line",
            {"orders": [order.number for order in file.orders]},
        )
    number = purchase_order or _order_number(file, file.item.round)
    order = next((order for order in file.orders if order.number == number), None)
    if order is not None and order.status == "cancelled":
        return Recorded.contradicts(
            f"{file.item.shown}: a delivery of {order.number} is reported, but that order is cancelled",
            {"order": order.number},
        )
    return None
