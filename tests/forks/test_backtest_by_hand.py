"""What people change beside the inbox (rules, delegations, policy) is done again where it was done, so a building in
whose past they did so comes out the same too."""

from typing import Any

from domain.buildings import BuildingPatch
from domain.rules import Delegation, Rule, full_id
from evals.backtest import Backtest, Report, Trial
from runtime.clock import SystemClock
from runtime.settings import Settings
from storage import buildings, inbox, teaching
from tests.agent.desk import Desk
from tests.agent.test_learning import delegated, fail, learned, open_office
from tests.forks.past import WHO, digest_of, everything


async def backtest(desk: Desk, database: str, **trial: Any) -> Report:
    settings = Settings(database_url=database)
    return await Backtest(database, settings, SystemClock(), Trial(**trial)).run([desk.building_id])


async def change(desk: Desk, rule_id: str, **changed: Any) -> None:
    desk.clock.forward(hours=1)
    await teaching.change_rule(desk.conn, full_id(desk.building_id, rule_id), changed, WHO, desk.clock.now())


async def revoke(desk: Desk) -> None:
    desk.clock.forward(hours=1)
    (standing,) = [one for one in await desk.rows(Delegation) if one.status == "active"]
    full = full_id(desk.building_id, standing.delegation_id)
    await teaching.revoke(desk.conn, full, WHO, desk.clock.now())


async def grant(desk: Desk, **fields: Any) -> None:
    desk.clock.forward(hours=1)
    now = desk.clock.now()

    def made(name: str, item_id: str | None) -> Delegation:
        return Delegation(delegation_id=name, item_id=item_id, granted_by="local", granted_at=now, **fields)

    await teaching.grant(desk.conn, desk.building_id, None, made, WHO, now)


async def patch(desk: Desk, **policy: object) -> None:
    desk.clock.forward(hours=1)
    await buildings.change(desk.conn, desk.building_id, BuildingPatch(policy=policy), WHO, desk.clock.now())


async def trusted_doubted_and_trusted_again(desk: Desk) -> None:
    """A delegation by answer, used and revoked; the rule reworded, switched off and on; delegated anew over REST."""
    await delegated(desk)
    await fail(desk, "Windows")
    assert await desk.pending() == [], "decided alone"
    await revoke(desk)
    await change(desk, "r2", text="What fails is replaced.", status="disabled")
    await fail(desk, "Doors")
    asked = await desk.question("inspection_failed")
    assert asked.advice is None
    await desk.decide(asked)
    await change(desk, "r2", status="active", autonomy="alone")
    await grant(desk, kind="inspection_failed", actions=["reorder_item"])
    await patch(desk, po_limit="500")
    await fail(desk, "Pumps")
    await desk.decide(await desk.question("inspection_failed"))
    await revoke(desk)


async def test_rules_patched_and_delegations_revoked_by_hand_change_nothing(desk: Desk, database: str) -> None:
    await trusted_doubted_and_trusted_again(desk)
    digest, counted = await digest_of(desk.conn, "office"), await everything(desk.conn)
    (found,) = (await backtest(desk, database)).buildings
    assert (found.error, found.differences, found.remarks) == (None, [], [])
    assert await digest_of(desk.conn, "office") == digest
    assert await everything(desk.conn) == counted


async def test_what_an_older_version_kept_no_log_of_is_read_off_the_rows(desk: Desk, database: str) -> None:
    await trusted_doubted_and_trusted_again(desk)
    await desk.conn.execute("DELETE FROM changes WHERE entity = 'building_change' AND NOT data ? 'changed'")
    await desk.conn.execute("DELETE FROM changes WHERE entity = 'building_change' AND data ? 'rule_id'")
    await desk.conn.execute("UPDATE changes SET data = data - 'at' - 'rows' WHERE entity = 'building_change'")
    (found,) = (await backtest(desk, database)).buildings
    assert (found.error, found.differences, found.remarks) == (None, [], [])


async def test_without_its_revocation_it_would_have_decided_alone(desk: Desk, database: str) -> None:
    """The record is what is done again, and not left out: with the revocation struck from it, more is decided."""
    await delegated(desk)
    await revoke(desk)
    await fail(desk, "Windows")
    await desk.conn.execute("DELETE FROM changes WHERE entity = 'building_change'")
    await desk.conn.execute("DELETE FROM changes WHERE entity = 'delegations' AND data ->> 'status' = 'revoked'")
    ((different,),) = [one.differences for one in (await backtest(desk, database)).buildings]
    assert different.was[0].startswith("asks project_manager inspection_failed (windows)")
    assert any(line.startswith("rule:r2 acts on") for line in different.now)


async def test_what_is_changed_while_an_event_waits_to_be_tried_again_is_there_for_its_run(
    desk: Desk, database: str
) -> None:
    await open_office(desk)
    await desk.post("Submittal_Approved", item="Doors", run=False)
    lease = await inbox.begin_drain(desk.conn, "office")
    assert lease is not None
    assert await inbox.claim(desk.conn, lease, desk.clock.now()) is not None  # and that worker dies
    await patch(desk, po_limit="500")
    await desk.run()
    assert (await desk.question()).kind == "order_beyond_authority"
    (found,) = (await backtest(desk, database)).buildings
    assert (found.error, found.differences) == (None, [])


async def test_a_rule_of_another_building_is_as_it_was_then(desk: Desk, database: str) -> None:
    await learned(desk)
    await change(desk, "r2", shared=True)
    desk.building_id = "tower"
    await open_office(desk)
    desk.clock.forward(hours=1)
    await fail(desk, "Windows")
    asked = await desk.question("inspection_failed")
    assert asked.advice is not None, "the office's rule"
    await desk.decide(asked)
    desk.building_id = "office"
    await change(desk, "r2", shared=False, status="disabled")
    desk.building_id = "tower"
    (found,) = (await backtest(desk, database)).buildings
    assert (found.error, found.differences) == (None, [])


async def test_what_does_not_come_about_under_the_settings_on_trial_is_told(desk: Desk, database: str) -> None:
    await open_office(desk, policy={"po_limit": "500"})
    await desk.post("Submittal_Approved", item="Doors")
    await desk.decide(await desk.question("order_beyond_authority"))
    (rule,) = await desk.rows(Rule)
    await change(desk, rule.rule_id, text="Doors are ordered.")
    (found,) = (await backtest(desk, database, policy={"po_limit": "100000"})).buildings
    assert found.differences != []
    assert found.remarks == [
        f"What local changed of {rule.rule_id} after event 2 was left out: it does not come about here."
    ]


async def test_an_approval_on_record_stands_for_what_was_recommended_then(desk: Desk, database: str) -> None:
    """With a rule on trial that recommends otherwise: who approved wants the same, and would have to say so; what was
    refused is not what is asked here."""
    await open_office(desk)
    await fail(desk, "Windows")
    asked = await desk.question("inspection_failed")
    await desk.decide(asked, "reject")
    again = await desk.question("inspection_failed")
    await desk.decide(again, "approve")
    repaired = again.recommended
    accept = Rule(
        kind="inspection_failed",
        rule_id="t1",
        title="Accept as is (use-as-is)",
        text="It is taken as it is.",
        actions=[{"name": "accept_as_is", "arguments": {"item": "{item}"}}],
        source="",
        learned_from="on trial",
        learned_at=desk.clock.now(),
        autonomy="recommend",
    )
    (found,) = (await backtest(desk, database, rules=[accept])).buildings
    by_seq = {one.seq: " ".join(one.now) for one in found.differences}
    assert "recommends accept_as_is(item=windows" in by_seq[1]
    assert "recommends accept as is windows, which nobody has refused on record" in by_seq[2]
    assert f"local edit inspection_failed (windows): {repaired[0]['name']}" in by_seq[3]
