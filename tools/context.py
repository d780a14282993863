"""What the agent is handed: its connection, its clock, and whether it may act at all."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Protocol

from domain.approvals import Approval, Responder
from domain.buildings import Building
from domain.errors import InvalidError
from domain.events import Entry
from domain.plain_json import JsonObject, text_in
from domain.principals import Principal
from domain.procurement import LineFile, Row
from storage import ledger, procurement
from storage.connection import Connection, Statement
from storage.ledger import EffectKey
from storage.long_term import Embedder, LongTermMemory
from storage.transaction import BuildingTransaction
from tools.models import UNLIMITED, ModelAccess, ModelBudget
from tools.prompts import Budgets
from tools.tracing import NO_TRACER, Tracer


class Clock(Protocol):
    """What tells the time, in UTC."""

    def now(self) -> datetime: ...


class Steps(Protocol):
    """The checkpoints of the thread that is run, on the same connection."""

    @property
    def lock(self) -> asyncio.Lock:
        """Whoever uses the connection holds it."""

    def going_along(self) -> AbstractContextManager[Statement | None]:
        """The statement that writes those that are not yet written, for a transaction within the block."""


@dataclass
class NoSteps:
    """Where nothing is held back."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def going_along(self) -> AbstractContextManager[None]:
        return nullcontext()


@dataclass
class Toolbox:
    """What the graph's nodes reach the world through; bound to them when the graph is built.

    `conn` is the slot's one connection, shared with `steps`, its checkpoint saver. Where `acts` is False (Studio, a
    fork made in place) effects only tell what they would do.
    """

    conn: Connection
    clock: Clock
    acts: bool = True
    steps: Steps = field(default_factory=NoSteps)
    budgets: Budgets = field(default_factory=Budgets)
    embedder: Embedder | None = None
    """None: no embedding model is configured, and long-term memory is searched by words."""
    models: ModelAccess | None = None
    """None: no model is configured, and a person is asked wherever one would be."""
    model_budget: ModelBudget = UNLIMITED
    tracer: Tracer = NO_TRACER
    find_answerer: Callable[[], Awaitable[Principal]] | None = None
    """In Studio: looks up who answers, and raises a LongleadError if nobody who may. None: nobody answers."""

    @property
    def lock(self) -> asyncio.Lock:
        """Whoever uses the connection holds it."""
        return self.steps.lock

    @cached_property
    def memory(self) -> LongTermMemory:
        """Episodes and facts, on the same connection under the same lock."""
        return LongTermMemory(self.conn, self.lock, self.embedder)


@dataclass
class ActionContext:
    """What one effect gets: the open transaction on its building, its key, and the days that count."""

    transaction: BuildingTransaction
    key: EffectKey
    entry: Entry
    responder: Responder
    now: datetime
    """Wall time, UTC."""
    today: date
    """The business day, in the building's zone."""
    files: dict[str, LineFile | None] = field(default_factory=dict)
    """Lines' files that were read under the building's lock; nothing changes them before the effect ends."""
    told: bool = False
    """Whether this effect has put its message into the outbox."""

    @property
    def building(self) -> Building:
        return self.transaction.building

    @property
    def seq(self) -> int:
        return self.entry.seq

    def save(self, *rows: Row) -> None:
        self.transaction.save(*rows)

    async def file(self, item_id: str) -> LineFile:
        """The line's file as committed before this effect.

        Raises:
            InvalidError: there is no such line.
        """
        if item_id not in self.files:
            read = await procurement.line_file(self.transaction.conn, self.building.building_id, item_id)
            self.files[item_id] = read
        found = self.files[item_id]
        if found is None:
            raise InvalidError(f"There is no line {item_id!r} in building {self.building.building_id!r}.", "item")
        return found

    async def answered(self) -> Approval | None:
        """The question that the entry answers; None where it answers none."""
        approval_id = text_in(self.entry.body, "approval_id")
        return await procurement.approval(self.transaction.conn, approval_id) if approval_id else None

    def post(self, recipient: str, subject: str, payload: JsonObject, *, on_going_live: bool = False) -> None:
        """Send something out: through the outbox, once for this effect. `on_going_live`: as in `ledger.post`."""
        ledger.post(
            self.transaction,
            self.key,
            channel="log",
            recipient=recipient,
            subject=subject,
            payload=payload,
            at=self.now,
            on_going_live=on_going_live,
        )
