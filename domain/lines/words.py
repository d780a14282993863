"""What is known of a line, in a few words: how much is where, and what was promised."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from domain.lines.quantities import share_of
from domain.outside import shown_name

_STATES = {
    "accepted": "accepted",
    "on_site": "on site without a verdict",
    "in_transit": "in transit",
    "ordered": "ordered",
    "rejected": "rejected",
    "in_repair": "in repair",
    "returned": "returned",
    "scrapped": "scrapped",
    "cancelled": "cancelled",
}
"""How the states of lots are said, what is nearest to its use first."""
_MISSING = "not ordered"
_SUPPLY = ("accepted", "on_site", "in_transit", "ordered", "rejected", "in_repair")


def describe_quantities(
    quantities: Mapping[str, Decimal | str],
    unit: str | None,
    *,
    has_quantity: bool = True,
    tolerance: Decimal | None = None,
) -> str:
    """`6 of 10 pcs accepted, 4 in transit`. `quantities`: by state, and `needed`. `has_quantity` False: the line names
    none and is one lot, so that states alone say enough while it is in one. `tolerance`: the share that may be
    missing; None: what it is by default for the unit."""
    amounts = {state: Decimal(quantities.get(state, 0)) for state in (*_STATES, "needed")}
    needed = amounts.pop("needed")
    parts = [(amount, _STATES[state]) for state, amount in amounts.items() if amount]
    missing = needed - sum(amounts[state] for state in _SUPPLY)
    if missing > needed * (share_of(unit) if tolerance is None else tolerance):
        parts.append((missing, _MISSING))
    if not has_quantity and len(parts) == 1 and parts[0][0] == needed:
        return parts[0][1]
    if not parts:
        return "nothing needed"
    (amount, state), *others = parts
    if state == _MISSING:
        return f"{_amount(amount, unit)} {state}"
    rest = "".join(f", {_amount(other)} {word}" for other, word in others)
    if amount == needed:
        return f"all {_amount(needed, unit)} {state}{rest}"
    if amount > needed:
        return f"{_amount(amount, unit)} {state}{rest}; {_amount(needed)} needed"
    return f"{_amount(amount)} of {_amount(needed, unit)} {state}{rest}"


def describe_promises(first: date | str | None, latest: date | str | None) -> str | None:
    """`first promised 10 March 2026, now 26 March 2026`; None: nothing is promised."""
    if first is None or latest is None:
        return None
    if first == latest:
        return f"promised for {_day(latest)}"
    return f"first promised {_day(first)}, now {_day(latest)}"


def describe_day(
    kind: str, day: date | str, quantity: Decimal | str | None, unit: str | None, shipment_id: str | None
) -> str:
    """`Expected on 12 March 2026 (6 pcs, shipment S1)`."""
    parts = [_amount(Decimal(quantity), unit)] if quantity is not None else []
    parts += [f"shipment {shown_name(shipment_id)}"] if shipment_id else []
    said = f"{'Promised for' if kind == 'promise' else 'Expected on'} {_day(day)}"
    return f"{said} ({', '.join(parts)})" if parts else said


def describe_ncr(ncr_number: str, undecided: Decimal | str, unit: str | None, defects: list[str]) -> str:
    """`NCR-7: 2 pcs rejected and not decided (leaks)`."""
    found = f" ({shown_name('; '.join(defects))})" if defects else ""
    return f"{shown_name(ncr_number)}: {_amount(Decimal(undecided), unit)} rejected and not decided{found}"


def _amount(quantity: Decimal, unit: str | None = None) -> str:
    text = f"{quantity.normalize():f}"
    return text if unit is None else f"{text} {shown_name(unit)}"


def _day(day: date | str) -> str:
    on = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
