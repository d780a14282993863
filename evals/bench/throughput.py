"""Events through the whole service, beside the same shape of work as a plain LangGraph script on the same server."""

import asyncio
import json
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import httpx
import psycopg

from evals.bench.client import lanes_of, post_from_outside, python
from evals.bench.mix import LIFE, building, story
from evals.bench.processes import Service, service
from evals.bench.report import Aim, Result, Tell
from evals.bench.server import Bench, statements, written

PROGRESS = """
SELECT count(*) FILTER (WHERE status = 'done') AS done, count(*) FILTER (WHERE status = 'dead') AS dead,
       count(*) FILTER (WHERE attempts > 1) AS repeated, extract(epoch FROM max(finished_at)) AS last
  FROM events WHERE building_id LIKE %s"""
STUCK_S = 120.0


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    buildings: int = 100
    lines: int = 2
    rounds: int = 3
    tasks: int = 20
    connections: int = 10

    @property
    def events(self) -> int:
        return self.buildings * self.lines * LIFE


async def run(bench: Bench, tell: Tell, size: Size | None = None) -> Result:
    """Script, service, script with a saver for each slot; so many rounds, the medians of which are told."""
    size = size or Size()
    rounds: list[dict[str, Any]] = []
    async with bench.database() as ours, bench.database() as theirs, service(ours) as running:
        await _through_service(bench, ours, running, Size(buildings=size.buildings // 2, lines=1), "warm", tell)
        for number in range(size.rounds):
            label = f"throughput, round {number + 1} of {size.rounds}"
            tell(f"{label}: plain script, one shared saver")
            shared = await _script(bench, theirs, size, shared=True)
            through = await _through_service(bench, ours, running, size, f"r{number}", _within(label, tell))
            tell(f"{label}: plain script, a saver for each task")
            apart = await _script(bench, theirs, size, shared=False)
            rounds.append({"service": through, "script_shared": shared, "script_apart": apart})
        tell("throughput: counting statements")
        counted = await _count(bench, ours, running, size)
        scripted = await _count_script(bench, theirs, size)
    return _result(size, rounds, counted, scripted)


def _within(label: str, tell: Tell) -> Tell:
    return lambda text: tell(f"{label}: {text}")


def _result(size: Size, rounds: list[dict[str, Any]], counted: dict[str, Any], scripted: dict[str, Any]) -> Result:
    result = Result(
        "throughput", details={"size": vars(size), "rounds": rounds, "service": counted, "script": scripted}
    )

    def middle(kind: str, figure: str) -> float:
        return float(median(one[kind][figure] for one in rounds))

    result.add("service, over HTTP", middle("service", "events_per_s"), "events/s")
    result.add("plain script, one shared saver", middle("script_shared", "events_per_s"), "events/s")
    result.add("plain script, a saver for each task", middle("script_apart", "events_per_s"), "events/s")
    for kind, what, aim in (
        ("script_shared", "service / script with a shared saver", Aim(">=", 0.6)),
        ("script_apart", "service / script with a saver for each task", None),
    ):
        ratios = [one["service"]["events_per_s"] / one[kind]["events_per_s"] for one in rounds]
        result.add(what, median(ratios), "x", aim)
    for part in ("api", "worker", "postgres", "cpu"):
        name = {"cpu": "all"}.get(part, part)
        result.add(f"service: CPU of {name}", middle("service", f"{part}_ms"), "ms/event")
    result.add("script, shared saver: CPU of all", middle("script_shared", "cpu_ms"), "ms/event")
    for name, one in (("service", counted), ("script", scripted)):
        result.add(f"{name}: statements", one["statements"], "/event")
        result.add(f"{name}: transactions that write", one["transactions"], "/event")
        result.add(f"{name}: write-ahead log", one["log_kb"], "kB/event")
    return result


async def _script(bench: Bench, conninfo: str, size: Size, *, shared: bool) -> dict[str, Any]:
    job = {"threads": size.buildings, "events": size.lines * LIFE, "tasks": size.tasks, "shared": shared}
    before = await bench.cpu_seconds()
    process = await asyncio.create_subprocess_exec(
        *python("evals.bench.script", conninfo, json.dumps(job)), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the script failed with {process.returncode}")
    outcome: dict[str, Any] = json.loads(output)
    postgres = await bench.cpu_seconds() - before
    each = 1000 / outcome["events"]
    return {
        "events_per_s": outcome["events"] / outcome["seconds"],
        "script_ms": outcome["cpu_s"] * each,
        "postgres_ms": postgres * each,
        "cpu_ms": (outcome["cpu_s"] + postgres) * each,
    }


async def _through_service(
    bench: Bench, conninfo: str, running: Service, size: Size, prefix: str, tell: Tell
) -> dict[str, Any]:
    """Create the buildings, then post all their events and wait until the last one is processed."""
    stories = {f"{prefix}-{number:03}": story(size.lines) for number in range(size.buildings)}
    tell("creating the buildings")
    await _create(running.port, [building(name, size.lines) for name in stories])
    before = {**running.cpu_seconds(), "postgres": await bench.cpu_seconds()}
    posting = asyncio.create_task(post_from_outside(running.port, lanes_of(stories, size.connections)))
    last = await _wait(conninfo, f"{prefix}-%", size.events, posting, tell)
    posted = await posting
    after = {**running.cpu_seconds(), "postgres": await bench.cpu_seconds()}
    each = 1000 / size.events
    used = {f"{part}_ms": (after[part] - before[part]) * each for part in before}
    return {
        "events_per_s": size.events / (last - posted["began"]),
        "posted_per_s": size.events / (posted["ended"] - posted["began"]),
        "client_ms": posted["cpu_s"] * each,
        **used,
        "cpu_ms": sum(used.values()),
    }


async def _create(port: int, specs: list[dict[str, Any]]) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        for spec in specs:
            (await client.post("/buildings", json=spec)).raise_for_status()


async def _wait(conninfo: str, like: str, events: int, posting: "asyncio.Task[Any]", tell: Tell) -> float:
    """Until all are done; when the last one was, by the machine's clock.

    Raises:
        RuntimeError: an event died, or nothing moves any more.
    """
    done, moved = -1, time.monotonic()
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
        while True:
            row = await (await conn.execute(PROGRESS, (like,))).fetchone()
            if row is None or row[1]:
                raise RuntimeError(f"{row and row[1]} events died")
            if row[0] == events:
                return float(row[3])
            if row[0] != done:
                done, moved = row[0], time.monotonic()
                tell(f"{done} of {events} events processed")
            if posting.done():
                posting.result()
            if time.monotonic() - moved > STUCK_S:
                raise RuntimeError(f"nothing moved for {STUCK_S:.0f} s at {done} of {events} events")
            await asyncio.sleep(0.25)


async def _count(bench: Bench, conninfo: str, running: Service, size: Size) -> dict[str, Any]:
    """A further, untimed round with the counter on."""
    few = Size(buildings=min(50, size.buildings), lines=min(2, size.lines))
    await _create(running.port, [building(f"count-{n:03}", few.lines) for n in range(few.buildings)])
    stories = {f"count-{n:03}": story(few.lines) for n in range(few.buildings)}
    before = await written(conninfo)
    await bench.count(True)
    posting = asyncio.create_task(post_from_outside(running.port, lanes_of(stories, few.connections)))
    await _wait(conninfo, "count-%", few.events, posting, lambda _: None)
    await posting
    await bench.count(False)
    return await _counted(conninfo, before, few.events, leaving="count(*) FILTER")


async def _count_script(bench: Bench, conninfo: str, size: Size) -> dict[str, Any]:
    few = Size(buildings=min(50, size.buildings), lines=min(2, size.lines))
    before = await written(conninfo)
    await bench.count(True)
    await _script(bench, conninfo, few, shared=True)
    await bench.count(False)
    return await _counted(conninfo, before, few.events)


async def _counted(conninfo: str, before: dict[str, Any], events: int, leaving: str = "\0") -> dict[str, Any]:
    """What an event costs the database. `leaving` names our own statement, which watches."""
    after = await written(conninfo)
    ran = [one for one in await statements(conninfo) if leaving not in one["query"]]
    return {
        "statements": sum(one["calls"] for one in ran) / events,
        "execution_ms": sum(one["ms"] for one in ran) / events,
        "transactions": (after["transactions"] - before["transactions"]) / events,
        "log_kb": (after["bytes"] - before["bytes"]) / events / 1000,
        "top": [
            {"query": one["query"], "per_event": one["calls"] / events, "ms_per_event": one["ms"] / events}
            for one in ran[:40]
        ],
    }
