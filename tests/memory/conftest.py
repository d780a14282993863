from collections.abc import AsyncIterator

import pytest

from runtime.slots import Slot, open_slot
from storage.database import connect
from tests.agent.desk import Desk, FixedClock, make_drainer
from tools.prompts import Budgets

SMALL = Budgets(4_000)
"""So that a compaction is due after some twenty notes."""


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    """A building's desk whose agent has room for few messages."""
    clock = FixedClock()
    drainer = make_drainer(database, clock, budgets=SMALL)
    conn = await connect(database, application_name="desk")
    try:
        yield Desk(conn, drainer, clock)
    finally:
        await drainer.slots.close()
        await conn.close()


@pytest.fixture
async def slot(database: str) -> AsyncIterator[Slot]:
    """A slot of its own beside the desk's, to reach the agent's memory by."""
    made = await open_slot(database, FixedClock(), "test memory", budgets=SMALL)
    try:
        yield made
    finally:
        await made.conn.close()
