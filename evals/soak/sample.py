"""One look at everything that should stay level: memory, connections, the job table, latency, CPU for an event."""

from dataclasses import dataclass, field
from typing import Any

import psutil  # type: ignore[import-untyped]
import psycopg
from psycopg.rows import dict_row

from evals.bench.processes import Service
from evals.bench.server import cpu_of_tree

JOBS = """
SELECT sum(pg_total_relation_size(oid))::float8 / 1e6 AS mb FROM pg_class
 WHERE relname IN ('procrastinate_jobs', 'procrastinate_events', 'procrastinate_periodic_defers')"""
CONNECTIONS = (
    "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
LATENCY = """
SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
       ORDER BY extract(epoch FROM finished_at - received_at)::float8 * 1000) AS ms
  FROM (SELECT finished_at, received_at FROM events WHERE finished_at IS NOT NULL
         ORDER BY finished_at DESC LIMIT %s) last"""
DATABASE = "SELECT pg_database_size(current_database())::float8 / 1e6 AS mb"


@dataclass(frozen=True)
class Sample:
    """What was found after so many events."""

    events: int
    figures: dict[str, float] = field(default_factory=dict)
    """By its name with the unit."""
    cpu_s: dict[str, float] = field(default_factory=dict)
    """CPU seconds that each part has used until now."""


async def take(conninfo: str, running: Service, events: int, window: int) -> Sample:
    """Look now; latencies are those of the last `window` events."""
    async with await psycopg.AsyncConnection[Any].connect(conninfo, autocommit=True, row_factory=dict_row) as conn:
        p50, p95 = (await _row(conn, LATENCY, (window,)))["ms"]
        server = psutil.Process(conn.info.backend_pid).parent()
        figures = {f"memory of {part}, MB": megabytes for part, megabytes in running.resident().items()}
        figures |= {
            "own memory of PostgreSQL's processes, MB": _private(server),
            "connections": (await _row(conn, CONNECTIONS))["n"] - 1,  # the load's own
            "job tables, MB": (await _row(conn, JOBS))["mb"],
            "POST to done p95, ms": p95,
            "POST to done p50, ms": p50,
            "database, MB": (await _row(conn, DATABASE))["mb"],
        }
        cpu = {**running.cpu_seconds(), "postgres": cpu_of_tree(server)}
    return Sample(events, figures, cpu)


def _private(server: psutil.Process) -> float:
    """What the server's processes hold for themselves, without the buffers that they share."""
    total = 0.0
    for process in [server, *server.children(recursive=True)]:
        try:
            total += process.memory_full_info().uss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


async def _row(conn: psycopg.AsyncConnection[Any], query: str, parameters: tuple[Any, ...] = ()) -> dict[str, Any]:
    row = await (await conn.execute(query, parameters)).fetchone()
    return row or {}
