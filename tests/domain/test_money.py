"""Money is of a currency that exists, and a total has exactly the places of its currency."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.commitments import order_authority
from domain.money import MINOR_UNITS, Currency, line_total
from domain.policy import Policy
from domain.procurement import money
from domain.text import ON_FILE

CODE: TypeAdapter[str] = TypeAdapter(Currency)


@pytest.mark.parametrize(
    ("price", "quantity", "currency", "total", "shown"),
    [
        ("0.0035", "1000", "EUR", "3.50", "3.50 EUR"),
        ("0.0035", "1430", "EUR", "5.01", "5.01 EUR"),
        ("0.335", "3", "USD", "1.01", "1.01 USD"),
        ("0.005", "1", "GBP", "0.01", "0.01 GBP"),
        ("1250.50", "3", "JPY", "3752", "3752 JPY"),
        ("1.2345", "1", "KWD", "1.235", "1.235 KWD"),
        ("5000", None, "JPY", "5000", "5000 JPY"),
        ("2", "0.5", "KWD", "1.000", "1.000 KWD"),
    ],
)
def test_a_line_costs_its_price_times_its_quantity_rounded_half_up_once(
    price: str, quantity: str | None, currency: str, total: str, shown: str
) -> None:
    made = line_total(Decimal(price), None if quantity is None else Decimal(quantity), currency)
    assert str(made) == total
    assert money(made, currency) == shown


@given(
    st.decimals("0", "1000000", places=4), st.decimals("0.000001", "100000", places=6), st.sampled_from([*MINOR_UNITS])
)
def test_a_total_is_within_half_a_minor_unit_and_has_its_places(
    price: Decimal, quantity: Decimal, currency: str
) -> None:
    total = line_total(price, quantity, currency)
    assert total is not None
    assert -int(total.as_tuple().exponent) == MINOR_UNITS[currency]
    assert abs(total - price * quantity) * 2 <= Decimal(1).scaleb(-MINOR_UNITS[currency])


@pytest.mark.parametrize(
    ("code", "meant"), [("EURO", "EUR"), ("eur", "EUR"), ("USDD", "USD"), ("GPB", "GBP"), ("", "")]
)
def test_a_code_that_is_none_is_refused_with_the_nearest(code: str, meant: str) -> None:
    with pytest.raises(ValidationError, match=f"ISO 4217.*{meant}"):
        CODE.validate_python(code)
    assert CODE.validate_python(code, context=ON_FILE) == code


def test_an_order_in_another_currency_is_asked_also_without_a_limit() -> None:
    assert not order_authority(Policy(), Decimal(1), "GBP", "EUR", True).allowed
    assert order_authority(Policy(), Decimal(1), "EUR", "EUR", True).allowed
