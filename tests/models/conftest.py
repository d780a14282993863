from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from runtime.chat_models import open_chat_models
from runtime.models import budget_of
from runtime.settings import Settings
from storage.database import connect
from tests.agent.desk import Desk, FixedClock, make_drainer
from tests.models.scripted import ScriptedServer

SCHEDULE = {
    "project": {"name": "Office"},
    "deliveries": [{"item": name, "required_by": "2026-04-30"} for name in ("Steel Beams", "HVAC Units", "Windows")],
}
ITEMS = [{"item_id": "steel-beams", "name": "Steel Beams", "vendor_id": "acme", "unit_price": "10"}]
VENDORS = [{"vendor_id": "acme", "name": "Acme", "contact": "jo@acme.example"}]
OpenDesk = Callable[..., Awaitable[Desk]]


@pytest.fixture
def models() -> Iterator[ScriptedServer]:
    """A model's server that answers as it is told."""
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
async def open_desk(database: str) -> AsyncIterator[OpenDesk]:
    """Opens a building's desk whose agent has the models of the settings given; its lines are ordered."""
    async with AsyncExitStack() as stack:

        async def opened(settings: Settings, *, ordered: tuple[str, ...] = ("Steel Beams",), **spec: Any) -> Desk:
            access = await stack.enter_async_context(open_chat_models(settings))
            clock = FixedClock()
            drainer = make_drainer(database, clock, models=access, budget=budget_of(settings))
            stack.push_async_callback(drainer.slots.close)
            conn = await connect(database, application_name="desk")
            stack.push_async_callback(conn.close)
            desk = Desk(conn, drainer, clock)
            await desk.open(**{"schedule": SCHEDULE, "items": ITEMS, "vendors": VENDORS, **spec})
            for item in ordered:
                await desk.post("Submittal_Approved", item=item, occurred_at="2026-01-05T09:00:00Z")
            return desk

        yield opened
