"""Where scenarios are played: the real app, graph and database in one process, with a clock for each scenario."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from api.app import create_app
from domain.policy import ResponderType
from runtime.drain import Drainer
from runtime.resources import Resources
from runtime.settings import ApiKey, Settings
from runtime.slots import SlotPool
from storage.database import open_pool

SLOTS = 6
"""Scenarios that are played at once: the agent computes on one core, PostgreSQL on others."""

_moment: ContextVar[datetime] = ContextVar("the scenario's time", default=datetime(2026, 1, 1, tzinfo=UTC))

RESPONDERS: dict[ResponderType, ApiKey] = {
    "human": ApiKey(key="evals-person-0000000000", id="person", name="Project manager", roles=["admin"]),
    "ai_agent": ApiKey(key="evals-model-00000000000", id="model", name="Assistant", type="ai_agent", roles=["admin"]),
    "automated_rule": ApiKey(
        key="evals-program-000000000", id="program", name="Program", type="automated_rule", roles=["admin"]
    ),
}
"""The keys with which scenarios answer."""


class ScenarioClock:
    """The time of the scenario that asks: each is played in a task of its own."""

    def now(self) -> datetime:
        return _moment.get()

    def set(self, moment: datetime) -> None:
        _moment.set(moment)

    def forward(self, by: timedelta) -> None:
        _moment.set(_moment.get() + by)


@dataclass
class Site:
    """The running parts that a player needs."""

    client: httpx.AsyncClient
    pool: AsyncConnectionPool[AsyncConnection[DictRow]]
    drainer: Drainer
    clock: ScenarioClock


@asynccontextmanager
async def open_site(conninfo: str, slots: int = SLOTS) -> AsyncIterator[Site]:
    """The app and the agent over a migrated database; nothing listens, and nothing is delivered."""
    settings = Settings(
        database_url=conninfo, api_keys=list(RESPONDERS.values()), event_attempts=3, retry_base=60, concurrency=slots
    )
    clock = ScenarioClock()
    async with open_pool(conninfo, max_size=slots, name="evals") as pool:
        resources = Resources(settings, conninfo, pool, clock)
        transport = httpx.ASGITransport(create_app(resources))
        drainer = Drainer(settings, clock, SlotPool(conninfo, clock, slots, "evals slot"), asyncio.Event())
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://evals", timeout=60) as client:
                yield Site(client, pool, drainer, clock)
        finally:
            await drainer.slots.close()
