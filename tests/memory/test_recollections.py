"""Long-term memory: settled cases and learned facts, found again by words, kept apart by building, true as of a day."""

from datetime import date
from typing import Any

import pytest

from domain.recollections import combined, team_note
from runtime.slots import Slot
from storage.long_term import Sought, copy_memory
from storage.transaction import building_transaction
from tests.agent.desk import Desk
from tests.memory.correspondence import open_building, supply


async def facts(slot: Slot, building_id: str, kind: str) -> list[dict[str, Any]]:
    found = await slot.toolbox.memory.recall(building_id, "facts", Sought("x", kind=kind, only=kind, limit=50))
    return [fact for fact in found if fact["kind"] == kind]


async def cases(slot: Slot, building_id: str, query: str = "inspection", **sought: Any) -> list[dict[str, Any]]:
    return await slot.toolbox.memory.recall(building_id, "episodes", Sought(query, **sought))


async def test_a_settled_question_is_remembered_with_its_decision_and_what_came_of_it(desk: Desk, slot: Slot) -> None:
    await open_building(desk)
    await supply(desk, 1)
    (case,) = await cases(slot, "office")
    assert (case["kind"], case["item_id"], case["decision"]) == ("inspection_failed", "line-1", "approve")
    assert case["actions"][0]["name"] == "reorder_item"
    assert case["why"] == "it cannot wait"
    assert case["outcome"] is None

    await desk.post("Shipment_Arrived_Site", item="line-1", date_arrived="2026-03-20", shipment_id="SHIP-1b")
    await desk.post("Inspection_Passed", item="line-1", inspection_date="2026-03-21")
    (case,) = await cases(slot, "office")
    assert case["outcome"] == "passed inspection on 2026-03-21."
    assert "passed inspection" in case["text"]


async def test_the_next_question_of_the_kind_shows_the_case_that_is_most_like_it(desk: Desk, slot: Slot) -> None:
    await open_building(desk)
    for number in range(7):
        await supply(desk, number)
    await desk.post("Shipment_Arrived_Site", item="line-2", date_arrived="2026-03-20", shipment_id="again")
    await desk.post("Inspection_Failed", item="line-2", inspection_date="2026-03-21")
    past = (await desk.question("inspection_failed")).evidence["past_cases"]
    assert len(past) == 5
    assert past[0]["item_id"] == "line-2"
    assert past[0]["decision"] == "approve"
    assert past[0]["outcome"] is None or "failed" in past[0]["outcome"]
    assert past[0]["approval_id"].startswith("office-")


async def test_a_vendors_real_lead_time_is_learned_against_its_promise(desk: Desk, slot: Slot) -> None:
    await open_building(desk)
    await desk.post("Submittal_Approved", item="line-1")
    await desk.post("Purchase_Order_Acknowledged", item="line-1", promised_date="2026-02-21")
    await desk.post("Shipment_Arrived_Site", item="line-1", date_arrived="2026-03-13")
    (fact,) = await facts(slot, "office", "lead_time")
    assert fact["value"] == {"days": 40, "promised": 20, "quoted": 20}
    assert fact["text"].startswith("Mill Ltd took 40 calendar days to deliver Line 1, promised 20")


async def test_a_newer_fact_replaces_the_one_it_contradicts_and_keeps_the_link(desk: Desk, slot: Slot) -> None:
    await open_building(desk)
    await supply(desk, 1)
    (old,) = await facts(slot, "office", "quality")
    assert old["value"] == {"passed": False}
    await desk.post("Shipment_Arrived_Site", item="line-1", date_arrived="2026-03-20", shipment_id="S2")
    await desk.post("Inspection_Passed", item="line-1", inspection_date="2026-03-21")
    (new,) = await facts(slot, "office", "quality")
    assert new["value"] == {"passed": True}
    (before,) = await slot.toolbox.memory.get("office", "facts", [new["replaces"]])
    assert before is not None
    assert before["value"] == {"passed": False}
    assert before["superseded_seq"] == new["seq"]


async def test_the_same_note_again_is_one_fact_with_both_its_sources(desk: Desk, slot: Slot) -> None:
    await open_building(desk)
    await desk.post("Human_Input", text="The crane is only there on Tuesdays.")
    await desk.post("Human_Input", text="the crane is only there on tuesdays!")
    await desk.post("Human_Input", text="Deliveries to gate 4.")
    found = await facts(slot, "office", "note")
    assert sorted(len(fact["sources"]) for fact in found) == [1, 2]
    (crane,) = [fact for fact in found if len(fact["sources"]) == 2]
    assert crane["sources"] == [1, 2]
    best = await slot.toolbox.memory.recall("office", "facts", Sought("when does the crane come?"))
    assert "crane" in best[0]["text"]


NOTE = team_note("the crane", "PM", None, date(2026, 2, 1), 5)


def test_learning_from_the_same_entry_twice_comes_to_the_same() -> None:
    (once,) = combined(None, NOTE)
    (twice,) = combined(once, NOTE)
    assert twice == once
    other = NOTE.model_copy(update={"value": {"said": "other"}, "seq": 9, "sources": [9]})
    new, old = combined(once, other)
    assert new.replaces == old.key == f"{NOTE.subject}@5"
    assert combined(new, other) == [new]


def test_an_event_that_was_tried_again_late_does_not_replace_what_is_newer() -> None:
    newer = NOTE.model_copy(update={"value": {"said": "other"}, "seq": 9, "sources": [9]})
    assert combined(newer, NOTE) == []


async def test_a_building_recalls_its_own_cases_unless_both_share_theirs(desk: Desk, slot: Slot) -> None:
    await open_building(desk)
    await supply(desk, 1)
    desk.building_id = "other"
    await open_building(desk)
    assert await cases(slot, "other") == []
    await share(desk, "office", "other")
    (case,) = await cases(slot, "other")
    assert case["elsewhere"]
    await desk.post("Inspection_Failed", item="line-3", inspection_date="2026-03-21")
    (past,) = (await desk.question("inspection_failed")).evidence["past_cases"]
    assert past["elsewhere"]
    assert "approval_id" not in past
    await desk.conn.execute("UPDATE buildings SET policy = '{}' WHERE building_id = 'office'")
    assert await cases(slot, "other") == []


async def share(desk: Desk, *building_ids: str) -> None:
    for building_id in building_ids:
        async with building_transaction(desk.conn, building_id) as transaction:
            policy = transaction.building.policy
            transaction.building.policy = policy.model_copy(update={"share_memory": True})


async def test_a_sandbox_has_the_memory_of_its_day_and_writes_only_its_own(desk: Desk, slot: Slot) -> None:
    await open_building(desk)
    await supply(desk, 1)
    upto = (await desk.event("e3"))["seq"] + 1
    await desk.post("Shipment_Arrived_Site", item="line-1", date_arrived="2026-03-20", shipment_id="S2")
    await desk.post("Inspection_Passed", item="line-1", inspection_date="2026-03-21")
    live = [await facts(slot, "office", "quality"), await cases(slot, "office")]

    desk.building_id = "sandbox"
    await open_building(desk)
    await desk.conn.execute(
        "UPDATE buildings SET mode = 'sandbox', last_seq = %s WHERE building_id = 'sandbox'", (upto,)
    )
    await copy_memory(desk.conn, "office", "sandbox", upto)
    (quality,) = await facts(slot, "sandbox", "quality")
    assert quality["value"] == {"passed": False}
    assert quality["superseded_seq"] is None
    (case,) = await cases(slot, "sandbox")
    assert case["outcome"] is None
    assert "passed inspection" not in case["text"]

    await supply(desk, 2)
    assert len(await cases(slot, "sandbox")) == 2
    assert [await facts(slot, "office", "quality"), await cases(slot, "office")] == live
    await share(desk, "office", "sandbox")
    assert not any(case.get("elsewhere") for case in await cases(slot, "sandbox") + await cases(slot, "office"))

    await desk.conn.execute("DELETE FROM buildings WHERE building_id = 'sandbox'")
    assert await cases(slot, "sandbox") == []
    assert len(await cases(slot, "office")) == 1


@pytest.mark.parametrize("query", ["", "& | ! ' :*", "\\", "a" * 5_000, "дверь 门 %s %(x)s"])
async def test_any_words_may_be_searched_for(desk: Desk, slot: Slot, query: str) -> None:
    await open_building(desk)
    await supply(desk, 1)
    assert len(await cases(slot, "office", query, kind="inspection_failed")) == 1
