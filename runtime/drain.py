"""Draining a building's inbox: strictly in order, each entry to its end, a bounded number at a time."""

import asyncio
import contextlib
import random
import traceback
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Literal

import psycopg
import structlog

from domain.errors import LeaseLostError
from domain.events import Entry
from domain.plain_json import JsonObject
from graph.thread import advance
from runtime.clock import Clock
from runtime.outages import is_fault_of_database, is_outage
from runtime.redaction import Redaction
from runtime.settings import Settings
from runtime.slots import Slot, SlotPool, thread_lock
from runtime.turns import Turn, Turns
from storage import inbox
from storage.inbox import Claimed, Lease
from storage.queue import wake
from storage.transaction import building_transaction

log = structlog.get_logger()

MOST_EVENTS = 50
MOST_SECONDS = 5.0
MOST_ERROR = 4000
"""Characters of an error that are kept with its event."""
JITTER = (0.8, 1.2)
"""Parts of a pause: what failed together is not tried again together."""
MAX_RAW_ERROR = 50_000
"""Characters of an error that secrets are looked for in; no more of it is kept."""

Outcome = JsonObject
"""What clients read of an entry that is done."""


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
    excuses: Counter[str] = field(default_factory=Counter)
    """By building: starts that ended by a fault of the database, which could not be written at that time. Without it
    an outage of the database would count as crashes, and the events that it met would die."""
    _redact: Redaction = field(init=False)
    _turns: Turns = field(default_factory=Turns, init=False)

    def __post_init__(self) -> None:
        self._redact = Redaction(self.settings)

    async def drain(self, building_id: str) -> Ended:
        """Process what is open, at most 50 entries or 5 seconds; then hand on to a new job, so that a busy building
        starves nobody."""
        lease: Lease | None = None
        slot: Slot | None = None
        try:
            async with self.slots.slot() as slot:
                begun = await inbox.begin_drain(slot.conn, building_id)
                if begun is None:
                    return Ended.GONE
                await self._settle_excuses(slot, begun)
                lease = begun  # from here an entry may have been started
                async with thread_lock(slot, lease.thread_id, self.settings.stalled_after):
                    with self._turns.drain(building_id) as turn:
                        ended = await self._entries(slot, lease, turn)
                        turn.goes_on = ended is Ended.HANDED_ON
                        return ended
        except Exception as error:
            if lease is not None and (is_fault_of_database(error) or (slot is not None and slot.conn.broken)):
                await self._excuse(lease)
            raise

    async def _excuse(self, lease: Lease) -> None:
        """A fault of the database costs no attempt. Where it takes no writes even now, that is written later."""
        self.excuses[lease.building_id] += 1
        with contextlib.suppress(psycopg.Error):
            async with self.slots.slot() as slot:
                await self._settle_excuses(slot, lease)

    async def _settle_excuses(self, slot: Slot, lease: Lease) -> None:
        starts = self.excuses[lease.building_id]
        if starts:
            await inbox.excuse(slot.conn, lease, starts)
            del self.excuses[lease.building_id]

    async def _entries(self, slot: Slot, lease: Lease, turn: Turn) -> Ended:
        taken, ends_at = 0, asyncio.get_running_loop().time() + MOST_SECONDS
        if self.stopping.is_set():
            return await self._hand_on(slot, lease, Ended.STOPPED)
        claimed = await self.claim(slot, lease)
        while claimed is not None:
            await turn.next()
            taken += 1
            with _logged_as(claimed.entry):
                outcome = await self.process(slot, lease, claimed)
                if outcome is Ended.BACKING_OFF:
                    return Ended.BACKING_OFF
                stops = self.stopping.is_set()
                goes_on = not stops and taken < MOST_EVENTS and asyncio.get_running_loop().time() < ends_at
                claimed = await self.end(slot, lease, claimed.entry, outcome, goes_on=goes_on)
            if not goes_on:
                return await self._hand_on(slot, lease, Ended.STOPPED if stops else Ended.HANDED_ON)
        return Ended.EMPTY

    async def claim(self, slot: Slot, lease: Lease, *, beyond: int = 0) -> Claimed | None:
        """Take the next entry, of those with a number beyond that; None where none may be taken now."""
        async with slot.saver.lock:
            return await inbox.claim(slot.conn, lease, self.clock.now(), beyond=beyond)

    async def end(
        self, slot: Slot, lease: Lease, entry: Entry, outcome: Outcome | None, *, goes_on: bool = True, beyond: int = 0
    ) -> Claimed | None:
        """Write that the entry is done, and its last checkpoint, where it has an outcome; take the next one, of those
        with a number beyond that, where the drain goes on."""
        if outcome is None:
            return await self.claim(slot, lease, beyond=beyond) if goes_on else None
        async with slot.saver.lock:
            now, last = self.clock.now(), slot.saver.take_last()
            if goes_on:
                return await inbox.finish_and_claim(
                    slot.conn, lease, entry.seq, now=now, outcome=outcome, along=last, beyond=beyond
                )
            await inbox.finish(slot.conn, lease, entry.seq, status="done", now=now, outcome=outcome, along=last)
            return None

    async def _hand_on(self, slot: Slot, lease: Lease, ended: Ended) -> Ended:
        """Leave the rest to a new job. Where nothing is left there is none: it would lie there until the engine looks
        again by itself, and the next event, which finds it waiting, with it."""
        async with slot.saver.lock, building_transaction(slot.conn, lease.building_id):
            if not await inbox.is_open(slot.conn, lease.building_id):
                return Ended.EMPTY
            await wake(slot.conn, lease.building_id)
        return ended

    async def process(self, slot: Slot, lease: Lease, claimed: Claimed) -> Outcome | Literal[Ended.BACKING_OFF] | None:
        """Run the graph over one entry, and return its outcome; None when it died and its row says so already;
        BACKING_OFF when it failed and is to be tried again later."""
        entry = claimed.entry
        if claimed.attempts - claimed.failures > self.settings.event_crashes:
            await self._bury(slot, lease, claimed, f"started {claimed.attempts} times, and each time the process ended")
            return None
        try:
            return await advance(slot, lease.thread_id, entry)
        except LeaseLostError:
            raise
        except Exception as error:
            if is_fault_of_database(error) or slot.conn.broken:
                raise
            return await self._failed(slot, lease, claimed, error)

    async def _failed(
        self, slot: Slot, lease: Lease, claimed: Claimed, error: Exception
    ) -> Literal[Ended.BACKING_OFF] | None:
        """Back off, or give the event up: then it is dead, a person is told, and the building goes on.

        What something outside causes would also befall the building's next event, so there is patience; what Longlead
        itself causes holds the building up for no good, so there is less.
        """
        entry, now, outage = claimed.entry, self.clock.now(), is_outage(error)
        schedule = self.settings.outage_schedule if outage else self.settings.failure_schedule
        failures = (claimed.outages if outage else claimed.own_failures) + 1
        log.warning("event failed", building=entry.building_id, seq=entry.seq, type=entry.event_type, exc_info=error)
        # It is shown over REST, in the question to a person, and in messages: so no secret goes into the row at all.
        text = self._excerpt(error)
        if schedule.is_over(failures):
            await self._bury(slot, lease, claimed, text)
            return None
        async with slot.saver.lock:
            await inbox.finish(
                slot.conn,
                lease,
                entry.seq,
                status="queued",
                now=now,
                error=text,
                failed=True,
                outage=outage,
                not_before=now + timedelta(seconds=schedule.pause_s(failures) * random.uniform(*JITTER)),
            )
        return Ended.BACKING_OFF

    def _excerpt(self, error: Exception) -> str:
        """What the error says, without secrets and bounded before anything works on it: it may quote a whole mail."""
        said = "".join(part[:MAX_RAW_ERROR] for part in traceback.format_exception_only(error))
        return self._redact(said.strip()[:MAX_RAW_ERROR])[:MOST_ERROR]

    async def _bury(self, slot: Slot, lease: Lease, claimed: Claimed, error: str) -> None:
        entry = claimed.entry
        log.error("event is dead", building=entry.building_id, seq=entry.seq, type=entry.event_type, error=error)
        async with slot.saver.lock:
            await inbox.bury(slot.conn, lease, entry, error=error, now=self.clock.now())
