"""What earlier code left behind, today's code takes up: questions are answered, runs go on, records run again."""

import json
from typing import Any

import pytest

from evals.backtest import Backtest, Trial
from runtime.clock import SystemClock
from runtime.settings import Settings
from tests.agent.desk import Desk
from tests.forks.conftest import quiet as quiet
from tests.forks.past import desk_of, fork_of
from tests.histories.dump import FOLDER, History, load, read

VERSIONS = sorted({file.name.split("-")[0] for file in FOLDER.glob("*.json")})
CUT_OFF = sorted(file.stem for file in FOLDER.glob("*-cut-off-*.json"))


async def at(desk: Desk, history: History) -> Desk:
    """The desk of a building with this history."""
    await load(desk.conn, history)
    desk.building_id = history["buildings"][0]["building_id"]
    desk._numbers = 1000
    desk.clock.forward(days=10)
    return desk


async def open_entries(desk: Desk) -> list[Any]:
    cursor = await desk.conn.execute("SELECT seq, status, error FROM events WHERE status <> 'done' ORDER BY seq")
    return await cursor.fetchall()


@pytest.mark.parametrize("version", VERSIONS)
async def test_questions_that_were_asked_then_can_be_answered_now(desk: Desk, version: str) -> None:
    await at(desk, read(f"{version}-parked"))
    await desk.decide(await desk.question("order_beyond_authority"), "approve")
    assert (await desk.item("electrical-panels")).is_ordered
    refused = await desk.question("inspection_failed")
    await desk.decide(refused, "reject")
    again = await desk.question("inspection_failed")
    assert again.refused == 1
    await desk.decide(again, "approve")
    await desk.post("Submittal_Approved", item="HVAC Units")
    assert (await desk.item("hvac-units")).is_ordered
    assert await desk.pending() == []
    assert await open_entries(desk) == []


@pytest.mark.parametrize("name", CUT_OFF)
async def test_a_run_that_was_cut_off_then_goes_on_now_and_acts_once(desk: Desk, name: str) -> None:
    await at(desk, read(name))
    await _taken_up(desk, name)


@pytest.mark.parametrize("name", CUT_OFF)
async def test_a_run_that_waits_at_a_node_that_is_gone_starts_afresh_and_acts_once(desk: Desk, name: str) -> None:
    await at(desk, _with_nodes_renamed(read(name)))
    await _taken_up(desk, name)


async def _taken_up(desk: Desk, name: str) -> None:
    await desk.run()
    assert await open_entries(desk) == []
    ordered = "electrical-panels" if name.endswith("answer") else "steel-beams"
    assert (await desk.item(ordered)).is_ordered
    of_item = [action for action, arguments in await desk.actions() if arguments.get("item") == ordered]
    assert of_item.count("issue_purchase_order") == of_item.count("start_tracking") == 1
    cursor = await desk.conn.execute("SELECT number FROM purchase_orders ORDER BY number")
    assert len(await cursor.fetchall()) == (2 if name.endswith("answer") else 1)
    if name.endswith("answer"):
        await desk.decide(await desk.question("inspection_failed"), "approve")
        assert await desk.pending() == []


def _with_nodes_renamed(history: History) -> History:
    """As if every node had had another name when this was recorded."""
    steps = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
    return {
        table: json.loads(json.dumps(rows).replace("branch:to:", "branch:to:former_")) if table in steps else rows
        for table, rows in history.items()
    }


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_record_of_then_runs_again_now(desk: Desk, database: str, version: str) -> None:
    """Decisions may come out differently after a change of what the agent does: that is what a backtest tells. But
    everything runs, and a change that is not meant is seen here first."""
    await at(desk, read(f"{version}-finished"))
    report = await Backtest(database, Settings(database_url=database), SystemClock(), Trial()).run([desk.building_id])
    (result,) = report.buildings
    assert result.error is None
    assert result.entries == 31
    died = [one for one in result.differences if "could not be processed" in " ".join(one.now)]
    # An error's text is no link any more: what died then dies alike, in other letters.
    assert [one for one in died if "could not be processed" not in " ".join(one.was)] == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_past_of_then_can_be_forked_now(desk: Desk, version: str) -> None:
    """Its checkpoints do not tell the tables' position, and most of them are pruned."""
    await at(desk, read(f"{version}-finished"))
    made = await fork_of(desk, before_event=8)
    here = desk_of(desk, made)
    assert not (await here.item("electrical-panels")).is_ordered
    await here.decide(await here.question("order_beyond_authority"), "approve")
    assert (await here.item("electrical-panels")).is_ordered
    cursor = await desk.conn.execute("SELECT checkpoint_id FROM checkpoints WHERE (metadata ->> 'seq')::int = 30")
    for row in await cursor.fetchall():
        made = await fork_of(desk, checkpoint_id=row["checkpoint_id"])
        assert made.moment.last_seq in (29, 30)
        await desk_of(desk, made).post("Human_Input", text="Goes on.")
