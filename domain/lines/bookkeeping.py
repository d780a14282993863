"""Keeping a line's account: every fact is applied in the order in which it happened.

On one day the order is: ordered, departed, arrived, inspected, decided, cancelled. The order in which the facts came in
does not matter. A fact that cannot be applied is kept aside with the reason, and is applied by itself as soon as what
was missing is there.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

from domain.lines.account import Account, Arrival, Delivery, Doubt, Nonconformance, OrderLine, Reason, Verdict
from domain.lines.facts import Arrived, Cancelled, Departed, Disposed, Fact, Handling, Inspected, Ordered, Stated
from domain.lines.lots import COMING, NOTHING, WITHOUT_VERDICT, Change, Lot, LotState, Stock, Where, merge_lots
from domain.lines.quantities import ONE_LOT
from domain.lines.sameness import Claim, group_arrivals, group_departures, group_inspections

BEFORE_ANY_ORDER = ""
"""The order line of goods that came before anything was ordered here."""

Step: TypeAlias = Ordered | Cancelled | Disposed | Claim[Departed] | Claim[Arrived] | Claim[Inspected]
_RANKS = {Ordered: 0, Departed: 1, Arrived: 2, Inspected: 3, Disposed: 4, Cancelled: 5}

_ORDERED = frozenset({LotState.ORDERED})
_IN_TRANSIT = frozenset({LotState.IN_TRANSIT})
_ON_SITE = frozenset({LotState.ON_SITE})
_IN_REPAIR = frozenset({LotState.IN_REPAIR})
_ACCEPTED = frozenset({LotState.ACCEPTED})
_REJECTED = frozenset({LotState.REJECTED})
_HANDLED: dict[Handling, LotState] = {
    "repair": LotState.IN_REPAIR,
    "return": LotState.RETURNED,
    "accept": LotState.ACCEPTED,
    "scrap": LotState.SCRAPPED,
}


def keep_account(needed: Decimal | None, tolerance: Decimal, facts: Sequence[Fact]) -> Account:
    """Compute a line's account from its facts, given in any order.

    Args:
        needed: how much the site needs; None: one lot.
        tolerance: the share of it that may be missing (`domain.lines.quantities`).
    """
    return _Bookkeeper(ONE_LOT if needed is None else needed, tolerance).keep(facts)


class _Bookkeeper:
    def __init__(self, needed: Decimal, tolerance: Decimal) -> None:
        self.needed, self.tolerance = needed, tolerance
        self.stock = Stock()
        self.orders: dict[str, OrderLine] = {}
        self.ncrs: dict[str, Nonconformance] = {}
        self.ncr_names: dict[str, str] = {}
        """The number that a nonconformance got after it was noted on arrival."""
        self.numbered: set[str] = set()
        """Nonconformances that somebody gave a number."""
        self.first_arrival: date | None = None
        self.doubts: list[Doubt] = []
        self.shipment_ids: dict[str, frozenset[str]] = {}
        self.shipments_called: dict[str, dict[str, None]] = {}
        """Shipments by each of their ids."""
        self.departed: set[str] = set()
        self.shipped: dict[str, Decimal] = {}
        """How much left with a shipment."""
        self.deliveries: dict[str, Delivery] = {}
        self.verdicts: list[Verdict] = []
        self.unsure: list[Departed | Arrived | Inspected] = []

    def keep(self, facts: Sequence[Fact]) -> Account:
        for step in self._sort(self._steps([fact for fact in facts if not fact.is_voided])):
            self._apply(step)
        self.doubts += [Doubt(report.key, "told_twice") for report in self.unsure if self._would_count(report)]
        self._doubt_statements([fact for fact in facts if isinstance(fact, Stated) and not fact.is_voided])
        return Account(
            needed=self.needed,
            missing_allowed=self.needed * self.tolerance,
            lots=merge_lots(self.stock.lots),
            orders=tuple(self.orders[number] for number in sorted(self.orders)),
            ncrs=tuple(self.ncrs[ncr] for ncr in sorted(self.ncrs)),
            doubts=tuple(sorted(self.doubts, key=lambda doubt: (doubt.fact, doubt.reason))),
            shipment_ids=self.shipment_ids,
            ncr_names=self.ncr_names,
            deliveries=tuple(self.deliveries[name] for name in sorted(self.deliveries)),
            verdicts=tuple(self.verdicts),
        )

    # -- what happened, in its order

    def _steps(self, facts: Sequence[Fact]) -> list[Step]:
        orders = [fact for fact in facts if isinstance(fact, Ordered)]
        if not orders:
            self._open(OrderLine(BEFORE_ANY_ORDER, self.needed))
        departures = group_departures(fact for fact in facts if isinstance(fact, Departed))
        arrivals = group_arrivals(fact for fact in facts if isinstance(fact, Arrived))
        repairs = {fact.ncr: fact.day for fact in facts if isinstance(fact, Disposed) and fact.handling == "repair"}
        inspections = group_inspections((fact for fact in facts if isinstance(fact, Inspected)), repairs)
        self.first_arrival = min((claim.day for claim in arrivals), default=None)
        self.numbered = {claim.first.ncr for claim in inspections if claim.first.ncr_number}
        self.unsure = [
            *(report for claim in departures for report in claim.unsure),
            *(report for claim in arrivals for report in claim.unsure),
            *(report for claim in inspections for report in claim.unsure),
        ]
        decisions = [fact for fact in facts if isinstance(fact, (Cancelled, Disposed))]
        return [*orders, *decisions, *self._possible(departures, arrivals), *arrivals, *inspections]

    def _possible(self, departures: list[Claim[Departed]], arrivals: list[Claim[Arrived]]) -> list[Claim[Departed]]:
        """Departures without those after the arrival: the arrival was seen on site, so the departure is doubted."""
        arrived = {alias: claim.day for claim in arrivals for alias in claim.aliases}
        possible = []
        for claim in departures:
            days = [arrived[alias] for alias in claim.aliases if alias in arrived]
            if days and claim.day > min(days):
                self._doubt(claim, "departed_after_arrival", day=min(days))
            else:
                possible.append(claim)
        return possible

    def _sort(self, steps: list[Step]) -> list[Step]:
        """By day; an order was there before whatever came of it, and a decision comes after what it decides about."""
        arrived_by = [step.day for step in steps if _is_undated_arrival(step)]
        rejected = _first_rejections(steps, arrived_by)
        first = min((step.day for step in steps), default=date.min)

        def key(step: Step) -> tuple[date, int, datetime, datetime, str, str]:
            told = step.first if isinstance(step, Claim) else step
            day = _not_before(step, arrived_by)
            if isinstance(step, Disposed):
                day = max(day, rejected.get(step.ncr, day))
            return day, _RANKS[type(told)], *told.saying

        ordered = sorted(steps, key=key)
        # Goods that came before the first order (bought elsewhere, or told late) are of that order.
        opening = next((step for step in ordered if isinstance(step, Ordered)), None)
        if opening is not None and opening.day > first:
            ordered.remove(opening)
            ordered.insert(0, opening)
        return ordered

    def _apply(self, step: Step) -> None:
        if isinstance(step, Ordered):
            quantity = ONE_LOT if step.quantity is None else step.quantity
            order = OrderLine(step.order or step.key, quantity, placed_on=step.day, is_adopted=step.is_adopted)
            order = replace(order, is_undated=step.is_undated)
            self._open(order)
        elif isinstance(step, Cancelled):
            self._cancel(step)
        elif isinstance(step, Disposed):
            self._dispose(step)
        elif isinstance(step.first, Departed):
            self._depart(step)
        elif isinstance(step.first, Arrived):
            self._arrive(step)
        else:
            self._inspect(step)

    def _doubt(
        self,
        step: Step | Stated,
        reason: Reason,
        *,
        day: date | None = None,
        quantity: Decimal | None = None,
        order: str | None = None,
    ) -> None:
        told = step.newest if isinstance(step, Claim) else step
        self.doubts.append(Doubt(told.key, reason, day, quantity, order))

    def _would_count(self, report: Departed | Arrived | Inspected) -> bool:
        """Whether it matters if a report tells a known fact again: something is still to come, or to be judged, that it
        could be of."""
        if isinstance(report, Inspected):
            states = WITHOUT_VERDICT if report.passed else WITHOUT_VERDICT | _ACCEPTED
            return bool(self.stock.total(Where(states, order=report.order)))
        waits = _ORDERED if isinstance(report, Departed) else COMING
        return any(
            self.stock.total(Where(waits, order=order.number))
            for order in self.orders.values()
            if not order.is_cancelled
            and report.order in (None, order.number)
            and self._was_placed_by(order, report.day)
        )

    def _doubt_statements(self, statements: Sequence[Stated]) -> None:
        """A day that is named for a shipment of which nobody has heard, where nothing is left that could leave with it,
        waits until somebody has."""
        known = frozenset[str]().union(self.shipment_ids, *self.shipment_ids.values())
        for fact in statements:
            if fact.order is not None and fact.order not in self.orders:
                self._doubt(fact, "unknown_order")
        has_unshipped = bool(self.stock.total(Where(_ORDERED)))
        for fact in statements:
            is_unknown = fact.shipment_id is not None and fact.shipment_id not in known
            if is_unknown and not has_unshipped and not self._is_adopted:
                self._doubt(fact, "unknown_shipment")
        for fact in statements:
            departed_on = self._left_on(fact) if fact.kind == "eta" else None
            if departed_on is not None and fact.day < departed_on:
                self._doubt(fact, "eta_before_departure", day=departed_on)

    def _left_on(self, fact: Stated) -> date | None:
        """The last day on which something left that an ETA speaks of and that is under way: what was expected of it
        before it left was no slip, but has been overtaken."""
        under_way = {lot.shipment for lot in self.stock.find(Where(_IN_TRANSIT, order=fact.order))}
        said_on = fact.said_at.date()
        days = [
            delivery.departed_on
            for delivery in self.deliveries.values()
            if delivery.name in under_way
            and delivery.departed_on is not None
            and delivery.departed_on <= said_on
            and fact.shipment_id in (None, delivery.name, *self.shipment_ids.get(delivery.name, ()))
        ]
        return max(days, default=None)

    @property
    def _is_adopted(self) -> bool:
        return any(order.is_adopted for order in self.orders.values())

    # -- orders

    def _open(self, order: OrderLine) -> None:
        if order.number in self.orders:
            return
        self.orders[order.number] = order
        self.stock.add(Lot(order.number, order.ordered, LotState.ORDERED, since=order.placed_on))

    def _cancel(self, fact: Cancelled) -> None:
        if fact.order not in self.orders:
            self._doubt(fact, "unknown_order")
            return
        self.orders[fact.order] = replace(self.orders[fact.order], is_cancelled=True)
        self.stock.move(Where(COMING, order=fact.order), Change(LotState.CANCELLED, fact.day))

    def _named_order(self, step: Claim[Departed] | Claim[Arrived] | Claim[Inspected]) -> OrderLine | None:
        """The order line that a report names. Doubted where there is none, or it is cancelled."""
        order = self.orders.get(step.order or "")
        if order is None:
            self._doubt(step, "unknown_order")
        elif order.is_cancelled:
            self._doubt(step, "cancelled_order")
            return None
        return order

    def _waiting_order(
        self, step: Claim[Departed] | Claim[Arrived] | Claim[Inspected], states: frozenset[LotState]
    ) -> OrderLine | None:
        """Where nobody names the order: the oldest that waits for exactly so much, else the oldest that waits for
        anything. One that was placed after that day waits for nothing of it."""
        waiting = {
            order.number: self.stock.total(Where(states, order=order.number))
            for order in sorted(self.orders.values(), key=lambda order: (order.placed_on or date.min, order.number))
            if not order.is_cancelled and self._was_placed_by(order, step.day)
        }
        exact = [number for number, quantity in waiting.items() if quantity and quantity == step.quantity]
        some = [number for number, quantity in waiting.items() if quantity]
        return self.orders[(exact or some)[0]] if some else None

    def _was_placed_by(self, order: OrderLine, day: date) -> bool:
        oldest = min(self.orders.values(), key=lambda other: (other.placed_on or date.min, other.number))
        return order == oldest or order.placed_on is None or order.placed_on <= day

    # -- deliveries

    def _depart(self, claim: Claim[Departed]) -> None:
        order = self._named_order(claim) if claim.order else self._waiting_order(claim, _ORDERED)
        if order is None:
            if not claim.order:
                self._doubt_departure(claim)
            return
        shipment = self._name_shipment(claim, claim.shipment_id or claim.key)
        self.departed.add(shipment)
        change = Change(LotState.IN_TRANSIT, claim.day, shipment=shipment)
        moved = self.stock.move(Where(_ORDERED, order=order.number), change, claim.quantity)
        if not moved:
            self._doubt_departure(claim)
            return
        self.shipped[shipment] = moved
        delivery = self._delivery(shipment, order.number, claim)
        delivery.departed_on, delivery.is_undated = claim.day, claim.is_undated

    def _doubt_departure(self, claim: Claim[Departed]) -> None:
        """Nothing is left that could have departed: its order is cancelled, or it had arrived before."""
        if self.orders and all(order.is_cancelled for order in self.orders.values()):
            self._doubt(claim, "cancelled_order", order=max(self.orders))
            return
        arrived = [
            arrival.day
            for delivery in self.deliveries.values()
            for arrival in delivery.arrivals
            if delivery.departed_on is None and arrival.day < claim.day
        ]
        if arrived:
            self._doubt(claim, "departed_after_arrival", day=max(arrived))
        else:
            self._doubt(claim, "nothing_left_to_ship")

    def _delivery(self, name: str, order: str, claim: Claim[Departed] | Claim[Arrived]) -> Delivery:
        delivery = self.deliveries.setdefault(name, Delivery(name, order))
        delivery.reports += [report.key for report in claim.reports]
        return delivery

    def _note_arrival(self, claim: Claim[Arrived], name: str, order: str, quantity: Decimal) -> None:
        delivery = self._delivery(name, order, claim)
        delivery.arrivals.append(Arrival(claim.key, claim.day, quantity))
        delivery.reports += [part.key for part in claim.parts]

    def _name_shipment(self, claim: Claim[Departed] | Claim[Arrived], name: str) -> str:
        self.shipment_ids[name] = self.shipment_ids.get(name, frozenset()) | claim.aliases
        for alias in {name, *claim.aliases}:
            self.shipments_called.setdefault(alias, {})[name] = None
        return name

    def _named_shipment(self, aliases: frozenset[str]) -> str | None:
        """The shipment that has one of these ids; of several, the one that was told of first."""
        found = {name for alias in aliases for name in self.shipments_called.get(alias, ())}
        if len(found) < 2:
            return next(iter(found), None)
        return next(name for name in self.shipment_ids if name in found)

    def _arrive(self, claim: Claim[Arrived]) -> None:
        shipment = self._known_shipment(claim)
        if shipment is not None:
            lots = self.stock.find(Where(frozenset(LotState), shipment=shipment))
            order: OrderLine | None = self.orders[lots[0].order]
            if lots[0].state == LotState.CANCELLED:
                self._doubt(claim, "cancelled_order")
                return
        elif claim.order:
            order = self._named_order(claim)
            if order is None:
                return
        else:
            order = self._waiting_order(claim, COMING)
        if order is None:
            self._arrive_beyond(claim)
            return
        if claim.first.is_off_site:
            self._store(claim, order, shipment)
            return
        self._receive(claim, order, shipment)
        self._reject_on_arrival(claim)
        if claim.newest.is_complete:
            self._complete(claim, order)

    def _store(self, claim: Claim[Arrived], order: OrderLine, shipment: str | None) -> None:
        """Goods that were stored elsewhere left the factory and are still under way."""
        own = self._name_shipment(claim, shipment or claim.shipment_id or claim.key)
        self._delivery(own, order.number, claim)
        change = Change(LotState.IN_TRANSIT, claim.day, shipment=own)
        left = claim.quantity
        for where in (Where(_IN_TRANSIT, shipment=own), Where(_ORDERED, order=order.number)):
            moved = self.stock.move(where, change, left)
            if left is None and moved:
                return
            left = None if left is None else left - moved

    def _complete(self, claim: Claim[Arrived], order: OrderLine) -> None:
        """Nothing more comes: parts of unknown size are all that was still to come."""
        unknown = self.stock.find(Where(_ON_SITE | _ACCEPTED, order=order.number))
        part = next((lot for lot in unknown if lot.is_unknown), None)
        if part is None:
            return
        self.stock.close_unknown_parts(order.number)
        change = Change(LotState.ON_SITE, claim.day, shipment=part.shipment)
        moved = self.stock.move(Where(COMING, order=order.number), change)
        self._note_arrival(claim, part.shipment or claim.key, order.number, moved)
        if part.state != LotState.ON_SITE:
            of_part = Where(_ON_SITE, order=order.number, shipment=part.shipment)
            self.stock.move(of_part, Change(part.state, claim.day), moved)

    def _reject_on_arrival(self, claim: Claim[Arrived]) -> None:
        """What was damaged, or is not what was ordered, is a nonconformance from the start."""
        newest = claim.newest
        if newest.condition not in ("damaged", "wrong") and newest.damaged is None:
            return
        own = [arrival for one in self.deliveries.values() for arrival in one.arrivals if arrival.fact == claim.key]
        came = sum((arrival.quantity for arrival in own), NOTHING)
        rejected = came if newest.condition == "wrong" or newest.damaged is None else min(newest.damaged, came)
        name = next((name for name, one in self.deliveries.items() if own and own[0] in one.arrivals), None)
        if not rejected or name is None:
            return
        where = Where(_ON_SITE, shipment=name)
        judged = self.stock.find(where)
        moved = self.stock.move(where, Change(LotState.REJECTED, claim.day, ncr=claim.key), rejected)
        self.ncrs[claim.key] = Nonconformance(claim.key, moved, moved)
        self.ncr_names |= {report.key: claim.key for report in claim.reports if report.key != claim.key}
        order = judged[0].order if judged else ""
        self.verdicts.append(
            Verdict(claim.key, (newest.key,), False, claim.day, order, (name,), moved, claim.key, is_on_arrival=True)
        )

    def _known_shipment(self, claim: Claim[Arrived]) -> str | None:
        """The shipment that arrived: the one that is named, else the one of exactly that quantity; a report without an
        id may also be of the first that left."""
        known = self._named_shipment(claim.aliases)
        if known is not None:
            return known if self.stock.find(Where(frozenset(LotState), shipment=known)) else None
        coming = self.stock.find(Where(_IN_TRANSIT, order=claim.order, until=claim.day))
        exact = [lot for lot in coming if lot.quantity == claim.quantity]
        possible = exact or ([] if claim.aliases or claim.is_undated else coming)
        possible.sort(key=lambda lot: (lot.since or date.min, lot.shipment or ""))
        return possible[0].shipment if possible else None

    def _receive(self, claim: Claim[Arrived], order: OrderLine, shipment: str | None) -> None:
        """Move what arrived on site: of its shipment first, then of what had not left as far as we know."""
        left = claim.quantity
        has_left = shipment is not None and bool(self.stock.find(Where(_IN_TRANSIT, shipment=shipment)))
        if shipment is not None and not has_left and claim.newest.judgement != "another":
            self._receive_more(claim, order, shipment)
            return
        own = self._name_shipment(claim, shipment or claim.shipment_id or claim.key)
        change = Change(LotState.ON_SITE, claim.day, shipment=own, is_undated=claim.is_undated)
        if left is None:
            if claim.newest.is_complete is False:
                part = Lot(order.number, NOTHING, LotState.ON_SITE, own, since=claim.day, is_unknown=True)
                self.stock.add(replace(part, arrived_on=claim.day, is_undated=claim.is_undated))
                self._note_arrival(claim, own, order.number, NOTHING)
                return
            where = Where(_IN_TRANSIT, shipment=own) if has_left else Where(_ORDERED, order=order.number)
            self._note_arrival(claim, own, order.number, self.stock.move(where, change))
            return
        self._note_arrival(claim, own, order.number, left)
        for where in (
            Where(_IN_TRANSIT, shipment=own),
            Where(_ORDERED, order=order.number),
            Where(_IN_TRANSIT, order=order.number),
        ):
            left -= self.stock.move(where, change, left)
        if left:
            self._add_over(order.number, left, own, claim)
        elif claim.newest.is_complete is not False:
            self._miss_rest(own, order)

    def _miss_rest(self, shipment: str, order: OrderLine) -> None:
        """A shipment came short: what of it is missing is still to be delivered."""
        back = Change(LotState.ORDERED, order.placed_on or date.min, leaves_shipment=True)
        self.stock.move(Where(_IN_TRANSIT, shipment=shipment), back)

    def _receive_more(self, claim: Claim[Arrived], order: OrderLine, shipment: str) -> None:
        """A further part of a shipment of which nothing is under way as far as we know: it is one as long as what left
        with it, else the order, has room; else it may be the first part told again."""
        room = self.stock.total(Where(_ORDERED, order=order.number))
        if shipment in self.departed:
            delivery = self.deliveries.get(shipment)
            came = sum((arrival.quantity for arrival in delivery.arrivals), NOTHING) if delivery else NOTHING
            room = min(room, self.shipped.get(shipment, NOTHING) - came)
        if room <= 0 or claim.quantity is None:
            self._doubt(claim, "told_twice")
            return
        change = Change(LotState.ON_SITE, claim.day, shipment=self._name_shipment(claim, shipment))
        self._note_arrival(claim, shipment, order.number, claim.quantity)
        left = claim.quantity - self.stock.move(Where(_ORDERED, order=order.number), change, claim.quantity)
        if left:
            self._add_over(order.number, left, shipment, claim)

    def _arrive_beyond(self, claim: Claim[Arrived]) -> None:
        """Nothing was to come: only a person's word makes it goods beyond the order."""
        if claim.newest.judgement != "another" or claim.quantity is None:
            self._doubt(claim, "nothing_left_to_arrive")
            return
        newest = max(self.orders.values(), key=lambda order: (order.placed_on or date.min, order.number))
        own = self._name_shipment(claim, claim.shipment_id or claim.key)
        self._note_arrival(claim, own, newest.number, claim.quantity)
        self._add_over(newest.number, claim.quantity, own, claim)

    def _add_over(self, number: str, quantity: Decimal, shipment: str, claim: Claim[Arrived]) -> None:
        order = self.orders[number]
        self.orders[number] = replace(order, over=order.over + quantity)
        over = Lot(number, quantity, LotState.ON_SITE, shipment, since=claim.day, arrived_on=claim.day, is_over=True)
        self.stock.add(replace(over, is_undated=claim.is_undated))

    # -- verdicts and decisions

    def _inspect(self, claim: Claim[Inspected]) -> None:
        before = list(self.stock.lots)
        scope = self._inspected(claim)
        if scope is None:
            return
        if claim.first.passed:
            self._accept(claim, scope)
        elif not self._is_too_much(claim, scope):
            self._name_ncr(claim)
            self._reject(claim, scope)
        else:
            self.stock.lots = before  # what is doubted implies no arrival either

    def _is_too_much(self, claim: Claim[Inspected], scope: Where) -> bool:
        """Whether a verdict rejects more than there was: then it is doubted."""
        there = self.stock.total(replace(scope, states=WITHOUT_VERDICT | _ACCEPTED))
        if claim.rejected is None and claim.quantity is not None:
            rejected = claim.quantity
        else:
            rejected = claim.rejected or NOTHING
        if rejected <= there or self._seen_on_arrival(claim, scope) is not None:
            return False
        self._doubt(claim, "more_rejected_than_there", quantity=there)
        return True

    def _name_ncr(self, claim: Claim[Inspected]) -> None:
        """Every report of a nonconformance is a name of it."""
        for report in claim.reports:
            if report.ncr != claim.first.ncr:
                self.ncr_names.setdefault(report.ncr, claim.first.ncr)
            if report.key != claim.first.ncr:
                self.ncr_names.setdefault(report.key, claim.first.ncr)

    def _inspected(self, claim: Claim[Inspected]) -> Where | None:
        """What a verdict is about: the shipment that it names, else all that was on site without a verdict. None where
        nothing of it had arrived by then as far as we know."""
        if claim.order and self._named_order(claim) is None:
            return None
        shipment = None
        if claim.aliases:
            reported = (name for name, one in self.deliveries.items() if claim.aliases & set(one.reports))
            shipment = self._named_shipment(claim.aliases) or next(reported, None) or min(claim.aliases)
        scope = Where(WITHOUT_VERDICT, order=claim.order, shipment=shipment, until=claim.day)
        is_there = self.stock.find(scope) or self.stock.find(replace(scope, states=_ACCEPTED))
        if is_there:
            return scope
        if not claim.first.passed and self._repeats_rejection(claim, replace(scope, states=_REJECTED)):
            return None
        may_imply = not claim.first.passed or self._is_adopted
        if not (may_imply and self._imply_arrival(claim, shipment)):
            is_later = self.first_arrival is not None and self.first_arrival > claim.day
            self._doubt(claim, "nothing_to_inspect", day=self.first_arrival if is_later else None)
            return None
        return scope

    def _repeats_rejection(self, claim: Claim[Inspected], scope: Where) -> bool:
        """Whether all that a failed inspection can be of was rejected before: then both tell of one nonconformance."""
        rejected = self.stock.find(scope)
        ncr = rejected[0].ncr if rejected else None
        if ncr is None or (claim.rejected or NOTHING) > self.stock.total(scope):
            return False
        number = claim.first.ncr_number
        if number is not None and ncr in self.numbered and ncr != number:
            return False
        self.ncr_names[claim.first.ncr] = ncr
        self._note_verdict(claim, rejected, claim.rejected or self.stock.total(scope), ncr)
        return True

    def _imply_arrival(self, claim: Claim[Inspected], shipment: str | None) -> bool:
        """Goods that failed were there, though nobody has reported their arrival: a nonconformance is never lost for
        that. What passed waits for its arrival, so that nothing is released that nobody has received; but of an order
        that was placed elsewhere we need not know it."""
        quantity = claim.rejected if claim.quantity is None else claim.quantity
        change = Change(LotState.ON_SITE, claim.day, shipment=shipment)
        waiting = None if claim.order else self._waiting_order(claim, COMING)
        order = waiting.number if waiting else claim.order
        of_shipment = Where(_IN_TRANSIT, order=order if shipment is None else claim.order, shipment=shipment)
        return any(self.stock.move(where, change, quantity) for where in (of_shipment, Where(_ORDERED, order=order)))

    def _accept(self, claim: Claim[Inspected], scope: Where) -> None:
        change = Change(LotState.ACCEPTED, claim.day)
        judged = self.stock.find(scope)
        moved = self.stock.move(replace(scope, states=_ON_SITE), change, claim.quantity)
        left = None if claim.quantity is None else claim.quantity - moved
        moved += self.stock.move(replace(scope, states=_IN_REPAIR), change, left)
        self._note_verdict(claim, judged, moved, None)

    def _note_verdict(self, claim: Claim[Inspected], judged: list[Lot], quantity: Decimal, ncr: str | None) -> None:
        shipments = tuple(dict.fromkeys(lot.shipment for lot in judged if lot.shipment))
        order = judged[0].order if judged else (claim.order or "")
        reports = tuple(report.key for report in sorted(claim.reports, key=lambda report: report.saying))
        self.verdicts.append(
            Verdict(claim.key, reports, claim.first.passed, claim.day, order, shipments, quantity, ncr)
        )

    def _reject(self, claim: Claim[Inspected], scope: Where) -> None:
        """A failed inspection is a verdict on all that it inspected: what it does not reject is accepted. Where all of
        it had passed before, it is a latent defect and takes the acceptance back."""
        waiting = self.stock.total(scope)
        there = waiting + self.stock.total(replace(scope, states=_ACCEPTED))
        inspected = (waiting or there) if claim.quantity is None else claim.quantity
        rejected = inspected if claim.rejected is None else claim.rejected
        ncr = claim.first.ncr
        if (seen := self._seen_on_arrival(claim, scope)) is not None:
            self._take_over(claim, seen, scope)
            return
        judged = self.stock.find(scope) or self.stock.find(replace(scope, states=_ACCEPTED))
        self._note_verdict(claim, judged, rejected, ncr)
        change = Change(LotState.REJECTED, claim.day, ncr=ncr)
        left = rejected
        for states in (_ON_SITE, _IN_REPAIR, _ACCEPTED):
            left -= self.stock.move(replace(scope, states=states), change, left)
        known = self.ncrs.get(ncr, Nonconformance(ncr, NOTHING, NOTHING))
        self.ncrs[ncr] = replace(known, quantity=known.quantity + rejected, undecided=known.undecided + rejected)
        if inspected > rejected:
            self.stock.move(scope, Change(LotState.ACCEPTED, claim.day), inspected - rejected)

    def _seen_on_arrival(self, claim: Claim[Inspected], scope: Where) -> Nonconformance | None:
        """What was noted as damaged on arrival, and is what the inspection now rejects."""
        noted = {one.ncr for one in self.verdicts if one.is_on_arrival}
        for lot in self.stock.find(replace(scope, states=_REJECTED)):
            ncr = self.ncrs.get(lot.ncr or "")
            if ncr is not None and ncr.ncr in noted and ncr.undecided == claim.rejected:
                return ncr
        return None

    def _take_over(self, claim: Claim[Inspected], seen: Nonconformance, scope: Where) -> None:
        """The inspection's NCR takes the place of what was noted on arrival; the rest that it inspected is good."""
        number = claim.first.ncr
        judged = [lot for lot in self.stock.lots if lot.ncr == seen.ncr]
        self.stock.lots = [replace(lot, ncr=number) if lot.ncr == seen.ncr else lot for lot in self.stock.lots]
        self.ncrs[number] = replace(self.ncrs.pop(seen.ncr), ncr=number)
        self.ncr_names[seen.ncr] = number
        self.verdicts = [one for one in self.verdicts if one.ncr != seen.ncr]
        self._note_verdict(claim, judged, seen.quantity, number)
        good = None if claim.quantity is None else max(NOTHING, claim.quantity - seen.quantity)
        self.stock.move(replace(scope, states=_ON_SITE), Change(LotState.ACCEPTED, claim.day), good)

    def _dispose(self, fact: Disposed) -> None:
        fact = replace(fact, ncr=self._find_ncr(fact.ncr))
        ncr = self.ncrs.get(fact.ncr)
        if ncr is None:
            self._doubt(fact, "unknown_ncr")
            return
        quantity = ncr.undecided if fact.quantity is None else fact.quantity
        if quantity > ncr.undecided:
            self._doubt(fact, "more_decided_than_rejected", quantity=ncr.undecided)
            return
        where = Where(_REJECTED, ncr=fact.ncr)
        if fact.handling == "return" and fact.then == "owed":
            self._owe_again(where, quantity, fact.day)
        is_accepted = fact.handling == "accept"
        self.stock.move(where, Change(_HANDLED[fact.handling], fact.day, is_by_disposition=is_accepted), quantity)
        self.ncrs[fact.ncr] = replace(
            ncr, undecided=ncr.undecided - quantity, handlings=(*ncr.handlings, fact.handling)
        )

    def _find_ncr(self, name: str) -> str:
        while name not in self.ncrs and name in self.ncr_names:
            name = self.ncr_names[name]
        return name

    def _owe_again(self, where: Where, quantity: Decimal, day: date) -> None:
        """What goes back is to come again on the same order, but for what was beyond it."""
        for lot in self.stock.find(where):
            part = min(quantity, lot.quantity)
            quantity -= part
            order = self.orders[lot.order]
            if part and not lot.is_over and not order.is_cancelled:
                self.orders[lot.order] = replace(order, owed_again=order.owed_again + part)
                self.stock.add(Lot(lot.order, part, LotState.ORDERED, since=day))


def _is_undated_arrival(step: Step) -> bool:
    return isinstance(step, Claim) and isinstance(step.first, Arrived) and step.is_undated


def _not_before(step: Step, arrived_by: Sequence[date]) -> date:
    """The day of a step in the order of things. What came nobody knows when was there before its inspection."""
    if isinstance(step, Claim) and isinstance(step.first, Inspected):
        return max([step.day, *arrived_by])
    return step.day


def _first_rejections(steps: Sequence[Step], arrived_by: Sequence[date]) -> dict[str, date]:
    """The day on which each NCR was first raised, in the order of things."""
    days: dict[str, date] = {}
    for step in steps:
        if isinstance(step, Claim) and isinstance(step.first, Inspected) and not step.first.passed:
            day = _not_before(step, arrived_by)
            days[step.first.ncr] = min(day, days.get(step.first.ncr, day))
    return days
