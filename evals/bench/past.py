"""What looking back costs: forks of an old building, pages of a long history, and a backtest beside live processing."""

import asyncio
import time
from collections.abc import Awaitable
from statistics import median
from typing import TypeVar

from domain.buildings import BuildingSpec
from domain.comparison import compare
from domain.events import EVENT, body_of
from domain.principals import Author
from evals.backtest import Backtest, Trial
from evals.bench.age import CYCLE, Desk, House, open_desk
from evals.bench.mix import building, story
from evals.bench.report import Aim, Result, Tell
from evals.bench.server import Bench
from graph.forking import fork
from graph.history import list_checkpoints
from runtime.clock import SystemClock
from runtime.drain import Drainer, Ended
from runtime.settings import Settings
from runtime.slots import SlotPool
from storage import buildings, diffs, forks, inbox
from storage.audit import Signature
from storage.connection import Connection
from storage.database import connect

WHO = Author(type="human", id="bench", name="bench", via="local")
PAGE = 100
LANES = 8
LINES = 9
"""Lines of a building of 50 events: six of each line's life."""

# The thread's checkpoints once more, older than all before: an id begins with its time, so with another first digit.
OLDER = """
INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata)
SELECT thread_id, checkpoint_ns, to_char(%(copy)s::int, 'FM000') || substr(checkpoint_id, 4),
       to_char(%(copy)s::int, 'FM000') || substr(parent_checkpoint_id, 4), type, checkpoint, metadata
  FROM checkpoints WHERE thread_id = %(thread)s AND checkpoint_id >= %(first)s ORDER BY checkpoint_id LIMIT %(most)s"""
WRITES = """
INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob)
SELECT w.thread_id, w.checkpoint_ns, to_char(%(copy)s::int, 'FM000') || substr(w.checkpoint_id, 4), w.task_id,
       w.task_path, w.idx, w.channel, w.type, w.blob
  FROM checkpoint_writes w WHERE w.thread_id = %(thread)s AND w.checkpoint_id >= %(first)s
ON CONFLICT DO NOTHING"""
COUNT = "SELECT count(*) AS n, min(checkpoint_id) AS first FROM checkpoints WHERE thread_id = %s"
NTH = "SELECT checkpoint_id FROM checkpoints WHERE thread_id = %s ORDER BY checkpoint_id OFFSET %s LIMIT 1"

T = TypeVar("T")


async def run(
    bench: Bench, tell: Tell, *, events: int = 3000, checkpoints: int = 50_000, houses: int = 100, repeat: int = 5
) -> Result:
    """Age a building to so many events and fork it; lengthen its thread to so many checkpoints and page through it;
    process so many buildings of 50 events, and run them again."""
    result = Result("past")
    async with bench.database() as conninfo, open_desk(conninfo) as desk:
        young = await _aged(desk, "young", 50, tell)
        old = await _aged(desk, "old", events, tell)
        for house, age in ((young, 50), (old, events)):
            tell(f"past: forks at {age:,} events")
            await _forks(desk.conn, house, age, repeat, result)
        await _history(desk.conn, old, checkpoints, repeat, tell, result)
    async with bench.database() as conninfo:
        await _again(conninfo, houses, tell, result)
    return result


async def _aged(desk: Desk, name: str, events: int, tell: Tell) -> House:
    house = await desk.open(name, events // CYCLE + 2)
    for sent in range(0, events, CYCLE):
        await desk.post(house, CYCLE)
        tell(f"past: event {sent + CYCLE} of {events}")
    return house


async def _forks(conn: Connection, house: House, age: int, repeat: int, result: Result) -> None:
    """A fork of the middle, how it differs from what really happened, and its end."""
    made: list[float] = []
    compared: list[float] = []
    deleted: list[float] = []
    for _ in range(repeat):
        now = SystemClock().now()
        fork_, took = await _timed(fork(conn, house.name, before_event=age // 2, signature=Signature(WHO, now)))
        made.append(took)
        compared.append((await _timed(_compared(conn, house.name, fork_.fork_id)))[1])
        deleted.append((await _timed(forks.delete(conn, house.name, fork_.fork_id)))[1])
    for what, times in (("fork", made), ("diff", compared), ("delete", deleted)):
        result.add(f"{what}, in the middle of {age:,} events", median(times), "ms")


async def _compared(conn: Connection, building_id: str, fork_id: str) -> None:
    compare(*await diffs.sides(conn, await forks.find(conn, building_id, fork_id)))


async def _history(conn: Connection, house: House, checkpoints: int, repeat: int, tell: Tell, result: Result) -> None:
    thread = buildings.thread_id(house.name)
    await _lengthen(conn, thread, checkpoints, tell)
    row = await (await conn.execute(COUNT, (thread,))).fetchone()
    deep = await (await conn.execute(NTH, (thread, PAGE * 2))).fetchone()
    assert row is not None
    assert deep is not None
    first: list[float] = []
    last: list[float] = []
    for _ in range(repeat):
        for before, times in ((None, first), (deep["checkpoint_id"], last)):
            found, took = await _timed(list_checkpoints(conn, house.name, thread, limit=PAGE + 1, before=before))
            assert len(found) == PAGE + 1
            times.append(took)
    result.add(f"history of {row['n']:,} checkpoints, first page of {PAGE}", median(first), "ms")
    result.add("the same, last but one page", median(last), "ms")
    result.add("last but one / first page", median(last) / median(first), "x", Aim("<", 2))


async def _lengthen(conn: Connection, thread: str, checkpoints: int, tell: Tell) -> None:
    row = await (await conn.execute(COUNT, (thread,))).fetchone()
    assert row is not None
    first, own, there, copy = str(row["first"]), int(row["n"]), int(row["n"]), 0
    while there < checkpoints:
        tell(f"past: {there:,} of {checkpoints:,} checkpoints")
        part = {"thread": thread, "first": first, "copy": copy, "most": min(own, checkpoints - there)}
        await conn.execute(OLDER, part)
        await conn.execute(WRITES, part)
        copy += 1
        row = await (await conn.execute(COUNT, (thread,))).fetchone()
        there = checkpoints if row is None else int(row["n"])
    await conn.execute("ANALYZE")


async def _again(conninfo: str, houses: int, tell: Tell, result: Result) -> None:
    """The same events live, in as many lanes, and as a backtest."""
    names = [f"house-{number:03}" for number in range(houses)]
    async with await connect(conninfo, application_name="bench") as conn:
        tell("past: filling inboxes")
        events = sum([await _fill(conn, name) for name in names])
    tell(f"past: {events:,} events live")
    live = events / await _live(conninfo, names)
    done = 0

    def heard(entries: int, _: int) -> None:
        nonlocal done
        done += entries
        tell(f"past: {done:,} of {events:,} events run again")

    settings = Settings(database_url=conninfo)
    report = await Backtest(conninfo, settings, SystemClock(), Trial(), LANES, heard).run(names)
    assert report.differences == 0
    assert not any(one.error for one in report.buildings)
    result.add(f"{houses} buildings x {events // houses} events live, from full inboxes", live, "events/s")
    result.add("the same as a backtest, forks and comparison included", report.per_second, "events/s")
    result.add("backtest / live", report.per_second / live, "x", Aim(">=", 1.0))


async def _fill(conn: Connection, name: str) -> int:
    await buildings.create(conn, BuildingSpec.model_validate(building(name, LINES)), SystemClock().now())
    sent = story(LINES)[:50]
    for event in sent:
        typed = EVENT.validate_python(event)
        await inbox.accept(
            conn,
            name,
            source="bench",
            event_id=str(event["event_id"]),
            event_type=typed.event_type,
            body=body_of(typed),
            now=SystemClock().now(),
        )
    return len(sent)


async def _live(conninfo: str, names: list[str]) -> float:
    """Seconds that the worker's own drain takes for all of them."""
    slots = SlotPool(conninfo, SystemClock(), LANES, "bench slot")
    drainer, waiting = Drainer(Settings(), SystemClock(), slots, asyncio.Event()), list(names)

    async def lane() -> None:
        while waiting:
            name = waiting.pop()
            while await drainer.drain(name) is not Ended.EMPTY:
                pass

    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(LANES):
            tasks.create_task(lane())
    took = time.perf_counter() - began
    await slots.close()
    return took


async def _timed(doing: Awaitable[T]) -> tuple[T, float]:
    """What it comes to, and how many ms it took."""
    began = time.perf_counter()
    found = await doing
    return found, (time.perf_counter() - began) * 1000
