"""Recording what a vendor says of an order, and the rows of a new order."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.buildings import Building
from domain.errors import InvalidError
from domain.events import PurchaseOrderAcknowledged
from domain.lines.facts import Stated
from domain.lines.projection import adopt, changed_rows, last_day, project
from domain.lines.stored import read_row
from domain.lines.submittals import newest_verdict
from domain.lines.taking_in import Report, outside_subject, set_aside, take_in
from domain.money import line_total
from domain.outside import shown_name
from domain.plain_json import JsonObject
from domain.procurement import (
    Commercial,
    FactRow,
    Item,
    LineFile,
    Logistics,
    OrderLine,
    PurchaseOrder,
    Row,
    Submittal,
    WouldOrder,
)
from domain.recording import Recorded
from domain.schedule import as_date
from domain.shipments import order_named
from domain.text import slug


def record_acknowledgement(file: LineFile, event: PurchaseOrderAcknowledged, report: Report) -> Recorded:
    """The vendor's promise; exceptions to the order are asked."""
    item, promised = file.item, as_date(event.promised_date)
    known = {order.number: order for order in file.orders}
    named = order_named(file, event.purchase_order)
    number = named or (file.order_lines[-1].number if file.order_lines else None)
    fact = Stated(**report.said, day=promised, kind="promise", order=number, quantity=event.quantity)
    if named is not None and named not in known and file.order_lines:
        detail = f"{item.shown}: acknowledgement of {shown_name(named)}, which is not an order of this line"
        return set_aside(file, fact, report, detail, {"known": {"orders": list(known)}})
    if number is None or number not in known:
        outside = outside_subject(f"{item.shown}: acknowledged by the vendor for {promised}", report, "acknowledged")
        return set_aside(file, fact, report, str(outside["detail"]), outside)
    order = known[number]
    if file.is_order_cancelled(number):
        detail = f"{item.shown}: {number} was acknowledged, but it is cancelled"
        return set_aside(file, fact, report, detail, {"known": {"order": number}})
    exceptions: list[JsonObject] = [
        {"kind": "other", "detail": found}
        if isinstance(found, str)
        else found.model_dump(mode="json", exclude_none=True)
        for found in event.exceptions
    ]
    referenced = order.model_copy(update={"external_ref": event.external_ref or order.external_ref})
    before = file
    if referenced != order:
        orders = [referenced if one.number == number else one for one in file.orders]
        file = file.model_copy(update={"orders": orders})
    note = f"{item.shown}: {number} acknowledged for {promised}"
    recorded = take_in(file, fact, report, note)
    if recorded.is_set_aside:
        # What is not believed gives the order no name either.
        recorded = take_in(before, fact, report, note)
    elif referenced != order and not any(isinstance(row, PurchaseOrder) for row in recorded.rows):
        recorded.rows.append(referenced)
        recorded.repeat = False
    if recorded.repeat and not exceptions:
        recorded.note = f"{item.shown}: {number} was already acknowledged for {promised}; noted"
    if exceptions:
        recorded.repeat = False
        subject: JsonObject = {"order": number, "exceptions": [*exceptions], "promised": str(promised)}
        recorded.ask.append(("acknowledgement_exception", subject))
    return recorded


def is_to_be_ordered(file: LineFile) -> bool:
    """Whether the line may be ordered and nothing of it is on order: it never was; or its order was cancelled, and
    something new has come since that calls for another one."""
    item = file.item
    if item.submittal != Submittal.APPROVED:
        return False
    if item.commercial == Commercial.CANCELLED:
        return item.logistics == Logistics.NOT_SHIPPED and _has_news_since_cancellation(file)
    return item.commercial == Commercial.UNORDERED


def _has_news_since_cancellation(file: LineFile) -> bool:
    """Whether the line has another vendor than the cancelled order, or another revision was approved since."""
    order = file.order
    if order is None:
        return False
    if file.item.vendor_id is not None and order.vendor_id not in (None, file.item.vendor_id):
        return True
    verdicts = [row for row in file.facts if row.kind == "submitted" and row.voided_by is None]
    before = newest_verdict(read_row(row) for row in verdicts if row.caused_seq <= order.caused_seq)
    after = newest_verdict(read_row(row) for row in verdicts)
    since = [row for row in verdicts if row.caused_seq > order.caused_seq]
    if after is None or not after.is_approved or not since:
        return False
    was_refused_since = any(not row.details.is_approved for row in since)
    return was_refused_since or after.revision != (None if before is None else before.revision)


def order_rows(
    file: LineFile,
    building: Building,
    *,
    quantity: Decimal | None,
    decided: Sequence[FactRow] = (),
    is_free: bool = False,
    today: date,
    seq: int,
) -> tuple[PurchaseOrder, list[Row]]:
    """A new order for the line. Counts the building's order number up; the caller holds its lock.

    Of a line of a group, whose price is the group's: it costs what the vendor says, which nobody knows yet.

    `decided`: what was decided with it about rejected goods, which it replaces. `is_free`: the vendor charges nothing.

    Raises:
        InvalidError: the building is in watch, where nothing is ordered.
    """
    item = file.item
    number = _next_number(building)
    ordered = quantity if quantity is not None else item.quantity_to_order
    price = Decimal(0) if is_free else item.unit_price
    total = line_total(price, ordered, item.currency)
    order = _new_order(item, number, total, today, seq)
    line = _new_line(file, number, 1).model_copy(update={"quantity": ordered, "unit_price": price})
    is_again = bool(file.order_lines)
    return order, changed_rows(file, _with_order(file, order, line, seq, decided=decided, is_again=is_again))


def _next_number(building: Building) -> str:
    """The number of the building's next order.

    Raises:
        InvalidError: the building is in watch, where nothing is ordered.
    """
    if building.is_watching:
        raise InvalidError(f"{building.building_id} is in watch: nothing is ordered.", "item")
    building.po_counter += 1
    return f"{own_numbers(building)}{building.po_counter:04d}"


def _new_order(item: Item, number: str, total: Decimal | None, today: date, seq: int) -> PurchaseOrder:
    return PurchaseOrder(
        number=number, vendor_id=item.vendor_id, currency=item.currency, total=total, issued_on=today, caused_seq=seq
    )


def _new_line(file: LineFile, number: str, place: int) -> OrderLine:
    item = file.item
    return OrderLine(
        number=number,
        line=place,
        item_id=item.item_id,
        round=next_round(file),
        quantity=item.quantity_to_order,
        unit=item.unit,
        unit_price=item.unit_price,
        required_by=item.required_by,
        ordered_after=last_day(file) if file.order_lines else None,
    )


@dataclass(frozen=True)
class GroupOrder:
    """An order of lines that have one price together."""

    order: PurchaseOrder
    lines: list[OrderLine]
    """All lines of the order."""
    files: list[LineFile]
    """Of the lines that are ordered with it now."""
    rows: list[Row]


def order_group(
    files: Sequence[LineFile], building: Building, today: date, seq: int, *, quantity: Decimal | None = None
) -> GroupOrder:
    """One order for the lines of a group, with a line for each and the group's price. Counts the building's order
    number up; the caller holds its lock.

    Args:
        quantity: how much of the first of them is ordered; None: what it still needs.

    Raises:
        InvalidError: the building is in watch, where nothing is ordered.
    """
    item = files[0].item
    order = _new_order(item, _next_number(building), item.group_total, today, seq)
    return _take_in(files, order, [], seq, quantity)


def join_group_order(
    file: LineFile, order: PurchaseOrder, lines: Sequence[OrderLine], seq: int, *, quantity: Decimal | None = None
) -> GroupOrder:
    """A further line on the order of its group: the order's next revision, at the same price.

    Args:
        quantity: how much of it is ordered; None: what it still needs.

    Raises:
        InvalidError: the order is with another vendor or in another currency.
    """
    if (order.vendor_id, order.currency) != (file.item.vendor_id, file.item.currency):
        raise InvalidError(
            f"{file.item.shown} has another vendor or currency than {order.number} of its group.", "item"
        )
    revised = order.model_copy(update={"revision": order.revision + 1, "caused_seq": seq})
    return _take_in([file], revised, lines, seq, quantity)


def rest_to_order(file: LineFile) -> Decimal | None:
    """What is ordered of a line of which a part is here and the rest was cancelled; None of a line that is ordered
    whole."""
    return file.item.missing_quantity if file.item.is_short and file.item.quantity is not None else None


def _take_in(
    files: Sequence[LineFile], order: PurchaseOrder, lines: Sequence[OrderLine], seq: int, quantity: Decimal | None
) -> GroupOrder:
    first = next_place(lines)
    quantities = [quantity or rest_to_order(files[0]), *(rest_to_order(file) for file in files[1:])]
    added = [
        _new_line(file, order.number, first + place).model_copy(
            update={
                "status": "issued",
                "quantity": quantities[place] or file.item.quantity_to_order,
                **prices_of_line(file.item, lines),
            }
        )
        for place, file in enumerate(files)
    ]
    every = [*lines, *added]
    made: list[LineFile] = []
    rows: list[Row] = []
    for file, line in zip(files, added, strict=True):
        others = [other for other in every if other.item_id != file.item.item_id]
        known = file.model_copy(update={"other_order_lines": [*file.other_order_lines, *others]})
        made.append(_with_order(known, order, line, seq, is_again=bool(file.order_lines)))
        rows += changed_rows(file, made[-1])
    return GroupOrder(order=made[-1].orders[-1], lines=every, files=made, rows=rows)


def prices_of_line(item: Item, lines: Sequence[OrderLine]) -> dict[str, str | Decimal | None]:
    """What the order line of a lump sum has of it: the group, no price of its own, and the group's: the one that was
    agreed, where it is ordered (`lines`: of the order), else the one on file."""
    agreed = next((line.group_total for line in lines if line.group == item.group), item.group_total)
    return {"group": item.group, "group_total": agreed, "unit_price": None}


def next_place(lines: Iterable[OrderLine]) -> int:
    """The number of the next line on an order that has these."""
    return 1 + max((line.line for line in lines), default=0)


def next_round(file: LineFile) -> int:
    """The round of the line's next order."""
    return max((line.round for line in file.order_lines), default=file.item.round) + 1


def _with_order(
    file: LineFile,
    order: PurchaseOrder,
    line: OrderLine,
    seq: int,
    *,
    decided: Sequence[FactRow] = (),
    is_again: bool = False,
) -> LineFile:
    """The file with a further order. What was told of a conflict was told of the orders before it."""
    known = adopt(file)
    item = known.item.model_copy(update={"would_order": None, **({"told_band": None} if is_again else {})})
    added = {
        "item": item,
        "facts": [*known.facts, *decided],
        "orders": [*(one for one in known.orders if one.number != order.number), order],
        "order_lines": [*known.order_lines, line],
    }
    return project(known.model_copy(update=added), seq)


def order_preview(file: LineFile, quantity: Decimal | None, today: date) -> WouldOrder:
    """What an order of the line would say, without placing it; `quantity`: the line's own when None."""
    item, vendor = file.item, file.vendor
    ordered = quantity if quantity is not None else item.quantity_to_order
    total = line_total(item.unit_price, ordered, item.currency)
    return WouldOrder(
        vendor_id=item.vendor_id,
        vendor=vendor.name if vendor else None,
        quantity=ordered,
        unit=item.unit,
        total=total if item.group is None else item.group_total,
        group=item.group,
        currency=item.currency,
        on=today,
    )


_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_/#-]{0,63}")


def own_numbers(building: Building) -> str:
    """How the numbers of the building's own orders begin."""
    return f"PO-{building.known_as}-"


def outside_number(item: Item, building: Building, reference: str | None) -> str:
    """How an order that was placed outside is named here: by its number there, like any order that was placed
    elsewhere; by its line where nobody has told a number."""
    return f"outside-{item.item_id}" if reference is None else number_elsewhere(reference, building)


def number_elsewhere(reference: str, building: Building) -> str:
    """How an order is named here that was placed elsewhere under this number: by it, where it is a plain one and could
    not be the number of an order that the agent places some day; else by one that is made of it, always the same."""
    is_own = reference.casefold().startswith(own_numbers(building).casefold())
    if _NUMBER.fullmatch(reference) is not None and not is_own:
        return reference
    digest = hashlib.sha256(reference.encode()).hexdigest()[:6]
    return f"outside-{slug(reference)[:40]}-{digest}"


def outside_order(
    file: LineFile,
    *,
    number: str,
    reference: str | None,
    lines: Sequence[OrderLine],
    standing: PurchaseOrder | None,
    seq: int,
) -> tuple[LineFile, list[Row]]:
    """The line's file with an order that was placed without the agent, and what is to be saved of it. Nothing is known
    of its price and its day. `standing`: the order, where it is on file for other lines; `lines`: its lines there."""
    order = standing or PurchaseOrder(
        number=number,
        vendor_id=file.item.vendor_id,
        currency=file.item.currency,
        external_ref=reference,
        placed_outside=True,
        caused_seq=seq,
    )
    ordered = OrderLine(
        number=order.number,
        line=next_place(lines),
        item_id=file.item.item_id,
        round=next_round(file),
        quantity=file.item.quantity_to_order,
        unit=file.item.unit,
        required_by=file.item.required_by,
    )
    if file.item.group is not None:
        ordered = ordered.model_copy(update=prices_of_line(file.item, lines))
    made = _with_order(file, order, ordered, seq)
    rows = changed_rows(file, made)
    return made, rows if order in rows else [order, *rows]
