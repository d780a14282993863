"""A building of a case's own with its agent, run in-process on a clock that stands still."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar

from psycopg.rows import class_row

from domain.approvals import Approval, Decision, Responder
from domain.buildings import BuildingSpec
from domain.events import EVENT, body_of
from domain.plain_json import JsonObject
from evals.reading.cases import building
from runtime.drain import Drainer
from runtime.settings import Settings
from runtime.slots import PROMPT, SlotPool
from storage import approvals, buildings, inbox, procurement
from storage.connection import Connection
from storage.database import connect
from tools.models import ModelAccess
from tools.prompts import Budgets

PERSON = Responder(type="human", id="pm", name="Project manager")

R = TypeVar("R")


@dataclass
class _Clock:
    moment: datetime

    def now(self) -> datetime:
        return self.moment


@dataclass
class Room:
    """A building and its agent."""

    conn: Connection
    drainer: Drainer
    building_id: str
    clock: _Clock

    async def post(self, body: JsonObject, event_id: str) -> None:
        """Put an event into the inbox, and run the agent."""
        event = EVENT.validate_python(body)
        await inbox.accept(
            self.conn,
            self.building_id,
            source="case",
            event_id=event_id,
            event_type=event.event_type,
            body=body_of(event),
            now=self.clock.now(),
        )
        await self.drainer.drain(self.building_id)

    async def question(self) -> Approval | None:
        """The newest question that is open."""
        found = await procurement.open_questions(self.conn, self.building_id)
        return found[-1] if found else None

    async def answer(self, question: Approval, decision: Decision, event_id: str) -> None:
        """Answer a question, and run the agent."""
        await approvals.decide(
            self.conn,
            question.approval_id,
            decision,
            version=question.version,
            event_id=event_id,
            now=self.clock.now(),
        )
        await self.drainer.drain(self.building_id)

    async def all(self, kind: type[R], query: str) -> list[R]:
        """Rows of a query whose one parameter is the building; its columns are the fields of `kind`."""
        cursor = self.conn.cursor(row_factory=class_row(kind))
        return await (await cursor.execute(query.encode(), (self.building_id,))).fetchall()


@asynccontextmanager
async def open_room(
    conninfo: str,
    models: ModelAccess,
    building_id: str,
    day: date,
    budgets: Budgets = PROMPT,
    *,
    with_vendors: bool = False,
    asks: str | None = None,
) -> AsyncIterator[Room]:
    """The building of the cases under this name, on noon of a day; `models` are its agent's. `with_vendors`: the vendor
    of every line is on file. `asks`: the role that is asked; None: the project manager."""
    clock = _Clock(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
    slots = SlotPool(conninfo, clock, 1, "reading slot", models, budgets=budgets)
    conn = await connect(conninfo, application_name="reading")
    try:
        body = building(building_id, with_vendors=with_vendors)
        if asks is not None:
            body["approvers"] = [{"role": asks, "name": asks}]
        await buildings.create(conn, BuildingSpec.model_validate(body), clock.now())
        yield Room(conn, Drainer(Settings(), clock, slots, asyncio.Event()), building_id, clock)
    finally:
        await slots.close()
        await conn.close()
