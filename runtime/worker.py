"""A worker process: drains buildings, and keeps house in a small worker of its own, so that hung work cannot stop
recovery."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from procrastinate import App

from domain.errors import StorageError
from runtime.drain import Drainer
from runtime.embeddings import open_embedder
from runtime.jobs import UPKEEP_QUEUE, Engine, Upkeep, make_app
from runtime.models import budget_of, open_models
from runtime.resources import Resources
from runtime.settings import Settings
from runtime.slots import SlotPool
from runtime.tracing import open_tracer
from storage.queue import DRAIN_QUEUE
from tools.prompts import Budgets

log = structlog.get_logger()


class EngineEndedError(StorageError):
    """The job engine stopped without being told to. It is started again."""


@dataclass
class Worker:
    """A running worker. `stopping` ends it after the entries in hand."""

    app: Engine
    settings: Settings
    slots: SlotPool
    stopping: asyncio.Event

    async def run(self) -> None:
        """Run until `stopping` is set, or until the database goes away.

        Raises:
            Exception: what ended one of the engine's workers; the caller restarts with backoff.
        """
        settings = self.settings
        workers = [
            self._engine(self.app.drains, queue=DRAIN_QUEUE, concurrency=settings.concurrency),
            self._engine(self.app.upkeep, queue=UPKEEP_QUEUE, concurrency=3),
        ]
        tasks = [asyncio.create_task(worker) for worker in workers]
        stop = asyncio.create_task(self.stopping.wait())
        closing = asyncio.create_task(self.slots.close_idle_regularly())
        try:
            done, _ = await asyncio.wait([*tasks, stop], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.stopping.set()
            await _end(tasks, settings.shutdown_grace + 5)
            stop.cancel()
            closing.cancel()
        for task in done - {stop}:
            task.result()
        if stop not in done:
            raise EngineEndedError("The job engine ended by itself: the log has the reason.")

    def _engine(self, app: App, *, queue: str, concurrency: int) -> Coroutine[None, None, None]:
        settings = self.settings
        return app.run_worker_async(
            queues=[queue],
            name=f"longlead-{queue}",
            concurrency=concurrency,
            fetch_job_polling_interval=settings.poll_interval,
            abort_job_polling_interval=30.0,  # nothing here aborts jobs
            shutdown_graceful_timeout=settings.shutdown_grace,
            delete_jobs="successful",
            install_signal_handlers=False,
            update_heartbeat_interval=settings.heartbeat_interval,
            stalled_worker_timeout=settings.stalled_after,
        )


async def _end(tasks: list["asyncio.Task[None]"], wait_s: float) -> None:
    """Cancelling is the engine's way of being asked to stop: it lets running jobs finish within the grace."""
    for task in tasks:
        task.cancel()
    _, late = await asyncio.wait(tasks, timeout=wait_s)
    for task in late:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def open_worker(resources: Resources) -> AsyncIterator[Worker]:
    """A worker with its slots and its engine opened; closed in order at the end."""
    settings, stopping = resources.settings, asyncio.Event()
    async with (
        open_models(settings) as models,
        open_embedder(settings, resources.conninfo) as embedder,
        open_tracer(settings) as tracer,
    ):
        slots = SlotPool(
            resources.conninfo,
            resources.clock,
            settings.concurrency,
            "longlead slot",
            models,
            budget_of(settings),
            Budgets(settings.prompt_tokens),
            embedder,
            tracer,
        )
        drainer = Drainer(settings, resources.clock, slots, stopping, resources.excuses)
        app = make_app(resources.conninfo, drainer, Upkeep(settings, resources.clock, resources.pool))
        try:
            await slots.open_first()
            async with app.open_async():
                yield Worker(app, settings, slots, stopping)
        finally:
            await slots.close()
