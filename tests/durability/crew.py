"""Workers for tests: run in-process or as a process of their own, with short leases."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from domain.buildings import BuildingSpec
from domain.events import EVENT, body_of
from runtime.clock import SystemClock
from runtime.resources import Resources
from runtime.settings import Settings
from runtime.worker import Worker, open_worker
from storage import buildings, inbox
from storage.connection import Connection
from storage.database import open_pool

SHORT: dict[str, Any] = {
    "stalled_after": 2,
    "heartbeat_interval": 0.5,
    "shutdown_grace": 1,
    "tick_interval": 1,
    "poll_interval": 0.2,
    "concurrency": 5,
    "event_attempts": 3,
    "retry_base": 0.05,
    "log_level": "WARNING",
}
ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def worker_of(conninfo: str, **changed: Any) -> AsyncIterator[Worker]:
    """A worker, not yet running."""
    settings = Settings(database_url=conninfo, **{**SHORT, **changed})
    async with open_pool(conninfo, max_size=5, name="worker") as pool:
        resources = Resources(settings, conninfo, pool, SystemClock())
        async with open_worker(resources) as worker:
            yield worker


@asynccontextmanager
async def running_worker(conninfo: str, **changed: Any) -> AsyncIterator[Worker]:
    """A running worker; asked to stop at the end."""
    async with worker_of(conninfo, **changed) as worker:
        running = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stopping.set()
            await running


@contextmanager
def worker_process(conninfo: str, *arguments: str, **pipes: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """`python -m tests.durability.worker_process`: a worker alone, killed at the end."""
    settings = {f"LONGLEAD_{name.upper()}": str(value) for name, value in SHORT.items()}
    environment = {**os.environ, **settings, "LONGLEAD_DATABASE_URL": conninfo}
    command = [sys.executable, "-m", "tests.durability.worker_process", *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


async def open_building(conn: Connection, building_id: str, *items: str, **spec: Any) -> None:
    deliveries = [{"item": item, "required_by": "2026-04-15", "buffer_days": 5} for item in items]
    body = {
        "building_id": building_id,
        "name": "Office",
        "schedule": {"project": {"name": "Office"}, "deliveries": deliveries},
        **spec,
    }
    await buildings.create(conn, BuildingSpec.model_validate(body), SystemClock().now())


async def post(conn: Connection, building_id: str, event_id: str, event_type: str, **fields: Any) -> inbox.Accepted:
    """Post an event as the API would."""
    event = EVENT.validate_python({"event_type": event_type, **fields})
    return await inbox.accept(
        conn,
        building_id,
        source="test",
        event_id=event_id,
        event_type=event_type,
        body=body_of(event),
        now=SystemClock().now(),
    )


async def note(conn: Connection, building_id: str, event_id: str) -> inbox.Accepted:
    return await post(conn, building_id, event_id, "Human_Input", text=f"Note {event_id}.")


async def all_rows(conn: Connection, query: str, *parameters: Any) -> list[dict[str, Any]]:
    return await (await conn.execute(query, parameters)).fetchall()


async def until(conn: Connection, query: str, *parameters: Any, within: float = 20.0) -> None:
    """Wait until the query's one value is true."""
    deadline = time.monotonic() + within
    while not (await all_rows(conn, f"SELECT ({query}) AS yes", *parameters))[0]["yes"]:
        if time.monotonic() > deadline:
            rows = await all_rows(
                conn,
                "SELECT building_id, seq, event_type, status, attempts, failures, error FROM events "
                "WHERE status <> 'done' ORDER BY building_id, seq LIMIT 5",
            )
            jobs = await all_rows(conn, "SELECT task_name, status, lock, worker_id FROM procrastinate_jobs LIMIT 9")
            raise AssertionError(f"not within {within} s: {query}; open entries: {rows}; jobs: {jobs}")
        await asyncio.sleep(0.02)


NOTHING_OPEN = "SELECT NOT EXISTS (SELECT 1 FROM events WHERE status IN ('queued', 'running'))"


async def until_nothing_is_open(conn: Connection, within: float = 20.0) -> None:
    await until(conn, NOTHING_OPEN, within=within)


@asynccontextmanager
async def several(conninfo: str, number: int) -> AsyncIterator[list[Connection]]:
    """Connections of several callers."""
    async with open_pool(conninfo, max_size=number, name="callers") as pool, contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(pool.connection()) for _ in range(number)]
