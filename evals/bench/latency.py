"""From POST to processing begun, on an idle service: the machine's clock at both ends."""

import asyncio
import random
import time
from dataclasses import dataclass
from statistics import quantiles

import httpx
import psycopg
from psycopg.rows import class_row

from evals.bench.client import Connection, encoded
from evals.bench.mix import LIFE, building, story
from evals.bench.processes import service
from evals.bench.report import Aim, Result, Tell
from evals.bench.server import Bench

STARTED = """
SELECT building_id, event_id, extract(epoch FROM received_at)::float8 AS received,
       extract(epoch FROM started_at)::float8 AS started, extract(epoch FROM finished_at)::float8 AS finished
  FROM events WHERE started_at IS NOT NULL AND finished_at IS NOT NULL"""
NAMES = [f"idle-{number}" for number in range(10)]
WARM = 40
"""Events before the measured ones: connections open, statements prepared."""


@dataclass(frozen=True)
class SeenEvent:
    """When an event came, was begun and ended, by the server's clock in seconds."""

    building_id: str
    event_id: str
    received: float
    started: float
    finished: float


async def run(bench: Bench, tell: Tell, *, events: int = 200, warm: int = WARM, pause_s: float = 0.15) -> Result:
    """Post one event at a time, with pauses in which the service falls asleep again."""
    lines = -(-(events + warm) // (len(NAMES) * LIFE))
    async with bench.database() as conninfo, service(conninfo) as running:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as client:
            for name in NAMES:
                (await client.post("/buildings", json=building(name, lines))).raise_for_status()
        told = [(name, event) for event in story(lines) for name in NAMES][: events + warm]
        sent: dict[tuple[str, str], float] = {}
        connection = await Connection.open(running.port)
        for number, (name, event) in enumerate(told):
            request = encoded(f"/buildings/{name}/events", event)
            at = time.time()
            status, _ = await connection.send(request)
            if status != 202:
                raise RuntimeError(f"the service answered {status}")
            if number >= warm:
                sent[name, str(event["event_id"])] = at
            tell(f"latency: {number + 1} of {len(told)} events")
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))
        await connection.close()
        rows = await _started(conninfo, len(told))
    return _result(sent, rows)


async def _started(conninfo: str, count: int) -> list[SeenEvent]:
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
        for _ in range(100):
            cursor = conn.cursor(row_factory=class_row(SeenEvent))
            rows = await (await cursor.execute(STARTED)).fetchall()
            if len(rows) >= count:
                return rows
            await asyncio.sleep(0.1)
    raise RuntimeError(f"only {len(rows)} of {count} events were processed")


def _result(sent: dict[tuple[str, str], float], rows: list[SeenEvent]) -> Result:
    measured = [(row, sent[key]) for row in rows if (key := (row.building_id, row.event_id)) in sent]
    begun = sorted((row.started - at) * 1000 for row, at in measured)
    ended = sorted((row.finished - at) * 1000 for row, at in measured)
    result = Result("latency", details={"events": len(begun), "begun_ms": [*begun], "ended_ms": [*ended]})
    result.add("POST to processing begun, p50", _percentile(begun, 50), "ms")
    result.add("POST to processing begun, p95", _percentile(begun, 95), "ms", Aim("<", 50))
    result.add("POST to processed, p50", _percentile(ended, 50), "ms")
    result.add("POST to processed, p95", _percentile(ended, 95), "ms")
    return result


def _percentile(values: list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]
