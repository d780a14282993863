"""Delivery: what waits in the outbox goes out, many messages at once, each attempt bounded in time.

No transaction is open while something is sent. One that is refused is tried again with growing pauses and then dead;
what is behind it in its lane waits meanwhile, everything else goes on.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import httpx
import structlog
from pydantic import SecretStr

from runtime.channels_apprise import AppriseSender
from runtime.channels_letter import Letter, letter
from runtime.channels_refusal import RefusedError
from runtime.channels_ways import Ways
from runtime.channels_webhook import post
from runtime.clock import Clock
from runtime.settings import Settings, Target
from storage import outbox
from storage.database import Pool, is_database_fault
from storage.outbox import Claimed, Outgoing, Way

log = structlog.get_logger()

RUN_S = 10.0
"""For how long a run starts new attempts; then the next run does."""
AT_ONCE = 32
PER_WAY = 4
"""Attempts under way on one way: a slow receiver does not take the others' places."""
LOOK_AGAIN_S = 0.25
JITTER = (0.8, 1.0)
"""Parts of a pause: what failed together is not tried again together."""

ADDRESSES_LOGGED_BY = ("httpx", "httpcore", "urllib3", "requests")
"""Below warnings these log whole addresses, which hold tokens."""

Count = Callable[[str, str], None]
"""Told of every attempt: the kind of way, and `delivered`, `refused` or `dead`."""


@dataclass
class Delivery:
    """What the delivery job does."""

    settings: Settings
    clock: Clock
    pool: Pool
    count: Count = lambda _channel, _outcome: None
    ways: Ways = field(init=False)

    def __post_init__(self) -> None:
        self.ways = Ways(self.settings)
        for name in ADDRESSES_LOGGED_BY:
            logger = logging.getLogger(name)
            logger.setLevel(max(logging.WARNING, logger.getEffectiveLevel()))

    @property
    def lease_s(self) -> float:
        """How long a claim is held: well beyond the longest attempt, so that only the dead lose it."""
        return 3 * self.settings.delivery_timeout + self.settings.stalled_after

    async def run(self) -> int:
        """Deliver what is due, until nothing is left or the run's time is over. Returns the attempts made."""
        until = asyncio.get_running_loop().time() + RUN_S
        timeout = httpx.Timeout(self.settings.delivery_timeout)
        async with httpx.AsyncClient(timeout=timeout, follow_redirects=False) as client:
            attempts = _Attempts(_Sender(self, client, AppriseSender(self.settings.delivery_timeout)))
            try:
                while True:
                    handed = 0
                    if asyncio.get_running_loop().time() < until:
                        handed = await self._hand_over()
                        attempts.start(await self._claim(attempts))
                    if attempts.running:
                        await attempts.wait(at_once=bool(handed))
                    elif not handed:
                        return attempts.made
            finally:
                await attempts.cancel()

    async def _hand_over(self) -> int:
        async with self.pool.connection() as conn:
            return await outbox.deliver(conn, self.clock.now(), self._hand)

    def _hand(self, message: Outgoing) -> list[Way] | None:
        """The log has every message, though never its text. It says so where that is all there is."""
        ways = self.ways.of(message)
        told = {"building": message.building_id, "to": message.recipient, "action": message.action}
        if ways or self.ways.is_log_meant_for(message):
            log.info("message", **told, key=message.key)
        else:
            log.warning(
                "message is only logged: LONGLEAD_CHANNELS has no way to its recipient", **told, key=message.key
            )
        return ways or None

    async def _claim(self, attempts: "_Attempts") -> list[Claimed]:
        if len(attempts.running) >= AT_ONCE:
            return []
        async with self.pool.connection() as conn:
            return await outbox.claim(
                conn, self.clock.now(), lease_s=self.lease_s, limit=PER_WAY, busy=attempts.busy_ways()
            )


class _Attempts:
    """The attempts under way in one run."""

    def __init__(self, sender: "_Sender") -> None:
        self._sender = sender
        self.running: dict[asyncio.Task[None], str] = {}
        self.made = 0
        self._more = False

    def busy_ways(self) -> list[str]:
        return [way for way, number in Counter(self.running.values()).items() if number >= PER_WAY]

    def start(self, claimed: list[Claimed]) -> None:
        self.made += len(claimed)
        self._more = bool(claimed)
        for one in claimed:
            self.running[asyncio.create_task(self._sender.attempt(one))] = one.way

    async def wait(self, *, at_once: bool) -> None:
        """Until one has ended, or it is time to look for new ones. A database that is away ends the run."""
        pause = 0 if (at_once or self._more) and len(self.running) < AT_ONCE else LOOK_AGAIN_S
        done, _ = await asyncio.wait(self.running, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            del self.running[task]
        for task in done:
            task.result()

    async def cancel(self) -> None:
        for task in self.running:
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)


@dataclass
class _Sender:
    """One attempt: read and word the message, send it, mark what came of it."""

    delivery: Delivery
    client: httpx.AsyncClient
    apprise: AppriseSender

    async def attempt(self, claimed: Claimed) -> None:
        try:
            target = self._target(claimed)
            if isinstance(target, SecretStr):
                await self.apprise.load()
            await self._within_time(self._send(claimed, target))
        except RefusedError as refused:
            await self._refused(claimed, refused)
        else:
            async with self.delivery.pool.connection() as conn:
                await outbox.delivered(conn, claimed, self.delivery.clock.now())
            self.delivery.count(claimed.channel, "delivered")

    async def _within_time(self, sending: Awaitable[None]) -> None:
        limit = self.delivery.settings.delivery_timeout
        try:
            async with asyncio.timeout(limit):
                await sending
        except TimeoutError as error:
            raise RefusedError(f"no answer within {limit:g} s") from error

    def _target(self, claimed: Claimed) -> Target:
        target = self.delivery.ways.target(claimed.way)
        if target is None:
            raise RefusedError("this way is no longer in the settings: retry it to send it another", final=True)
        return target

    async def _send(self, claimed: Claimed, target: Target) -> None:
        try:
            written = await self._letter(claimed)
            if isinstance(target, SecretStr):
                address = self.delivery.ways.address(claimed.way, written.recipient)
                await self.apprise.send(target.get_secret_value(), replace(written, recipient=address))
            else:
                await post(self.client, target, written, self.delivery.clock.now())
        except (RefusedError, TimeoutError):
            raise
        except Exception as error:
            if is_database_fault(error):
                raise
            # The border to a hundred foreign channels: none may end the run, nor a message that cannot be worded.
            raise RefusedError(f"failed ({type(error).__name__})") from error

    async def _letter(self, claimed: Claimed) -> Letter:
        delivery = self.delivery
        async with delivery.pool.connection() as conn:
            message = await outbox.message(conn, claimed.outbox_id)
            if message is None:
                raise RefusedError("it was withheld, or its building deleted", final=True)
            return await letter(conn, delivery.settings, delivery.clock, message)

    async def _refused(self, claimed: Claimed, refused: RefusedError) -> None:
        """Tried again after a pause that doubles each time, with jitter; dead after enough attempts."""
        schedule, now = self.delivery.settings.delivery_schedule, self.delivery.clock.now()
        dead = refused.final or schedule.is_over(claimed.attempts)
        pause = max(schedule.pause_s(claimed.attempts) * random.uniform(*JITTER), refused.after_s or 0)
        again_at = None if dead else now + timedelta(seconds=pause)
        async with self.delivery.pool.connection() as conn:
            await outbox.failed(conn, claimed, refused.why, again_at=again_at)
        self.delivery.count(claimed.channel, "dead" if dead else "refused")
        log.warning(
            "a message was not delivered",
            building=claimed.building_id,
            outbox_id=claimed.outbox_id,
            channel=claimed.channel,
            attempts=claimed.attempts,
            error=refused.why,
            dead=dead,
        )
