"""Amounts as they leave Longlead: decimal strings, never floats."""

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator

from domain.procurement import money


def _decimal(value: Decimal | str | int | float | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _amount(value: Decimal | str | int | float | None) -> str | None:
    return money(_decimal(value))


def _quantity(value: Decimal | str | int | float | None) -> str | None:
    exact = _decimal(value)
    return None if exact is None else f"{exact.normalize():f}"


Amount = Annotated[str | None, BeforeValidator(_amount)]
"""Money: at least two places, its currency beside it."""
ExactQuantity = Annotated[str | None, BeforeValidator(_quantity)]
"""A quantity without trailing zeros."""
KnownQuantity = Annotated[str, BeforeValidator(_quantity)]
"""A quantity that is never absent."""
