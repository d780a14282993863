"""Which day counts for what is still to come: the newest saying, whoever told it last.

A promise is the vendor's word on an order line, an ETA says when a shipment (or, without one, all that is not on site)
is expected. Older sayings stay on file: vendors are measured by them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from domain.lines.account import Account, OrderLine
from domain.lines.facts import Departed, Fact, Stated
from domain.lines.lots import Lot, LotState


@dataclass(frozen=True)
class Expected:
    """A quantity that is to come, and the day on which it is expected on site; None: nobody knows."""

    quantity: Decimal
    on: date | None
    order: str
    shipment: str | None = None


def expect_arrivals(account: Account, facts: Sequence[Fact], lead_time_days: int | None) -> list[Expected]:
    """When each part of what is to come is expected.

    A shipment under way: the newest ETA that names it, or all that is to come. What has not left: the newest promise
    or ETA of its order, also of a shipment that has not left yet. Where nobody has said anything: the order's day plus
    the lead time, in calendar days.
    """
    doubted = {doubt.fact for doubt in account.doubts}
    believed = (fact for fact in facts if fact.key not in doubted)
    newest_first = sorted(_sayings(believed), key=lambda saying: saying.saying, reverse=True)
    again = _find_retold(newest_first)
    sayings = _say_once([saying for saying in newest_first if saying.key not in again])
    orders = {order.number: order for order in account.orders}
    known = frozenset[str]().union(account.shipment_ids, *account.shipment_ids.values())
    known |= {lot.shipment for lot in account.lots if lot.shipment}
    etas = _etas_by_shipment(sayings)
    unshipped = [saying for saying in sayings if saying.shipment_id is None or saying.shipment_id not in known]
    expected: list[Expected] = []
    for lot in account.lots:
        if lot.state == LotState.IN_TRANSIT:
            ids = account.shipment_ids.get(lot.shipment or "", frozenset()) | {lot.shipment}
            found = (saying for name in ids | {None} for saying in etas.get(name, ()) if _is_of(saying, lot))
            newest = max(found, key=lambda saying: saying.saying, default=None)
            day = None if newest is None else newest.day
            expected.append(Expected(lot.quantity, day, lot.order, lot.shipment))
        elif lot.state == LotState.ORDERED:
            expected += _expect_unshipped(lot, unshipped, orders[lot.order], lead_time_days)
    return expected


def _sayings(facts: Iterable[Fact]) -> Iterable[Stated]:
    """Statements, and the ETAs that departures carry: these are of their own shipment alone."""
    for fact in facts:
        if isinstance(fact, Stated) and not fact.is_voided:
            yield fact
        elif isinstance(fact, Departed) and not fact.is_voided and fact.eta is not None:
            yield Stated(
                day=fact.eta,
                said_at=fact.said_at,
                received_at=fact.received_at,
                source=fact.source,
                event_id=fact.event_id,
                order=fact.order,
                shipment_id=fact.shipment_id or fact.key,
                kind="eta",
            )


def find_retold(facts: Iterable[Fact]) -> dict[str, str]:
    """ETAs that name no shipment, and with which another system tells again what was last said of one: such an ETA is
    of that shipment, and says nothing of the rest. Keys of the facts, with the key of what they tell again."""
    return _find_retold(sorted(_sayings(facts), key=lambda saying: saying.saying, reverse=True))


def _find_retold(newest_first: Sequence[Stated]) -> dict[str, str]:
    found: dict[str, str] = {}
    newest: dict[str, Stated] = {}
    for saying in reversed(newest_first):
        if saying.kind != "eta":
            continue
        if saying.shipment_id is not None:
            newest[saying.shipment_id] = saying
            continue
        told = next((named for named in newest.values() if _tells_again(saying, named)), None)
        if told is not None:
            found[saying.key] = told.key
    return found


def _tells_again(saying: Stated, named: Stated) -> bool:
    return (
        saying.day == named.day
        and saying.source != named.source
        and (saying.order is None or named.order is None or saying.order == named.order)
        and (saying.quantity is None or named.quantity is None or saying.quantity == named.quantity)
    )


def _say_once(sayings: Sequence[Stated]) -> list[Stated]:
    """The sayings, the newest first, each part once: two systems often tell the same part by the same day."""
    kept: dict[tuple[str | date | Decimal | None, ...], Stated] = {}
    for saying in sayings:
        part = (saying.kind, saying.day, saying.quantity, saying.order, saying.shipment_id)
        kept.setdefault((*part, saying.key) if saying.quantity is None else part, saying)
    return list(kept.values())


def _etas_by_shipment(sayings: Iterable[Stated]) -> dict[str | None, list[Stated]]:
    """ETAs by the shipment that they name; under None those of all that is to come."""
    found: dict[str | None, list[Stated]] = defaultdict(list)
    for saying in sayings:
        if saying.kind == "eta":
            found[saying.shipment_id].append(saying)
    return found


def _is_of(saying: Stated, lot: Lot) -> bool:
    """Whether an ETA speaks of a lot under way: of its shipment, else of its order or of all that is to come."""
    return saying.shipment_id is not None or saying.order in (None, lot.order)


def _expect_unshipped(
    lot: Lot, sayings: Sequence[Stated], order: OrderLine, lead_time_days: int | None
) -> list[Expected]:
    """A statement with a quantity is about a part; the newer ones are taken first, until all is spoken of."""
    expected, left = [], lot.quantity
    owed_since = lot.since if lot.since and order.placed_on and lot.since > order.placed_on else None
    for saying in sayings:
        if saying.order not in (None, lot.order):
            continue
        if owed_since is not None and saying.said_at.date() < owed_since:
            continue  # it was said of the goods that went back, not of those that are owed for them
        part = left if saying.quantity is None else min(left, saying.quantity)
        if part:
            expected.append(Expected(part, saying.day, lot.order))
            left -= part
        if not left:
            return expected
    day = None
    start = owed_since or (None if order.is_undated else order.placed_on)
    if start is not None and lead_time_days is not None:
        day = start + timedelta(days=lead_time_days)
    return [*expected, Expected(left, day, lot.order)]
