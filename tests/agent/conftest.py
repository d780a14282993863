from collections.abc import AsyncIterator

import pytest

from storage.database import connect
from tests.agent.desk import Desk, FixedClock, make_drainer


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    """A building's desk on a database of its own."""
    clock = FixedClock()
    drainer = make_drainer(database, clock)
    conn = await connect(database, application_name="desk")
    try:
        yield Desk(conn, drainer, clock)
    finally:
        await drainer.slots.close()
        await conn.close()
