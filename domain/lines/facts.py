"""What was said about a line: orders, departures, arrivals, verdicts, decisions. A fact is never changed; what a line
is worth today is computed from all of them (`domain.lines.account`).

Every fact has three times: the *day* on which it happened, *said_at* when its sender said it, and *received_at* when it
came in. Which saying is the newest is decided by said_at; received_at only breaks a tie.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

Judgement = Literal["same", "another"]
"""A person's word on whether a report tells a known fact again."""
Handling = Literal["repair", "return", "accept", "scrap"]
"""What becomes of rejected goods (NCR disposition)."""
Condition = Literal["good", "damaged", "wrong"]
"""How goods look on arrival; `wrong`: not what was ordered."""
AfterReturn = Literal["owed", "replaced", "credited"]
"""What the vendor does about returned goods: delivers again on the same order, on another order, or pays back."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing that was said. `quantity` is in the order line's unit; None: all that it can be of."""

    day: date
    said_at: datetime
    received_at: datetime
    source: str
    event_id: str
    order: str | None = None
    """Number of the order line, where the sender named one."""
    shipment_id: str | None = None
    quantity: Decimal | None = None
    is_voided: bool = False
    """It was taken back or set aside: it stays on file and counts for nothing."""
    judgement: Judgement | None = None
    is_adopted: bool = False
    """It was known when its line was taken on with a running project, and so told with gaps. Of an order: it was placed
    elsewhere, and what happened before we knew of it is unknown, and contradicts nothing."""
    is_undated: bool = False
    """Nobody knows the day: `day` is the last on which it can have happened."""

    @property
    def saying(self) -> tuple[datetime, datetime, str, str]:
        """Sorts facts by when they were said."""
        return self.said_at, self.received_at, self.source, self.event_id

    @property
    def key(self) -> str:
        """Names the fact: an event id is unique only within its source."""
        return f"{self.source}:{self.event_id}"


@dataclass(frozen=True, kw_only=True)
class Ordered(Fact):
    """An order line was placed; `order` is its number. A line without a quantity is one lot of 1."""

    replaces: str | None = None
    """The NCR whose goods it replaces."""


@dataclass(frozen=True, kw_only=True)
class Cancelled(Fact):
    """What had not arrived of an order line was cancelled."""


@dataclass(frozen=True, kw_only=True)
class Departed(Fact):
    """A shipment left the factory."""

    eta: date | None = None
    origin: str | None = None


@dataclass(frozen=True, kw_only=True)
class Arrived(Fact):
    """A shipment reached the site."""

    is_complete: bool | None = None
    """True: nothing more comes. False: a part of unknown size, where no quantity is given."""
    serials: frozenset[str] = frozenset()
    place: str | None = None
    is_off_site: bool = False
    """It was stored elsewhere and has still to come here."""
    damaged: Decimal | None = None
    """How much of it was damaged on arrival."""
    condition: Condition | None = None


@dataclass(frozen=True, kw_only=True)
class Inspected(Fact):
    """A verdict on what arrived: `quantity` was inspected, `rejected` of it failed (None: all of it)."""

    passed: bool
    rejected: Decimal | None = None
    ncr_number: str | None = None
    document: str | None = None
    defects: tuple[str, ...] = field(default=())

    @property
    def ncr(self) -> str:
        """Names the nonconformance that a failed inspection raises."""
        return self.ncr_number or self.key


@dataclass(frozen=True, kw_only=True)
class Disposed(Fact):
    """A person decided what becomes of rejected goods; `quantity` None: all of that NCR that is undecided."""

    ncr: str
    handling: Handling
    then: AfterReturn = "owed"


@dataclass(frozen=True, kw_only=True)
class Submitted(Fact):
    """A verdict of the designer on the vendor's document."""

    is_approved: bool
    revision: int | None = None
    document: str | None = None


@dataclass(frozen=True, kw_only=True)
class Stated(Fact):
    """The vendor promised a day (`promise`), or somebody expects the arrival on a day (`eta`). `day` is the day that
    was named; it holds for the shipment or order that was named, else for all that is not on site."""

    kind: Literal["promise", "eta"]
