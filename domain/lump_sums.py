"""Lump sums: lines that are bought together for one price. They name a group; price, vendor and currency are the
group's, it is ordered whole, and whoever decides on one of its lines decides on the group's total."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from domain.buildings import LumpSum
from domain.outside import shown_name
from domain.procurement import Commercial, Item, LineFile, LineValue, Logistics, Submittal, money

OF_THE_GROUP = ("group_total", "vendor_id", "currency")
"""Fields that all lines of a group have in common."""
MAX_NAMED = 5
"""Lines of a group that a sentence names."""


def in_group(lump_sum: LumpSum | None) -> dict[str, LineValue]:
    """The fields that a line keeps of its lump sum."""
    return {
        "group": None if lump_sum is None else lump_sum.group,
        "group_total": None if lump_sum is None else lump_sum.price,
    }


def others_of_group(group: str | None, items: Iterable[Item], known: Item | None) -> list[Item]:
    """The lines of a group without this one; none where it is in none."""
    own = None if known is None else known.item_id
    return [] if group is None else [i for i in items if i.group == group and not i.removed and i.item_id != own]


def joining_problem(name: str, group: str, values: Mapping[str, LineValue], others: Iterable[Item]) -> str | None:
    """Why a line cannot join a group: it names another price, vendor or currency, or the group is ordered already."""
    for other in others:
        if other.is_ordered:
            return (
                f"{shown_name(name)} cannot join the lump sum {group!r}, which is ordered ({other.shown}): give it a "
                "price of its own"
            )
        for field in OF_THE_GROUP:
            mine, its = values.get(field), getattr(other, field)
            if mine != its and (field == "group_total" or None not in (mine, its)):
                what = {"group_total": "price", "vendor_id": "vendor"}.get(field, field)
                return (
                    f"the lines of the lump sum {group!r} have one {what} together: {other.shown} has {_plain(its)}, "
                    f"and {shown_name(name)} has {_plain(mine)}"
                )
    return None


def _plain(value: LineValue) -> str:
    if value is None:
        return "none"
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def is_ready(item: Item) -> bool:
    """Whether a line of a group may be ordered, as far as its own row tells."""
    return (
        item.submittal == Submittal.APPROVED
        and item.commercial == Commercial.UNORDERED
        and item.logistics == Logistics.NOT_SHIPPED
        and not item.is_held
    )


def not_ready(file: LineFile) -> list[Item]:
    """The other lines of the line's group that cannot be ordered together with it now."""
    return [item for item in file.group_lines if not is_ready(item)]


def why_not_whole(file: LineFile) -> str | None:
    """Why the group of a line cannot be ordered whole now; None where it can, or the line is in none."""
    waiting = not_ready(file)
    if not waiting:
        return None
    ordered = next((item for item in file.group_lines if item.is_ordered), None)
    if ordered is not None:
        return (
            f"the lump sum {file.item.group!r} is ordered already ({ordered.shown}): a further line changes its order"
        )
    named = ", ".join(f"{item.shown} ({item.status.replace('_', ' ')})" for item in waiting[:MAX_NAMED])
    more = f" and {len(waiting) - MAX_NAMED} more" if len(waiting) > MAX_NAMED else ""
    return f"the lump sum {file.item.group!r} is ordered whole, and not all of it is ready to order: {named}{more}"


def describe_group(item: Item, group_lines: Iterable[Item]) -> str:
    """`120000.00 EUR, the lump sum 'steel' of 3 lines (Beams, Bolts, Columns)`, for sentences about an order."""
    names = [item.shown, *(other.shown for other in group_lines)]
    listed = ", ".join(names[:MAX_NAMED]) + (", ..." if len(names) > MAX_NAMED else "")
    return f"{money(item.group_total, item.currency)}, the lump sum {item.group!r} of {len(names)} lines ({listed})"
