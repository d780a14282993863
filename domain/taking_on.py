"""Taking a line on with what was known of it before: orders that were placed elsewhere, deliveries, verdicts.

What is told becomes facts and orders like any others, through the same bookkeeping. Nothing is ordered or sent again,
nothing on file is deleted, and what cannot be is refused with the field that says it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypedDict
from zoneinfo import ZoneInfo

from domain.buildings import Building
from domain.events import local_day
from domain.line_states import LineState, OrderState, ShipmentState, SubmittalState
from domain.lines.doubts import doubt_detail
from domain.lines.facts import AfterReturn, Arrived, Departed, Disposed, Fact, Handling, Inspected, Stated, Submitted
from domain.lines.gate import CLOCKS_APART, MOST_AHEAD
from domain.lines.lots import NOTHING, LotState
from domain.lines.projection import account_of, adopt, changed_rows, facts_of, project
from domain.lines.stored import fact_row, read_row
from domain.milestones import expect_taken_on
from domain.money import line_total
from domain.orders import next_place, next_round, number_elsewhere, prices_of_line
from domain.outside import shown_name
from domain.procurement import FactRow, Item, LineFile, OrderLine, PurchaseOrder, Row
from domain.text import shipment_key

SOURCE = "longlead.taken_on"
"""Source of the facts that a line was taken on with."""
MAX_AGE = timedelta(days=3653)
"""A day further back is taken for a slip: a wrong year or century."""

_HANDLINGS: dict[str, tuple[Handling, AfterReturn]] = {
    "use_as_is": ("accept", "owed"),
    "repair": ("repair", "owed"),
    "return": ("return", "owed"),
    "scrap": ("scrap", "owed"),
}


class NotPossibleError(ValueError):
    """What is told of a line cannot be; `where` names the field within its state."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where, self.why = where, why


@dataclass(frozen=True)
class Moment:
    """When lines are taken on, and with which entry."""

    today: date
    """In the building's zone."""
    now: datetime
    zone: ZoneInfo
    seq: int

    def day(self, value: date | datetime | None) -> date | None:
        """The day in the building's zone."""
        return None if value is None else local_day(value, self.zone)


order_key = shipment_key
"""What two spellings of an order's number have in common: case and spaces do not count."""


def _keys_of(order: PurchaseOrder) -> set[str]:
    """What an order is known by: our number, and its number elsewhere."""
    return {order_key(order.number), *([order_key(order.external_ref)] if order.external_ref else [])}


@dataclass
class OrderBook:
    """The orders of a building while lines are taken on: one order may have lines of several items."""

    orders: dict[str, PurchaseOrder] = field(default_factory=dict)
    """By our number."""
    lines: dict[str, list[OrderLine]] = field(default_factory=dict)
    _numbers: dict[str, str] = field(default_factory=dict)
    """Our number, by each key that an order is known by."""
    _told: dict[str, list[OrderState]] = field(default_factory=dict)
    """By the key of its number: what every line says of an order."""

    def __post_init__(self) -> None:
        for order in self.orders.values():
            self._index(order)

    def _index(self, order: PurchaseOrder) -> None:
        for key in _keys_of(order):
            self._numbers.setdefault(key, order.number)

    def add(self, order: PurchaseOrder, line: OrderLine) -> None:
        """Keep an order as it now is, with a further line."""
        self.orders[order.number] = order
        self.lines.setdefault(order.number, []).append(line)
        self._index(order)

    def find(self, reference: str, number: str) -> PurchaseOrder | None:
        """The order on file under this number of ours, or under this number elsewhere."""
        return self.orders.get(number) or self.orders.get(self._numbers.get(order_key(reference), ""))

    def note(self, states: Iterable[LineState]) -> None:
        """Note what all lines say of their orders, before the first is taken on: one of them may say the day of an
        order that the others leave out."""
        for state in states:
            for order in state.orders:
                self._told.setdefault(order_key(order.number), []).append(order)

    def ordered_on(self, told: OrderState) -> date | datetime | None:
        """The day of the order: as the line says, else as another line of it does."""
        return next((one.ordered_on for one in self._all_told(told) if one.ordered_on), None)

    def acknowledged_on(self, told: OrderState) -> date | datetime | None:
        """The day on which the order was confirmed: as the line says, else as another line of it does."""
        return next((one.acknowledged_on for one in self._all_told(told) if one.acknowledged_on), None)

    def _all_told(self, told: OrderState) -> list[OrderState]:
        """What this line says of an order, and then what all lines do."""
        return [told, *self._told.get(order_key(told.number), ())]


@dataclass(frozen=True)
class TakenOn:
    """The line's file as it then is, and what of it is to be saved; no rows: all of that was known before."""

    file: LineFile
    rows: list[Row]


class _Told(TypedDict):
    """The times and the name of a fact."""

    said_at: datetime
    received_at: datetime
    source: str
    event_id: str
    is_adopted: bool


UNTOLD = datetime(1, 1, 1, 12, tzinfo=UTC)
"""When something was said of which nobody knows that: before anything of which it is known."""


def take_on(
    file: LineFile,
    state: LineState,
    building: Building,
    moment: Moment,
    *,
    book: OrderBook,
    vendors: Collection[str],
) -> TakenOn:
    """The line with what was known of it.

    Args:
        book: the orders on file that the state names; those that are taken on are added to it.
        vendors: ids of the vendors that are known.

    Raises:
        NotPossibleError: it contradicts itself, the line, or what is on file.
    """
    return _Taking(adopt(file), state, building, moment, book, vendors).make()


class _Taking:
    def __init__(
        self,
        file: LineFile,
        state: LineState,
        building: Building,
        moment: Moment,
        book: OrderBook,
        vendors: Collection[str],
    ) -> None:
        self.before, self.state, self.building, self.moment, self.book = file, state, building, moment, book
        self.vendors = vendors
        self.file = file
        self.rows: list[FactRow] = []
        self.added: list[tuple[PurchaseOrder, OrderLine]] = []
        self.told_as: dict[str, str] = {}
        """By our number of an order that is added: its number as it was told."""

    def make(self) -> TakenOn:
        self.file = self.file.model_copy(update={"item": self._filled_in(self.file.item)})
        quantities = self._quantities()
        self.rows += self._new_submittal()
        new: list[tuple[int, OrderState]] = []
        for place, order in enumerate(self.state.orders):
            number = self._known_number(order)
            if number is None:
                new.append((place, order))
            else:
                self._tell_again(place, order, number, quantities[place])
        for place, order in sorted(new, key=lambda one: self._in_turn(one[1], quantities[one[0]])):
            self._add_order(place, order, quantities[place])
        if not (self.added or self.rows or self.file.item != self.before.item):
            return TakenOn(self.before.on_record or self.before, [])  # all of that was known
        made = self._put_together()
        self._refuse_doubts(made)
        self._refuse_lost(made)
        for order_row, line in self.added:
            projected = next(one for one in made.orders if one.number == order_row.number)
            own = next(one for one in made.order_lines if (one.number, one.line) == (line.number, line.line))
            self.book.add(projected, own)
        return TakenOn(made.model_copy(update={"on_record": None}), changed_rows(self.before, made))

    # -- the line

    def _filled_in(self, item: Item) -> Item:
        """The line with what it does not say itself and all of its orders say alike."""
        update: dict[str, object] = {}
        vendors = {order.vendor_id for order in self.state.orders if order.vendor_id and not order.cancelled}
        prices = {(one.unit_price, one.currency) for one in self.state.orders if one.unit_price is not None}
        if item.vendor_id is None and len(vendors) == 1:
            update["vendor_id"] = vendors.pop()
        if item.unit_price is None and item.group is None and len(prices) == 1:
            price, currency = prices.pop()
            update |= {"unit_price": price, "currency": currency or item.currency}
        if item.needed_quantity is None and self.state.orders:
            parts = [one.quantity for one in self.state.orders if not one.cancelled]
            known = [part for part in parts if part is not None]
            if known and len(known) == len(parts):
                update["quantity"] = sum(known, NOTHING)
        return item.model_copy(update=update) if update else item

    def _quantities(self) -> list[Decimal | None]:
        """How much each order of the state orders: what it says, else the rest of the line."""
        needed = self.file.item.quantity_to_order
        named = {self._known_number(order) for order in self.state.orders}
        others = [
            line.quantity or NOTHING
            for line in self.file.order_lines
            if line.number not in named and not self.file.is_order_cancelled(line.number)
        ]
        taken = sum([*others, *(one.quantity or NOTHING for one in self.state.orders if not one.cancelled)], NOTHING)
        return [self._quantity(place, order, needed, taken) for place, order in enumerate(self.state.orders)]

    def _quantity(self, place: int, order: OrderState, needed: Decimal | None, taken: Decimal) -> Decimal | None:
        where = f"orders.{place}"
        known = self._known_number(order)
        line = next((one for one in self.file.order_lines if one.number == known), None)
        quantity = order.quantity or (line.quantity if line else None)
        if quantity is None and order.cancelled:
            quantity = max(order.stated_quantity, needed or NOTHING) or None
        if quantity is None and needed is not None:
            quantity = needed - taken
            if quantity <= 0:
                raise NotPossibleError(
                    f"{where}.quantity", f"the other orders have all {needed:f} of the line; say how much this one does"
                )
        if quantity is None:
            if order.stated_quantity:
                why = "its shipments have quantities, and neither it nor the line has one; give one of them"
                raise NotPossibleError(f"{where}.quantity", why)
            return None
        self._check_stated(where, order, quantity)
        return quantity

    def _check_stated(self, where: str, order: OrderState, quantity: Decimal) -> None:
        if order.stated_quantity > quantity + order.most_beyond:
            raise NotPossibleError(
                f"{where}.shipments",
                f"{order.stated_quantity.normalize():f} shipped or received are more than the "
                f"{quantity.normalize():f} of the order; correct one of them, or say with over how much more came",
            )

    # -- orders

    def _known_number(self, order: OrderState) -> str | None:
        """The order of this line that is meant, by our number or by its own; None: it has none of that number."""
        meant = {order_key(order.number), order_key(number_elsewhere(order.number, self.building))}
        numbers = {one.number for one in self.file.orders if meant & _keys_of(one)}
        own = {line.number for line in self.file.order_lines}
        return next(iter(sorted(numbers & own)), None)

    def _in_turn(self, order: OrderState, quantity: Decimal | None) -> tuple[bool, bool, date]:
        """Cancelled and complete orders come before those of which something is still to come: the last one is the
        line's current order."""
        received = [one for one in order.shipments if one.standing == "received"]
        came = sum((one.quantity or one.judged for one in received), NOTHING)
        has_rest_received = any(one.quantity is None and not one.is_judged for one in received)
        is_complete = has_rest_received or (quantity is not None and came >= quantity)
        return not order.cancelled, not is_complete, self.moment.day(order.ordered_on) or date.min

    def _add_order(self, place: int, told: OrderState, quantity: Decimal | None) -> None:
        where, item = f"orders.{place}", self.file.item
        if told.vendor_id is not None and told.vendor_id not in self.vendors:
            raise NotPossibleError(
                f"{where}.vendor_id", f"{told.vendor_id} is not a vendor of the building; add it first"
            )
        ordered_on = self._past(f"{where}.ordered_on", self.book.ordered_on(told))
        acknowledged_on = self._past(f"{where}.acknowledged_on", self.book.acknowledged_on(told))
        number = number_elsewhere(told.number, self.building)
        standing = self.book.find(told.number, number)
        number = standing.number if standing else number
        if any(one.number == number for one, _ in self.added):
            raise NotPossibleError(f"{where}.number", f"{shown_name(told.number)} is given twice, under two names")
        currency = told.currency or (standing.currency if standing else item.currency)
        price = told.unit_price
        if price is None and currency == item.currency:
            price = item.unit_price
        known_lines = [*self.book.lines.get(number, []), *(line for one, line in self.added if one.number == number)]
        line = OrderLine(
            number=number,
            line=next_place(known_lines),
            item_id=item.item_id,
            round=next_round(self.file) + len(self.added),
            quantity=quantity,
            unit=item.unit,
            unit_price=price,
            required_by=item.required_by,
            status="issued",
        )
        total = line_total(price, quantity, currency)
        if item.group is not None:
            line = self._in_lump_sum(where, told, line, known_lines)
            # The price of a group counts once on its order.
            total = NOTHING if any(one.group == item.group for one in known_lines) else line.group_total
        order = PurchaseOrder(
            number=number,
            status="cancelled" if told.cancelled else "issued",
            vendor_id=told.vendor_id or item.vendor_id,
            currency=currency,
            total=total,
            external_ref=told.number,
            issued_on=ordered_on,
            cancelled_on=self.moment.today if told.cancelled else None,
            placed_outside=True,
            taken_on=self.moment.today,
            acknowledged_on=acknowledged_on,
            caused_seq=self.moment.seq,
        )
        if standing is not None:
            order = self._joined(where, standing, order, told)
        self.added.append((order, line))
        self.told_as[number] = told.number
        self.rows += self._order_facts(where, told, number, quantity)

    def _in_lump_sum(self, where: str, told: OrderState, line: OrderLine, on_it: Sequence[OrderLine]) -> OrderLine:
        """The order line of a line that has one price together with others."""
        item = self.file.item
        if told.unit_price is not None:
            why = f"{item.shown} is bought in the lump sum {item.group!r}: it has no price of its own"
            raise NotPossibleError(f"{where}.unit_price", why)
        if told.currency not in (None, item.currency):
            why = f"the price of the lump sum {item.group!r} is in {item.currency}"
            raise NotPossibleError(f"{where}.currency", why)
        return line.model_copy(update=prices_of_line(item, on_it))

    def _joined(self, where: str, standing: PurchaseOrder, order: PurchaseOrder, told: OrderState) -> PurchaseOrder:
        """An order on file with a line more. What both say must be the same."""
        if not standing.placed_outside:
            why = f"{shown_name(told.number)} is an order of Longlead's own, of another line"
            raise NotPossibleError(f"{where}.number", why)
        for name, given in (
            ("vendor_id", order.vendor_id),
            ("currency", told.currency),
            ("ordered_on", order.issued_on),
            ("acknowledged_on", order.acknowledged_on),
        ):
            known = getattr(standing, "issued_on" if name == "ordered_on" else name)
            if None not in (given, known) and given != known:
                why = (
                    f"{shown_name(told.number)} has {known} on another line, and an order has one; correct one of them"
                )
                raise NotPossibleError(f"{where}.{name}", why)
        if (standing.status == "cancelled") != told.cancelled:
            why = (
                f"{shown_name(told.number)} is {standing.status} on another line; an order is cancelled as a whole here"
            )
            raise NotPossibleError(f"{where}.cancelled", why)
        total = (
            None if None in (standing.total, order.total) else (standing.total or NOTHING) + (order.total or NOTHING)
        )
        update = {
            "total": total,
            "vendor_id": standing.vendor_id or order.vendor_id,
            "issued_on": standing.issued_on or order.issued_on,
            "acknowledged_on": standing.acknowledged_on or order.acknowledged_on,
            "caused_seq": self.moment.seq,
        }
        return standing.model_copy(update=update)

    def _tell_again(self, place: int, told: OrderState, number: str, quantity: Decimal | None) -> None:
        """An order that is on file: what was taken on before may be told again; more is told of it once, where nothing
        was taken on with it."""
        where = f"orders.{place}"
        order = next(one for one in self.file.orders if one.number == number)
        line = next(one for one in self.file.order_lines if one.number == number)
        is_cancelled = told.cancelled if "cancelled" in told.model_fields_set else None
        for name, given, known in (
            ("quantity", told.quantity, line.quantity),
            ("unit_price", told.unit_price, line.unit_price),
            ("vendor_id", told.vendor_id, order.vendor_id),
            ("currency", told.currency, order.currency),
            ("ordered_on", self.moment.day(told.ordered_on), order.issued_on),
            (
                "acknowledged_on",
                self.moment.day(told.acknowledged_on),
                order.acknowledged_on or _acknowledged(self.file, number),
            ),
            ("cancelled", is_cancelled, self.file.is_order_cancelled(number)),
        ):
            if given is not None and given != known:
                shown = (
                    "not known" if known is None else f"{known.normalize():f}" if isinstance(known, Decimal) else known
                )
                raise NotPossibleError(
                    f"{where}.{name}",
                    f"{shown_name(told.number)} is on file, where it is {shown}; send what has changed as events, or "
                    "change the line",
                )
        rows = self._order_facts(where, told, number, quantity)
        known_facts = {
            self._content(row)
            for row in self.file.facts
            if row.source == SOURCE and row.event_id.startswith(f"{number}:")
        }
        if not known_facts:
            self.rows += rows
        elif any(self._content(row) not in known_facts for row in rows):
            raise NotPossibleError(
                where,
                f"{shown_name(told.number)} was taken on before with other shipments or days; send what has happened "
                "since as events (Shipment_Arrived_Site and others)",
            )

    # -- facts

    def _new_submittal(self) -> list[FactRow]:
        told = self.state.submittal
        if told is None:
            return []
        row = self._row(self._submittal(told))
        known = {self._content(one) for one in self.file.facts if one.source == SOURCE and one.kind == "submitted"}
        return [] if self._content(row) in known else [row]

    def _submittal(self, told: SubmittalState) -> Submitted:
        day = self._past("submittal.on", told.on)
        return Submitted(
            **self._told(f"submittal:{self.moment.seq}", day),
            day=day or date.min,
            is_undated=day is None,
            is_approved=told.verdict == "approved",
            revision=told.revision,
        )

    def _order_facts(self, where: str, told: OrderState, number: str, quantity: Decimal | None) -> list[FactRow]:
        facts: list[Fact] = []
        if told.promised_on is not None:
            said_on = self._past(f"{where}.said_on", told.said_on)
            promised = self._ahead(f"{where}.promised_on", told.promised_on)
            facts.append(Stated(**self._told(f"{number}:promise", said_on), day=promised, kind="promise", order=number))
        sizes = [
            self._size_of(f"{where}.shipments.{place}", told, shipment, quantity)
            for place, shipment in enumerate(told.shipments)
        ]
        returned_by = self._returned_by(told, sizes, quantity)
        for place, (shipment, size) in enumerate(zip(told.shipments, sizes, strict=True)):
            name = f"{number}:{place + 1}"
            facts += self._delivery(f"{where}.shipments.{place}", shipment, number, name, size, returned_by)
        return [self._row(fact) for fact in facts]

    def _size_of(
        self, where: str, told: OrderState, shipment: ShipmentState, quantity: Decimal | None
    ) -> Decimal | None:
        """How much a shipment has: what it says, what was judged of it, or what no other shipment of the order has."""
        if shipment.quantity is not None or shipment.is_judged:
            return shipment.quantity or shipment.judged
        if quantity is None:
            return None
        rest = quantity + told.most_beyond - told.stated_quantity
        if rest <= 0:
            why = f"the other shipments have all {quantity.normalize():f} of the order; say how much this one has"
            raise NotPossibleError(f"{where}.quantity", why)
        return rest

    def _returned_by(self, told: OrderState, sizes: list[Decimal | None], quantity: Decimal | None) -> date:
        """The last day on which goods can have gone back of which nobody knows that: before their replacement set out,
        which is the first shipment for which the order has no room otherwise."""
        today = self.moment.today
        if quantity is None:
            return today
        left = quantity + (told.over or NOTHING)
        others: list[tuple[date, Decimal]] = []
        for shipment, size in zip(told.shipments, sizes, strict=True):
            if shipment.disposition == "return":
                left -= size or NOTHING
            else:
                others.append((self.moment.day(shipment.departed_on or shipment.arrived_on) or today, size or NOTHING))
        for day, size in sorted(others):
            left -= size
            if left < 0:
                return min(day - timedelta(days=1), today)
        return today

    def _delivery(
        self, where: str, told: ShipmentState, number: str, name: str, size: Decimal | None, returned_by: date
    ) -> Iterable[Fact]:
        departed_on = self._past(f"{where}.departed_on", told.departed_on)
        arrived_on = self._past(f"{where}.arrived_on", told.arrived_on)
        inspected_on = self._past(f"{where}.inspected_on", told.inspected_on)
        eta = None if told.eta is None else self._ahead(f"{where}.eta", told.eta)
        standing = told.standing
        # What is not known had happened by then.
        last = returned_by if told.disposition == "return" else self.moment.today
        by = inspected_on or max(last, departed_on or last, arrived_on or last)
        shipment_id = told.shipment_id
        if standing == "in_transit" or departed_on is not None:
            yield Departed(
                **self._told(f"{name}:departed", departed_on),
                day=departed_on or (arrived_on or by),
                is_undated=departed_on is None,
                judgement="another",
                order=number,
                shipment_id=shipment_id,
                quantity=size,
                eta=eta,
            )
        elif eta is not None and standing == "expected":
            yield Stated(
                **self._told(f"{name}:eta", None),
                day=eta,
                kind="eta",
                order=number,
                shipment_id=shipment_id,
                quantity=size,
            )
        if standing != "received":
            return
        arrival = Arrived(
            **self._told(f"{name}:arrived", arrived_on),
            day=arrived_on or by,
            is_undated=arrived_on is None,
            judgement="another",
            order=number,
            shipment_id=shipment_id,
            quantity=size,
            is_off_site=told.place == "storage",
        )
        yield arrival
        yield from self._verdicts(told, number, name, inspected_on, by, shipment_id or arrival.key)

    def _verdicts(
        self, told: ShipmentState, number: str, name: str, inspected_on: date | None, day: date, shipment: str
    ) -> Iterable[Fact]:
        if told.accepted is not None:
            yield Inspected(
                **self._told(f"{name}:accepted", inspected_on),
                day=day,
                is_undated=inspected_on is None,
                judgement="another",
                order=number,
                shipment_id=shipment,
                quantity=told.accepted,
                passed=True,
            )
        if told.rejected is None:
            return
        failed = Inspected(
            **self._told(f"{name}:rejected", inspected_on),
            day=day,
            is_undated=inspected_on is None,
            judgement="another",
            order=number,
            shipment_id=shipment,
            quantity=told.rejected,
            passed=False,
            rejected=told.rejected,
            ncr_number=told.ncr_number,
        )
        yield failed
        if told.disposition is not None:
            handling, then = _HANDLINGS[told.disposition]
            yield Disposed(
                **self._told(f"{name}:decided", inspected_on),
                day=day,
                is_undated=inspected_on is None,
                ncr=failed.ncr,
                handling=handling,
                then=then,
            )

    def _told(self, name: str, day: date | None) -> _Told:
        """Said at noon of its day; where nobody knows the day, before anything of which it is known."""
        said_at = UNTOLD
        if day is not None:
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            # Far east of UTC the day is over before that.
            end = datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=self.moment.zone).astimezone(UTC)
            said_at = min(noon, end, self.moment.now)
        return {
            "said_at": said_at,
            "received_at": self.moment.now,
            "source": SOURCE,
            "event_id": name,
            "is_adopted": True,
        }

    def _row(self, fact: Fact) -> FactRow:
        return fact_row(fact, self.file.item.item_id, f"{self.moment.seq}-{fact.event_id}", self.moment.seq)

    def _content(self, row: FactRow) -> tuple[object, ...]:
        """What a fact says, whenever it was taken on."""
        fact = read_row(row)
        # What was said on the day itself was said by the moment: east of UTC that may still be the day before there.
        is_of_moment = fact.said_at == fact.received_at
        day = local_day(fact.said_at, self.moment.zone) if is_of_moment else fact.said_at.date()
        said_at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        fact = replace(fact, said_at=said_at, received_at=UNTOLD, event_id="", is_voided=False)
        return row.kind, replace(fact, day=date.min) if fact.is_undated else fact

    def _past(self, where: str, value: date | datetime | None) -> date | None:
        """A day on which something has happened."""
        day = self.moment.day(value)
        if day is None:
            return None
        if day > self.moment.today + CLOCKS_APART:
            raise NotPossibleError(where, f"{day} is still to come; correct it, or leave out what has not happened yet")
        if self.moment.today - day > MAX_AGE:
            raise NotPossibleError(where, f"{day} is more than ten years ago; correct it, or leave it out")
        return day

    def _ahead(self, where: str, value: date | datetime) -> date:
        """A day on which something was or is expected."""
        day = local_day(value, self.moment.zone)
        if day - self.moment.today > MOST_AHEAD:
            raise NotPossibleError(where, f"{day} is more than five years ahead; correct it")
        if self.moment.today - day > MAX_AGE:
            raise NotPossibleError(where, f"{day} is more than ten years ago; correct it, or leave it out")
        return day

    # -- all of it together

    def _put_together(self) -> LineFile:
        added = {order.number: order for order, _ in self.added}
        item = self.file.item.model_copy(
            update={"taken_on": self.moment.today, "would_order": None, "caused_seq": self.moment.seq}
        )
        known = {(line.number, line.line): line for line in self.file.other_order_lines}
        for number in {line.number for line in self.file.order_lines} | added.keys():
            known |= {(line.number, line.line): line for line in self.book.lines.get(number, [])}
        update = {
            "item": item,
            "other_order_lines": [line for line in known.values() if line.item_id != item.item_id],
            "facts": [*self.file.facts, *self.rows],
            "orders": [*(one for one in self.file.orders if one.number not in added), *added.values()],
            "order_lines": [*self.file.order_lines, *(line for _, line in self.added)],
        }
        made = project(self.file.model_copy(update=update), self.moment.seq)
        milestones = expect_taken_on(made, self.building, self.moment.today, self.moment.seq)
        return made.model_copy(update={"milestones": [*made.milestones, *milestones]})

    def _refuse_doubts(self, made: LineFile) -> None:
        """What contradicts what is on file is refused: it can be told as an event, and is then asked about."""
        before = {doubt.fact for doubt in account_of(self.before).doubts}
        facts = {fact.key: fact for fact in facts_of(made)}
        for doubt in account_of(made).doubts:
            if doubt.fact not in before:
                raise NotPossibleError(_place_of(facts[doubt.fact]), doubt_detail(made.item, facts[doubt.fact], doubt))

    def _refuse_lost(self, made: LineFile) -> None:
        """What is said to be on the road is on the road, or the state is refused: a replacement finds no room on its
        order where nobody can tell that goods went back before it set out."""
        lots = account_of(made).lots
        for order, _ in self.added:
            place, told = next(
                (n, o) for n, o in enumerate(self.state.orders) if o.number == self.told_as[order.number]
            )
            if told.cancelled or any(one.quantity is None for one in told.shipments):
                continue
            sent = sum((one.quantity or NOTHING for one in told.shipments if one.standing == "in_transit"), NOTHING)
            own = (lot.quantity for lot in lots if lot.order == order.number and lot.state == LotState.IN_TRANSIT)
            found = sum(own, NOTHING)
            if found < sent:
                why = (
                    f"{sent.normalize():f} are told to be on the way, and the order has room for {found.normalize():f} "
                    "of them; say when the returned goods were inspected, or correct the quantities"
                )
                raise NotPossibleError(f"orders.{place}.shipments", why)


def _acknowledged(file: LineFile, number: str) -> date | None:
    return file.item.account.acknowledged_on if file.item.account and len(file.order_lines) == 1 and number else None


def _place_of(fact: Fact) -> str:
    return "orders" if fact.order is None else f"orders ({shown_name(fact.order)})"
