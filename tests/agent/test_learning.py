"""What people decide is learned: recommended first, then asked for, then decided alone; overruled, it asks again."""

from typing import Any

import pytest

from domain.approvals import Approval, Decision, Responder
from domain.events import Entry
from domain.plan import Ask
from domain.rules import Delegation, Rule
from storage import approvals, inbox
from storage.transaction import building_transaction
from storage.upkeep import enter_overdue
from tests.agent.desk import Desk
from tools.advising import advised

LINES = {
    "HVAC Units": ("23", "air"),
    "Electrical Panels": ("26", "volt"),
    "Elevator": ("14", "lifts"),
    "Windows": ("08", "glass"),
    "Doors": ("08", "glass"),
    "Pumps": ("22", "air"),
}


async def open_office(desk: Desk, **spec: Any) -> None:
    await desk.open(
        schedule={
            "project": {"name": "Office"},
            "deliveries": [{"item": name, "required_by": "2026-06-01", "buffer_days": 5} for name in LINES],
        },
        items=[
            {
                "name": name,
                "category": category,
                "vendor_id": vendor,
                "quantity": "4",
                "unit_price": "1000",
                "lead_time_days": 30,
            }
            for name, (category, vendor) in LINES.items()
        ],
        vendors=[{"vendor_id": vendor, "name": vendor.title()} for vendor in {pair[1] for pair in LINES.values()}],
        approvers=[{"role": "project_manager", "name": "Project manager"}],
        **spec,
    )


async def fail(desk: Desk, item: str, **fields: Any) -> str:
    return await desk.post("Inspection_Failed", item=item, inspection_date="2026-03-02", **fields)


async def learned(desk: Desk) -> Desk:
    """A desk whose manager has had three lines replaced."""
    await open_office(desk)
    for item in ("HVAC Units", "Electrical Panels", "Elevator"):
        await fail(desk, item)
        await desk.decide(await desk.question("inspection_failed"), why="Nothing else will do.")
    return desk


async def delegated(desk: Desk) -> Desk:
    await learned(desk)
    await desk.decide(await desk.question("delegation_request"))
    return desk


async def rule(desk: Desk) -> Rule:
    (found,) = await desk.rows(Rule)
    made: Rule = found
    return made


async def overrule(desk: Desk, rule_id: str, decided_seq: int, *actions: dict[str, Any]) -> str:
    event_id = f"overrule-{decided_seq}"
    await inbox.accept(
        desk.conn,
        desk.building_id,
        source="longlead.overruled",
        event_id=event_id,
        event_type="Rule_Overruled",
        body={
            "rule_id": rule_id,
            "decided_seq": decided_seq,
            "actions": list(actions),
            "why": "Not this one.",
            "responder": {"type": "human", "id": "pm", "name": "Project manager"},
        },
        now=desk.clock.now(),
    )
    await desk.run()
    return event_id


async def test_from_one_decision_the_same_is_recommended_for_another_line(desk: Desk) -> None:
    await open_office(desk)
    await fail(desk, "HVAC Units")
    first = await desk.question()
    assert first.advice is None
    await desk.decide(first, why="Nothing else will do.")
    await fail(desk, "Electrical Panels")
    question = await desk.question()
    assert question.recommended[0]["name"] == "reorder_item"
    assert question.recommended[0]["arguments"]["item"] == "electrical-panels"
    recommended = question.options[0]
    assert recommended.recommended_by is not None
    assert recommended.recommended_by.type == "automated_rule"
    assert recommended.why is not None
    assert "local on HVAC Units" in recommended.why
    assert "Nothing else will do." in recommended.why
    (shown,) = question.evidence["rules"]
    assert shown["source"] == first.approval_id
    assert shown["confirmed"] == 1
    assert [case["item_id"] for case in question.evidence["past_cases"]] == ["hvac-units"]
    assert len({str(option.actions) for option in question.options}) == len(question.options) == 5


async def test_after_the_third_decision_it_asks_once_for_a_delegation(desk: Desk) -> None:
    await learned(desk)
    question = await desk.question("delegation_request")
    assert "3 times in a row" in question.summary
    (action,) = question.recommended
    assert action == {
        "name": "grant_delegation",
        "arguments": {"kind": "inspection_failed", "actions": ["reorder_item"]},
    }
    assert not question.holds_item
    await desk.decide(question, "reject")
    assert await desk.pending() == []
    assert await desk.rows(Delegation) == []
    await fail(desk, "Windows")
    await desk.decide(await desk.question("inspection_failed"))
    assert await desk.pending() == [], "refused, it is not asked for again"
    assert (await rule(desk)).streak == 4


async def test_once_it_is_delegated_it_decides_alone_and_tells(desk: Desk) -> None:
    await delegated(desk)
    event_id = await fail(desk, "Windows")
    assert await desk.pending() == []
    assert await desk.names(event_id) == ["reorder_item", "start_tracking"]
    assert (await desk.item("windows")).commercial == "ordered"
    cursor = await desk.conn.execute("SELECT responder FROM actions WHERE action = 'reorder_item' AND item = 'windows'")
    row = await cursor.fetchone()
    assert row is not None
    assert row["responder"]["type"] == "automated_rule"
    cursor = await desk.conn.execute(
        "SELECT payload ->> 'text' AS text FROM outbox WHERE subject LIKE 'Windows: decided without asking: %'"
    )
    row = await cursor.fetchone()
    assert row is not None
    assert "Windows failed inspection" in row["text"]
    assert "delegated by local (office-d" in row["text"]
    assert "longlead rules overrule office-r2 --entry" in row["text"]
    found = await rule(desk)
    assert (found.applied, found.decided, found.confirmed) == (3, 1, 3)


async def test_overruled_once_it_asks_again(desk: Desk) -> None:
    await delegated(desk)
    event = await desk.event(await fail(desk, "Windows"))
    overruled = await overrule(desk, "r2", event["seq"])
    found = await rule(desk)
    assert (found.streak, found.overruled, found.status) == (0, 1, "active")
    (delegation,) = await desk.rows(Delegation)
    assert delegation.status == "suspended"
    question = await desk.question("decision_overruled")
    assert question.recommended[0]["name"] == "cancel_purchase_order"
    await desk.decide(question)
    assert (await desk.names())[-1] == "cancel_purchase_order"
    assert (await desk.event(overruled))["outcome"]["decision"] == "applied"
    await fail(desk, "Doors")
    again = await desk.question("inspection_failed")
    assert again.recommended[0]["name"] == "reorder_item", "it recommends again"


async def test_an_order_that_newer_facts_have_cancelled_does_not_overrule_the_rule_that_placed_it(desk: Desk) -> None:
    await delegated(desk)
    event = await desk.event(await fail(desk, "Windows"))
    await desk.post(
        "Purchase_Order_Acknowledged", item="Windows", promised_date="2026-04-01", exceptions=["the price doubles"]
    )
    cancelled = [{"name": "cancel_purchase_order", "arguments": {"item": "windows"}}]
    await desk.decide(await desk.question("acknowledgement_exception"), "edit", actions=cancelled, why="Too dear now.")
    assert (await desk.item("windows")).commercial == "cancelled"
    found = next(one for one in await desk.rows(Rule) if one.rule_id == "r2")
    (delegation,) = await desk.rows(Delegation)
    assert (found.streak, found.overruled, delegation.status) == (3, 0, "active"), "it knew no price that doubles"
    await overrule(desk, "r2", event["seq"])
    found = next(one for one in await desk.rows(Rule) if one.rule_id == "r2")
    (delegation,) = await desk.rows(Delegation)
    assert (found.streak, found.overruled, delegation.status) == (0, 1, "suspended"), "who means the decision says so"


async def test_overruled_with_something_else_that_is_done_and_learned(desk: Desk) -> None:
    await delegated(desk)
    event = await desk.event(await fail(desk, "Windows"))
    await overrule(
        desk,
        "r2",
        event["seq"],
        {"name": "cancel_purchase_order", "arguments": {"item": "windows"}},
        {"name": "repair_item", "arguments": {"item": "windows"}},
    )
    assert await desk.pending() == []
    assert (await desk.item("windows")).commercial == "cancelled"
    narrow = next(one for one in await desk.rows(Rule) if one.category == "08")
    assert narrow.actions == [{"name": "repair_item", "arguments": {"item": "{item}"}}]
    await fail(desk, "Doors")
    doors = await desk.question("inspection_failed")
    assert doors.recommended[0]["name"] == "repair_item"
    await fail(desk, "Pumps")
    pumps = next(one for one in await desk.pending() if one.item_id == "pumps")
    assert pumps.recommended[0]["name"] == "reorder_item"


async def test_a_refusal_overrules_and_offers_the_next_best(desk: Desk) -> None:
    await delegated(desk)
    await desk.conn.execute('UPDATE buildings SET policy = policy || \'{"po_limit": "100"}\'')
    await fail(desk, "Windows")
    question = await desk.question("inspection_failed")
    assert question.evidence["recommendation"]["not_alone_because"].startswith("po_limit: 100 USD")
    await desk.decide(question, "reject")
    found = await rule(desk)
    assert (found.overruled, found.streak, found.refusals) == (1, 0, 1)
    (delegation,) = await desk.rows(Delegation)
    assert delegation.status == "suspended"
    next_best = await desk.question("inspection_failed")
    assert next_best.recommended[0]["name"] == "repair_item"
    await desk.decide(next_best)
    assert (await rule_of(desk, "08")).title == "Repair on site and inspect again"


async def rule_of(desk: Desk, category: str | None) -> Rule:
    (found,) = [one for one in await desk.rows(Rule) if one.category == category]
    made: Rule = found
    return made


async def test_refused_twice_in_a_row_a_rule_stops_and_says_so(desk: Desk) -> None:
    await open_office(desk)
    await fail(desk, "HVAC Units")
    await desk.decide(await desk.question())
    for item in ("Electrical Panels", "Elevator"):
        await fail(desk, item)
        await desk.decide(
            await desk.question(), "edit", actions=[{"name": "accept_as_is", "arguments": {"item": slug(item)}}]
        )
    assert (await rule_of(desk, None)).status == "retired"
    cursor = await desk.conn.execute("SELECT text FROM messages WHERE text LIKE '%recommends nothing any more%'")
    assert len(await cursor.fetchall()) == 1
    await fail(desk, "Pumps")
    question = await desk.question()
    assert question.options[0].recommended_by is None


def slug(item: str) -> str:
    return item.lower().replace(" ", "-")


async def test_a_rule_that_was_disabled_is_neither_used_nor_learned_anew(desk: Desk) -> None:
    await open_office(desk)
    await fail(desk, "HVAC Units")
    await desk.decide(await desk.question())
    await desk.conn.execute("UPDATE rules SET status = 'disabled'")
    await fail(desk, "Electrical Panels")
    question = await desk.question()
    assert question.options[0].recommended_by is None
    assert question.evidence["rules"] == []
    await desk.decide(question)
    found = await rule(desk)
    assert (found.status, found.confirmed) == ("disabled", 1)


async def test_what_concerns_another_line_or_only_waits_teaches_nothing(desk: Desk) -> None:
    await open_office(desk)
    await fail(desk, "HVAC Units")
    hold = [{"name": "hold_item", "arguments": {"item": "hvac-units"}}]
    await desk.decide(await desk.question(), "edit", actions=hold)
    await fail(desk, "Doors")
    other = [{"name": "expedite_order", "arguments": {"item": "windows"}}]
    await desk.decide(await desk.question(), "edit", actions=other)
    assert await desk.rows(Rule) == []


async def test_days_are_taken_from_the_new_situation(desk: Desk) -> None:
    await open_office(desk)
    await fail(desk, "HVAC Units")
    own = [
        {"name": "repair_item", "arguments": {"item": "hvac-units", "note": "by the vendor's fitters"}},
        {"name": "schedule_inspection", "arguments": {"item": "hvac-units", "on": "2026-03-04"}},
    ]
    await desk.decide(await desk.question(), "edit", actions=own)
    await desk.post("Inspection_Failed", item="Doors", inspection_date="2026-04-06")
    question = await desk.question("inspection_failed")
    assert [action["name"] for action in question.recommended] == ["repair_item", "schedule_inspection"]
    assert question.recommended[1]["arguments"] == {"item": "doors", "on": "2026-04-13"}


async def test_an_alias_that_was_explained_is_understood(desk: Desk) -> None:
    await open_office(desk)
    for number in range(2):
        await desk.post("Submittal_Approved", item="Rooftop HVAC", revision=number)
        question = await desk.question("item_unknown")
        wanted = next(option for option in question.options if option.title == "It is HVAC Units")
        if number:
            assert question.options[0].title == "It is HVAC Units"
            assert question.options[0].recommended_by is not None
        await desk.decide(question, "edit", actions=wanted.actions)
    found = await rule(desk)
    assert (found.about, found.confirmed) == ("rooftop hvac", 2)


async def chased(desk: Desk, **policy: Any) -> str:
    """A desk whose manager has a vendor chased whose delivery comes too late; the event of the next such delivery."""
    await open_office(desk, policy={"rule_autonomy_after": 1, **policy})
    for item in ("HVAC Units", "Doors"):
        await desk.post("Submittal_Approved", item=item)
    await departs(desk, "HVAC Units")
    question = await desk.question("schedule_conflict")
    await desk.decide(question, "edit", actions=firm_date(question))
    return await departs(desk, "Doors")


async def chased_by_delegation(desk: Desk) -> str:
    """The same, after the manager let the rule do so without asking."""
    await open_office(desk, policy={"rule_autonomy_after": 1})
    for item in ("HVAC Units", "Doors"):
        await desk.post("Submittal_Approved", item=item)
    await departs(desk, "HVAC Units")
    question = await desk.question("schedule_conflict")
    await desk.decide(question, "edit", actions=firm_date(question))
    async with building_transaction(desk.conn, desk.building_id) as transaction:
        transaction.save(
            Delegation(
                delegation_id="d1",
                kind="schedule_conflict",
                actions=["request_information", "hold_item"],
                granted_by="Project manager",
                granted_at=desk.clock.now(),
            )
        )
    return await departs(desk, "Doors")


def firm_date(question: Approval) -> list[dict[str, Any]]:
    return next(one for one in question.options if "firm date" in one.title).actions


async def departs(desk: Desk, item: str) -> str:
    return await desk.post("Shipment_Departed_Factory", item=item, eta="2026-06-09", date_departed="2026-03-01")


async def test_a_conflict_is_not_settled_by_asking_the_vendor_unless_somebody_delegated_that(desk: Desk) -> None:
    event_id = await chased(desk)
    question = await desk.question("schedule_conflict")
    assert question.recommended == firm_date(question), "the rule recommends"
    assert await desk.names(event_id) == ["flag_potential_issue"]


async def test_where_it_was_delegated_the_vendor_is_asked_without_a_person(desk: Desk) -> None:
    event_id = await chased_by_delegation(desk)
    assert await desk.pending() == []
    assert await desk.names(event_id) == ["flag_potential_issue", "request_information"]


async def test_the_same_again_on_the_same_facts_is_put_to_a_person(desk: Desk) -> None:
    await chased_by_delegation(desk)
    await desk.post("ETA_Changed", item="Doors", eta="2026-05-01")
    again = await desk.post("ETA_Changed", item="Doors", eta="2026-06-09")
    question = await desk.question("schedule_conflict")
    assert question.item_id == "doors"
    assert "made no headway" in question.summary
    assert "request_information" not in await desk.names(again)
    await desk.post("ETA_Changed", item="Doors", eta="2026-05-01")
    await desk.post("ETA_Changed", item="Doors", eta="2026-06-10")
    assert await desk.pending() == [], "other facts are decided as before"


async def test_what_was_refused_twice_on_a_line_is_not_proposed_a_third_time(desk: Desk) -> None:
    await chased(desk, rule_autonomy_after=9)
    for eta in ("2026-06-10", "2026-06-11", "2026-06-12"):
        question = await desk.question("schedule_conflict")
        assert (question.options[0].recommended_by is None) == (eta == "2026-06-12")
        await desk.decide(question, "reject")
        await desk.conn.execute("UPDATE rules SET status = 'active', refusals = 0")
        question = await desk.question("schedule_conflict")
        await desk.decide(question, "edit", actions=[{"name": "notify_team", "arguments": NOTICE}])
        await desk.post("ETA_Changed", item="Doors", eta="2026-05-01")
        await desk.post("ETA_Changed", item="Doors", eta=eta)
    question = await desk.question("schedule_conflict")
    assert "refused 2 times here" in question.evidence["no_progress"]


async def test_an_order_that_is_not_there_is_not_recommended_to_be_cancelled(desk: Desk) -> None:
    await open_office(desk)
    await desk.post("Submittal_Approved", item="HVAC Units")
    await departs(desk, "HVAC Units")
    cancel = {"name": "cancel_purchase_order", "arguments": {"item": "hvac-units", "reason": "too late"}}
    await desk.decide(await desk.question("schedule_conflict"), "edit", actions=[cancel])
    assert (await rule(desk)).actions[0]["name"] == "cancel_purchase_order"

    await departs(desk, "Doors")
    question = await desk.question("facts_contradict")
    assert question.options[0].recommended_by is None, "the doors were never ordered"
    assert "cancel_purchase_order" not in [one["name"] for option in question.options for one in option.actions]

    await desk.post("Submittal_Approved", item="Elevator")
    await departs(desk, "Elevator")
    asked = [one for one in await desk.pending() if one.item_id == "elevator"]
    assert [one.recommended[0]["name"] for one in asked] == ["cancel_purchase_order"]


NOTICE = {"team": "site", "message": "The doors are late."}


@pytest.mark.parametrize("kind", ["approve", "reject"])
async def test_a_restart_of_the_answer_learns_once(desk: Desk, kind: str) -> None:
    await open_office(desk)
    await fail(desk, "HVAC Units")
    await desk.decide(await desk.question(), kind)
    await desk.conn.execute(
        "UPDATE events SET status = 'queued', generation = generation + 1, finished_at = NULL "
        "WHERE event_type = 'Decision'"
    )
    await desk.run()
    rules = await desk.rows(Rule)
    assert [found.confirmed for found in rules] == ([1] if kind == "approve" else [])


async def test_the_question_shows_who_recommends_and_its_answer_is_applied(desk: Desk) -> None:
    await learned(desk)
    await fail(desk, "Windows")
    question: Approval = await desk.question("inspection_failed")
    assert question.version == 1
    await desk.post("Human_Input", text="Windows are stored in the yard.", item="Windows")
    same: Approval = await desk.question("inspection_failed")
    assert (same.version, same.fingerprint) == (1, question.fingerprint)
    await desk.post("Items_Changed", items=[{"item_id": "windows", "unit_price": "1100"}])
    renewed: Approval = await desk.question("inspection_failed")
    assert renewed.version == 2
    assert renewed.options[0].recommended_by is not None, "a rule says the same of the new facts"
    assert renewed.options[0].cost == "4400.00 USD"
    await desk.decide(renewed, version=2)
    assert (await rule(desk)).confirmed == 4


async def test_a_rule_that_another_building_shares_only_recommends(desk: Desk) -> None:
    await learned(desk)
    await desk.conn.execute("UPDATE rules SET shared = true, autonomy = 'alone'")
    desk.building_id = "tower"
    await open_office(desk)
    await fail(desk, "Windows")
    question = await desk.question("inspection_failed")
    assert question.options[0].recommended_by is not None
    assert question.options[0].recommended_by.name == "Learned rule office-r2"
    await desk.decide(question)
    own = await rule(desk)
    assert (own.rule_id, own.confirmed) == ("r2", 1), "the building learns for itself"
    desk.building_id = "office"
    assert (await rule(desk)).confirmed == 3, "a transaction changes its own building only"


async def test_what_was_learned_in_time_is_not_decided_alone_where_it_comes_too_late(desk: Desk) -> None:
    await delegated(desk)
    assert not (await rule(desk)).late
    await desk.post("Inspection_Failed", item="Windows", inspection_date="2026-05-20")
    question = await desk.question("inspection_failed")
    assert question.options[0].days_late == 18
    assert "comes too late here" in question.evidence["recommendation"]["not_alone_because"]
    await desk.decide(question)
    assert (await rule(desk)).late
    await desk.post("Inspection_Failed", item="Doors", inspection_date="2026-05-20")
    assert await desk.pending() == [], "a person has decided so all the same"


async def test_a_programs_answer_is_not_applied_once_its_delegation_is_revoked(desk: Desk) -> None:
    await open_office(desk)
    await fail(desk, "Windows")
    question = await desk.question()
    accepted = await approvals.decide(
        desk.conn,
        question.approval_id,
        Decision(type="approve", responder=Responder(type="automated_rule", id="bot", name="Bot")),
        version=1,
        event_id="by-the-bot",
        now=desk.clock.now(),
    )
    await desk.run()
    again = await desk.question()
    assert (again.version, again.decision) == (2, None)
    assert (await desk.event(accepted.event_id))["outcome"]["decision"] == "outdated"
    assert "reorder_item" not in await desk.names()
    assert await desk.rows(Rule) == []


async def test_what_a_program_decides_within_its_delegation_teaches_nothing(desk: Desk) -> None:
    await open_office(desk)
    await desk.conn.execute(
        """INSERT INTO delegations (building_id, delegation_id, kind, actions, granted_to, granted_by,
                                    granted_at, status, caused_seq)
           VALUES ('office', 'd1', 'inspection_failed', '["reorder_item"]', 'bot', 'PM', now(), 'active', 0)"""
    )
    await fail(desk, "Windows")
    question = await desk.question()
    await approvals.decide(
        desk.conn,
        question.approval_id,
        Decision(type="approve", responder=Responder(type="automated_rule", id="bot", name="Bot")),
        version=1,
        event_id="by-the-bot",
        now=desk.clock.now(),
    )
    await desk.run()
    assert (await desk.item("windows")).commercial == "ordered"
    assert await desk.rows(Rule) == []


@pytest.mark.parametrize(("passes", "source", "remark"), [(0, "test", None), (2, "test", "goes in circles")])
async def test_a_run_that_goes_in_circles_asks_a_person(
    desk: Desk, passes: int, source: str, remark: str | None
) -> None:
    await delegated(desk)
    await desk.post("Human_Input", text="Windows look bad.", item="Windows", event_id="note")
    await desk.conn.execute("UPDATE items SET quality = 'failed' WHERE item_id = 'windows'")
    row = await desk.event("note")
    entry = Entry(**{key: row[key] for key in Entry.model_fields if key in row} | {"source": source})
    step = Ask(kind="inspection_failed", item_id="windows", subject={}, advise=True)
    async with desk.drainer.slots.slot() as slot:
        steps = await advised(slot.toolbox, entry, step, 0, passes)
    if remark is None:
        assert [one.do for one in steps] == ["action", "tell"]
    else:
        (asked,) = steps
        assert isinstance(asked, Ask)
        assert asked.advice is not None
        assert remark in str(asked.advice.remark)


async def test_a_request_for_a_delegation_is_reminded_of_once_and_holds_up_nothing(desk: Desk) -> None:
    await learned(desk)
    asked = await desk.question("delegation_request")
    assert asked.escalate_at is None
    desk.clock.forward(days=3)
    for _ in range(3):
        await enter_overdue(desk.conn, desk.clock.now())
        await desk.run()
        desk.clock.forward(days=3)
    cursor = await desk.conn.execute("SELECT count(*) AS n FROM outbox WHERE subject LIKE 'Reminder: Delegation %'")
    assert (await cursor.fetchone() or {})["n"] == 1
    await desk.post("Items_Changed", items=[{"item_id": slug(name), "removed": True} for name in LINES])
    for removal in [one for one in await desk.pending() if one.kind == "change_order"]:
        await desk.decide(removal)
    closed = await desk.post("Building_Closed")
    assert (await desk.event(closed))["outcome"]["note"] == "building closed"
    assert await desk.pending() == []


async def test_on_a_line_that_waits_for_a_person_nothing_is_decided_alone(desk: Desk) -> None:
    await delegated(desk)
    await desk.post("Submittal_Approved", item="Windows")
    await desk.post("Submittal_Approved", item="Windows", revision=1)
    assert (await desk.question("order_beyond_authority")).item_id == "windows"
    await fail(desk, "Windows")
    question = await desk.question("inspection_failed")
    assert question.recommended[0]["name"] == "reorder_item"
    assert "in another matter" in question.evidence["recommendation"]["not_alone_because"]
