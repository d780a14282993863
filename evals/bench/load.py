"""Latency under load: at half of what the service can do, and beside a building with ten thousand events waiting."""

import asyncio
import itertools
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import quantiles

import psycopg

from evals.bench.client import Connection, encoded, lanes_of, post_from_outside
from evals.bench.mix import Event, building, life, story
from evals.bench.processes import Service, service
from evals.bench.report import Aim, Detail, Result, Tell
from evals.bench.server import Bench
from evals.bench.throughput import create
from storage.database import connect
from storage.queue import wake
from storage.transaction import building_transaction

FINISHED = """
SELECT building_id, event_id, extract(epoch FROM finished_at)::float8 AS finished FROM events
 WHERE building_id LIKE %s AND finished_at IS NOT NULL"""
LEFT = "SELECT count(*) FROM events WHERE building_id LIKE %s AND status IN ('queued', 'running')"
WAITING = """
INSERT INTO events (building_id, seq, source, event_id, event_type, body, body_hash, received_at)
SELECT %(hot)s, n, 'bench', 'note-' || n, 'Human_Input',
       jsonb_build_object('event_type', 'Human_Input', 'text', 'Note ' || n), '', now()
  FROM generate_series(1, %(count)s::bigint) AS n"""
HOT = "hot"
STUCK_S = 120.0


@dataclass(frozen=True)
class Size:
    """How much is measured. Loads are shares of what the service did as fast as it could."""

    buildings: int = 50
    burst: int = 600
    seconds: float = 20.0
    half: float = 0.5
    beside: float = 0.2
    waiting: int = 10_000
    connections: int = 8


async def run(bench: Bench, tell: Tell, size: Size | None = None) -> Result:
    """As fast as it can; half as fast; a fifth as fast without and with a hot building."""
    size = size or Size()
    async with bench.database() as conninfo, service(conninfo) as running:
        site = _Site(conninfo, running, size)
        tell("load: as fast as it can")
        most = await site.capacity()
        tell("load: at half of that")
        half = await site.paced("half", most * size.half)
        tell("load: at a fifth, alone")
        alone = await site.paced("alone", most * size.beside)
        tell("load: a building with many events waiting")
        await site.heat()
        beside = await site.paced("beside", most * size.beside)
        left = await site.left(HOT)
    return _result(size, most, half, alone, beside, left)


def _result(size: Size, most: float, half: list[float], alone: list[float], beside: list[float], left: int) -> Result:
    details: dict[str, Detail] = {"size": vars(size), "half_ms": half, "alone_ms": alone, "beside_ms": beside}
    result = Result("load", details=details)
    result.add("as fast as it can, over HTTP", most, "events/s")
    for percent in (50, 95, 99):
        result.add(f"at {size.half:.0%} of that: POST to done, p{percent}", _percentile(half, percent), "ms")
    result.add(f"at {size.beside:.0%} of that: POST to done, p95", _percentile(alone, 95), "ms")
    result.add(f"the same beside a building with {size.waiting:,} waiting", _percentile(beside, 95), "ms")
    ratio = _percentile(beside, 95) / _percentile(alone, 95)
    result.add("with / without the hot building", ratio, "x", Aim("<", 1.5))
    result.add("of its events still waiting at the end", left, "events")
    return result


def _percentile(values: list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]


@dataclass
class _Site:
    conninfo: str
    running: Service
    size: Size

    async def capacity(self) -> float:
        """Events per second, posted all at once."""
        lines = max(1, self.size.burst // (6 * self.size.buildings))
        stories = {f"burst-{number:03}": story(lines) for number in range(self.size.buildings)}
        await create(self.running.port, [building(name, lines) for name in stories])
        posted = await post_from_outside(self.running.port, lanes_of(stories, self.size.connections))
        ended = await self._ended("burst-%", sum(map(len, stories.values())))
        return float(len(ended) / (max(ended.values()) - posted["began"]))

    async def paced(self, prefix: str, rate: float) -> list[float]:
        """Post at that rate, at random moments, whatever is answered; ms from each POST to its event's end."""
        names = [f"{prefix}-{number:03}" for number in range(self.size.buildings)]
        count = max(20, int(rate * self.size.seconds))
        lines = count // (6 * len(names)) + 1
        await create(self.running.port, [building(name, lines) for name in names])
        events = itertools.islice(_in_turn(names, lines), count)
        sent = await self._post(events, rate)
        ended = await self._ended(f"{prefix}-%", count)
        return sorted((ended[key] - at) * 1000 for key, at in sent.items())

    async def _post(self, events: Iterator[tuple[str, Event]], rate: float) -> dict[tuple[str, str], float]:
        """A building's events go over one connection, so that they arrive in their order."""
        connections = [await Connection.open(self.running.port) for _ in range(self.size.connections)]
        sent: dict[tuple[str, str], float] = {}
        began, offset, lanes = time.time(), 0.0, list[list[tuple[float, str, Event]]]([] for _ in connections)
        for name, event in events:
            offset += random.expovariate(rate)
            lanes[int(name[-3:]) % len(lanes)].append((began + offset, name, event))

        async def run(connection: Connection, lane: list[tuple[float, str, Event]]) -> None:
            for at, name, event in lane:
                await asyncio.sleep(max(0.0, at - time.time()))
                sent[name, str(event["event_id"])] = min(at, time.time())
                status, _ = await connection.send(encoded(f"/buildings/{name}/events", event))
                if status != 202:
                    raise RuntimeError(f"the service answered {status}")

        await asyncio.gather(*(run(*pair) for pair in zip(connections, lanes, strict=True)))
        for connection in connections:
            await connection.close()
        return sent

    async def heat(self) -> None:
        """A building whose inbox is full, and whose drain begins."""
        await create(self.running.port, [building(HOT, 1)])
        async with await connect(self.conninfo, application_name="bench") as conn, building_transaction(conn, HOT):
            await conn.execute(WAITING, {"hot": HOT, "count": self.size.waiting})
            await conn.execute("UPDATE buildings SET last_seq = %s WHERE building_id = %s", (self.size.waiting, HOT))
            await wake(conn, HOT)

    async def left(self, like: str) -> int:
        """How many events are still waiting."""
        async with await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True) as conn:
            row = await (await conn.execute(LEFT, (like,))).fetchone()
        return int(row[0]) if row else 0

    async def _ended(self, like: str, count: int) -> dict[tuple[str, str], float]:
        """When each event ended, once all have."""
        async with await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True) as conn:
            for _ in range(int(STUCK_S / 0.25)):
                rows = await (await conn.execute(FINISHED, (like,))).fetchall()
                if len(rows) >= count:
                    return {(row[0], row[1]): row[2] for row in rows}
                await asyncio.sleep(0.25)
        raise RuntimeError(f"only {len(rows)} of {count} events were processed within {STUCK_S:.0f} s")


def _in_turn(names: list[str], lines: int) -> Iterator[tuple[str, Event]]:
    """One event of each building after the other, line by line."""
    for number in range(lines):
        for event in life(number):
            yield from ((name, event) for name in names)
