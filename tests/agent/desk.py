"""A building's desk for tests: post events and answers as the API would, and run the agent over them in-process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.actions import ACTIONS, plain
from domain.approvals import LOCAL_PERSON, Approval, Decision
from domain.buildings import BuildingSpec
from domain.events import EVENT, Entry, body_of
from domain.procurement import Row
from runtime.drain import Drainer
from runtime.settings import Settings
from runtime.slots import SlotPool
from storage import approvals, buildings, inbox, procurement
from storage.approvals import AcceptedDecision
from storage.connection import Connection
from storage.database import connect
from storage.rows import select


@dataclass
class FixedClock:
    """A clock that stands still until it is set."""

    moment: datetime = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def forward(self, **by: float) -> None:
        self.moment += timedelta(**by)


@dataclass
class Desk:
    """One building, its inbox and its agent."""

    conn: Connection
    drainer: Drainer
    clock: FixedClock
    building_id: str = "office"
    _numbers: int = 0
    answered: list[AcceptedDecision] = field(default_factory=list)

    async def open(self, **spec: Any) -> None:
        body = {
            "building_id": self.building_id,
            "name": "Office",
            "schedule": {"project": {"name": "Office"}, "deliveries": []},
            **spec,
        }
        await buildings.create(self.conn, BuildingSpec.model_validate(body), self.clock.now())

    async def post(
        self,
        event_type: str,
        *,
        run: bool = True,
        source: str = "test",
        named: dict[str, str] | None = None,
        **fields: Any,
    ) -> str:
        """Post an event, and run the agent until nothing is left to do. Returns the event's id. `named`: the event
        that it takes back."""
        self._numbers += 1
        event_id = fields.pop("event_id", f"e{self._numbers}")
        event = EVENT.validate_python(
            {"event_type": event_type, **_DEFAULTS.get(event_type, {}), **fields, **(named or {})}
        )
        await inbox.accept(
            self.conn,
            self.building_id,
            source=source,
            event_id=event_id,
            event_type=event_type,
            body=body_of(event),
            now=self.clock.now(),
        )
        if run:
            await self.run()
        return event_id

    async def run(self) -> None:
        await self.drainer.drain(self.building_id)

    async def decide(
        self,
        approval: Approval,
        kind: str = "approve",
        *,
        actions: list[dict[str, Any]] | None = None,
        version: int | None = None,
        why: str = "",
        run: bool = True,
    ) -> AcceptedDecision:
        """Answer a question and run the agent."""
        self._numbers += 1
        made = [plain(action) for action in ACTIONS.validate_python(actions or [])]
        accepted = await approvals.decide(
            self.conn,
            approval.approval_id,
            Decision(type=kind, responder=LOCAL_PERSON, actions=made, why=why),  # type: ignore[arg-type]
            version=version,
            event_id=f"d{self._numbers}",
            now=self.clock.now(),
        )
        if run:
            await self.run()
        return accepted

    async def pending(self) -> list[Approval]:
        return await procurement.open_questions(self.conn, self.building_id)

    async def question(self, kind: str | None = None) -> Approval:
        """The one pending question (of that kind)."""
        found = [approval for approval in await self.pending() if kind in (None, approval.kind)]
        assert len(found) == 1, [(approval.kind, approval.item_id) for approval in found]
        return found[0]

    async def item(self, item_id: str) -> Any:
        file = await procurement.line_file(self.conn, self.building_id, item_id)
        assert file is not None, item_id
        return file.item

    async def file(self, item_id: str) -> Any:
        return await procurement.line_file(self.conn, self.building_id, item_id)

    async def rows(self, kind: type[Row]) -> list[Any]:
        return await select(self.conn, kind, "building_id = %s", (self.building_id,))

    async def actions(self, event_id: str | None = None) -> list[tuple[str, dict[str, Any]]]:
        """(name, arguments) of what the agent did, in order; for one event, or all."""
        cursor = await self.conn.execute(
            "SELECT a.action, a.arguments FROM actions a JOIN events e USING (building_id, seq) "
            "WHERE a.building_id = %s AND a.kind = 'action' AND (%s::text IS NULL OR e.event_id = %s) "
            "ORDER BY a.position, a.seq, a.ordinal",
            (self.building_id, event_id, event_id),
        )
        return [(row["action"], row["arguments"]) for row in await cursor.fetchall()]

    async def names(self, event_id: str | None = None) -> list[str]:
        return [name for name, _ in await self.actions(event_id)]

    async def entries(self) -> list[Entry]:
        """All entries of the inbox as a run is given them, in order."""
        query = f"SELECT {inbox.TAKEN} FROM events WHERE building_id = %s ORDER BY seq"
        rows = await (await self.conn.execute(query, (self.building_id,))).fetchall()
        lease = inbox.Lease(self.building_id, 0, thread_id="", time_zone="UTC")
        return [inbox.claimed(lease, inbox.Taken(**row)).entry for row in rows]

    async def event(self, event_id: str) -> dict[str, Any]:
        cursor = await self.conn.execute(
            "SELECT * FROM events WHERE building_id = %s AND event_id = %s", (self.building_id, event_id)
        )
        row = await cursor.fetchone()
        assert row is not None, event_id
        return row


_REPORT = {"document_url": "https://docs.example/report.pdf", "document_name": "Report"}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "Submittal_Approved": {"document_url": "https://docs.example/submittal.pdf", "document_name": "Submittal"},
    "Submittal_Rejected": {"reason": "wrong finish"},
    "Shipment_Departed_Factory": {"date_departed": "2026-02-03", "location_address": "Factory"},
    "Shipment_Arrived_Site": {"location_address": "Site"},
    "Inspection_Passed": _REPORT,
    "Inspection_Failed": _REPORT,
}


@asynccontextmanager
async def open_desk(database: str, clock: FixedClock, **slots: Any) -> AsyncIterator[Desk]:
    """A building's desk on this database, not yet with a building."""
    drainer = make_drainer(database, clock, **slots)
    conn = await connect(database, application_name="desk")
    try:
        yield Desk(conn, drainer, clock)
    finally:
        await drainer.slots.close()
        await conn.close()


def make_drainer(conninfo: str, clock: FixedClock, size: int = 2, **slots: Any) -> Drainer:
    """`slots`: what a slot gets beside its connection (models, budgets, ...)."""
    settings = Settings(event_attempts=3, retry_base=0.01, stalled_after=2, heartbeat_interval=0.5, shutdown_grace=1)
    return Drainer(settings, clock, SlotPool(conninfo, clock, size, "test slot", **slots), asyncio.Event())
