"""Draining a building's inbox: strictly in order, each entry to its end, a bounded number at a time."""

import asyncio
import contextlib
import random
import traceback
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import psycopg
import structlog

from domain.errors import LeaseLostError
from domain.events import Entry
from graph.thread import advance
from runtime.clock import Clock
from runtime.settings import Settings
from runtime.slots import Slot, SlotPool, thread_lock
from storage import inbox
from storage.database import is_database_fault
from storage.inbox import Claimed, Lease
from storage.queue import wake
from storage.transaction import building_transaction

log = structlog.get_logger()

MOST_EVENTS = 50
MOST_SECONDS = 5.0
MOST_ERROR = 4000
"""Characters of an error that are kept with its event."""


def _logged_as(entry: Entry) -> contextlib.AbstractContextManager[None]:
    """Whatever is logged meanwhile, by whatever library, names the entry."""
    return structlog.contextvars.bound_contextvars(
        building=entry.building_id, seq=entry.seq, event_id=entry.event_id, type=entry.event_type
    )


class Ended(StrEnum):
    """How a drain ended."""

    EMPTY = "empty"
    BACKING_OFF = "backing_off"
    HANDED_ON = "handed_on"
    STOPPED = "stopped"
    GONE = "gone"


@dataclass
class Drainer:
    """Takes entries of a building's inbox and runs its graph over them, one after the other."""

    settings: Settings
    clock: Clock
    slots: SlotPool
    stopping: asyncio.Event

    async def drain(self, building_id: str) -> Ended:
        """Process what is open, at most 50 entries or 5 seconds; then hand on to a new job, so that a busy building
        starves nobody."""
        lease: Lease | None = None
        try:
            async with self.slots.slot() as slot:
                lease = await inbox.begin_drain(slot.conn, building_id)
                if lease is None:
                    return Ended.GONE
                async with thread_lock(slot, lease.thread_id, self.settings.stalled_after):
                    return await self._entries(slot, lease)
        except Exception as error:
            if lease is not None and is_database_fault(error):
                await self._excuse(lease)
            raise

    async def _excuse(self, lease: Lease) -> None:
        """A fault of the database costs no attempt. Where it cannot be reached even now, it counts as a crash."""
        with contextlib.suppress(psycopg.Error):
            async with self.slots.slot() as slot:
                await inbox.excuse(slot.conn, lease)

    async def _entries(self, slot: Slot, lease: Lease) -> Ended:
        started = asyncio.get_running_loop().time()
        for _ in range(MOST_EVENTS):
            if self.stopping.is_set():
                return await self._hand_on(slot, lease, Ended.STOPPED)
            async with slot.saver.lock:
                claimed = await inbox.claim(slot.conn, lease.building_id, self.clock.now())
            if claimed is None:
                return Ended.EMPTY
            with _logged_as(claimed.entry):
                if not await self.process(slot, lease, claimed):
                    return Ended.BACKING_OFF
            if asyncio.get_running_loop().time() - started > MOST_SECONDS:
                break
        return await self._hand_on(slot, lease, Ended.HANDED_ON)

    async def _hand_on(self, slot: Slot, lease: Lease, ended: Ended) -> Ended:
        async with slot.saver.lock, building_transaction(slot.conn, lease.building_id):
            await wake(slot.conn, lease.building_id)
        return ended

    async def process(self, slot: Slot, lease: Lease, claimed: Claimed) -> bool:
        """One entry to its end. False when it failed and is to be tried again later."""
        entry = claimed.entry
        if claimed.attempts - claimed.failures > self.settings.event_crashes:
            await self._bury(slot, lease, claimed, f"started {claimed.attempts} times, and each time the process ended")
            return True
        try:
            outcome = await advance(slot, lease.thread_id, entry)
        except LeaseLostError:
            raise
        except Exception as error:
            if is_database_fault(error) or slot.conn.broken:
                raise
            return await self._failed(slot, lease, claimed, error)
        async with slot.saver.lock:
            await inbox.finish(slot.conn, lease, entry.seq, status="done", now=self.clock.now(), outcome=outcome)
        return True

    async def _failed(self, slot: Slot, lease: Lease, claimed: Claimed, error: Exception) -> bool:
        """Back off, or give the event up: then it is dead, a person is told, and the building goes on."""
        entry, now = claimed.entry, self.clock.now()
        log.warning("event failed", building=entry.building_id, seq=entry.seq, type=entry.event_type, exc_info=error)
        text = "".join(traceback.format_exception_only(error)).strip()[:MOST_ERROR]
        if claimed.failures + 1 >= self.settings.event_attempts:
            await self._bury(slot, lease, claimed, text)
            return True
        async with slot.saver.lock:
            await inbox.finish(
                slot.conn,
                lease,
                entry.seq,
                status="queued",
                now=now,
                error=text,
                failed=True,
                not_before=now + self._backoff(claimed.failures),
            )
        return False

    def _backoff(self, failures: int) -> timedelta:
        seconds = self.settings.retry_base * 2**failures * random.uniform(0.8, 1.2)
        return timedelta(seconds=min(seconds, 600))

    async def _bury(self, slot: Slot, lease: Lease, claimed: Claimed, error: str) -> None:
        entry = claimed.entry
        log.error("event is dead", building=entry.building_id, seq=entry.seq, type=entry.event_type, error=error)
        async with slot.saver.lock:
            await inbox.bury(slot.conn, lease, entry, error=error, now=self.clock.now())
