"""A full inbox drained by one worker process after another: events/s, and the connections that each number takes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median

import psycopg

from evals.bench.processes import api
from evals.bench.report import Result, Tell
from evals.bench.server import Bench
from evals.bench.throughput import Passes, Size

WORKERS = (1, 2, 4)
LOOK_S = 0.2
# Workers' alone: the API has a pool of its own size, and this one watches.
CONNECTIONS = """
SELECT count(*) AS connections, count(*) FILTER (WHERE application_name = 'longlead slot') AS slots
  FROM pg_stat_activity WHERE datname = current_database()
   AND application_name IN ('longlead slot', 'longlead engine', 'longlead worker')"""


@dataclass
class Most:
    """The most that was seen at once."""

    connections: int = 0
    slots: int = 0


@dataclass
class Measured:
    """What all rounds with so many workers came to."""

    events_per_s: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    most: Most = field(default_factory=Most)


async def run(bench: Bench, tell: Tell, size: Size | None = None) -> Result:
    """So many rounds, in each of which every number of workers takes its turn; the medians are told."""
    size = size or Size(workers=WORKERS)
    measured = {workers: Measured() for workers in size.workers}
    async with bench.database() as conninfo, api(conninfo) as running:
        passes = Passes(bench, conninfo, conninfo, running, size)
        for number in range(size.rounds):
            for workers, found in measured.items():
                prefix = f"s{number}-{workers}"
                tell(f"scale: round {number + 1} of {size.rounds}, {workers} workers")
                await passes.fill(prefix)
                async with _watched_connections(conninfo, found.most), running.working(workers):
                    figures = await passes.drain(prefix, tell)
                found.events_per_s.append(figures["events_per_s"])
                found.cpu_ms.append(figures["cpu_ms"])
    return _result(size, measured)


@asynccontextmanager
async def _watched_connections(conninfo: str, most: Most) -> AsyncIterator[None]:
    async def watch() -> None:
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
            while True:
                row = await (await conn.execute(CONNECTIONS)).fetchone()
                if row is not None:
                    most.connections, most.slots = max(most.connections, row[0]), max(most.slots, row[1])
                await asyncio.sleep(LOOK_S)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


def _result(size: Size, measured: dict[int, Measured]) -> Result:
    result = Result("scale", details={"size": vars(size), "measured": {str(n): vars(m) for n, m in measured.items()}})
    for workers, found in measured.items():
        named = "1 worker" if workers == 1 else f"{workers} workers"
        result.add(f"full inbox, {named}", median(found.events_per_s), "events/s")
        result.add(f"CPU for an event, {named}", median(found.cpu_ms), "ms/event")
        result.add(f"connections at most, {named}", found.most.connections)
        result.add(f"of them slots, {named}", found.most.slots)
    return result
