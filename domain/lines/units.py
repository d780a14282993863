"""Units of quantities: a report in another unit than the line's is converted, or put to a person once."""

from collections.abc import Mapping
from decimal import Decimal

_SAME: Mapping[str, str] = {
    name: unit
    for unit, names in {
        "pcs": ("pc", "pcs", "piece", "pieces", "ea", "each", "nr", "no", "no.", "st", "stk", "stück", "unit", "units"),
        "t": ("t", "to", "ton", "tons", "tonne", "tonnes"),
        "kg": ("kg", "kgs", "kilogram", "kilograms"),
        "m": ("m", "lm", "metre", "metres", "meter", "meters"),
        "mm": ("mm",),
        "cm": ("cm",),
        "m2": ("m2", "m²", "sqm", "qm"),
        "m3": ("m3", "m³", "cbm"),
        "l": ("l", "litre", "litres", "liter", "liters"),
        "set": ("set", "sets", "kit", "kits"),
    }.items()
    for name in names
}
_SIZES: Mapping[str, tuple[str, Decimal]] = {
    "t": ("kg", Decimal(1000)),
    "kg": ("kg", Decimal(1)),
    "m": ("mm", Decimal(1000)),
    "cm": ("mm", Decimal(10)),
    "mm": ("mm", Decimal(1)),
    "m3": ("l", Decimal(1000)),
    "l": ("l", Decimal(1)),
}
"""Units of the same kind: what they are counted in, and how many of it one is."""


def unit_named(unit: str | None) -> str:
    """One word for all ways of writing a unit; empty where there is none."""
    plain = " ".join((unit or "").split()).casefold()
    return _SAME.get(plain, plain)


def factor_between(unit: str | None, own: str | None, known: Mapping[str, Decimal]) -> Decimal | None:
    """How many of the line's unit one of the reported unit is; None where nobody has said so yet.

    Args:
        own: the line's unit; a line without one counts in whatever is reported.
        known: factors that people have stated for this line, by unit.
    """
    told, mine = unit_named(unit), unit_named(own)
    if not told or not mine or told == mine:
        return Decimal(1)
    if told in known:
        return known[told]
    if told in _SIZES and mine in _SIZES and _SIZES[told][0] == _SIZES[mine][0]:
        return _SIZES[told][1] / _SIZES[mine][1]
    return None
