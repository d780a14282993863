"""The API on a port of this machine, for clients that are programs of their own."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn

from api.app import create_app
from runtime.clock import SystemClock
from runtime.connections import GuardedConfig, Limits
from runtime.resources import Resources
from runtime.settings import ApiKey, Settings
from storage.database import open_pool
from tests.api.office import raise_approval


class Served(threading.Thread):
    """The API on a port of this machine, in a thread and event loop of its own."""

    http: type[asyncio.Protocol] | None = None
    """uvicorn's protocol; None: the one that it chooses."""

    def __init__(self, conninfo: str, keys: Sequence[ApiKey] = (), **settings: Any) -> None:
        super().__init__(daemon=True)
        self.settings = Settings(database_url=conninfo, api_keys=list(keys), **settings)
        self.limits = Limits.of(self.settings)
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
            self.resources = Resources(self.settings, self.conninfo, pool, SystemClock())
            self.app = create_app(self.resources)
            self.server = uvicorn.Server(GuardedConfig(self.app, self.limits, http=self.http, lifespan="off"))
            await self.server.serve(sockets=[self.socket])

    def wait_until_up(self) -> None:
        for _ in range(500):
            if self.server is not None and self.server.started:
                return
            time.sleep(0.02)
        raise TimeoutError("the API did not start")

    def ask(self, **fields: Any) -> str:
        """Raise a question as the agent would; its id."""
        asking = asyncio.run_coroutine_threadsafe(raise_approval(self.resources, **fields), self.loop)
        return asking.result(10)

    def stop(self) -> None:
        if self.server is not None:
            self.server.should_exit = True
        self.join(20)
        self.socket.close()


@contextmanager
def serving(
    conninfo: str, keys: Sequence[ApiKey] = (), http: type[asyncio.Protocol] | None = None, **settings: Any
) -> Iterator[Served]:
    """The API over this database while the block runs."""
    thread = Served(conninfo, keys, **settings)
    thread.http = http
    thread.start()
    thread.wait_until_up()
    try:
        yield thread
    finally:
        thread.stop()
