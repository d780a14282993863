"""Shared field types: text from outside is bounded and storable, days and amounts are exact."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)

from domain.field_markers import LocalDay, Plain

D = TypeVar("D", bound=date)

_NOT_IN_A_SLUG = re.compile(r"[^a-z0-9]+")
_SPACING = re.compile(
    r"[\s_\-\u2010-\u2015\u2212"  # spaces, and dashes of any length
    r"\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]+"  # marks that nobody sees
)
"""What does not count in a name."""

FIRST_YEAR, LAST_YEAR = 1900, 2200
"""Days outside these years are never taken. Sums of days within them stay far from the ends of the calendar."""
MAX_YEARS_AHEAD = 50
"""How far after the moment at which it is received a day from outside may lie; what is further off is a slip. Days of
the past are history, and harmless: they are taken as far back as any."""

ON_FILE = {"on_file": True}
"""pydantic context for what was accepted before: its days are taken as they are, also by a later version."""


def at_the_door(received_at: datetime) -> dict[str, datetime]:
    """pydantic context for a body from outside: its days are held against the moment at which it came."""
    return {"received_at": received_at}


def _storable(value: str) -> str:
    """PostgreSQL text cannot hold NUL, so it is refused at the door instead of failing inside."""
    if "\x00" in value:
        raise ValueError("must not contain NUL characters")
    return value


def _day(value: JsonValue | date, info: ValidationInfo) -> date:
    """A calendar day, or a moment with a time; a moment becomes a day in the building's zone when it is processed."""
    return _plausible(_parsed(value), info)


def _planned_day(value: JsonValue | date, info: ValidationInfo) -> date:
    """The same of what is worked out from days that were accepted, such as a required day behind a late arrival."""
    parsed = _parsed(value)
    day = parsed.date() if isinstance(parsed, datetime) else parsed
    return _plausible(day, info) if "received_at" in (info.context or {}) else day


def _parsed(value: JsonValue | date) -> date:
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise ValueError("must be an ISO date such as 2026-02-15")
    try:
        return date.fromisoformat(value) if len(value) <= 10 else datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"is not a date that exists ({error}); write it like 2026-02-15") from error


def _plausible(value: D, info: ValidationInfo) -> D:
    """Within the years that a procurement log may speak of."""
    context = info.context or {}
    if context.get("on_file"):
        return value
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    received_at: datetime | None = context.get("received_at")
    if received_at is not None and value.year > received_at.year + MAX_YEARS_AHEAD:
        raise ValueError(f"lies more than {MAX_YEARS_AHEAD} years ahead, after {received_at.year + MAX_YEARS_AHEAD}")
    return value


def _said(value: str | None) -> str | None:
    """Weak models write out what they leave empty."""
    return None if value is None or value.strip().casefold() in ("", "null", "none", "n/a") else value


MAX_FOLDED = 600
"""Characters of a name once it is folded: some letters become eighteen, and names are folded again and again."""


def _short_when_folded(value: str) -> str:
    if len(unicodedata.normalize("NFKC", value)) > MAX_FOLDED:
        raise ValueError("has letters that stand for many others; write it in plain letters")
    return value


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_storable),
    AfterValidator(_short_when_folded),
]
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000),
    AfterValidator(_storable),
]
ShipmentId = Annotated[Name, AfterValidator(lambda value: " ".join(value.split()))]
"""A carrier's number as it was written, with single spaces; `shipment_key` tells whether two are the same."""
Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"), AfterValidator(_storable)]
Day = Annotated[
    date | datetime,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-02-15"]}),
    LocalDay(),
]
PlannedDay = Annotated[
    date,
    BeforeValidator(_planned_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-02-15"]}),
    LocalDay(),
]
"""A day that something is to be done: also one that follows from days on file, which may lie beyond their range."""
Moment = Annotated[datetime, AfterValidator(_plausible)]
Quantity = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=6)]
MAX_REPORTED = Decimal(10**9)
"""The largest quantity that an event may report."""


def _reported(value: Decimal, info: ValidationInfo) -> Decimal:
    """A report adds a quantity; it takes none away."""
    if (info.context or {}).get("on_file"):
        return value
    if value < 0:
        raise ValueError(
            "cannot be negative; to take back what was reported, send an Event_Voided with its source and event_id"
        )
    if value == 0:
        raise ValueError("must be greater than 0; leave the field out where nothing is counted")
    if value > MAX_REPORTED:
        raise ValueError(f"must be at most {MAX_REPORTED:,}")
    return value


ReportedQuantity = Annotated[
    Decimal,
    Field(
        max_digits=18,
        decimal_places=6,
        json_schema_extra={"exclusiveMinimum": 0, "maximum": int(MAX_REPORTED)},
    ),
    AfterValidator(_reported),
    Plain(),
]
"""How much an event reports, in the unit that it names, else in the item's."""
Unit = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40), AfterValidator(_storable)]
Money = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=4)]
Words = Annotated[str | None, AfterValidator(_said)]
"""Text of a model, or nothing."""


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


MAX_ID = 63
"""Characters of an id (`Slug`)."""


def shipment_key(shipment_id: str) -> str:
    """What two spellings of a carrier's number have in common: case and spaces do not count. Dashes do: 1-11 and 11-1
    are two shipments."""
    return "".join(unicodedata.normalize("NFKC", shipment_id).casefold().split())


class DistinctIds:
    """Gives out ids that nobody has yet: `steel-beams`, `steel-beams-2`, `steel-beams-3`. Case does not count."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {made.casefold() for made in taken}
        self._next: dict[str, int] = {}

    def take(self, wanted: str, is_free: Callable[[str], bool] = lambda _made: True) -> str:
        """The id that is wanted, with the next free number where it is taken; `is_free`: what else it must be."""
        made, number = wanted, self._next.get(wanted, 2)
        while made.casefold() in self._taken or not is_free(made):
            made, number = f"{wanted[: MAX_ID - len(str(number)) - 1]}-{number}", number + 1
        self._next[wanted] = number
        self._taken.add(made.casefold())
        return made
