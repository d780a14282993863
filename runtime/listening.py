"""The engine's connector, quiet while nothing happens.

The stock connector waits for notices through psycopg's `notifies()`, which wakes up ten times a second to see whether
it is to stop: two idle listeners took more of a core than everything else. Here the event loop watches the socket. It
becomes readable when the server closes it as well, so a dead listener is noticed at once and not at the next probe.
"""

import asyncio
from collections import deque
from typing import Any

import psycopg
from procrastinate import PsycopgConnector
from procrastinate.connector import LISTEN_TIMEOUT, Notify
from psycopg import AsyncConnection


class QuietConnector(PsycopgConnector):
    """Listens without waking up."""

    async def _loop_notify(
        self,
        on_notification: Notify,
        connection: AsyncConnection[Any],
        timeout: float = LISTEN_TIMEOUT,  # noqa: ASYNC109 - the engine's signature
    ) -> None:
        """Hand notices on until the connection is lost; the caller then opens another. Probed every `timeout` s, since
        a host that vanished closes nothing."""
        heard: deque[tuple[str, str]] = deque()
        connection.add_notify_handler(lambda notice: heard.append((notice.channel, notice.payload)))
        try:
            while True:
                await _hear(connection, heard, timeout)
                while heard:
                    channel, payload = heard.popleft()
                    await on_notification(channel=channel, payload=payload)
        except psycopg.OperationalError:
            return


async def _hear(connection: AsyncConnection[Any], heard: deque[tuple[str, str]], probe_s: float) -> None:
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
