"""One look at everything that should stay level: memory, connections, the job table, latency, CPU for an event."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

import psutil  # type: ignore[import-untyped]
import psycopg
from psycopg.rows import DictRow, class_row

from evals.bench.processes import Service
from evals.bench.server import cpu_of_tree

JOBS = """
SELECT sum(pg_total_relation_size(oid))::float8 / 1e6 AS mb FROM pg_class
 WHERE relname IN ('procrastinate_jobs', 'procrastinate_events', 'procrastinate_periodic_defers')"""
# The service's: neither the load's nor this one's own.
CONNECTIONS = """
SELECT array_agg(pid) AS pids FROM pg_stat_activity WHERE datname = current_database()
   AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name <> 'soak'"""
LATENCY = """
SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
       ORDER BY extract(epoch FROM finished_at - received_at)::float8 * 1000) AS ms
  FROM (SELECT finished_at, received_at FROM events WHERE finished_at IS NOT NULL
         ORDER BY finished_at DESC LIMIT %s) last"""
DATABASE = "SELECT pg_database_size(current_database())::float8 / 1e6 AS mb"


@dataclass(frozen=True)
class _Size:
    mb: float


@dataclass(frozen=True)
class _Latency:
    ms: list[float]


@dataclass(frozen=True)
class _Connections:
    pids: list[int]


R = TypeVar("R", _Size, _Latency, _Connections)


@dataclass(frozen=True)
class Sample:
    """What was found after so many events."""

    events: int
    figures: dict[str, float] = field(default_factory=dict)
    """By its name with the unit."""
    cpu_s: dict[str, float] = field(default_factory=dict)
    """CPU seconds that each part has used until now."""


async def job_tables(conn: psycopg.AsyncConnection[DictRow]) -> float:
    """MB of the engine's tables now: up and down with the rounds of autovacuum."""
    return (await _row(conn, _Size, JOBS)).mb


async def take(
    conn: psycopg.AsyncConnection[DictRow], running: Service, events: int, window: int, jobs_mb: float
) -> Sample:
    """Look now; latencies are those of the last `window` events, `jobs_mb` what the job tables were meanwhile."""
    p50, p95 = (await _row(conn, _Latency, LATENCY, (window,))).ms
    server = psutil.Process(conn.info.backend_pid).parent()
    pids = (await _row(conn, _Connections, CONNECTIONS)).pids
    own = _private(pids)
    figures = {f"memory of {part}, MB": megabytes for part, megabytes in running.resident().items()}
    figures |= {
        "own memory of the largest connection's process, MB": max(own),
        "own memory of a connection's process, mean, MB": sum(own) / len(own),
        "connections": len(pids),
        "job tables, median, MB": jobs_mb,
        "POST to done p95, ms": p95,
        "POST to done p50, ms": p50,
        "database, MB": (await _row(conn, _Size, DATABASE)).mb,
    }
    cpu = {**running.cpu_seconds(), "postgres": cpu_of_tree(server)}
    return Sample(events, figures, cpu)


def _private(pids: list[int]) -> list[float]:
    """MB that each of these processes holds for itself, without the buffers that they share."""
    found = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(pid).memory_full_info().uss / 1e6)
    return found


async def _row(
    conn: psycopg.AsyncConnection[DictRow], kind: type[R], query: str, parameters: tuple[int, ...] = ()
) -> R:
    cursor = conn.cursor(row_factory=class_row(kind))
    row = await (await cursor.execute(query.encode(), parameters)).fetchone()
    if row is None:
        raise RuntimeError("the database says nothing")
    return row
