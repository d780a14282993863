"""`python -m evals.chaos.takeover [--rounds N] [--workers N]`: how long until buildings of a lost host go on elsewhere.

Each worker runs on a host of its own (a network namespace), with the settings that come along. One is cut off while its
buildings are at work: nothing that it sends arrives, and nobody is told. Needs root on Linux and `ip`.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console

from domain.buildings import BuildingSpec
from evals.bench.load import WAITING
from evals.bench.processes import free_port
from evals.chaos.database import Database, database
from evals.chaos.fleet import Fleet, Member
from evals.chaos.hosts import Host, Network, why_not
from evals.chaos.record import Record
from evals.chaos.run import WORKER, environment
from runtime.clock import SystemClock
from storage import buildings
from storage.connection import Connection
from storage.database import connect
from storage.migrate import migrate
from storage.queue import wake
from storage.transaction import building_transaction

BUILDINGS = 24
ENTRIES = 5000
"""What waits of each building, so that all are at work until the round is over."""
LONGEST_S = 180.0
LOOK_S = 0.1
SETTLED_S = 1.0
"""What a worker had sent before the cut may be committed just after."""

AT_WORK = """
SELECT j.lock AS building_id FROM procrastinate_jobs j JOIN workers p ON p.worker_id = j.worker_id
 WHERE p.pid = %s AND j.status = 'doing' AND j.queue_name = 'drain'"""
WENT_ON = """
SELECT building_id, min(extract(epoch FROM finished_at))::float8 AS at FROM events
 WHERE building_id = ANY(%s) AND finished_at > to_timestamp(%s) GROUP BY building_id"""
LIVE = "SELECT count(DISTINCT pid) AS n FROM workers"
DONE = "SELECT count(*) AS n FROM events WHERE status = 'done'"


@dataclass(frozen=True)
class Cut:
    """What one cut came to."""

    seconds: list[float]
    """Until each building of the lost host had its next entry done elsewhere."""
    done_meanwhile: int
    """Entries that the other hosts did until the last of them."""


async def measure(folder: Path, workers: int) -> Cut:
    """Cut one of the hosts off, and time it."""
    names = [f"worker-{number}" for number in range(workers)]
    with ExitStack() as stack:
        network = stack.enter_context(Network.built("lltake", names))
        server = stack.enter_context(database(folder, addresses=[network.gateway], port=free_port()))
        await migrate(server.conninfo)
        settings = environment({"database_url": server.conninfo_from(network.gateway), "log_level": "WARNING"})
        members = [Member(n, host.command(*WORKER), settings) for n, host in zip(names, network.hosts, strict=True)]
        fleet = Fleet(members, server, Record(), folder)
        fleet.start()
        try:
            return await _cut(server, fleet, network.hosts[0], names)
        finally:
            await fleet.stop()


async def _cut(server: Database, fleet: Fleet, host: Host, names: Sequence[str]) -> Cut:
    async with await connect(server.conninfo, application_name="takeover") as conn:
        await _wait_for_workers(conn, len(names))
        await _fill(conn)
        mine = await _wait_for_work(conn, fleet.running[names[0]].pid)
        fleet.cut_off.add(names[0])
        host.cut_off()
        cut_at, done = time.time(), await _count(conn, DONE)
        try:
            at = await _wait_until_all_went_on(conn, mine, cut_at + SETTLED_S)
            return Cut(sorted(at[each] - cut_at for each in mine), await _count(conn, DONE) - done)
        finally:
            host.reconnect()
            fleet.cut_off.discard(names[0])


async def _fill(conn: Connection) -> None:
    for number in range(BUILDINGS):
        name = f"site-{number:02}"
        schedule = {"project": {"name": name}, "deliveries": []}
        spec = BuildingSpec.model_validate({"building_id": name, "name": name, "schedule": schedule})
        await buildings.create(conn, spec, SystemClock().now())
        async with building_transaction(conn, name):
            await conn.execute(WAITING, {"hot": name, "count": ENTRIES})
            await conn.execute("UPDATE buildings SET last_seq = %s WHERE building_id = %s", (ENTRIES, name))
            await wake(conn, name)


async def _wait_for_workers(conn: Connection, number: int) -> None:
    async with asyncio.timeout(LONGEST_S):
        while True:
            if await _count(conn, LIVE) >= number:
                return
            await asyncio.sleep(LOOK_S)


async def _wait_for_work(conn: Connection, pid: int) -> list[str]:
    """The buildings that the process is at, once it is at some."""
    async with asyncio.timeout(LONGEST_S):
        while True:
            if mine := [row["building_id"] for row in await (await conn.execute(AT_WORK, (pid,))).fetchall()]:
                return mine
            await asyncio.sleep(LOOK_S)


async def _wait_until_all_went_on(conn: Connection, mine: list[str], after: float) -> dict[str, float]:
    async with asyncio.timeout(LONGEST_S):
        while True:
            rows = await (await conn.execute(WENT_ON, (mine, after))).fetchall()
            if len(rows) == len(mine):
                return {row["building_id"]: row["at"] for row in rows}
            await asyncio.sleep(LOOK_S)


async def _count(conn: Connection, query: str) -> int:
    row = await (await conn.execute(query)).fetchone()
    return int(row["n"]) if row else 0


def main() -> int:
    """Measure and print; 0 also where this machine cannot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=3)
    asked = parser.parse_args()
    console = Console()
    if reason := why_not():
        console.print(f"skipped, since {reason}")
        return 0
    for _ in range(asked.rounds):
        folder = Path(tempfile.mkdtemp(prefix="longlead-takeover-")).resolve()
        folder.chmod(0o755)  # as root, the server runs as another user, who has to pass through
        try:
            cut = asyncio.run(measure(folder, asked.workers))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        first, last = cut.seconds[0], cut.seconds[-1]
        console.print(
            f"{len(cut.seconds)} buildings of the lost host went on elsewhere after {first:.0f} to {last:.0f} s "
            f"(median {median(cut.seconds):.0f}); the others did {cut.done_meanwhile:,} entries meanwhile",
            soft_wrap=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
