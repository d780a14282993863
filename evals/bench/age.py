"""Whether a building gets slower with age: event 2,000 beside event 20, in-process, on one connection.

The old building's events take turns with those of young ones, so that whatever else the machine does hits both.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median

from psycopg import sql

from domain.buildings import BuildingSpec
from domain.events import EVENT, body_of
from evals.bench.mix import Event, building, eta_changes, life
from evals.bench.report import Aim, Result, Tell
from evals.bench.server import Bench
from runtime.clock import SystemClock
from runtime.drain import Drainer
from runtime.settings import Settings
from runtime.slots import SlotPool
from storage import buildings, inbox
from storage.connection import Connection
from storage.database import connect

CYCLE = 10
"""Events of a line's life, with four on the line that never rests."""
THREADED = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
TABLES = (
    *("events", "changes", "actions", "decisions", "outbox", "messages", "items", "purchase_orders"),
    *("purchase_order_lines", "shipments", "receipts", "inspections", "milestones", "flags", "approvals"),
)


@dataclass
class House:
    """A building and what is still to be sent to it."""

    name: str
    events: Iterator[Event]


async def run(bench: Bench, tell: Tell, *, age: int = 2000, window: int = 100) -> Result:
    """Age a building, then time `window` events around its `age` beside as many around event 20 of young ones."""
    lines = (age + window) // CYCLE + 2
    async with bench.database() as conninfo, open_desk(conninfo) as desk:
        return await _measure(desk, lines, age, window, tell)


@asynccontextmanager
async def open_desk(conninfo: str) -> AsyncIterator["Desk"]:
    """A desk in this process: a connection that posts, and one slot that drains."""
    conn = await connect(conninfo, application_name="bench")
    slots = SlotPool(conninfo, SystemClock(), 1, "bench slot")
    try:
        yield Desk(conn, Drainer(Settings(), SystemClock(), slots, asyncio.Event()))
    finally:
        await slots.close()
        await conn.close()


async def _measure(desk: "Desk", lines: int, age: int, window: int, tell: Tell) -> Result:
    old = await desk.open("old", lines)
    young = [await desk.open(f"young-{number}", lines) for number in range(window // (2 * CYCLE))]
    await desk.post(old, CYCLE)
    sizes = [await desk.sizes(old)]
    first = await desk.post(old, window)
    sizes.append(await desk.sizes(old))
    for sent in range(CYCLE + window, age - window // 2, CYCLE):
        await desk.post(old, CYCLE)
        tell(f"age: event {sent + CYCLE} of {age}")
    for house in young:
        await desk.post(house, CYCLE)
    sizes.append(await desk.sizes(old))
    late: list[float] = []
    early: list[float] = []
    for house in young:
        for _ in range(2 * CYCLE):
            late += await desk.post(old, 1)
            early += await desk.post(house, 1)
    sizes.append(await desk.sizes(old))
    return _result(age, first, early, late, sizes)


def _result(
    age: int, first: list[float], early: list[float], late: list[float], sizes: list[dict[str, tuple[int, int]]]
) -> Result:
    before, after = _growth(sizes[0], sizes[1], len(first)), _growth(sizes[2], sizes[3], len(late))
    result = Result(
        "age",
        details={
            "early_ms": early,
            "late_ms": late,
            "first_ms": first,
            "growth_early": {table: {"rows": rows, "bytes": size} for table, (rows, size) in before.items()},
            "growth_late": {table: {"rows": rows, "bytes": size} for table, (rows, size) in after.items()},
        },
    )
    result.add("event 20, median of those around it", median(early), "ms")
    result.add(f"event {age:,}, median of those around it", median(late), "ms")
    result.add(f"event {age:,} / event 20", median(late) / median(early), "x", Aim("<", 1.1))
    for place, unit in ((0, "rows"), (1, "kB")):
        sums = [sum(one[place] for one in growth.values()) / (1000 if place else 1) for growth in (before, after)]
        result.add(f"written by an event at 20, {unit}", sums[0], f"{unit}/event")
        result.add(f"written by an event at {age:,}, {unit}", sums[1], f"{unit}/event")
        result.add(f"{unit}: at {age:,} / at 20", sums[1] / sums[0], "x", Aim("<", 1.1))
    checkpoints = sum(after[table][1] for table in THREADED) / 1000
    result.add(f"of it checkpoints, at {age:,}", checkpoints, "kB/event")
    return result


def _growth(
    before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]], events: int
) -> dict[str, tuple[float, float]]:
    """Rows and bytes that an event adds to each table."""
    return {
        table: ((after[table][0] - before[table][0]) / events, (after[table][1] - before[table][1]) / events)
        for table in after
    }


@dataclass
class Desk:
    conn: Connection
    drainer: Drainer

    async def open(self, name: str, lines: int) -> House:
        await buildings.create(self.conn, BuildingSpec.model_validate(building(name, lines)), SystemClock().now())
        return House(name, _events(lines))

    async def post(self, house: House, count: int) -> list[float]:
        """Send so many events, one at a time; how many ms the agent took for each."""
        took = []
        for _ in range(count):
            event = next(house.events)
            typed = EVENT.validate_python(event)
            await inbox.accept(
                self.conn,
                house.name,
                source="bench",
                event_id=str(event["event_id"]),
                event_type=str(event["event_type"]),
                body=body_of(typed),
                now=SystemClock().now(),
            )
            began = time.perf_counter()
            await self.drainer.drain(house.name)
            took.append((time.perf_counter() - began) * 1000)
        return took

    async def sizes(self, house: House) -> dict[str, tuple[int, int]]:
        """Rows and bytes of the building in each table."""
        found = {}
        for table in (*THREADED, *TABLES):
            where = "building_id = %s"
            if table in THREADED:
                where = "thread_id = (SELECT thread_id::text FROM buildings WHERE building_id = %s)"
            query = sql.SQL("SELECT count(*) AS rows, coalesce(sum(pg_column_size(t.*)), 0) AS bytes FROM {} t WHERE ")
            cursor = await self.conn.execute(query.format(sql.Identifier(table)) + sql.SQL(where), (house.name,))
            row = await cursor.fetchone()
            assert row is not None
            found[table] = (int(row["rows"]), int(row["bytes"]))
        return found


def _events(lines: int) -> Iterator[Event]:
    """One line after the other, and ever new dates for the first one in between, which is shipped and never comes."""
    busy = eta_changes("Line 000")
    yield from life(0)[:2]
    for number in range(1, lines):
        for place, event in enumerate(life(number)):
            yield event
            if place < CYCLE - len(life(number)):
                yield next(busy)
