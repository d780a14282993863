"""The engine's connector, quiet while nothing happens.

It also lets the worker look again where no notice will come. A job whose lock is held can only be fetched when the
holder has ended, and nobody announces that: so whoever ends says so here. And a notice that comes while the worker is
fetching is forgotten by it: so every notice is followed by another look a moment later.

The stock connector waits for notices through psycopg's `notifies()`, which wakes up ten times a second to see whether
it is to stop: two idle listeners took more of a core than everything else. Here the event loop watches the socket. It
becomes readable when the server closes it as well, so a dead listener is noticed at once and not at the next probe.
"""

import asyncio
import json
from collections import deque
from collections.abc import Iterable

import psycopg
import structlog
from procrastinate import PsycopgConnector
from procrastinate.connector import LISTEN_TIMEOUT, Notify
from procrastinate.exceptions import ConnectorException
from psycopg import AsyncConnection

from storage.database import is_connection_limit

log = structlog.get_logger()

RETRY_S = 5.0
"""Seconds until a server that had no connection left is asked for one again."""
SECOND_LOOK_S = 0.05
_A_JOB = json.dumps({"type": "job_inserted", "job_id": 0})


class QuietConnector(PsycopgConnector):
    """Listens without waking up."""

    _tell: Notify | None = None
    _second: asyncio.TimerHandle | None = None
    _third: bool = False

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Hand notices on. While the server has no connection for it, jobs are found by looking for them, and it tries
        again: a worker goes on with the connections that it has."""
        channels, is_said = list(channels), False
        while True:
            try:
                await super().listen_notify(on_notification, channels)
            except ConnectorException as error:
                if error.__cause__ is None or not is_connection_limit(error.__cause__):
                    raise
                if not is_said:
                    log.warning("no connection to listen on, jobs are looked for instead", error=str(error.__cause__))
                is_said = True
                await asyncio.sleep(RETRY_S)

    def look_again(self) -> None:
        """Let the worker that listens here look for jobs now, as if one had been announced."""
        if self._tell is not None:
            self._telling = asyncio.ensure_future(self._tell(channel="", payload=_A_JOB))

    def _look_later(self) -> None:
        """Let it look a moment from now; announcements that come until then are followed by one more look."""
        if self._second is not None:
            self._third = True
            return
        self._second = asyncio.get_running_loop().call_later(SECOND_LOOK_S, self._look)

    def _look(self) -> None:
        self._second, again, self._third = None, self._third, False
        self.look_again()
        if again:
            self._look_later()

    async def _loop_notify(
        self,
        on_notification: Notify,
        connection: AsyncConnection,
        timeout: float = LISTEN_TIMEOUT,  # noqa: ASYNC109 - the engine's signature
    ) -> None:
        """Hand notices on until the connection is lost; the caller then opens another. Probed every `timeout` s, since
        a host that vanished closes nothing."""
        heard: deque[tuple[str, str]] = deque()
        self._tell = on_notification
        connection.add_notify_handler(lambda notice: heard.append((notice.channel, notice.payload)))
        try:
            while True:
                await _hear(connection, heard, timeout)
                while heard:
                    channel, payload = heard.popleft()
                    await on_notification(channel=channel, payload=payload)
                    self._look_later()
        except psycopg.OperationalError:
            return


async def _hear(connection: AsyncConnection, heard: deque[tuple[str, str]], probe_s: float) -> None:
    try:
        await asyncio.wait_for(_readable(connection.pgconn.socket), probe_s)
    except TimeoutError:
        await connection.execute("SELECT 1")
        return
    connection.pgconn.consume_input()
    while notice := connection.pgconn.notifies():
        heard.append((notice.relname.decode(), notice.extra.decode()))


async def _readable(descriptor: int) -> None:
    """Until there is something to read, or the other side has closed."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
