"""Forks, recordings and upgrades carry lines that were taken on."""

from evals.backtest import Backtest, Trial
from evals.recording import record
from runtime.clock import SystemClock
from runtime.settings import Settings
from tests.adopting.half_bought import MONDAY, line, order
from tests.agent.desk import Desk
from tests.forks.past import WatchedDesk, fork_of, rows_of, watched

LOG = [
    line(
        state={
            "submittal": {"verdict": "approved", "revision": 2},
            "orders": [
                order(
                    "45 00/17",
                    {"quantity": "20", "status": "received"},
                    {"shipment_id": "L2", "quantity": "30", "departed_on": "2026-01-20", "arrived_on": "2026-01-22",
                     "accepted": "20", "rejected": "10", "ncr_number": "N-1", "disposition": "use_as_is"},
                    {"quantity": "10", "eta": "2026-03-09", "departed_on": "2026-01-28"},
                    {"quantity": "15", "eta": "2026-03-20"},
                    ordered_on="2026-01-05", promised_on="2026-03-02", said_on="2026-01-06", quantity="90",
                ),
                order("4712", quantity="10", acknowledged_on="2026-01-09"),
            ],
        },
    ),
    line("valves", quantity="5", state={"orders": [order("4712", {"accepted": "6"}, quantity="5", over="1")]}),
]  # fmt: skip
VENDORS = [{"vendor_id": "kent", "name": "Kent", "contact": "orders@kent.example"}]


LATER = line("lamps", quantity="8", state={"orders": [order("4713", {"quantity": "3", "status": "received"})]})


async def taken_on(desk: WatchedDesk) -> WatchedDesk:
    """A building that was taken on, some of it at creation, some later; and what happened then."""
    desk.clock.moment = MONDAY
    await desk.open(items=LOG, vendors=VENDORS)
    await desk.run()
    await desk.post("Items_Changed", items=[LATER])
    await desk.decide(next(one for one in await desk.pending() if one.subject.get("entry") == 0))
    await desk.post("Shipment_Arrived_Site", item="Pumps", date_arrived="2026-03-03", quantity="15")
    await desk.look()
    return desk


async def test_forks_before_and_after_have_the_tables_of_then(desk: Desk) -> None:
    story = await taken_on(watched(desk))
    assert set(story.seen) == {2, 3, 4, 5}
    for seq, (rows, _) in story.seen.items():
        made = await fork_of(story, before_event=seq)
        assert await rows_of(story.conn, made.fork_id) == rows, f"before event {seq}"
    made = await fork_of(story, before_event=1)
    here = await rows_of(story.conn, made.fork_id)
    assert {row["item_id"] for row in here["facts"]} == {"pumps", "valves"}
    assert here["approvals"] == []


async def test_a_backtest_comes_out_the_same(desk: Desk, database: str) -> None:
    await taken_on(watched(desk))
    report = await Backtest(database, Settings(database_url=database), SystemClock(), Trial(), lanes=1).run(["office"])
    (result,) = report.buildings
    assert result.error is None
    assert result.differences == []


async def test_a_recording_of_such_a_building_plays_to_the_same_log(desk: Desk) -> None:
    story = await taken_on(watched(desk))
    recorded = (await record(desk.conn, desk.building_id)).scenario
    known, _ = story.seen[2]
    again = {**recorded["building"], "building_id": "again"}
    assert {one["number"] for one in again["items"][0]["state"]["orders"]} == {"4712", "45 00/17"}
    desk.clock.moment = MONDAY
    desk.building_id = "again"
    await desk.open(**again)
    await desk.run()
    here = await rows_of(desk.conn, "again")
    for table in ("items", "facts", "purchase_orders", "purchase_order_lines", "lots", "milestones", "receipts"):
        assert here[table] == known[table], table
    first = recorded["steps"][0]
    assert [one["kind"] for one in first["asks"]] == ["goods_taken_on"]
