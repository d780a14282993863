"""A record run again comes out the same under the same settings, and tells what would have come out differently."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from domain.rules import Delegation, Rule
from domain.templates import template_of
from evals.backtest import Backtest, Report, Trial
from graph.forking import fork
from runtime.clock import SystemClock
from runtime.recorded_models import RecordedModels
from runtime.replay import RecordedClock, Replay
from runtime.settings import Settings
from storage import replays
from storage.as_of import Moment
from storage.audit import Signature
from storage.forks import Fork
from storage.replays import ModelAnswer
from tests.agent.desk import Desk, make_drainer
from tests.forks.past import WHO, desk_of, digest_of, everything, rows_of
from tests.histories.stories import BEGUN, the_whole_of_it, two_questions
from tools.models import ModelAbstained, ModelRequest


async def backtest(desk: Desk, database: str, **trial: Any) -> Report:
    settings = Settings(database_url=database)
    return await Backtest(database, settings, SystemClock(), Trial(**trial), lanes=2).run([desk.building_id])


async def test_with_nothing_changed_nothing_is_reported_and_nothing_is_left(desk: Desk, database: str) -> None:
    await the_whole_of_it(desk)
    before, counted = await digest_of(desk.conn, desk.building_id), await everything(desk.conn)
    report = await backtest(desk, database)
    (result,) = report.buildings
    assert result.error is None
    assert result.differences == []
    cursor = await desk.conn.execute("SELECT count(*) AS entries FROM events WHERE building_id = 'office'")
    assert await cursor.fetchone() == {"entries": result.entries}
    assert await digest_of(desk.conn, desk.building_id) == before
    assert await everything(desk.conn) == counted


async def test_the_sandbox_ends_as_the_building_did_to_the_row(desk: Desk, database: str) -> None:
    await the_whole_of_it(desk)
    made = await fork(desk.conn, "office", before_event=1, signature=Signature(WHO, desk.clock.now()), mode="replay")
    record = await replays.read(desk.conn, "office", 0, made.moment.position)
    clock = RecordedClock(desk.clock.now())
    drainer = make_drainer(database, clock)  # type: ignore[arg-type]
    drainer.settings.event_attempts = 1
    async with drainer.slots.slot() as slot:
        await Replay(drainer, clock, record, made.fork_id).run(slot)
    await drainer.slots.close()
    really, here = await rows_of(desk.conn, "office"), await rows_of(desk.conn, made.fork_id)
    for table in really:
        assert here[table] == really[table], table
    assert await steps_of(desk, made.fork_id) == await steps_of(desk, "office")


async def steps_of(desk: Desk, building_id: str) -> list[dict[str, Any]]:
    """The checkpoints of a building's thread: the entry that each is of, and where it leads."""
    cursor = await desk.conn.execute(STEPS, (building_id,))
    return await cursor.fetchall()


STEPS = """
SELECT metadata -> 'seq' AS seq, metadata -> 'position' AS position,
       ARRAY(SELECT name FROM jsonb_object_keys(checkpoint -> 'channel_values') AS name
              WHERE name LIKE 'branch:%%' ORDER BY name) AS leads_to
  FROM checkpoints c JOIN buildings b ON b.thread_id::text = c.thread_id WHERE b.building_id = %s
 ORDER BY (metadata ->> 'step')::integer"""


async def test_a_changed_policy_tells_what_would_have_come_out_differently(desk: Desk, database: str) -> None:
    await the_whole_of_it(desk)
    report = await backtest(desk, database, policy={"po_limit": "100000"})
    (result,) = report.buildings
    by_seq = {one.seq: one for one in result.differences}
    # The panels are ordered at once, so the person who allowed it is not asked, nor reminded.
    assert by_seq[2].was == [
        "asks project_manager order_beyond_authority (electrical-panels): "
        "recommends issue_purchase_order(item=electrical-panels); start_tracking(item=electrical-panels)"
    ]
    assert any("issue_purchase_order(item=electrical-panels)" in line for line in by_seq[2].now)
    assert "asked differently: order_beyond_authority (electrical-panels) is not asked" in by_seq[8].now[0]
    # And what a person lowered the limit to later does not stand against what is tried.
    assert by_seq[19].was[0].startswith("asks project_manager order_beyond_authority (hvac-units)")
    assert not {1, 3, 4, 5, 9, 10, 12} & set(by_seq), "what has nothing to do with it is the same"
    assert result.fork_id is not None
    here = desk_of(desk, Fork(result.fork_id, "office", "", Moment("office", 0, 0), None))
    assert (await here.item("electrical-panels")).is_ordered
    cursor = await desk.conn.execute("SELECT mode, origin FROM buildings WHERE building_id = %s", (result.fork_id,))
    assert await cursor.fetchone() == {"mode": "sandbox", "origin": "office"}


async def test_rules_on_trial_decide_where_a_delegation_lets_them(desk: Desk, database: str) -> None:
    await two_questions(desk)
    await desk.decide(await desk.question("order_beyond_authority"), "approve")
    option = (await desk.question("inspection_failed")).options[1]
    known: dict[str, Any] = {"kind": "inspection_failed"}
    rule = Rule(
        **known,
        rule_id="t1",
        title=option.title,
        text="Failed steel is repaired.",
        actions=template_of(option.actions, "steel-beams") or [],
        source="",
        learned_from="on trial",
        learned_at=BEGUN,
        autonomy="alone",
    )
    delegation = Delegation(
        **known,
        delegation_id="t1",
        actions=[action["name"] for action in option.actions],
        amount_limit=Decimal(1_000_000),
        granted_by="on trial",
        granted_at=BEGUN,
    )
    report = await backtest(desk, database, rules=[rule], delegations=[delegation])
    (result,) = report.buildings
    (different,) = result.differences
    assert different.event_type == "Inspection_Failed"
    assert different.was[0].startswith("asks project_manager inspection_failed (steel-beams)")
    assert any(line.startswith("rule:t1 acts on") for line in different.now)


async def test_what_models_said_is_said_again_unless_another_is_asked(desk: Desk, database: str) -> None:
    asked = ModelRequest("reader", 0, "system", "prompt", Answer)
    down = ModelAnswer(3, "reader", 0, asked.hash, "m", "timeout", None, None)
    said = replace(down, seq=7, outcome="answered", answer="{}")
    recorded = RecordedModels([down, said])
    assert recorded.tiers == ("m",)
    recorded.begin(7)
    assert (await recorded.complete(asked)).text == "{}"
    recorded.begin(3)
    with pytest.raises(ModelAbstained, match="timeout"):
        await recorded.complete(asked)
    recorded.begin(7)
    reworded = ModelRequest("reader", 0, "system", "the same mail, another order number", Answer)
    assert (await recorded.complete(reworded)).text == "{}"
    assert recorded.missed == 0
    with pytest.raises(ModelAbstained, match="not asked when the record was made"):
        await recorded.complete(ModelRequest("adviser", 0, "system", "nobody advised then", Answer))
    assert recorded.missed == 0
    recorded.begin(8)
    with pytest.raises(ModelAbstained, match="not asked when the record was made"):
        await recorded.complete(ModelRequest("reader", 0, "system", "another mail", Answer))
    assert recorded.missed == 1


class Answer(BaseModel):
    said: str = ""


async def test_a_building_that_cannot_be_run_is_told_and_the_others_go_on(desk: Desk, database: str) -> None:
    await two_questions(desk)
    settings = Settings(database_url=database)
    report = await Backtest(database, settings, SystemClock(), Trial()).run(["nowhere", desk.building_id])
    missing, found = report.buildings
    assert "no building 'nowhere'" in (missing.error or "")
    assert (found.error, found.differences, found.entries) == (None, [], 4)
    assert report.per_second > 0


async def test_an_order_that_another_limit_puts_to_a_person_too_is_answered_as_it_was(
    desk: Desk, database: str
) -> None:
    await two_questions(desk)
    await desk.decide(await desk.question("order_beyond_authority"), "approve")
    await desk.decide(await desk.question("inspection_failed"), "approve")
    report = await backtest(desk, database, policy={"po_limit": "70000"})  # the panels cost 74,400
    assert [one.differences for one in report.buildings] == [[]]
    report = await backtest(desk, database, policy={"po_limit": "50000"})  # nor would the steel have been ordered
    assert [one.seq for one in report.buildings[0].differences] == [1, 3, 6]
