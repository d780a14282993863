from collections.abc import AsyncIterator

import pytest

from storage.database import connect
from tests.retention.archive import Archive


@pytest.fixture
async def archive(database: str) -> AsyncIterator[Archive]:
    """A database with desks in it, and the pruning of it."""
    conn = await connect(database, application_name="retention")
    opened = Archive(database, conn)
    try:
        yield opened
    finally:
        await opened.close()
