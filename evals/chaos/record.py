"""What the outside knows: what clients sent and were told, what the receiver got, how processes ended.

The checker holds the tables against this. So nothing here, and nothing there, is made with the code under test.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import psycopg
from pydantic import JsonValue

Body = dict[str, JsonValue]
Row = dict[str, JsonValue | datetime | Decimal]
"""A row of any query."""
Connection = psycopg.Connection[Row]


@dataclass
class SentEvent:
    """An event that a client sent until it was answered."""

    building: str
    source: str
    event_id: str
    event_type: str
    place: int
    """Its place among those of its building: the next one is sent only when this one is answered."""
    poison: bool = False
    """It cannot be processed, and must end dead."""
    seqs: set[int] = field(default_factory=set)
    """The numbers that the answers told: one."""
    created: int = 0
    """Answers 202: stored by that very request."""
    posts: int = 0


@dataclass
class SentAnswer:
    """A person's answer to a question, sent with a key until it was answered."""

    key: str
    building: str
    approval_id: str
    version: int
    type: str
    fragile: bool = False
    """What it asks for may be impossible when its turn comes: then it ends dead."""
    seqs: set[int] = field(default_factory=set)
    event_ids: set[str] = field(default_factory=set)
    refused: bool = False
    """409: somebody else was first, or the question had changed."""

    @property
    def accepted(self) -> bool:
        return bool(self.seqs)


@dataclass(frozen=True)
class Received:
    """A message that reached the receiver."""

    key: str
    webhook_id: str
    type: str
    building: str
    written: str
    """What names the message itself: when it was written, and what it says or which order it is."""
    order: str | None
    """The purchase order's number, where it came the ERP's way."""


@dataclass(frozen=True)
class Ending:
    """How a process of the service ended."""

    name: str
    sent: str
    """The signal that the run sent to it; empty: none."""
    code: int
    database_up: bool
    """Whether the database had been there all the time shortly before."""


@dataclass
class Record:
    """All of it."""

    events: list[SentEvent] = field(default_factory=list)
    answers: list[SentAnswer] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    """Questions that a client saw, with their newest version."""
    received: list[Received] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """Answers of the API that should not have been: 500, 503 without Retry-After, two numbers for one event."""
