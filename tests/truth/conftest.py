"""One building per test, over REST and in-process; the clock stands where the last report left it."""

from collections.abc import AsyncIterator

import pytest

from runtime.resources import Resources
from runtime.settings import Settings
from storage.database import open_pool
from tests.agent.desk import FixedClock, make_drainer
from tests.api.office import client_of
from tests.truth.site import Site


@pytest.fixture
async def resources(database: str) -> AsyncIterator[Resources]:
    async with open_pool(database, max_size=4, name="test") as pool:
        yield Resources(Settings(database_url=database), database, pool, FixedClock())


@pytest.fixture
async def site(resources: Resources) -> AsyncIterator[Site]:
    """A building that is not yet open."""
    clock = resources.clock
    assert isinstance(clock, FixedClock)
    drainer = make_drainer(resources.conninfo, clock)
    try:
        async with client_of(resources) as client:
            yield Site(client, drainer, clock)
    finally:
        await drainer.slots.close()
