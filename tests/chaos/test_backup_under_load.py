"""A backup taken while events come in and workers run: restored on another version, it goes on where it stood."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from domain.buildings import BuildingSpec
from evals.chaos.traffic import Event, building, story
from runtime.clock import SystemClock
from storage import buildings
from storage.backup import backup, restore
from storage.connection import Connection
from storage.database import connect
from storage.embedded import EmbeddedServer
from storage.migrate import migrate
from tests.durability.crew import all_rows, post, until, until_nothing_is_open, worker_process
from tests.postgres_servers import VARIABLE, find_installations, new_database, run_server

SITES = [f"site-{number}" for number in range(2)]
EVENTS = 4
IN_FLIGHT = 6
ENTRIES = "SELECT building_id, seq, event_id, status FROM events WHERE source = 'test' ORDER BY building_id, seq"
TOLD = {
    "events": "SELECT building_id, seq, source, event_id, status, outcome FROM events ORDER BY 1, 2",
    "effects": "SELECT building_id, seq, action, item, ordinal, args_hash FROM actions ORDER BY 1, 2, 3, 4, 5",
    "orders": "SELECT building_id, number, status, total FROM purchase_orders ORDER BY 1, 2",
    "lines": "SELECT * FROM items ORDER BY building_id, item_id",
    "questions": "SELECT building_id, key, kind, status, version, fingerprint FROM approvals ORDER BY 1, 2",
    "messages": "SELECT building_id, key, recipient, subject FROM outbox ORDER BY 1, 2",
}


OTHERS = {str(installation): installation for installation in find_installations()}
EMBEDDED = "embedded"
THERE = [(EMBEDDED, name) for name in OTHERS]
BACK = [(name, EMBEDDED) for name in OTHERS]
# The way back is for `make versions`: one journey takes as long as twenty other tests.
JOURNEYS = (THERE + BACK if VARIABLE in os.environ else THERE[-1:]) or [(EMBEDDED, EMBEDDED)]


@pytest.fixture(scope="module")
def servers(server: EmbeddedServer) -> Iterator[dict[str, str]]:
    """The conninfo of a server of each version."""
    with ExitStack() as stack:
        others = {name: stack.enter_context(run_server(installation)) for name, installation in OTHERS.items()}
        yield {EMBEDDED: server.conninfo, **others}


@pytest.mark.slow
@pytest.mark.parametrize(("origin", "target"), JOURNEYS)
async def test_what_was_in_flight_at_the_backup_ends_exactly_once_where_it_is_restored(
    origin: str, target: str, servers: dict[str, str], tmp_path: Path
) -> None:
    with new_database(servers[origin]) as database, new_database(servers[target]) as empty_database:
        await migrate(database)
        await _travel(database, empty_database, tmp_path / "saved.dump")


async def _travel(database: str, empty_database: str, file: Path) -> None:
    sent: dict[str, list[Event]] = {name: story(Random(name), EVENTS) for name in SITES}
    async with await connect(database, application_name="here") as here:
        for name in SITES:
            spec = BuildingSpec.model_validate(building(name, Random(name)))
            await buildings.create(here, spec, SystemClock().now())
        with worker_process(database):
            await _send(here, sent)
            await until(here, "SELECT count(*) >= 3 FROM events WHERE status = 'done'", within=60)
            saving = asyncio.create_task(asyncio.to_thread(backup, database, file))
            while not saving.done():
                await _keep_busy(here, sent)
            await saving
            await _send_more(here, sent)
            await until_nothing_is_open(here, within=180)
        expected = await _told(here)

    await asyncio.to_thread(restore, empty_database, file)
    async with await connect(empty_database, application_name="there") as there:
        stood = await all_rows(there, ENTRIES)
        assert {"done", "in flight"} <= {"done" if row["status"] == "done" else "in flight" for row in stood}
        assert len(stood) < sum(len(events) for events in sent.values()), "some came after the backup"
        with worker_process(empty_database):
            await until_nothing_is_open(there, within=180)
            created = await _send(there, sent)
            await until_nothing_is_open(there, within=180)
        assert created == sum(len(events) for events in sent.values()) - len(stood)
        assert await _told(there) == expected


async def _send(conn: Connection, sent: dict[str, list[Event]]) -> int:
    """Send everything, a building's events in their order; how many were new."""
    created = 0
    for place in range(max(map(len, sent.values()))):
        for name, events in sent.items():
            if place < len(events):
                created += await _post(conn, name, events[place])
    return created


async def _keep_busy(conn: Connection, sent: dict[str, list[Event]]) -> None:
    """However long the backup takes, and however fast the worker is: there is always something in flight."""
    (open_,) = await all_rows(conn, "SELECT count(*) AS n FROM events WHERE status IN ('queued', 'running')")
    for _ in range(IN_FLIGHT * len(SITES) - open_["n"]):
        await _send_more(conn, sent)
    await asyncio.sleep(0.05)


async def _send_more(conn: Connection, sent: dict[str, list[Event]]) -> None:
    name = SITES[sum(map(len, sent.values())) % len(SITES)]
    number = len(sent[name])
    note: Event = {"event_type": "Human_Input", "text": f"Note {number}.", "source": "site", "event_id": f"{number}"}
    sent[name].append(note)
    await _post(conn, name, note)


async def _post(conn: Connection, name: str, event: Event) -> bool:
    fields = {key: value for key, value in event.items() if key not in ("event_type", "event_id", "source")}
    event_id = f"{event['source']}-{event['event_id']}"
    return (await post(conn, name, event_id, event["event_type"], **fields)).created


async def _told(conn: Connection) -> dict[str, list[dict[str, Any]]]:
    """What became of everything, without when."""
    return {what: await all_rows(conn, query) for what, query in TOLD.items()}
