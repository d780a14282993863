"""How exactly quantities are compared: a tolerance by unit decides what counts as complete."""

from collections.abc import Mapping
from decimal import Decimal

from domain.lines.units import unit_named

ONE_LOT = Decimal(1)
"""The quantity of a line that names none."""

DEFAULT_TOLERANCES: Mapping[str, Decimal] = {unit: Decimal("0.005") for unit in ("t", "m2", "m3")}
"""Shares of what is needed that may be missing, for goods that are weighed or measured; 0 for all other units."""
MAX_TOLERANCE = Decimal("0.1")
"""The largest share that a policy may let be missing."""


def share_of(unit: str | None, tolerances: Mapping[str, Decimal] = DEFAULT_TOLERANCES) -> Decimal:
    """The share of a quantity in this unit, however it is written, that may be missing for it to count as complete."""
    return tolerances.get(unit_named(unit), Decimal(0))
