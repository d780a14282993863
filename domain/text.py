"""Shared field types: text from outside is bounded and storable, days and amounts are exact."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

D = TypeVar("D", bound=date)

_NOT_IN_A_SLUG = re.compile(r"[^a-z0-9]+")
_SPACING = re.compile(r"[\s_-]+")

_YEARS = (1900, 2200)


def _storable(value: str) -> str:
    """PostgreSQL text cannot hold NUL, so it is refused at the door instead of failing inside."""
    if "\x00" in value:
        raise ValueError("must not contain NUL characters")
    return value


def _day(value: Any) -> Any:
    """A calendar day, or a moment with a time; a moment becomes a day in the building's zone when it is processed."""
    if isinstance(value, (date, datetime)):
        return _plausible(value)
    if not isinstance(value, str):
        raise ValueError("must be an ISO date such as 2026-02-15")
    try:
        day = date.fromisoformat(value) if len(value) <= 10 else datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"is not a date that exists ({error}); write it like 2026-02-15") from error
    return _plausible(day)


def _plausible(value: D) -> D:
    """At the ends of the calendar every sum of dates overflows; nobody builds there, so it is a slip."""
    if not _YEARS[0] <= value.year <= _YEARS[1]:
        raise ValueError(f"must lie in the years {_YEARS[0]} to {_YEARS[1]}")
    return value


def _said(value: str | None) -> str | None:
    """Weak models write out what they leave empty."""
    return None if value is None or value.strip().casefold() in ("", "null", "none", "n/a") else value


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_storable),
]
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000),
    AfterValidator(_storable),
]
Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"), AfterValidator(_storable)]
Day = Annotated[
    date | datetime,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-02-15"]}),
]
Moment = Annotated[datetime, AfterValidator(_plausible)]
Quantity = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=6)]
Money = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=4)]
Words = Annotated[str | None, AfterValidator(_said)]
"""Text of a model, or nothing."""
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


def slug(name: str) -> str:
    """`Steel Beams` -> `steel-beams`: the id of a line that was given only a name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    made = _NOT_IN_A_SLUG.sub("-", plain.lower()).strip("-")[:60].strip("-")
    if made:
        return made
    return "item-" + "-".join(f"{ord(c):x}" for c in name.strip()[:8])


def folded(name: str) -> str:
    """What two spellings of the same name have in common: case and spacing do not count (api.md)."""
    return _SPACING.sub("", unicodedata.normalize("NFKC", name).casefold())


class DistinctIds:
    """Gives out ids that nobody has yet: `steel-beams`, `steel-beams-2`, `steel-beams-3`."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._next: dict[str, int] = {}

    def take(self, wanted: str) -> str:
        """The id that is wanted, with the next free number where it is taken."""
        made, number = wanted, self._next.get(wanted, 2)
        while made in self._taken:
            made, number = f"{wanted}-{number}", number + 1
        self._next[wanted] = number
        self._taken.add(made)
        return made
