from collections.abc import AsyncIterator

import pytest

from runtime.slots import Slot, open_slot
from tests.agent.desk import Desk, FixedClock, open_desk
from tools.prompts import Budgets

SMALL = Budgets(4_000)
"""So that a compaction is due after some twenty notes."""


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    """A building's desk whose agent has room for few messages."""
    async with open_desk(database, FixedClock(), budgets=SMALL) as desk:
        yield desk


@pytest.fixture
async def slot(database: str) -> AsyncIterator[Slot]:
    """A slot of its own beside the desk's, to reach the agent's memory by."""
    made = await open_slot(database, FixedClock(), "test memory", budgets=SMALL)
    try:
        yield made
    finally:
        await made.conn.close()
