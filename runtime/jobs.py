"""The jobs of the engine: drains, the tick, the outbox. Each is a thin wrapper; the work is elsewhere."""

from dataclasses import dataclass

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.jobs import Status
from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from runtime.clock import Clock
from runtime.drain import Drainer
from runtime.settings import Settings
from storage import outbox, upkeep
from storage.queue import DRAIN_QUEUE, DRAIN_TASK

log = structlog.get_logger()

UPKEEP_QUEUE = "upkeep"


@dataclass
class Upkeep:
    """What the tick does: take over from the dead, wake what was forgotten, enter what is due, deliver."""

    settings: Settings
    clock: Clock
    pool: AsyncConnectionPool[AsyncConnection[DictRow]]

    async def tick(self, app: App) -> None:
        await self._release_stalled(app)
        now = self.clock.now()
        async with self.pool.connection() as conn:
            entered = await upkeep.enter_expired_holds(conn, now)
            entered += await upkeep.enter_overdue(conn, now) + await upkeep.enter_owed(conn, now)
            woken = await upkeep.wake_forgotten(conn, now)
            delivered = await outbox.deliver(conn, now, _to_log)
        if entered or woken or delivered:
            log.info("tick", due=entered, woken=len(woken), delivered=delivered)

    async def _release_stalled(self, app: App) -> None:
        """Fail the drains of workers without a sign of life: their lock would hold the building for ever. The
        engine's own retry is not used: one queued successor and it would wedge the building."""
        stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=self.settings.stalled_after)
        for job in stalled:
            log.warning("taking over from a dead worker", building=job.lock, job=job.id)
            await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)
        await app.job_manager.prune_stalled_workers(self.settings.stalled_after)


def _to_log(message: outbox.Outgoing) -> None:
    log.info(
        "message",
        building=message.building_id,
        to=message.recipient,
        subject=message.subject,
        key=message.key,
    )


def make_app(conninfo: str, drainer: Drainer, upkeep_: Upkeep) -> App:
    """The engine with this process's tasks. Drains are never retried by the engine: the inbox owns attempts."""
    app = App(connector=PsycopgConnector(conninfo=conninfo, min_size=1, max_size=5))

    async def drain(building_id: str) -> None:
        await drainer.drain(building_id)

    async def tick(timestamp: int) -> None:
        await upkeep_.tick(app)

    app.task(name=DRAIN_TASK, queue=DRAIN_QUEUE, retry=False)(drain)
    every = app.task(name="tick", queue=UPKEEP_QUEUE, lock="tick", queueing_lock="tick", retry=False)(tick)
    app.periodic(cron=f"* * * * * */{upkeep_.settings.tick_interval}")(every)
    return app
