from collections.abc import AsyncIterator, Iterator

import pytest

from runtime.resources import Resources
from runtime.settings import Settings
from storage.database import open_pool
from tests.agent.desk import Desk, FixedClock, open_desk
from tests.delivery.post_room import PostRoom
from tests.delivery.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


@pytest.fixture
async def room(database: str) -> AsyncIterator[PostRoom]:
    """A building's outbox on a database of its own. The clock stands still until it is set."""
    clock = FixedClock()
    settings = Settings(database_url=database, delivery_attempts=3, public_url="https://longlead.example")
    async with open_pool(database, max_size=20, name="delivery test") as pool:
        yield PostRoom(Resources(settings, database, pool, clock), clock)


@pytest.fixture
async def desk(database: str, room: PostRoom) -> AsyncIterator[Desk]:
    """The building's agent, over the same database and clock."""
    async with open_desk(database, room.clock) as opened:
        yield opened
