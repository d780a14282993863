"""The four facets of a line, derived from its account. Nothing else sets them."""

from collections.abc import Collection
from dataclasses import dataclass

from domain.lines.account import Account
from domain.lines.bookkeeping import BEFORE_ANY_ORDER
from domain.lines.lots import RECEIVED, WITHOUT_VERDICT, LotState
from domain.procurement import Commercial, Logistics, Quality

_GONE = frozenset({LotState.RETURNED, LotState.SCRAPPED, LotState.CANCELLED})


@dataclass(frozen=True)
class Facets:
    """Where a line stands in words; what has its submittal is told apart, since that is a fact of its own."""

    commercial: Commercial
    logistics: Logistics
    quality: Quality


def derive_facets(account: Account, acknowledged: Collection[str], *, has_planned_inspection: bool) -> Facets:
    """The facets of a line.

    Args:
        acknowledged: numbers of the orders that the vendor acknowledged.
        has_planned_inspection: whether an inspection is planned for what is on site.
    """
    return Facets(_commercial(account, acknowledged), _logistics(account), _quality(account, has_planned_inspection))


def _commercial(account: Account, acknowledged: Collection[str]) -> Commercial:
    placed = [order for order in account.orders if order.number != BEFORE_ANY_ORDER]
    live = [order for order in placed if not order.is_cancelled]
    if not placed:
        return Commercial.UNORDERED
    if len(live) < len(placed):
        live = [order for order in live if not _is_all_gone(account, order.number)]
    if not live:
        return Commercial.CANCELLED
    newest = max(live, key=lambda order: (str(order.placed_on or ""), order.number))
    return Commercial.ACKNOWLEDGED if newest.number in acknowledged else Commercial.ORDERED


def _is_all_gone(account: Account, order: str) -> bool:
    """Whether everything of an order went back or was scrapped: it supplies nothing any more."""
    return all(lot.state in _GONE for lot in account.lots if lot.order == order)


def _logistics(account: Account) -> Logistics:
    if account.is_complete:
        return Logistics.ON_SITE
    if account.quantity(*RECEIVED) or account.has_open_part:
        return Logistics.PARTIALLY_RECEIVED
    return Logistics.IN_TRANSIT if account.quantity(LotState.IN_TRANSIT) else Logistics.NOT_SHIPPED


def _quality(account: Account, has_planned_inspection: bool) -> Quality:
    if any(ncr.is_open for ncr in account.ncrs):
        return Quality.FAILED
    if account.quantity(*WITHOUT_VERDICT) or account.has_open_part:
        return Quality.INSPECTION_SCHEDULED if has_planned_inspection else Quality.NOT_INSPECTED
    accepted = [lot for lot in account.lots if lot.state == LotState.ACCEPTED]
    if not accepted:
        return Quality.NOT_INSPECTED
    return Quality.ACCEPTED_AS_IS if any(lot.is_by_disposition for lot in accepted) else Quality.PASSED
