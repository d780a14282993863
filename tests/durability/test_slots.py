"""What a worker's slot sends: statements that are planned once, and versions that the stock saver can go on from."""

from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint.postgres.base import BasePostgresSaver

from graph.whole_writes import WholeWrites
from tests.agent.desk import Desk
from tests.durability.crew import all_rows

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
