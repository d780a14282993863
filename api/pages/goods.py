"""What is known of the goods of a line, as a person reads it."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from domain.lines.shown import ShownStatement, account_shown, complete_file, list_ncrs, list_statements
from domain.lines.words import describe_day, describe_promises, describe_quantities
from domain.outside import shown_name
from domain.procurement import LineFile

MAX_SAYINGS = 50
"""Promises and ETAs that are shown of a line, the newest first."""


@dataclass(frozen=True)
class Rejection:
    """A nonconformance: what was rejected, and what was decided."""

    title: str
    defects: str
    decided: str | None
    is_open: bool


@dataclass(frozen=True)
class Saying:
    """A promise or an ETA, and who said it when."""

    what: str
    who: str
    current: bool
    voided: bool


@dataclass(frozen=True)
class Goods:
    """How much of a line is where, what was rejected, and what was promised."""

    how_much: str
    promises: str | None
    rejections: list[Rejection]
    sayings: list[Saying]
    more_sayings: int


def _who(told: ShownStatement, zone: ZoneInfo) -> str:
    if told.said_at is None:
        return "said earlier"
    return f"said on {told.said_at.astimezone(zone):%Y-%m-%d}, told by {told.source}"


def describe_goods(file: LineFile, zone: ZoneInfo) -> Goods:
    """The goods of a line as they stand now; days are those of the building's zone."""
    file = complete_file(file)
    item, account = file.item, account_shown(file.item)
    unit = item.unit
    told = list_statements(file)
    return Goods(
        how_much=describe_quantities(
            account.quantities, unit, has_quantity=item.quantity is not None, tolerance=account.tolerance
        ),
        promises=describe_promises(account.first_promise, account.latest_promise),
        rejections=[
            Rejection(
                title=f"{shown_name(ncr.ncr_number)}: {ncr.quantity.normalize():f} {shown_name(unit or '')}".rstrip(),
                defects="; ".join(ncr.defects),
                decided=ncr.disposition and ncr.disposition.replace("_", " "),
                is_open=ncr.status == "open",
            )
            for ncr in list_ncrs(file)
        ],
        sayings=[
            Saying(
                what=describe_day(one.kind, one.day, one.quantity, unit, one.shipment_id),
                who=_who(one, zone),
                current=one.current,
                voided=one.voided,
            )
            for one in told[:MAX_SAYINGS]
        ],
        more_sayings=max(0, len(told) - MAX_SAYINGS),
    )
