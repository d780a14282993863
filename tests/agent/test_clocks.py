"""Machines disagree about the time: the line goes on from its last step, whatever the clock says."""

import time

import pytest
from langgraph.checkpoint.base import id as checkpoint_ids

from tests.agent.desk import Desk


class SlowClock:
    """A machine's clock that is an hour behind."""

    @staticmethod
    def time_ns() -> int:
        return time.time_ns() - 3_600_000_000_000


async def test_a_worker_whose_clock_is_behind_goes_on_from_the_head(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.open(schedule={"project": {"name": "x"}, "deliveries": [{"item": "Doors", "required_by": "2026-04-01"}]})
    await desk.post("Inspection_Failed", item="Doors", inspection_date="2026-02-23")
    monkeypatch.setattr(checkpoint_ids, "time", SlowClock)
    monkeypatch.setattr(checkpoint_ids, "_last_v6_timestamp", None)
    await desk.post("Human_Input", text="a note")
    await desk.decide(await desk.question(), "approve")
    await desk.post("Human_Input", text="another note")
    assert (await desk.item("doors")).round == 1
    assert await desk.names() == ["reorder_item", "start_tracking"]
    cursor = await desk.conn.execute(
        "SELECT metadata ->> 'seq' AS seq FROM checkpoints ORDER BY (metadata ->> 'step')::integer"
    )
    seqs = [int(row["seq"]) for row in await cursor.fetchall()]
    assert seqs == sorted(seqs)
    assert len(set(seqs)) == 4
