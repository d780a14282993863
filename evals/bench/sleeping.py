"""Ten thousand sleeping buildings, each with an open question: what API, worker and tick cost while nothing happens."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import TypeVar

import httpx
from psycopg import sql

from domain.buildings import BuildingSpec
from domain.events import EVENT, body_of
from evals.bench.mix import building, life
from evals.bench.processes import Service, service
from evals.bench.report import Aim, Result, Tell
from evals.bench.server import Bench
from runtime.clock import SystemClock
from runtime.drain import Drainer
from runtime.settings import Settings
from runtime.slots import SlotPool
from storage import buildings, inbox, outbox, upkeep
from storage.connection import Connection
from storage.database import connect
from storage.retention import Policy, Pruning

FIRST = "sleeper-00000"
TABLES = (
    *("buildings", "schedules", "vendors", "items", "events", "changes", "actions", "decisions", "approvals"),
    *("messages", "milestones", "outbox"),
)
SETTLE_S = 10.0
"""Before the watch begins: the processes have started, and what starting left behind is done."""
SPAN_S = 5.0

T = TypeVar("T")

COLUMNS = """
SELECT column_name, is_identity FROM information_schema.columns
 WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position"""

# The live head with its values and its parked question; what lies behind it does not wake a sleeper.
HEADS = """
WITH head AS (
    SELECT c.* FROM checkpoints c WHERE c.thread_id = %(thread)s AND c.metadata ? 'seq'
     ORDER BY c.checkpoint_id DESC LIMIT 1),
made AS (SELECT unnest(%(threads)s::text[]) AS thread),
blobs AS (
    INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
    SELECT made.thread, b.checkpoint_ns, b.channel, b.version, b.type, b.blob FROM made, checkpoint_blobs b, head
     WHERE b.thread_id = %(thread)s AND head.checkpoint -> 'channel_versions' ->> b.channel = b.version),
writes AS (
    INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob,
                                   task_path)
    SELECT made.thread, w.checkpoint_ns, w.checkpoint_id, w.task_id, w.idx, w.channel, w.type, w.blob, w.task_path
      FROM made, checkpoint_writes w, head
     WHERE w.thread_id = %(thread)s AND w.checkpoint_id = head.checkpoint_id)
INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata)
SELECT made.thread, h.checkpoint_ns, h.checkpoint_id, NULL, h.type, h.checkpoint, h.metadata FROM made, head h"""


async def run(bench: Bench, tell: Tell, *, count: int = 10_000, watch_s: float = 60.0) -> Result:
    """Make one building by its agent, clone it, watch the service over them, and answer one at the end."""
    async with bench.database() as conninfo:
        conn = await connect(conninfo, application_name="bench")
        try:
            tell("sleeping: one building asks its question")
            await _ask_first(conninfo, conn)
            await _clone(conn, count, tell)
            async with service(conninfo) as running:
                tell("sleeping: the service settles")
                await asyncio.sleep(min(SETTLE_S, watch_s))
                result = await _watch(bench, running, watch_s, tell)
                await _tick(conn, result)
                result.details["sleepers"] = count
                await _answer(running.port, f"sleeper-{count - 1:05}")
        finally:
            await conn.close()
    return result


async def _ask_first(conninfo: str, conn: Connection) -> None:
    """A real building by its own agent: the order is beyond its authority, so it asks and sleeps on the answer."""
    clock = SystemClock()
    spec = building(FIRST, 5, policy={"po_limit": "1000"})
    await buildings.create(conn, BuildingSpec.model_validate(spec), clock.now())
    event = life(0)[0]
    body = body_of(EVENT.validate_python(event))
    await inbox.accept(
        conn,
        FIRST,
        source="bench",
        event_id=str(event["event_id"]),
        event_type=str(event["event_type"]),
        body=body,
        now=clock.now(),
    )
    slots = SlotPool(conninfo, clock, 1, "bench slot")
    try:
        await Drainer(Settings(), clock, slots, asyncio.Event()).drain(FIRST)
    finally:
        await slots.close()
    await conn.execute("DELETE FROM procrastinate_jobs")
    await conn.execute("UPDATE outbox SET status = 'delivered', delivered_at = now()")


async def _clone(conn: Connection, count: int, tell: Tell) -> None:
    """The same rows for the others under their own names: all of the building's, and the thread's live head."""
    names = [f"sleeper-{number:05}" for number in range(1, count)]
    for table in TABLES:
        tell(f"sleeping: cloning {table}")
        await _clone_table(conn, table, names)
    tell("sleeping: cloning checkpoints")
    threads = [buildings.thread_id(name) for name in names]
    for start in range(0, len(threads), 1000):
        part = {"thread": buildings.thread_id(FIRST), "threads": threads[start : start + 1000]}
        await conn.execute(HEADS, part)
    await conn.execute("VACUUM ANALYZE")


async def _clone_table(conn: Connection, table: str, names: list[str]) -> None:
    columns = [
        row["column_name"]
        for row in await (await conn.execute(COLUMNS, (table,))).fetchall()
        if row["is_identity"] == "NO"
    ]
    renamed: dict[str, sql.Composable] = {
        "building_id": sql.SQL("made.name"),
        "thread_id": sql.SQL("made.thread::uuid"),
        "approval_id": sql.SQL("replace(t.approval_id, {}, made.name)").format(sql.Literal(FIRST)),
    }
    if table == "outbox":
        renamed["key"] = sql.SQL("replace(t.key, {}, made.name)").format(sql.Literal(FIRST))
    if table == "decisions":
        del renamed["thread_id"]
    values = [renamed.get(column, sql.SQL("t.{}").format(sql.Identifier(column))) for column in columns]
    await conn.execute(
        sql.SQL(
            "INSERT INTO {table} ({columns}) SELECT {values} "
            "FROM unnest(%s::text[], %s::text[]) AS made (name, thread), {table} t WHERE t.building_id = {first}"
        ).format(
            table=sql.Identifier(table),
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            values=sql.SQL(", ").join(values),
            first=sql.Literal(FIRST),
        ),
        (names, [buildings.thread_id(name) for name in names]),
    )


async def _watch(bench: Bench, running: Service, watch_s: float, tell: Tell) -> Result:
    """CPU and memory over the watch, in which nobody sends anything."""
    result = Result("sleeping")
    used, held, database = running.cpu_seconds(), running.resident(), await bench.cpu_seconds()
    spans: list[float] = []
    began = time.monotonic()
    while (passed := time.monotonic() - began) < watch_s:
        tell(f"sleeping: watched for {passed:.0f} of {watch_s:.0f} s")
        spans.append(await _span(running, min(SPAN_S, watch_s)))
    share = 100 / (time.monotonic() - began)
    now, holds = running.cpu_seconds(), running.resident()
    spent = {part: (now[part] - used[part]) * share for part in used}
    result.add("CPU of API and worker", sum(spent.values()), "% of a core", Aim("<", 1))
    result.add(f"the same, median of spans of {SPAN_S:.0f} s", median(spans), "% of a core")
    result.details["spans"] = spans
    result.add("of it the API", spent["api"], "% of a core")
    result.add("of it the worker", spent["worker"], "% of a core")
    result.add("CPU of PostgreSQL", (await bench.cpu_seconds() - database) * share, "% of a core")
    grown = sum(holds.values()) - sum(held.values())
    result.add("resident memory, growth", grown, "MB", Aim("<=", 5))
    result.add("resident memory, API", holds["api"], "MB")
    result.add("resident memory, worker", holds["worker"], "MB")
    return result


async def _span(running: Service, seconds: float) -> float:
    """CPU of both over a span, in % of a core: tells a steady cost from one that comes in bursts."""
    before, began = sum(running.cpu_seconds().values()), time.monotonic()
    await asyncio.sleep(seconds)
    return 100 * (sum(running.cpu_seconds().values()) - before) / (time.monotonic() - began)


async def _tick(conn: Connection, result: Result) -> None:
    """What each query of the tick takes, and all of them together."""
    now = SystemClock().now()
    looks = {
        "expired holds": await _timed(lambda: upkeep.enter_expired_holds(conn, now)),
        "reminders and escalations": await _timed(lambda: upkeep.enter_overdue(conn, now)),
        "milestones owed": await _timed(lambda: upkeep.enter_owed(conn, now)),
        "forgotten buildings": await _timed(lambda: upkeep.wake_forgotten(conn, now)),
        "outbox": await _timed(lambda: outbox.deliver(conn, now, lambda _: None)),
    }
    total = 0.0
    for name, took in looks.items():
        result.details[name] = took
        total += median(took)
        result.add(f"tick: {name}", median(took), "ms", Aim("<", 5))
    result.add("tick: all queries", total, "ms")
    candidates = await _timed(lambda: Pruning(conn, Policy(), now).candidates(""))
    result.add("once an hour: what retention has to look at", median(candidates), "ms")


async def _timed(look: Callable[[], Awaitable[T]]) -> list[float]:
    """What it takes, twenty times, in ms."""
    took = []
    for _ in range(20):
        began = time.perf_counter()
        await look()
        took.append((time.perf_counter() - began) * 1000)
    return took


async def _answer(port: int, name: str) -> None:
    """The last clone wakes: its question is answered over HTTP, and the order goes out.

    Raises:
        RuntimeError: it slept on; then the clones were no sleepers.
    """
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        asked = (await client.get("/approvals", params={"building_id": name, "status": "pending"})).json()["data"]
        answer = {"type": "approve", "version": asked[0]["version"]}
        path = f"/approvals/{asked[0]['approval_id']}/decision"
        (await client.post(path, json=answer, headers={"Prefer": "wait=20"})).raise_for_status()
        orders = (await client.get(f"/buildings/{name}/purchase-orders")).json()["data"]
    if len(orders) != 1:
        raise RuntimeError(f"{name} was answered, and its order did not go out: {orders}")
