"""Whatever is sent, no answer is a server's error, and every answer is one that the description names."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from runtime.clock import SystemClock
from runtime.resources import Resources
from runtime.settings import Settings
from storage.database import open_pool
from tests.api.office import APPROVED, BUILDING, EVENTS, SPEC, raise_approval

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
KNOWN = {
    "building_id": BUILDING,
    "item_id": "steel-beams",
    "event_id": "docs-311",
    "approval_id": f"{BUILDING}.1.0",
}


class Served(threading.Thread):
    """The API on a port of this machine, in a thread and event loop of its own."""

    def __init__(self, conninfo: str) -> None:
        super().__init__(daemon=True)
        self.conninfo = conninfo
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.server: uvicorn.Server | None = None
        self.app: Any = None

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        async with open_pool(self.conninfo, max_size=4, name="conformance") as pool:
            self.loop = asyncio.get_running_loop()
            settings = Settings(database_url=self.conninfo)
            self.resources = Resources(settings, self.conninfo, pool, SystemClock())
            self.app = create_app(self.resources)
            self.server = uvicorn.Server(uvicorn.Config(self.app, log_config=None, ws="none", lifespan="off"))
            await self.server.serve(sockets=[self.socket])

    def wait_until_up(self) -> None:
        for _ in range(500):
            if self.server is not None and self.server.started:
                return
            time.sleep(0.02)
        raise TimeoutError("the API did not start")

    def stop(self) -> None:
        if self.server is not None:
            self.server.should_exit = True
        self.join(20)
        self.socket.close()


@pytest.fixture
def served(database: str) -> Iterator[Served]:
    thread = Served(database)
    thread.start()
    thread.wait_until_up()
    httpx.post(f"{thread.url}/buildings", json=SPEC).raise_for_status()
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() + interval '1 h')")
    httpx.post(f"{thread.url}{EVENTS}", json=APPROVED).raise_for_status()
    asking = asyncio.run_coroutine_threadsafe(raise_approval(thread.resources), thread.loop)
    assert asking.result(10) == KNOWN["approval_id"]
    yield thread
    thread.stop()


@pytest.mark.slow
def test_every_operation_answers_as_it_is_described_whatever_is_sent(served: Served) -> None:
    schema = schemathesis.openapi.from_dict(served.app.openapi())
    for found in schema.get_all_operations():
        _try(found.ok(), served.url)


def _try(operation: Any, url: str) -> None:
    @given(case=operation.as_strategy(), known=st.booleans())
    @given_settings(
        max_examples=12,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def conforms(case: Any, known: bool) -> None:
        if known:
            case.path_parameters = {name: KNOWN.get(name, value) for name, value in case.path_parameters.items()}
        response = case.call(base_url=url)
        case.validate_response(response, checks=CHECKS)

    conforms()
