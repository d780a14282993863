"""Looking back costs the same on a thread of any length."""

from datetime import UTC, datetime, timedelta
from typing import Any

from graph.history import PAGE, list_checkpoints
from storage.buildings import thread_id
from tests.agent.desk import Desk
from tests.retention.archive import Archive


async def test_a_page_reads_no_more_of_a_long_thread_than_of_a_short_one(archive: Archive) -> None:
    short, long = archive.desk("short"), archive.desk("long")
    for desk in (short, long):
        await desk.open()
        await desk.post("Human_Input", text="Hello.")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    await archive.add_past(short, 30, yesterday)
    await archive.add_past(long, 1_000, yesterday)
    assert await archive.count("checkpoints", long) > 6_000
    await archive.conn.execute("ANALYZE")
    expected = await _blocks(archive, short, None)
    page = await list_checkpoints(archive.conn, "long", thread_id("long"), limit=100)
    assert len(page) == 100
    middle = "SELECT checkpoint_id AS id FROM checkpoints WHERE thread_id = %s ORDER BY 1 OFFSET 3000 LIMIT 1"
    row = await (await archive.conn.execute(middle, (thread_id("long"),))).fetchone()
    assert row is not None
    for before in (None, page[-1].checkpoint_id, row["id"]):
        assert await _blocks(archive, long, before) < 2 * expected


async def _blocks(archive: Archive, desk: Desk, before: str | None) -> int:
    """Blocks of the database that a page of a hundred reads."""
    page = {"building_id": desk.building_id, "thread_id": thread_id(desk.building_id), "before": before, "limit": 100}
    cursor = await archive.conn.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + PAGE, page)
    row = await cursor.fetchone()
    assert row is not None
    plan: dict[str, Any] = row["QUERY PLAN"][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


async def test_a_step_tells_which_rows_it_saved(archive: Archive) -> None:
    desk = archive.desk("office")
    await desk.open(schedule={"project": {"name": "x"}, "deliveries": [{"item": "Doors", "required_by": "2026-05-01"}]})
    await desk.post("Submittal_Approved", item="Doors")
    steps = {step.nodes[0]: step for step in await archive.history(desk)}
    assert steps["issue_purchase_order"].rows == ["facts/doors/1", "items/doors"]
    assert {"items/doors", "purchase_orders/PO-office-0001"} < set(steps["carry_out"].rows or [])
    assert steps["decide"].rows == []
