"""Worker processes: where they run, what they may use, and how they are.

Each has a row of ours beside each of its rows in the job engine's table, which has the sign of life.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from storage.connection import Connection, select

# These go over the job engine's own connections: hence no function of a connection.
REGISTER_WORKER = """
INSERT INTO workers (worker_id, host, pid, version, started_at, connections, slots, slots_open)
VALUES (%(worker_id)s, %(host)s, %(pid)s, %(version)s, %(started_at)s, %(connections)s, %(slots)s, %(slots_open)s)
ON CONFLICT (worker_id) DO NOTHING"""
UPDATE_WORKER = """
UPDATE workers SET slots_open = %(slots_open)s WHERE worker_id = %(worker_id)s AND slots_open <> %(slots_open)s"""

# A process of an earlier version has no row of ours: each of its workers is one of its own.
_PROCESSES = """
SELECT p.host, p.pid, p.version, p.started_at, min(w.last_heartbeat) AS last_heartbeat, p.connections, p.slots,
       max(p.slots_open) AS slots_open, array_agg(w.id ORDER BY w.id) AS workers,
       sum((SELECT count(*) FROM procrastinate_jobs j
             WHERE j.worker_id = w.id AND j.status = 'doing' AND j.queue_name = 'drain'))::int AS slots_in_use
  FROM procrastinate_workers w LEFT JOIN workers p ON p.worker_id = w.id
 GROUP BY p.host, p.pid, p.version, p.started_at, p.connections, p.slots, CASE WHEN p.pid IS NULL THEN w.id END
 ORDER BY p.host, p.pid, min(w.id)"""
_DECLARED = """
SELECT coalesce(sum(connections), 0)::int AS connections, count(*)::int AS processes
  FROM (SELECT max(p.connections) AS connections FROM workers p JOIN procrastinate_workers w ON w.id = p.worker_id
         WHERE w.last_heartbeat > now() - make_interval(secs => %s) GROUP BY p.host, p.pid, p.started_at) live"""


@dataclass(frozen=True)
class ProcessIdentity:
    """What a worker process says of itself."""

    host: str
    pid: int
    version: str
    started_at: datetime
    connections: int
    """Connections that it opens at most."""
    slots: int
    """Buildings that it runs at once at most."""

    def as_parameters(self) -> dict[str, str | int | datetime]:
        return asdict(self)


@dataclass(frozen=True)
class Declared:
    """What the live processes together may open."""

    connections: int
    processes: int


@dataclass(frozen=True)
class WorkerProcess:
    """A worker process that is registered; of an earlier version, less is known."""

    host: str | None
    pid: int | None
    version: str | None
    started_at: datetime | None
    last_heartbeat: datetime
    connections: int | None
    slots: int | None
    slots_open: int | None
    workers: list[int]
    slots_in_use: int


async def list_processes(conn: Connection) -> list[WorkerProcess]:
    """All worker processes that are registered, also those without a recent sign of life."""
    return await select(conn, WorkerProcess, _PROCESSES)


async def read_declared(conn: Connection, stalled_after: float) -> Declared:
    """The connections of all processes with a sign of life within `stalled_after` seconds; none before the table."""
    row = await (await conn.execute("SELECT to_regclass('workers') IS NOT NULL AS there")).fetchone()
    if not row or not row["there"]:
        return Declared(0, 0)
    row = await (await conn.execute(_DECLARED, (stalled_after,))).fetchone()
    return Declared(**row) if row else Declared(0, 0)
