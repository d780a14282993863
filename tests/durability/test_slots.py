"""What a worker's slot sends: statements that are planned once, and versions that the stock saver can go on from."""

from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint.postgres.base import BasePostgresSaver

from graph.whole_writes import WholeWrites
from tests.agent.desk import Desk
from tests.durability.crew import all_rows

DOORS = {"item": "Doors", "required_by": "2026-06-15", "buffer_days": 7}
PLANS = "SELECT generic_plans, custom_plans, statement FROM pg_prepared_statements WHERE from_sql = false"


async def test_a_slot_plans_each_of_its_statements_once(desk: Desk) -> None:
    await desk.open(schedule={"project": {"name": "Office"}, "deliveries": [DOORS]})
    await desk.post("Submittal_Approved", item="Doors")
    for day in range(10, 20):
        await desk.post("ETA_Changed", item="Doors", eta=f"2026-03-{day}")
    async with desk.drainer.slots.slot() as slot:
        plans = await all_rows(slot.conn, PLANS)
    assert sum(plan["generic_plans"] > 10 for plan in plans) > 5, "the slot that was at work"
    assert [plan["statement"] for plan in plans if plan["custom_plans"]] == []


@given(st.lists(st.sampled_from([WholeWrites, BasePostgresSaver]), min_size=2, max_size=30))
def test_versions_rise_whichever_saver_counts_on(savers: list[Any]) -> None:
    """Workers of this version and of earlier ones, and Studio, write to the same channels."""
    versions: list[str] = []
    for saver in savers:
        before = versions[-1] if versions else None
        versions.append(saver.get_next_version(cast(Any, None), before, None))
    assert versions == sorted(set(versions))
