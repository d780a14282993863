"""A step's checkpoint and the first thing that the step does are committed together: neither is there without the
other."""

import pytest

from runtime.drain import Drainer
from tests.agent.desk import Desk
from tests.durability.crew import all_rows
from tests.durability.cutting import CutOffError, CuttableSlots, SwitchAt

LINES = {
    "schedule": {
        "project": {"name": "Office"},
        "deliveries": [{"item": "Doors", "required_by": "2026-06-15", "buffer_days": 7}],
    }
}
STEPS = """
SELECT (c.metadata ->> 'position')::int AS position,
       (SELECT string_agg(replace(channel, 'branch:to:', ''), ',') FROM jsonb_object_keys(
           c.checkpoint -> 'channel_values') AS channel WHERE channel LIKE 'branch:to:%%') AS leads_to
  FROM checkpoints c WHERE (c.metadata ->> 'seq')::int = %s ORDER BY (c.metadata ->> 'step')::int"""
DONE = "SELECT action, position FROM actions WHERE seq = %s ORDER BY position, ordinal"


async def _cut_off(desk: Desk, database: str, node: str, boundary: str) -> None:
    """Run a worker that is cut off at the first such boundary in a step of this node."""
    slots = CuttableSlots(database, desk.clock, SwitchAt(boundary=boundary, within=node))
    drainer = Drainer(desk.drainer.settings, desk.clock, slots, desk.drainer.stopping)  # type: ignore[arg-type]
    with pytest.raises(CutOffError):
        await drainer.drain("office")
    await slots.close()


async def test_cut_off_before_the_first_commit_nothing_of_the_event_is_there(desk: Desk, database: str) -> None:
    await desk.open(**LINES)
    await desk.post("Submittal_Approved", item="Doors", run=False)
    await _cut_off(desk, database, "issue_purchase_order", "before the commit")
    assert await all_rows(desk.conn, STEPS, 1) == []
    assert await all_rows(desk.conn, DONE, 1) == []


async def test_cut_off_after_it_the_effect_and_the_way_to_it_are(desk: Desk, database: str) -> None:
    await desk.open(**LINES)
    await desk.post("Submittal_Approved", item="Doors", run=False)
    (opened,) = await all_rows(desk.conn, "SELECT position FROM buildings")
    await _cut_off(desk, database, "issue_purchase_order", "after the commit")
    steps = await all_rows(desk.conn, STEPS, 1)
    assert [step["leads_to"] for step in steps] == [None, "classify_event", "issue_purchase_order"]
    assert [step["position"] for step in steps] == [opened["position"]] * 3, "as of before the effect"
    (done,) = await all_rows(desk.conn, DONE, 1)
    assert done["action"] == "record:Submittal_Approved"
    assert done["position"] > opened["position"]

    await desk.run()
    assert (await desk.names())[0] == "issue_purchase_order"
    assert len(await all_rows(desk.conn, "SELECT 1 FROM purchase_orders")) == 1


async def test_every_step_tells_the_position_before_its_first_effect(desk: Desk) -> None:
    """So a fork at it stands between two effects."""
    await desk.open(**LINES)
    await desk.post("Submittal_Approved", item="Doors")
    begun = {step["leads_to"]: step["position"] for step in await all_rows(desk.conn, STEPS, 1)}
    recorded, ordered, *_ = await all_rows(desk.conn, DONE, 1)
    assert begun["issue_purchase_order"] < recorded["position"]
    assert begun["decide"] == begun["carry_out"] == recorded["position"] < ordered["position"]


async def test_the_way_to_an_effect_that_is_undone_is_kept(desk: Desk) -> None:
    """One sees where the event failed, and goes on from there."""
    await desk.open(**LINES)
    await desk.post("Inspection_Failed", item="Doors", inspection_date="2026-02-11")
    lost = {"name": "expedite_order", "arguments": {"item": "nowhere"}}
    await desk.decide(await desk.question(), "edit", actions=[lost])
    steps = await all_rows(desk.conn, STEPS, 2)
    assert steps[-1]["leads_to"] == "carry_out"
    assert "expedite_order" not in [row["action"] for row in await all_rows(desk.conn, DONE, 2)]
