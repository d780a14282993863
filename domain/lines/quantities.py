"""How exactly quantities are compared: a tolerance by unit decides what counts as complete."""

from collections.abc import Mapping
from decimal import Decimal

ONE_LOT = Decimal(1)
"""The quantity of a line that names none."""

DEFAULT_TOLERANCES: Mapping[str, Decimal] = {unit: Decimal("0.005") for unit in ("t", "m2", "m3")}
"""Shares of what is needed that may be missing, for goods that are weighed or measured; 0 for all other units."""


def tolerance(needed: Decimal, unit: str | None, shares: Mapping[str, Decimal] = DEFAULT_TOLERANCES) -> Decimal:
    """How much of `needed` may be missing for it to count as complete, in the same unit."""
    return needed * shares.get((unit or "").casefold(), Decimal(0))
