"""A steady load: so many entries are open at once, never more, whatever the service's speed."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import psycopg

from evals.bench.client import Connection, encoded
from evals.bench.mix import LIFE, Event, building, life

LANES = 8
LOOK_S = 0.1
STUCK_S = 300.0

OPEN = "SELECT count(*) FROM events WHERE status IN ('queued', 'running')"
DEAD = "SELECT count(*) FROM events WHERE status = 'dead'"


@dataclass(frozen=True)
class Size:
    """How much is sent, and how many entries are open meanwhile."""

    events: int = 200_000
    buildings: int = 1000
    open: int = 24

    @property
    def lines(self) -> int:
        """Of each building: enough for its share of the events."""
        rounds = -(-self.events // self.buildings)
        return -(-rounds // LIFE)


def building_name(number: int) -> str:
    return f"soak-{number:04}"


def event_of(size: Size, number: int) -> tuple[str, Event]:
    """The event of this number, from 0: the buildings in turn, each line's life one event after the other."""
    turn, place = divmod(number, size.buildings)
    line, step = divmod(turn, LIFE)
    return building_name(place), life(line)[step]


async def create_buildings(port: int, size: Size) -> None:
    """Post all buildings."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        for number in range(size.buildings):
            (await client.post("/buildings", json=building(building_name(number), size.lines))).raise_for_status()


@dataclass
class Load:
    """Posts events while fewer than `size.open` are open. `posted` and `done` say how far it is."""

    port: int
    conninfo: str
    size: Size
    posted: int = 0
    done: int = 0
    _open: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Post everything and wait until the last event is processed.

        Raises:
            RuntimeError: an event was refused or died, or nothing moves any more.
        """
        watching = asyncio.create_task(self._watch())
        numbers = iter(range(self.size.events))
        posting = [asyncio.create_task(self._lane(numbers)) for _ in range(LANES)]
        try:
            await asyncio.gather(watching, *posting)
        finally:
            for task in (watching, *posting):
                task.cancel()

    async def _lane(self, numbers: Iterator[int]) -> None:
        connection = await Connection.open(self.port)
        for number in numbers:
            await self._open.wait()
            name, event = event_of(self.size, number)
            request = encoded(f"/buildings/{name}/events", event)
            try:
                status, answer = await connection.send(request)
            except (ConnectionError, asyncio.IncompleteReadError):  # the server closes what was idle for 5 s
                connection = await Connection.open(self.port)
                status, answer = await connection.send(request)
            if status not in (200, 202):
                raise RuntimeError(f"event {number} was answered {status}: {answer[:300]!r}")
            self.posted += 1
        await connection.close()

    async def _watch(self) -> None:
        """Count what is open; let the lanes go on while that is little."""
        moved = asyncio.get_running_loop().time()
        async with await psycopg.AsyncConnection.connect(
            self.conninfo, autocommit=True, application_name="soak"
        ) as conn:
            for look in itertools.count():
                posted, done = self.posted, self.done
                self.done = posted - await _number(conn, OPEN)
                if self.done >= self.size.events:
                    return
                if self.posted - self.done < self.size.open:
                    self._open.set()
                else:
                    self._open.clear()
                if look % 100 == 0 and (dead := await _number(conn, DEAD)):
                    raise RuntimeError(f"{dead} events died")
                now = asyncio.get_running_loop().time()
                if self.done > done:
                    moved = now
                elif now - moved > STUCK_S:
                    raise RuntimeError(f"nothing moved for {STUCK_S:.0f} s at {self.done} events")
                await asyncio.sleep(LOOK_S)


async def _number(conn: psycopg.AsyncConnection, query: str) -> int:
    row = await (await conn.execute(query)).fetchone()
    return 0 if row is None else int(row[0])
