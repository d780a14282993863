"""Forks and backtests know whether a building was in watch at their point of its past."""

from typing import Any

import pytest

from domain.buildings import BuildingPatch
from domain.errors import ConflictError
from domain.procurement import PurchaseOrder
from evals.backtest import Backtest, Trial
from graph.forking import fork
from runtime.clock import SystemClock
from runtime.settings import Settings
from storage import buildings, procurement
from storage.audit import Signature
from tests.agent.desk import Desk
from tests.agent.test_watch import next_morning, switch, watch
from tests.forks.past import WHO, digest_of


async def watched_and_gone_live(desk: Desk) -> None:
    """Orders told, an answer in watch, an order placed outside; live, the first orders, and back to watch."""
    await watch(desk)
    await desk.post("Submittal_Approved", item="Doors")
    await desk.post("Inspection_Failed", item="Windows", inspection_date="2026-02-02", purchase_order="4711")
    await desk.decide(await desk.question("inspection_failed"), "approve")
    desk.clock.forward(hours=1)
    await switch(desk, "live")
    desk.clock.forward(hours=1)
    await desk.decide(await desk.question("inspection_failed"), "approve")
    await next_morning(desk)
    desk.clock.forward(hours=1)
    await switch(desk, "watch")
    desk.clock.forward(hours=1)
    await desk.post("ETA_Changed", item="Doors", eta="2026-05-20")
    await desk.decide(await desk.question("schedule_conflict"), "approve")
    assert sorted(order.number for order in await desk.rows(PurchaseOrder)) == [
        "4711",
        "PO-office-0001",
        "PO-office-0002",
    ]


async def test_a_backtest_of_a_building_that_went_live_comes_out_the_same(desk: Desk, database: str) -> None:
    await watched_and_gone_live(desk)
    digest = await digest_of(desk.conn, "office")
    backtest = Backtest(database, Settings(database_url=database), SystemClock(), Trial())
    (found,) = (await backtest.run([desk.building_id])).buildings
    assert (found.error, found.differences, found.remarks) == (None, [], [])
    assert await digest_of(desk.conn, "office") == digest


async def test_a_fork_holds_back_where_the_building_did(desk: Desk) -> None:
    await watched_and_gone_live(desk)
    signature = Signature(WHO, desk.clock.now())
    modes: dict[int, Any] = {}
    for seq in range(1, len(await desk.entries()) + 1):
        made = await fork(desk.conn, desk.building_id, before_event=seq, signature=signature)
        building = await procurement.building(desk.conn, made.fork_id)
        assert building is not None
        assert (building.shown_mode, building.withholds_because) == ("sandbox", "sandbox")
        modes[seq] = (building.is_watching, building.acts_from is not None)
    # 1-3 in watch, 4 goes live, 5 is an answer on the first day, 6 ends it; then in watch again.
    assert modes == {
        **dict.fromkeys((1, 2, 3, 4), (True, False)),
        **dict.fromkeys((5, 6), (False, True)),
        7: (True, False),
        8: (True, False),
    }


async def test_a_fork_cannot_be_switched(desk: Desk) -> None:
    await watch(desk)
    made = await fork(desk.conn, desk.building_id, signature=Signature(WHO, desk.clock.now()))
    with pytest.raises(ConflictError, match="fork"):
        await buildings.change(desk.conn, made.fork_id, BuildingPatch(mode="live"), WHO, desk.clock.now())
