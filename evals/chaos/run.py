"""One run: the service under load and havoc until everything is quiet again, and then the checker's verdict."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx
import psycopg
from psycopg.rows import dict_row

from domain.errors import LongleadError
from evals.bench.processes import free_port
from evals.chaos.checker import check
from evals.chaos.client import PAUSE_S, Client
from evals.chaos.database import Database, database
from evals.chaos.fleet import Fleet, Member
from evals.chaos.havoc import Amount, Havoc
from evals.chaos.receiver import Receiver
from evals.chaos.record import Record, SentEvent
from evals.chaos.traffic import UNREADABLE, Event, building, story
from evals.chaos.violation import Violation
from runtime.clock import SystemClock
from storage import inbox
from storage.database import connect
from storage.migrate import migrate

LANES = 12
POISON = 0.015
RETRIES = 0.2
"""Share of the rounds of answering in which a building's dead events are replayed as well."""
MOST_OPEN = 150
"""Entries that may wait before the clients do."""
START_S = 90.0

# Short leases: the dead are missed soon, and a slow machine makes some be missed who live.
SERVICE = {
    "concurrency": "8",
    "stalled_after": "4",
    "heartbeat_interval": "1",
    "shutdown_grace": "2",
    "tick_interval": "1",
    "poll_interval": "0.5",
    "event_attempts": "3",
    "event_crashes": "50",
    "retry_base": "0.05",
    "delivery_timeout": "1",
    "delivery_retry_base": "0.2",
    "log_level": "WARNING",
    "log_format": "json",
}

OPEN = """
SELECT (SELECT count(*) FROM events WHERE status IN ('queued', 'running')) AS events,
       (SELECT count(*) FROM outbox WHERE status = 'queued') AS messages,
       (SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'drain' AND status IN ('todo', 'doing')) AS drains"""

Tell = Callable[[str], None]
WORKER = (str(Path(sys.executable).with_name("longlead")), "worker")


@dataclass(frozen=True)
class Plan:
    """What a run is made of."""

    seed: int
    events: int
    amount: Amount
    buildings: int = 100
    workers: int = 3
    apis: int = 2
    worker: Sequence[str] = WORKER
    """The command of a worker."""
    settings: dict[str, str] = field(default_factory=dict)
    settle_s: float = 120.0
    """How long it may take until everything is quiet after the havoc."""


@dataclass
class Stage:
    """What is running: to be looked at, and to be changed by whoever plans more than kills."""

    plan: Plan
    database: Database
    fleet: Fleet
    record: Record
    tell: Tell


@dataclass
class Outcome:
    """How a run ended."""

    conninfo: str
    record: Record
    violations: list[Violation]
    havoc: dict[str, int]
    seconds: float
    starts: int
    restarted: int
    """Entries that were started more than once: interrupted by one of the acts, or poison."""


@asynccontextmanager
async def chaos(plan: Plan, folder: Path, tell: Tell) -> AsyncIterator[Outcome]:
    """Run it to its end. The database is there, with all that happened, until the block is left."""
    began, record = time.monotonic(), Record()
    with ExitStack() as stack:
        server = stack.enter_context(database(folder))
        receiver = Receiver(record, Random(plan.seed), address="127.0.0.1", late_s=1.5)
        stack.callback(receiver.close)
        tell("preparing the database")
        await migrate(server.conninfo)
        ports = [free_port() for _ in range(plan.apis)]
        settings = {**SERVICE, **receiver.settings(), **plan.settings, "database_url": server.conninfo}
        members = [api(f"API-{n}", port, settings) for n, port in enumerate(ports)]
        members += [Member(f"worker-{n}", plan.worker, environment(settings)) for n in range(plan.workers)]
        fleet = Fleet(members, server, record, folder)
        havoc = await play(Stage(plan, server, fleet, record, tell), ports)
        yield await finished(server, record, havoc, fleet, began, tell)


async def finished(
    server: Database, record: Record, havoc: dict[str, int], fleet: Fleet, began: float, tell: Tell
) -> Outcome:
    """The verdict, and how the run went."""
    tell("checking")
    violations = await asyncio.to_thread(judge, server.conninfo, record)
    seconds, restarted = time.monotonic() - began, _restarted(server.conninfo)
    return Outcome(server.conninfo, record, violations, havoc, seconds, fleet.starts, restarted)


def _restarted(conninfo: str) -> int:
    with psycopg.connect(conninfo) as conn:
        row = conn.execute("SELECT count(*) FROM events WHERE attempts > 1").fetchone()
    return 0 if row is None else int(row[0])


def environment(settings: dict[str, str]) -> dict[str, str]:
    return {f"LONGLEAD_{name.upper()}": value for name, value in settings.items()}


def api(name: str, port: int, settings: dict[str, str]) -> Member:
    """An API process, without a worker in it."""
    return Member(
        name, (sys.executable, "-m", "evals.bench.service", "api"), environment({**settings, "port": str(port)})
    )


def judge(conninfo: str, record: Record) -> list[Violation]:
    """The checker's verdict on what the database holds now."""
    with psycopg.connect(conninfo, row_factory=dict_row) as conn:
        return check(conn, record)


async def play(stage: Stage, ports: Sequence[int], beside: "asyncio.Task[None] | None" = None) -> dict[str, int]:
    """Start everything, send the traffic while the havoc happens (and what else happens `beside` it), wait until all is
    quiet, and stop everything."""
    plan, tell = stage.plan, stage.tell
    stage.fleet.start()
    try:
        async with httpx.AsyncClient(timeout=10) as http:
            tell("starting the service")
            await until_ready(http, ports)
            client = Client(ports, stage.record, Random(plan.seed), http)
            havoc = Havoc(stage.fleet, stage.database, Random(plan.seed), plan.amount, tell)
            await _traffic(stage, client, havoc)
            if beside is not None:
                await beside
        await until_quiet(stage.database.conninfo, plan.settle_s, tell)
    finally:
        await stage.fleet.stop()
    return havoc.done


async def until_ready(http: httpx.AsyncClient, ports: Sequence[int]) -> None:
    deadline = time.monotonic() + START_S
    for port in ports:
        while True:
            try:
                if (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                    break
            except httpx.TransportError:
                pass
            if time.monotonic() > deadline:
                raise RuntimeError(f"the service was not ready after {START_S:.0f} s; see its logs")
            await asyncio.sleep(PAUSE_S)


async def _traffic(stage: Stage, client: Client, havoc: Havoc) -> None:
    plan = stage.plan
    chance = Random(plan.seed)
    names = [f"site-{number:03}" for number in range(plan.buildings)]
    stage.tell("creating the buildings")
    for name in names:
        await client.create(building(name, Random(f"{plan.seed} {name}")))
    shares = [plan.events // plan.buildings + (n < plan.events % plan.buildings) for n in range(plan.buildings)]
    stories = {
        name: story(Random(f"{plan.seed} {name} story"), share) for name, share in zip(names, shares, strict=True)
    }
    lanes = [[name for n, name in enumerate(names) if n % LANES == lane] for lane in range(LANES)]
    sending = _Sending(stage, client, havoc, stories, chance)
    beside = [asyncio.create_task(sending.answer()), asyncio.create_task(sending.watch())]
    storming = asyncio.create_task(havoc.run(sending.progress))
    try:
        await asyncio.gather(*(sending.lane(lane) for lane in lanes))
        await storming
    finally:
        storming.cancel()
        sending.over.set()
        await asyncio.gather(*beside)


@dataclass
class _Sending:
    """Everything that clients send."""

    stage: Stage
    client: Client
    havoc: Havoc
    stories: dict[str, list[Event]]
    chance: Random
    over: asyncio.Event = field(default_factory=asyncio.Event)
    sent: int = 0
    backlog: int = 0

    def progress(self) -> float:
        """Which part of the events was sent."""
        return self.sent / self.stage.plan.events

    async def watch(self) -> None:
        """Look how many entries are open, whenever the database is there."""
        while not self.over.is_set():
            with contextlib.suppress(psycopg.Error):
                async with await psycopg.AsyncConnection.connect(self.stage.database.conninfo) as conn:
                    row = await (await conn.execute(OPEN)).fetchone()
                self.backlog = 0 if row is None else int(row[0])
            await asyncio.sleep(0.25)

    async def lane(self, names: list[str]) -> None:
        """The events of some buildings, one after the other, in step with the havoc."""
        for place in range(max((len(self.stories[name]) for name in names), default=0)):
            for name in names:
                if place < len(self.stories[name]):
                    await self._keep_pace()
                    self.sent += 1
                    await self._send(name, place, self.stories[name][place])

    async def _keep_pace(self) -> None:
        """Wait for the havoc, and for the workers: it is entries in hand that it is to hit."""
        while True:
            if self.sent <= self.havoc.share * self.stage.plan.events and self.backlog < MOST_OPEN:
                return
            await asyncio.sleep(0.05)

    async def _send(self, name: str, place: int, event: Event) -> None:
        if self.chance.random() < POISON:
            await self._poison(name, place)
            return
        sent = SentEvent(name, str(event["source"]), str(event["event_id"]), str(event["event_type"]), place)
        await self.client.post(sent, event)

    async def _poison(self, name: str, place: int) -> None:
        """An entry as an older version might have accepted it, written past the API."""
        sent = SentEvent(name, "older version", f"poison-{place}", str(UNREADABLE["event_type"]), place, poison=True)
        self.stage.record.events.append(sent)
        while not sent.seqs:
            try:
                async with await connect(self.stage.database.conninfo, application_name="chaos") as conn:
                    accepted = await inbox.accept(
                        conn,
                        name,
                        source=sent.source,
                        event_id=sent.event_id,
                        event_type=sent.event_type,
                        body=UNREADABLE,
                        now=SystemClock().now(),
                    )
                sent.seqs.add(accepted.seq)
            except (psycopg.Error, LongleadError):
                await asyncio.sleep(PAUSE_S)

    async def answer(self) -> None:
        """People look at what is open, answer some of it, and replay what died."""
        number = 0
        while not self.over.is_set():
            asked = await self.client.pending()
            chosen = self.chance.sample(asked, min(len(asked), 6))
            for one in chosen:
                number += 1
                await self.client.answer(one, number)
            if self.chance.random() < RETRIES:
                await self.client.retry_dead(self.chance.choice(list(self.stories)))
            await asyncio.sleep(PAUSE_S if chosen else 3 * PAUSE_S)


async def until_quiet(conninfo: str, seconds: float, tell: Tell) -> bool:
    """Whether nothing was open any more before the time was over; the checker names what was."""
    deadline = time.monotonic() + seconds
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
        while time.monotonic() < deadline:
            row = await (await conn.execute(OPEN)).fetchone()
            if row == (0, 0, 0):
                return True
            tell("waiting until all is quiet: {} entries, {} messages, {} drains".format(*row or ()))
            await asyncio.sleep(0.25)
    return False
