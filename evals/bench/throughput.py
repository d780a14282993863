"""Events through the whole service, over HTTP and from a full inbox, with one worker process and with two; beside it
the same shape of work as a plain LangGraph script and as DBOS workflows, on the same server in the same run."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import httpx
import psycopg

from domain.plain_json import JsonObject
from evals.bench.client import PostedLanes, lanes_of, post_from_outside, python
from evals.bench.mix import LIFE, Event, building, story
from evals.bench.processes import Service, api
from evals.bench.report import Aim, Cost, Detail, Result, StatementCost, Tell
from evals.bench.server import Bench, WrittenLog, statements, written

PROGRESS = """
SELECT count(*) FILTER (WHERE status = 'done') AS done, count(*) FILTER (WHERE status = 'dead') AS dead,
       count(*) FILTER (WHERE attempts > 1) AS repeated, extract(epoch FROM max(finished_at)) AS last,
       extract(epoch FROM min(started_at)) AS first
  FROM events WHERE building_id LIKE %s"""
BEGUN = "SELECT EXISTS (SELECT 1 FROM events WHERE building_id LIKE %s AND started_at IS NOT NULL)"
STUCK_S = 120.0
SAVERS = {"shared": "one shared saver", "apart": "a saver for each task", "memory": "in memory"}


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    buildings: int = 100
    lines: int = 3
    rounds: int = 3
    tasks: int = 20
    connections: int = 10
    workers: Sequence[int] = (1, 2)

    @property
    def events(self) -> int:
        return self.buildings * self.lines * LIFE

    @property
    def job(self) -> dict[str, int]:
        """The same for the baselines."""
        return {"threads": self.buildings, "events": self.lines * LIFE, "tasks": self.tasks}


Measured = dict[str, float]
"""What one pass came to: `events_per_s`, and CPU by part in ms for an event."""


async def run(bench: Bench, tell: Tell, size: Size | None = None) -> Result:
    """So many rounds, in each of which everything takes its turn; the medians are told."""
    size = size or Size()
    async with bench.database() as ours, bench.database() as theirs, api(ours) as running:
        passes = Passes(bench, ours, theirs, running, size)
        rounds = [await passes.round(number, tell) for number in range(size.rounds)]
        tell("throughput: counting statements")
        scripted = await passes.count_script()
    if passes.counted is None:
        raise ValueError("a run has rounds and workers")
    return _result(size, rounds, passes.counted, scripted)


@dataclass
class Passes:
    """What is measured in a round, one after the other."""

    bench: Bench
    ours: str
    theirs: str
    running: Service
    size: Size
    counted: Cost | None = None
    """What an event costs the database; of the first round, after what is timed."""

    async def round(self, number: int, said: Tell) -> dict[str, Measured]:
        def tell(text: str) -> None:
            said(f"throughput, round {number + 1} of {self.size.rounds}: {text}")

        found: dict[str, Measured] = {}
        for saver in ("shared", "apart", "memory"):
            tell(f"plain script, {SAVERS[saver]}")
            found[f"script, {SAVERS[saver]}"] = await self._script(saver)
        for workers in self.size.workers:
            named = "1 worker" if workers == 1 else f"{workers} workers"
            async with self.running.working(workers):
                await self._warmed(f"w{number}-{workers}", workers)
                found[f"over HTTP, {named}"] = await self._over_http(self.size, f"h{number}-{workers}", tell)
                self.counted = self.counted or await self._count()
            tell("filling the inbox")
            intake = await self.fill(f"p{number}-{workers}")
            found.setdefault("intake", intake)
            async with self.running.working(workers):
                found[f"full inbox, {named}"] = await self.drain(f"p{number}-{workers}", tell)
            if "DBOS" not in found:  # what it is compared with has just been measured: machines change by the minute
                tell("DBOS workflows")
                found["DBOS"] = await self._dbos(ordered=False)
        tell("DBOS workflows in order")
        found["DBOS in order"] = await self._dbos(ordered=True)
        return found

    async def _warmed(self, prefix: str, workers: int) -> None:
        """A few events, so that the workers have started, and their connections and statements are there."""
        few = Size(buildings=10 * workers, lines=1)
        await self._over_http(few, prefix, lambda _: None)

    async def _script(self, saver: str) -> Measured:
        return await self._baseline("evals.bench.script", self.theirs, json.dumps(self.size.job | {"saver": saver}))

    async def _dbos(self, *, ordered: bool) -> Measured:
        """On a database of its own, whose queue is filled before."""
        async with self.bench.database() as conninfo:
            arguments = ("evals.bench.dbos_script", conninfo, json.dumps(self.size.job | {"ordered": ordered}))
            await _output(*arguments, "fill")
            return await self._baseline(*arguments, "run")

    async def _baseline(self, *command: str) -> Measured:
        before = await self.bench.cpu_seconds()
        outcome = json.loads(await _output(*command))
        postgres = await self.bench.cpu_seconds() - before
        each = 1000 / outcome["events"]
        return {
            "events_per_s": outcome["events"] / outcome["seconds"],
            "script_ms": outcome["cpu_s"] * each,
            "postgres_ms": postgres * each,
            "cpu_ms": (outcome["cpu_s"] + postgres) * each,
        }

    async def _over_http(self, size: Size, prefix: str, tell: Tell) -> Measured:
        """Create the buildings, then post all their events and wait until the last one is processed."""
        stories = await self._opened(size, prefix)
        before = await self._used()
        posting = asyncio.create_task(post_from_outside(self.running.port, lanes_of(stories, size.connections)))
        row = await _wait(self.ours, f"{prefix}-%", size.events, posting, tell)
        posted = await posting
        return {"events_per_s": size.events / (row["last"] - posted["began"]), **await self._each(before, size.events)}

    async def fill(self, prefix: str) -> Measured:
        """Post everything while no worker runs: what the intake alone costs."""
        stories = await self._opened(self.size, prefix)
        before = await self._used()
        posted = await post_from_outside(self.running.port, lanes_of(stories, self.size.connections))
        events = self.size.events
        return {
            "events_per_s": events / (posted["ended"] - posted["began"]),
            **await self._each(before, events),
        }

    async def drain(self, prefix: str, tell: Tell) -> Measured:
        """Wait until a full inbox is empty; timed from the first start to the last end, as the database has them."""
        await _begun(self.ours, f"{prefix}-%")
        before = await self._used()
        row = await _wait(self.ours, f"{prefix}-%", self.size.events, None, tell)
        events = self.size.events
        return {"events_per_s": events / (row["last"] - row["first"]), **await self._each(before, events)}

    async def _opened(self, size: Size, prefix: str) -> dict[str, list[Event]]:
        stories = {f"{prefix}-{number:03}": story(size.lines) for number in range(size.buildings)}
        await create(self.running.port, [building(name, size.lines) for name in stories])
        return stories

    async def _used(self) -> dict[str, float]:
        return {**self.running.cpu_seconds(), "postgres": await self.bench.cpu_seconds()}

    async def _each(self, before: dict[str, float], events: int) -> Measured:
        """CPU for an event since then, by part and in all."""
        after = await self._used()
        used = {f"{part}_ms": (after[part] - before[part]) * 1000 / events for part in before}
        return {**used, "cpu_ms": sum(used.values())}

    async def _count(self) -> Cost:
        """A further, untimed pass with the counter on."""
        few = Size(buildings=min(50, self.size.buildings), lines=min(2, self.size.lines))
        stories = await self._opened(few, "count")
        before = await written(self.ours)
        await self.bench.count(True)
        posting = asyncio.create_task(post_from_outside(self.running.port, lanes_of(stories, few.connections)))
        await _wait(self.ours, "count-%", few.events, posting, lambda _: None)
        await posting
        await self.bench.count(False)
        return await _counted(self.ours, before, few.events, leaving="count(*) FILTER")

    async def count_script(self) -> Cost:
        few = Size(buildings=min(50, self.size.buildings), lines=min(2, self.size.lines))
        before = await written(self.theirs)
        await self.bench.count(True)
        await _output("evals.bench.script", self.theirs, json.dumps(few.job | {"saver": "shared"}))
        await self.bench.count(False)
        return await _counted(self.theirs, before, few.events)


async def _output(module: str, *arguments: str) -> bytes:
    """What a module of ours prints, run as a process.

    Raises:
        RuntimeError: it failed.
    """
    process = await asyncio.create_subprocess_exec(*python(module, *arguments), stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{module} failed with {process.returncode}")
    return output


SHARED, APART = "script, one shared saver", "script, a saver for each task"
RATIOS: tuple[tuple[str, str, Aim | None], ...] = (
    ("over HTTP, 1 worker", SHARED, Aim(">=", 0.6)),
    ("full inbox, 1 worker", SHARED, Aim(">=", 1.0)),
    ("full inbox, 1 worker", APART, None),
    ("full inbox, 1 worker", "DBOS", Aim(">=", 2.0)),
    ("full inbox, 1 worker", "DBOS in order", None),
    ("full inbox, 2 workers", SHARED, None),
    ("full inbox, 2 workers", "full inbox, 1 worker", None),
)


def _result(size: Size, rounds: list[dict[str, Measured]], counted: Cost, scripted: Cost) -> Result:
    details: dict[str, Detail] = {"size": vars(size), "rounds": rounds, "service": counted, "script": scripted}
    result = Result("throughput", details=details)
    kinds = list(rounds[0])
    for kind in kinds:
        result.add(kind, _middle(rounds, kind, "events_per_s"), "events/s")
    for one, other, aim in RATIOS:
        if one in kinds and other in kinds:
            ratios = [each[one]["events_per_s"] / each[other]["events_per_s"] for each in rounds]
            result.add(f"{one} / {other}", median(ratios), "x", aim)
    for kind in ("full inbox, 1 worker", SHARED, "DBOS"):
        result.add(f"CPU for an event: {kind}", _middle(rounds, kind, "cpu_ms"), "ms/event")
    for part in ("worker", "postgres"):
        result.add(
            f"of it {part}: full inbox, 1 worker", _middle(rounds, "full inbox, 1 worker", f"{part}_ms"), "ms/event"
        )
    result.add("CPU for an event: HTTP intake, API", _middle(rounds, "intake", "api_ms"), "ms/event")
    result.add("CPU for an event: HTTP intake, PostgreSQL", _middle(rounds, "intake", "postgres_ms"), "ms/event")
    for name, cost in (("service", counted), ("script", scripted)):
        result.add(f"{name}: statements", cost.statements, "/event")
        result.add(f"{name}: commits that write", cost.transactions, "/event")
        result.add(f"{name}: write-ahead log", cost.log_kb, "kB/event")
    return result


def _middle(rounds: list[dict[str, Measured]], kind: str, figure: str) -> float:
    return float(median(one[kind][figure] for one in rounds))


async def create(port: int, specs: list[JsonObject]) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        for spec in specs:
            (await client.post("/buildings", json=spec)).raise_for_status()


async def _begun(conninfo: str, like: str) -> None:
    """Until the first event is taken in hand."""
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
        for _ in range(int(STUCK_S / 0.02)):
            row = await (await conn.execute(BEGUN, (like,))).fetchone()
            if row is not None and row[0]:
                return
            await asyncio.sleep(0.02)
    raise RuntimeError(f"no worker began within {STUCK_S:.0f} s")


async def _wait(
    conninfo: str, like: str, events: int, posting: "asyncio.Task[PostedLanes] | None", tell: Tell
) -> dict[str, float]:
    """Until all are done; when the first one was begun and the last one ended, by the machine's clock.

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
                return {"last": float(row[3]), "first": float(row[4])}
            if row[0] != done:
                done, moved = row[0], time.monotonic()
                tell(f"{done} of {events} events processed")
            if posting is not None and posting.done():
                posting.result()
            if time.monotonic() - moved > STUCK_S:
                raise RuntimeError(f"nothing moved for {STUCK_S:.0f} s at {done} of {events} events")
            await asyncio.sleep(0.25)


async def _counted(conninfo: str, before: WrittenLog, events: int, leaving: str = "\0") -> Cost:
    """What an event costs the database. `leaving` names our own statement, which watches."""
    after = await written(conninfo)
    ran = [one for one in await statements(conninfo) if leaving not in one["query"]]
    return Cost(
        statements=sum(one["calls"] for one in ran) / events,
        execution_ms=sum(one["ms"] for one in ran) / events,
        transactions=(after["transactions"] - before["transactions"]) / events,
        log_kb=(after["bytes"] - before["bytes"]) / events / 1000,
        top=[StatementCost(one["query"], one["calls"] / events, one["ms"] / events) for one in ran[:40]],
    )
