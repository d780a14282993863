"""What follows once lines were taken on: what a person is asked of all of them, and what the manager is told."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from pydantic import JsonValue

from domain.actions import action
from domain.buildings import MANAGER, Building
from domain.counts import write_count
from domain.inspections import taken_on_shipments
from domain.lines.lots import LotState
from domain.lines.taking_in import newly_open
from domain.milestones import chased_from
from domain.orders import is_to_be_ordered
from domain.outside import shown_name
from domain.plain_json import JsonObject, PlainAction
from domain.plan import RaisedQuestion
from domain.procurement import LineFile

MAX_LISTED = 200
"""Lines that the question about goods without a verdict lists."""
MAX_NAMED = 20
"""Lines of one sort that the message names one by one."""


def ask_about(files: Sequence[LineFile], seq: int) -> list[RaisedQuestion]:
    """One question for all goods that were on site without a verdict, and one for each nonconformance that nobody has
    decided about. `seq`: the entry that the lines were taken on with."""
    waiting = [(file, quantity) for file in files if (quantity := waiting_quantity(file, seq)) is not None]
    asks = []
    if waiting:
        lines: list[JsonValue] = [_listed(file, quantity) for file, quantity in waiting[:MAX_LISTED]]
        subject: JsonObject = {"entry": seq, "lines": lines, "count": len(waiting)}
        asks.append(RaisedQuestion(kind="goods_taken_on", subject=subject))
    for file in files:
        untouched = file.model_copy(update={"ncrs": []})
        asks += [
            RaisedQuestion(
                kind="inspection_failed",
                item_id=file.item.item_id,
                subject={"inspection_id": ncr.inspection_id, "ncr_number": ncr.ncr_number},
            )
            for ncr in newly_open(untouched, file)
            if ncr.caused_seq == seq
        ]
    return asks


def waiting_quantity(file: LineFile, seq: int) -> Decimal | None:
    """How much of a line was on site without a verdict when it was taken on, and still is; None where nothing is."""
    shipments = taken_on_shipments(file, seq)
    if not shipments or file.item.removed:
        return None
    on_site = [lot for lot in file.lots if lot.shipment_id in shipments and lot.state == LotState.ON_SITE]
    return sum((lot.quantity for lot in on_site), Decimal(0))


def _listed(file: LineFile, quantity: Decimal) -> JsonObject:
    item = file.item
    says_how_much = item.quantity is not None and quantity
    return {
        "item": item.item_id,
        "name": item.name,
        "quantity": f"{quantity.normalize():f}" if says_how_much else None,
        "unit": item.unit,
    }


def say_taken_on(files: Sequence[LineFile], building: Building) -> PlainAction:
    """One message to the manager: what was taken on, and what of it somebody should know now."""
    from_day = chased_from(max(f.item.taken_on for f in files if f.item.taken_on is not None), building)
    parts = [f"{write_count(len(files), 'line')} taken on with what was known; nothing was ordered or sent again"]
    for words, is_one in _WORTH_KNOWING:
        names = [file.item.shown for file in files if is_one(file)]
        if names:
            parts.append(f"{words.format(count=len(names))}: {_named(names)}")
    parts.append(f"nobody is chased for them before {from_day}")
    message = f"{shown_name(building.name)}: {'. '.join(part[0].upper() + part[1:] for part in parts)}."
    return action("notify_team", team=MANAGER, message=message)


def _named(names: Sequence[str]) -> str:
    beyond = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + beyond


def _is_short_of_supply(file: LineFile) -> bool:
    """Whether its orders do not cover what is needed."""
    item = file.item
    if item.account is None or item.is_released or not item.is_ordered:
        return False
    supplied = sum((part.quantity for part in item.account.supply), Decimal(0))
    return supplied < sum((need.quantity for need in item.account.needs), Decimal(0))


_WORTH_KNOWING: tuple[tuple[str, Callable[[LineFile], bool]], ...] = (
    ("expected after the day they are required ({count})", lambda file: file.item.schedule_band == "conflict"),
    (
        "approved, and no order is known: Longlead orders them only when a person says so ({count})",
        is_to_be_ordered,
    ),
    ("ordered for less than is needed ({count})", _is_short_of_supply),
)
