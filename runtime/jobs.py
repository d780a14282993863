"""The jobs of the engine: drains, the tick, the outbox. Each is a thin wrapper; the work is elsewhere."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from procrastinate import App
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status

from runtime.clock import Clock
from runtime.connection_budget import ENGINE_POOL, ConnectionBudget
from runtime.delivery import Delivery
from runtime.drain import Drainer
from runtime.listening import QuietConnector
from runtime.registration import Registration
from runtime.settings import Settings
from storage import upkeep
from storage.database import Pool, configure, watched
from storage.queue import DRAIN_QUEUE, DRAIN_TASK
from storage.retention import prune_when_due

log = structlog.get_logger()

UPKEEP_QUEUE = "upkeep"

PRUNE_S = 5.0
"""Most seconds that retention takes at once; the rest goes on at the next tick."""
SWEEP_AFTER = 25
"""Drains of this process from one sweep to the next."""


@dataclass
class Upkeep:
    """What the tick does: take over from the dead, wake what was forgotten, enter what is due."""

    settings: Settings
    clock: Clock
    pool: Pool
    _ended: int = field(default=0, init=False)

    async def tick(self, app: App) -> None:
        await self._release_stalled(app)
        now = self.clock.now()
        async with self.pool.connection() as conn:
            entered = await upkeep.enter_expired_holds(conn, now)
            entered += await upkeep.enter_overdue(conn, now) + await upkeep.enter_owed(conn, now)
            entered += await upkeep.enter_first_days(conn, now)
            woken = await upkeep.wake_forgotten(conn, now)
        if entered or woken:
            log.info("tick", due=entered, woken=len(woken))

    async def prune(self) -> None:
        """Delete what need not be kept, for a few seconds: a job of its own, so that no duty of the tick waits."""
        settings = self.settings
        async with self.pool.connection() as conn:
            pruned = await prune_when_due(
                conn,
                settings.retention_policy,
                self.clock.now(),
                every=timedelta(seconds=settings.retention_interval),
                seconds=PRUNE_S,
            )
        if pruned is not None and pruned.rows:
            log.info("pruned", rows=pruned.rows, threads=pruned.threads, skipped=pruned.skipped)

    async def waiting(self) -> upkeep.Waiting:
        """Which of the duties that take longer have something to do: they are jobs of their own."""
        async with self.pool.connection() as conn:
            return await upkeep.waiting(conn, self.clock.now())

    async def job_ends(self) -> None:
        """Count it, and now and then sweep up what ended jobs left: some milliseconds."""
        self._ended += 1
        if self._ended >= SWEEP_AFTER:
            self._ended = 0
            async with self.pool.connection() as conn:
                await upkeep.sweep(conn)

    async def deliver(self) -> None:
        """Send what waits in the outbox: a job of its own, so that no slow receiver holds the tick up."""
        attempts = await Delivery(self.settings, self.clock, self.pool).run()
        if attempts:
            log.info("delivery", attempts=attempts)

    async def _release_stalled(self, app: App) -> None:
        """Fail the drains of workers without a sign of life: their lock would hold the building for ever. The
        engine's own retry is not used: one queued successor and it would wedge the building."""
        stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=self.settings.stalled_after)
        for job in stalled:
            log.warning("taking over from a dead worker", building=job.lock, job=job.id)
            with contextlib.suppress(ConnectorException):  # another worker's tick was faster
                await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)
        await app.job_manager.prune_stalled_workers(self.settings.stalled_after)


@dataclass(frozen=True)
class Engine:
    """The job engine of a process: two applications over the same few connections, since whatever an engine's worker
    runs also enters the periodic jobs that its application knows. So only the upkeep's does."""

    drains: App
    upkeep: App

    @asynccontextmanager
    async def open_async(self) -> AsyncIterator[None]:
        async with self.drains.open_async():
            connector = self.drains.connector
            if not isinstance(connector, QuietConnector):
                raise TypeError("the drains' connector has no pool to share")
            async with self.upkeep.open_async(connector.pool):
                yield


def make_app(conninfo: str, drainer: Drainer, upkeep_: Upkeep) -> Engine:
    """The engine with this process's tasks. Drains are never retried by the engine: the inbox owns attempts."""
    registration = _register_process(drainer, upkeep_)
    connector = QuietConnector(
        conninfo=watched(conninfo, application_name="longlead engine"),
        name="longlead engine",
        min_size=1,
        max_size=ENGINE_POOL,
        configure=configure,
    )
    drains = App(connector=connector)
    drains.job_manager = registration.manager(connector)

    async def drain(building_id: str) -> None:
        if (job := asyncio.current_task()) is not None:
            job.add_done_callback(lambda _: connector.look_again())
        await drainer.drain(building_id)
        await upkeep_.job_ends()

    drains.task(name=DRAIN_TASK, queue=DRAIN_QUEUE, retry=False)(drain)
    return Engine(drains, _upkeep(conninfo, upkeep_, registration))


def _register_process(drainer: Drainer, upkeep_: Upkeep) -> Registration:
    """What this process says of itself where the engine registers its workers."""
    slots = drainer.settings.concurrency
    return Registration.of_this_process(
        drainer.clock,
        slots=slots,
        connections=ConnectionBudget(slots, upkeep_.pool.max_size).most,
        count_slots=lambda: drainer.slots.opened,
    )


def _upkeep(conninfo: str, upkeep_: Upkeep, registration: Registration) -> App:
    """The tick enters what is due by itself, and wakes the duties that take longer where they have something to do."""
    connector = QuietConnector(conninfo=conninfo, configure=configure)
    app = App(connector=connector)
    app.job_manager = registration.manager(connector)

    async def deliver() -> None:
        await upkeep_.deliver()

    async def prune() -> None:
        await upkeep_.prune()

    # One at a time, or two runs that wait for slow receivers would take both places of the upkeep worker.
    sending = app.task(name="deliver", queue=UPKEEP_QUEUE, lock="deliver", queueing_lock="deliver", retry=False)(
        deliver
    )
    pruning = app.task(name="prune", queue=UPKEEP_QUEUE, queueing_lock="prune", retry=False)(prune)

    async def tick(timestamp: int) -> None:
        await upkeep_.tick(app)
        waiting = await upkeep_.waiting()
        for job in [sending] * waiting.messages + [pruning] * waiting.retention:
            with contextlib.suppress(AlreadyEnqueued):
                await job.defer_async()

    # No lock: a worker that died in its tick would hold it, and only a tick can release what the dead hold.
    every = app.task(name="tick", queue=UPKEEP_QUEUE, queueing_lock="tick", retry=False)(tick)
    app.periodic(cron=f"* * * * * */{upkeep_.settings.tick_interval}")(every)
    return app
