"""Currencies of ISO 4217 with their minor units, and amounts rounded to them."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator, StringConstraints, ValidationInfo

_TWO_PLACES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU
CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES
KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR
NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
_OTHER_PLACES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
MINOR_UNITS: Mapping[str, int] = {
    **dict.fromkeys(_TWO_PLACES.split(), 2),
    **{code: places for places, codes in _OTHER_PLACES.items() for code in codes.split()},
}
"""Decimal places by currency, as of ISO 4217 in January 2026; without metals, funds of no unit and test codes."""


def places_of(currency: str | None) -> int:
    """Decimal places of a currency; 2 where it is not known, as on buildings of earlier versions."""
    return MINOR_UNITS.get(currency or "", 2)


def round_amount(amount: Decimal, currency: str) -> Decimal:
    """An amount in the currency's minor unit, half of it rounded up."""
    return amount.quantize(Decimal(1).scaleb(-places_of(currency)), ROUND_HALF_UP)


def line_total(unit_price: Decimal | None, quantity: Decimal | None, currency: str) -> Decimal | None:
    """What a line costs, rounded once; None without a price. A line without a quantity is one lot."""
    if unit_price is None:
        return None
    return round_amount(unit_price * (Decimal(1) if quantity is None else quantity), currency)


def _known(code: str, info: ValidationInfo) -> str:
    """Codes on file stay as they are; whatever comes in now is held against the table."""
    if (info.context or {}).get("on_file") or code in MINOR_UNITS:
        return code
    raise ValueError(f"{code!r:.40} is not a currency code of ISO 4217{_suggested(code)}")


def _suggested(code: str) -> str:
    wanted = code.strip().upper()
    near = [wanted] if wanted in MINOR_UNITS else [wanted[:3]] if wanted[:3] in MINOR_UNITS else []
    near = near or [code for code in sorted(MINOR_UNITS) if sorted(code) == sorted(wanted) and code[0] == wanted[0]]
    near = near or get_close_matches(wanted[:40], sorted(MINOR_UNITS), 1, 0.5)
    return f"; did you mean {near[0]}?" if near else "; write one like EUR"


Currency = Annotated[str, StringConstraints(max_length=40), AfterValidator(_known)]
