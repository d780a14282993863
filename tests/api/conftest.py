"""The API over a fresh database, called in-process as from this machine; no worker runs."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from runtime.clock import SystemClock
from runtime.resources import Resources
from runtime.settings import Settings
from storage.database import open_pool
from tests.api.office import ADMIN, APPROVER, MACHINE, READER, SENDER, SPEC, client_of
from tests.api.served import Served, serving


@pytest.fixture
async def resources(database: str) -> AsyncIterator[Resources]:
    async with open_pool(database, max_size=10, name="test") as pool:
        yield Resources(Settings(database_url=database), database, pool, SystemClock())


@pytest.fixture
async def client(resources: Resources) -> AsyncIterator[httpx.AsyncClient]:
    """The local person's client."""
    async with client_of(resources) as opened:
        yield opened


@pytest.fixture
async def keyed(resources: Resources) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service with keys, without one of its own."""
    resources.settings.api_keys = [READER, SENDER, APPROVER, MACHINE, ADMIN]
    async with client_of(resources, client=("203.0.113.9", 1)) as opened:
        yield opened


@pytest.fixture
async def building(client: httpx.AsyncClient) -> dict[str, Any]:
    """The building that the tests send events to."""
    response = await client.post("/buildings", json=SPEC)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


@pytest.fixture
def served(database: str) -> Iterator[Served]:
    """The API on a port of this machine."""
    with serving(database) as thread:
        yield thread
