"""Where scenarios are played: the real app, graph and database in one process, with a clock for each scenario."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from api.app import create_app
from domain.policy import ResponderType
from evals.recorded_models import RecordedModels
from runtime.drain import Drainer
from runtime.models import open_models
from runtime.resources import Resources
from runtime.settings import ApiKey, Settings
from runtime.slots import SlotPool
from storage.database import open_pool
from tools.models import ModelAccess
from tools.prompts import Budgets

SLOTS = 6
"""Scenarios that are played at once: the agent computes on one core, PostgreSQL on others."""

_moment: ContextVar[datetime] = ContextVar("the scenario's time", default=datetime(2026, 1, 1, tzinfo=UTC))

RESPONDERS: dict[ResponderType, ApiKey] = {
    "human": ApiKey(
        key="evals-person-0000000000",
        id="person",
        name="Project manager",
        roles=["admin"],
        approver="project_manager",
    ),
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
class Agent:
    """The app and the workers behind it."""

    client: httpx.AsyncClient
    drainer: Drainer


@dataclass
class Site:
    """The running parts that a player needs."""

    clock: ScenarioClock
    plain: Agent
    """No model is configured."""
    reading: Agent
    """Models answer: recorded ones, or those that were asked for."""
    recorded: bool = True
    """Whether the answers of models are the scenarios' own."""


@asynccontextmanager
async def open_site(conninfo: str, slots: int = SLOTS, model: str | None = None) -> AsyncIterator[Site]:
    """The app and the agent over a migrated database; nothing listens, and nothing is delivered.

    `model` names real models, comma separated, in place of the recorded answers.
    """
    clock = ScenarioClock()
    plain = _settings(conninfo, models=[])
    reading = _settings(conninfo, models=["recorded"] if model is None else model.split(","))
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(conninfo, max_size=2 * slots, name="evals"))
        models: ModelAccess | None = RecordedModels()
        if model is not None:
            models = await stack.enter_async_context(open_models(reading))

        async def agent(settings: Settings, models: ModelAccess | None) -> Agent:
            resources = Resources(settings, conninfo, pool, clock)
            transport = httpx.ASGITransport(create_app(resources))
            client = httpx.AsyncClient(transport=transport, base_url="http://evals", timeout=60)
            budgets = Budgets(settings.prompt_tokens)
            slot_pool = SlotPool(conninfo, clock, slots, "evals slot", models, budgets=budgets)
            stack.push_async_callback(slot_pool.close)
            await stack.enter_async_context(client)
            return Agent(client, Drainer(settings, clock, slot_pool, asyncio.Event()))

        yield Site(clock, await agent(plain, None), await agent(reading, models), recorded=model is None)


def _settings(conninfo: str, models: list[str]) -> Settings:
    return Settings(
        database_url=conninfo,
        api_keys=list(RESPONDERS.values()),
        event_attempts=3,
        retry_base=60,
        models=models,
        models_reader=[],
        models_adviser=[],
        models_summariser=[],
    )
