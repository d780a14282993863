"""What a worker's slot sends: statements that are planned once, and versions that the stock saver can go on from."""

import asyncio
import contextlib
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint.postgres.base import BasePostgresSaver
from structlog.testing import capture_logs

from graph.whole_writes import WholeWrites
from runtime.clock import SystemClock
from runtime.connection_budget import ConnectionsUsedUpError
from runtime.slots import SlotPool
from storage.connection import Connection
from tests.agent.desk import Desk
from tests.durability.crew import all_rows, note, open_building, until, until_nothing_is_open, worker_of
from tests.few import Few

DOORS = {"item": "Doors", "required_by": "2026-06-15", "buffer_days": 7}
PLANS = "SELECT generic_plans, custom_plans, statement FROM pg_prepared_statements WHERE NOT from_sql"
READ = "SELECT sum(idx_tup_read)::int AS read FROM pg_stat_user_indexes WHERE relname = 'checkpoint_writes'"


async def _open(desk: Desk, events: int) -> None:
    await desk.open(schedule={"project": {"name": "Office"}, "deliveries": [DOORS]})
    await desk.post("Submittal_Approved", item="Doors")
    await _more(desk, events)


async def _more(desk: Desk, events: int) -> None:
    for number in range(events):
        await desk.post("ETA_Changed", item="Doors", eta=f"2026-03-{number % 28 + 1:02}")


async def test_a_slot_plans_none_of_its_statements_time_and_again(desk: Desk) -> None:
    await _open(desk, 20)
    async with desk.drainer.slots.slot() as slot:
        plans = await all_rows(slot.conn, PLANS)
    assert sum(plan["generic_plans"] > 10 for plan in plans) > 5, "the slot that was at work"
    assert [plan["statement"] for plan in plans if plan["custom_plans"]] == []


async def test_plans_made_for_empty_tables_do_not_stay(desk: Desk) -> None:
    """A new database, a building, one event after the other: each reads about as many rows as the one before."""
    reads: list[int] = []
    await _open(desk, 0)
    for _ in range(2):
        await _more(desk, 100)
        async with desk.drainer.slots.slot() as slot:
            await slot.conn.execute("SELECT pg_stat_force_next_flush()")
            await slot.conn.execute("SELECT pg_stat_clear_snapshot()")
            (row,) = await all_rows(slot.conn, READ)
        reads.append(row["read"])
    first, both = reads
    assert both - first < 100 * 100, "each read all that the thread has"


@given(st.lists(st.sampled_from([WholeWrites, BasePostgresSaver]), min_size=2, max_size=30))
def test_versions_rise_whichever_saver_counts_on(savers: list[Any]) -> None:
    """Workers of this version and of earlier ones, and Studio, write to the same channels."""
    versions: list[str] = []
    for saver in savers:
        before = versions[-1] if versions else None
        versions.append(saver.get_next_version(cast(Any, None), before, None))
    assert versions == sorted(set(versions))


SLOTS_OPEN = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'test'"
SITES = [f"site-{number}" for number in range(5)]


async def _count_open(conn: Connection) -> int:
    (row,) = await all_rows(conn, SLOTS_OPEN)
    return int(row["count"])


async def test_slots_are_opened_as_buildings_need_them_and_closed_when_idle(conn: Connection, database: str) -> None:
    pool = SlotPool(database, SystemClock(), 20, "test")
    await pool.open_first()
    assert await _count_open(conn) == pool.opened == 1
    async with contextlib.AsyncExitStack() as in_use:
        for _ in range(3):
            await in_use.enter_async_context(pool.slot())
        assert await _count_open(conn) == pool.opened == 3
        await pool.close_idle(0)
        assert pool.opened == 3, "what is in use stays"
    async with pool.slot():
        assert pool.opened == 3, "an open one is taken first"
    await pool.close_idle(300)
    assert pool.opened == 3
    await pool.close_idle(0)
    assert pool.opened == 1
    await until(conn, f"SELECT ({SLOTS_OPEN}) = 1")
    await pool.close()


async def test_a_worker_whose_connections_run_out_goes_on_with_those_it_has_and_says_so_once(
    conn: Connection, few: Few
) -> None:
    """Five buildings at once, each with a slot of its own allowed; the user of the database may have one more."""
    for site in SITES:
        await open_building(conn, site)
    async with worker_of(few.conninfo, concurrency=5) as worker:
        running = asyncio.create_task(worker.run())
        ours = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE starts_with(usename, 'few_')"
        await until(conn, f"SELECT n >= 5 FROM ({ours}) c")
        (row,) = await all_rows(conn, ours)
        await few.limit("the role", row["n"] + 1)
        with capture_logs() as logs:
            for site in SITES:
                for number in range(5):
                    await note(conn, site, f"n{number}")
            await until_nothing_is_open(conn)
        opened = worker.slots.opened
        worker.stopping.set()
        await running
    shortages = [log for log in logs if "no connection for another slot" in log["event"]]
    assert len(shortages) == 1
    assert "LONGLEAD_CONCURRENCY" in shortages[0]["help"]
    assert 1 <= opened < 5
    assert await all_rows(conn, "SELECT 1 FROM events WHERE failures > 0 OR attempts > 1") == []


async def test_a_worker_without_a_connection_to_listen_on_looks_for_its_jobs(conn: Connection, few: Few) -> None:
    """A slot, one of the pool, one of the engine's: the two listeners find none."""
    await open_building(conn, "office")
    await few.limit("the role", 3)
    with capture_logs() as logs:
        async with worker_of(few.conninfo) as worker:
            running = asyncio.create_task(worker.run())
            await note(conn, "office", "n1")
            await until_nothing_is_open(conn)
            assert not running.done()
            worker.stopping.set()
            await running
    assert sum("no connection to listen on" in log["event"] for log in logs) in (1, 2)


async def test_where_no_slot_is_open_the_lack_of_connections_is_an_error(conn: Connection, few: Few) -> None:
    await few.limit("the role", 0)
    with pytest.raises(ConnectionsUsedUpError, match="lower LONGLEAD_CONCURRENCY"):
        await SlotPool(few.conninfo, SystemClock(), 5, "test").open_first()


async def test_whoever_waits_for_a_slot_gets_the_one_that_is_given_back(
    conn: Connection, few: Few, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.slots.RETRY_S", 60)
    await few.limit("the role", 1)
    pool = SlotPool(few.conninfo, SystemClock(), 5, "test")
    order: list[int] = []

    async def use(number: int) -> None:
        async with pool.slot():
            order.append(number)

    async with asyncio.timeout(20):
        async with pool.slot():
            waiting = [asyncio.create_task(use(number)) for number in range(3)]
            cancelled = asyncio.create_task(use(99))
            await until(conn, "SELECT true")
            cancelled.cancel()
        await asyncio.gather(*waiting)
    assert sorted(order) == [0, 1, 2]
    assert pool.opened == 1
    await pool.close()


async def test_connections_are_taken_again_when_there_are_some(few: Few, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.slots.RETRY_S", 0.05)
    await few.limit("the role", 1)
    pool = SlotPool(few.conninfo, SystemClock(), 5, "test")
    async with asyncio.timeout(20), pool.slot():
        with capture_logs() as logs:
            waiting = asyncio.create_task(pool.slot().__aenter__())
            while not logs:
                await asyncio.sleep(0.01)
            await few.limit("the role", 5)
            await waiting
        assert pool.opened == 2
    assert [log["log_level"] for log in logs] == ["warning", "info"]
    await (await waiting).conn.close()
    await pool.close()
