"""The processes people start: `serve` (API and worker in one) and `work` (a worker alone), each its own supervisor."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import structlog
import uvicorn
from starlette.types import ASGIApp

from runtime.channels_check import require_usable_channels, warn_of_missing_ways
from runtime.connection_budget import ConnectionBudget
from runtime.connections import GuardedConfig, Limits
from runtime.figures import shown_figures
from runtime.keys import warn_about
from runtime.logs import set_up_logs
from runtime.resources import Resources, open_resources
from runtime.settings import Settings
from runtime.worker import open_worker

log = structlog.get_logger()

MOST_BACKOFF_S = 30.0

MakeApp = Callable[[Resources], ASGIApp]
"""Makes the ASGI application: handed in, since the API is the room above."""


async def serve(settings: Settings, make_app: MakeApp) -> None:
    """Serve the API and run a worker until a signal ends it. The worker is restarted when the database was away."""
    set_up_logs(settings)
    await require_usable_channels(settings)
    for warning in warn_about(settings.api_keys, datetime.now(UTC)):
        log.warning("API keys", warning=warning)
    stop = asyncio.Event()
    budget = ConnectionBudget.of_service(settings)
    async with open_resources(settings, name="longlead api", budget=budget) as resources:
        await warn_of_missing_ways(settings, resources.pool)
        server = QuietServer(http_config(make_app(resources), settings))
        async with kept_database(resources), signals(stop), asyncio.TaskGroup() as tasks:
            tasks.create_task(supervise(resources, stop))
            tasks.create_task(serve_until(server, stop))
            log.info("serving", url=f"http://{settings.host}:{settings.port}", embedded=settings.embedded)


def http_config(app: ASGIApp, settings: Settings) -> GuardedConfig:
    """How the API is served."""
    return GuardedConfig(app, Limits.of(settings), host=settings.host, port=settings.port)


class QuietServer(uvicorn.Server):
    """uvicorn for a process that handles signals for API and worker together, and that sleeps while nobody asks.

    The stock server wakes up ten times a second to see whether it is to end, and to renew the date in its answers:
    that is due once.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ending = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def end(self) -> None:
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), 1.0)


async def serve_until(server: QuietServer, stop: asyncio.Event) -> None:
    """Serve until `stop` is set; set it when the server ended by itself."""
    running = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    stopping.cancel()
    server.end()
    await running


async def work(settings: Settings) -> None:
    """Run a worker alone until a signal ends it."""
    set_up_logs(settings)
    await require_usable_channels(settings)
    stop = asyncio.Event()
    async with (
        open_resources(settings, name="longlead worker", budget=ConnectionBudget.of_worker(settings)) as resources,
        kept_database(resources),
        signals(stop),
        shown_figures(resources),
    ):
        await warn_of_missing_ways(settings, resources.pool)
        log.info("working", concurrency=settings.concurrency, embedded=settings.embedded)
        await supervise(resources, stop)


async def supervise(resources: Resources, stop: asyncio.Event) -> None:
    """Run a worker, and again with backoff when it ended by a fault (it does when the database goes away)."""
    pause, loop = 0.5, asyncio.get_running_loop()
    while not stop.is_set():
        began = loop.time()
        try:
            await _run_once(resources, stop)
        except Exception as error:  # noqa: BLE001 - the border: a worker's end is logged, and it is started again
            if loop.time() - began > MOST_BACKOFF_S:
                pause = 0.5  # it ran well in between
            log.error("worker ended, starting again", error=str(error), in_seconds=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
            pause = min(pause * 2, MOST_BACKOFF_S)


@asynccontextmanager
async def kept_database(resources: Resources) -> AsyncIterator[None]:
    """Look after the embedded server while this is open."""
    keeper = asyncio.create_task(resources.keep_database())
    try:
        yield
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper


async def _run_once(resources: Resources, stop: asyncio.Event) -> None:
    async with open_worker(resources) as worker:
        running = asyncio.create_task(worker.run())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        worker.stopping.set()
        await running


@asynccontextmanager
async def signals(stop: asyncio.Event) -> AsyncIterator[None]:
    """SIGINT and SIGTERM set `stop`: what is in hand is finished, the rest is handed back."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
