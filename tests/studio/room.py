"""One building seen from both sides: its desk with the real worker, and LangGraph's dev server."""

import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import APIStatusError

from domain.approvals import Approval
from runtime.studio_threads import GRAPH, Registrar
from storage.buildings import thread_id
from storage.database import connect
from tests.agent.desk import Desk, FixedClock, make_drainer

DELIVERIES = [
    {"item": "HVAC Units", "required_by": "2026-03-01", "buffer_days": 7},
    {"item": "Doors", "required_by": "2026-05-01", "buffer_days": 7},
]
TABLES = ("events", "actions", "outbox", "changes", "purchase_orders", "decisions", "approvals")

LIVE = """
SELECT checkpoint_id, parent_checkpoint_id FROM checkpoints
 WHERE thread_id = %s AND metadata ? 'seq' ORDER BY checkpoint_id"""
WRITES = """
SELECT w.checkpoint_id, w.task_id, w.idx, w.channel, w.blob FROM checkpoint_writes w
  JOIN checkpoints c USING (thread_id, checkpoint_ns, checkpoint_id)
 WHERE w.thread_id = %s AND c.metadata ? 'seq' ORDER BY 1, 2, 3"""


@dataclass(frozen=True)
class Studio:
    """A running `longlead studio`."""

    url: str
    conninfo: str
    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def registrar_file(self) -> Path:
        return self.folder / "data" / "studio" / "registrar.key"

    @asynccontextmanager
    async def client(self, key: str | None = None, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        """A plain HTTP client, as curl is one."""
        headers |= {"authorization": f"Bearer {key}"} if key else {}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False, timeout=30) as client:
            yield client

    async def routes(self, key: str | None = None) -> list[tuple[str, str]]:
        """Every method and path that the server's OpenAPI names, with ids filled in."""
        async with self.client(key) as client:
            paths = (await client.get("/openapi.json")).json()["paths"]
        return [
            (method.upper(), re.sub(r"\{[^}]+\}", str(uuid4()), path))
            for path, operations in paths.items()
            for method in operations
            if method in ("get", "post", "put", "patch", "delete")
        ]


@dataclass
class Room:
    """A building, its desk, and Studio's view of its thread."""

    studio: Studio
    desk: Desk
    client: LangGraphClient
    registrar: Registrar

    @property
    def thread(self) -> str:
        return thread_id(self.desk.building_id)

    async def open(self, *, registered: bool = True) -> Approval:
        """A building whose worker has bought a line and waits for an answer about it."""
        desk = self.desk
        await desk.open(schedule={"project": {"name": "Office"}, "deliveries": DELIVERIES})
        await desk.post("Submittal_Approved", item="HVAC Units")
        await desk.post("Shipment_Arrived_Site", item="HVAC Units", date_arrived="2026-02-20")
        await desk.post("Inspection_Failed", item="HVAC Units", inspection_date="2026-02-23")
        if registered:
            await self.registrar.register_new()
        return await desk.question("inspection_failed")

    async def run(self, **how: Any) -> dict[str, Any]:
        """Run the graph there and wait for its end, or its next question."""
        state = await self.client.runs.wait(self.thread, GRAPH, **how)
        assert isinstance(state, dict), state
        return state

    async def answer(self, value: Any) -> dict[str, Any]:
        """Answer the interrupt that is shown there."""
        return await self.run(command={"resume": value})

    async def shown(self) -> dict[str, Any]:
        """The interrupt's payload as the server shows it now."""
        state = await self.client.threads.get_state(self.thread)
        (interrupt,) = state["interrupts"]
        payload = interrupt["value"]
        assert isinstance(payload, dict)
        return payload

    async def live_line(self) -> list[tuple[Any, ...]]:
        """The checkpoints that workers wrote, as (id, parent), the oldest first."""
        return [tuple(row.values()) for row in await self._rows(LIVE)]

    async def live_writes(self) -> list[tuple[Any, ...]]:
        """What nodes left at the live checkpoints."""
        return [tuple(row.values()) for row in await self._rows(WRITES)]

    async def _rows(self, query: str) -> list[dict[str, Any]]:
        return await (await self.desk.conn.execute(query, (self.thread,))).fetchall()

    async def _rows_of(self, table: str) -> list[dict[str, Any]]:
        query = f"SELECT * FROM {table} WHERE building_id = %s"
        return await (await self.desk.conn.execute(query, (self.desk.building_id,))).fetchall()

    async def counts(self) -> dict[str, int]:
        """Rows of the building in every table that an effect could touch."""
        counted = {}
        for table in TABLES:
            cursor = await self.desk.conn.execute(
                f"SELECT count(*) AS n FROM {table} WHERE building_id = %s", (self.desk.building_id,)
            )
            row = await cursor.fetchone()
            assert row is not None
            counted[table] = row["n"]
        return counted


@asynccontextmanager
async def open_room(studio: Studio, *, key: str | None = None) -> AsyncIterator[Room]:
    """A building of its own with its worker, and a client of the server that knows its thread."""
    clock = FixedClock()
    drainer = make_drainer(studio.conninfo, clock)
    conn = await connect(studio.conninfo, application_name="desk")
    desk = Desk(conn, drainer, clock, building_id=f"b{uuid4().hex[:8]}")
    try:
        async with connect_as(studio, key) as client:
            yield Room(studio, desk, client, Registrar(client, studio.conninfo))
    finally:
        await drainer.slots.close()
        await conn.close()


@asynccontextmanager
async def connect_as(studio: Studio, key: str | None, **headers: str) -> AsyncIterator[LangGraphClient]:
    """LangGraph's own client with somebody's key."""
    headers |= {"authorization": f"Bearer {key}"} if key else {}
    async with get_client(url=studio.url, api_key=None, headers=headers) as client:
        yield client


async def status_of(*calls: Awaitable[Any]) -> list[int]:
    """With which status each call was refused; 200 for one that was not."""
    statuses = []
    for call in calls:
        try:
            await call
            statuses.append(200)
        except APIStatusError as error:
            statuses.append(error.status_code)
        except httpx.HTTPStatusError as error:
            statuses.append(error.response.status_code)
    return statuses
