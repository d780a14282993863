from collections.abc import AsyncIterator, Iterator

import pytest
from structlog.testing import capture_logs

from storage.connection import Connection
from storage.database import connect
from tests.durability.stage import Stage


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """What is logged of events that fail on purpose is not printed."""
    with capture_logs():
        yield


@pytest.fixture
async def conn(database: str) -> AsyncIterator[Connection]:
    """A caller's connection."""
    opened = await connect(database, application_name="caller")
    yield opened
    await opened.close()


@pytest.fixture
async def stage(database: str) -> AsyncIterator[Stage]:
    """A stage for stories, on a database of its own."""
    opened = await Stage.open(database)
    yield opened
    await opened.close()
