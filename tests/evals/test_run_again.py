"""Every scenario's building, run again on a sandbox: nothing changed, so nothing comes out differently."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from evals.backtest import Backtest, Trial, live_buildings
from evals.library import find
from evals.run import play_all
from evals.scratch import scratch_database
from graph.forking import fork
from runtime.clock import SystemClock
from runtime.drain import Drainer
from runtime.recorded_models import RecordedModels
from runtime.replay import WHO, RecordedClock, Replay
from runtime.settings import Settings
from runtime.slots import SlotPool
from storage import replays
from storage.audit import Signature
from storage.connection import Connection
from storage.database import connect
from storage.embedded import EmbeddedServer
from tests.forks.past import Rows, rows_of

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
async def lived(server: EmbeddedServer) -> AsyncIterator[str]:
    """A database with a building of every scenario."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    async with scratch_database(server.conninfo) as conninfo:
        assert all(result.passed for result in await play_all(conninfo, find([]), lambda _: None))
        yield conninfo


@pytest.mark.slow
async def test_no_building_of_any_scenario_comes_out_differently(lived: str) -> None:
    async with await connect(lived, application_name="test") as conn:
        building_ids = await live_buildings(conn)
        report = await Backtest(lived, Settings(database_url=lived), SystemClock(), Trial()).run(building_ids)
        assert len(report.buildings) == len(find([]))
        told = [one for one in report.buildings if one.error or one.remarks or one.differences]
        assert told == []
        assert await _differing(lived, building_ids) == {}


async def _differing(conninfo: str, building_ids: list[str]) -> dict[str, Any]:
    """The rows in which sandboxes end otherwise than their buildings."""
    clock = RecordedClock(NOW)
    slots = SlotPool(conninfo, clock, 1, "test replay")
    drainer = Drainer(Settings(event_attempts=1), clock, slots, asyncio.Event())
    found: dict[str, Any] = {}
    async with slots.slot() as slot:
        for building_id in building_ids:
            made = await fork(slot.conn, building_id, before_event=1, signature=Signature(WHO, NOW), mode="replay")
            record = await replays.read(slot.conn, building_id, 0, made.moment.position)
            models = RecordedModels(record.answers)
            slot.toolbox.models = models if record.answers else None
            await Replay(drainer, clock, record, made.fork_id, begin=models.begin).run(slot)
            really, here = [await _rows(slot.conn, one) for one in (building_id, made.fork_id)]
            for table in really:
                only = [row for row in really[table] if row not in here[table]]
                if here[table] != really[table]:
                    found[f"{building_id}: {table}"] = (only, [row for row in here[table] if row not in really[table]])
    await slots.close()
    return found


async def _rows(conn: Connection, building_id: str) -> Rows:
    """Without the digests of what names rules by their ids, which are each building's own."""
    found = await rows_of(conn, building_id)
    for approval in found["approvals"]:
        if approval["kind"] == "delegation_request":
            del approval["fingerprint"]
    return found
