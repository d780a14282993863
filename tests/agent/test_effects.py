"""Every effect, called twice with the same key, acts once."""

from typing import Any

import pytest

from domain.actions import ACTION_NAMES, action
from domain.approvals import LOCAL_PERSON
from domain.errors import LedgerMismatchError
from domain.events import Entry
from storage import inbox
from tests.agent.desk import Desk
from tools.catalogue import EFFECTS
from tools.context import Toolbox
from tools.effects import carry_out

TABLES = (
    *("items", "purchase_orders", "purchase_order_lines", "shipments", "receipts", "inspections", "milestones"),
    *("messages", "flags", "schedules", "approvals", "changes", "actions", "outbox", "events"),
)

CASES: dict[str, dict[str, Any]] = {
    "issue_purchase_order": {"item": "doors"},
    "grant_delegation": {"kind": "inspection_failed", "actions": ["reorder_item"], "category": "08", "days": 30},
    "reorder_item": {"item": "steel", "reason": "failed"},
    "cancel_purchase_order": {"item": "steel"},
    "revise_purchase_order": {"order": "PO-office-0001", "lines": [{"item": "steel", "quantity": "7"}]},
    "start_tracking": {"item": "doors"},
    "flag_potential_issue": {"item": "steel", "band": "conflict", "detail": "late"},
    "notify_team": {"team": "receiving", "message": "it is here", "item": "steel"},
    "schedule_inspection": {"item": "steel", "on": "2026-02-12"},
    "change_required_by": {"item": "steel", "required_by": "2026-04-01"},
    "change_project_end": {"end_date": "2026-07-01"},
    "remove_item": {"item": "steel"},
    "expedite_order": {"item": "steel", "method": "air freight"},
    "repair_item": {"item": "steel"},
    "return_item": {"item": "steel"},
    "accept_as_is": {"item": "steel"},
    "hold_item": {"item": "steel", "until": "2026-03-03"},
    "complete_item": {"item": "doors", "unit_price": "120.50", "quantity": "4"},
    "judge_goods_taken_on": {"entry": 0, "verdict": "accept"},
    "request_information": {"item": "steel", "to": "vendor", "question": "when?"},
    "restate_event": {"event": {"event_type": "Human_Input", "text": "a note"}},
    "dismiss_event": {"note": "nothing to do"},
}


async def prepared(desk: Desk) -> tuple[Toolbox, Entry]:
    await desk.open(
        schedule={
            "project": {"name": "x"},
            "deliveries": [{"item": name, "required_by": "2026-03-01"} for name in ("Steel", "Doors")],
        },
    )
    await desk.post("Submittal_Approved", item="Steel")
    await desk.post("Shipment_Arrived_Site", item="Steel", date_arrived="2026-02-10")
    await desk.post("Inspection_Failed", item="Steel", inspection_date="2026-02-11")
    accepted = await inbox.accept(
        desk.conn,
        desk.building_id,
        source="test",
        event_id="by-hand",
        event_type="Human_Input",
        body={"event_type": "Human_Input", "text": "by hand"},
        now=desk.clock.now(),
    )
    entry = Entry(
        building_id=desk.building_id,
        seq=accepted.seq,
        source="test",
        event_id="by-hand",
        event_type="Human_Input",
        body={},
        received_at=desk.clock.now(),
    )
    return Toolbox(conn=desk.conn, clock=desk.clock), entry


async def snapshot(desk: Desk) -> dict[str, Any]:
    rows = {}
    for table in TABLES:
        cursor = await desk.conn.execute(f"SELECT to_jsonb(t) AS row FROM {table} t ORDER BY to_jsonb(t)::text")
        rows[table] = [row["row"] for row in await cursor.fetchall()]
    return rows


def test_every_action_has_a_case_and_an_effect() -> None:
    assert set(CASES) == set(ACTION_NAMES) == set(EFFECTS)


@pytest.mark.parametrize("name", ACTION_NAMES)
async def test_an_effect_called_twice_acts_once(desk: Desk, name: str) -> None:
    toolbox, entry = await prepared(desk)
    before = await snapshot(desk)
    made = action(name, **CASES[name])
    first = await carry_out(toolbox, entry, made, 0, LOCAL_PERSON)
    once = await snapshot(desk)
    again = await carry_out(toolbox, entry, made, 0, LOCAL_PERSON)
    assert once["actions"] != before["actions"]
    assert await snapshot(desk) == once
    assert again == first


async def test_the_same_key_with_other_arguments_is_an_error(desk: Desk) -> None:
    toolbox, entry = await prepared(desk)
    await carry_out(toolbox, entry, action("hold_item", item="steel", note="a"), 0, LOCAL_PERSON)
    once = await snapshot(desk)
    with pytest.raises(LedgerMismatchError, match="other arguments"):
        await carry_out(toolbox, entry, action("hold_item", item="steel", note="b"), 0, LOCAL_PERSON)
    assert await snapshot(desk) == once


@pytest.mark.parametrize("name", ACTION_NAMES)
async def test_what_may_not_act_only_tells_what_it_would_do(desk: Desk, name: str) -> None:
    toolbox, entry = await prepared(desk)
    before = await snapshot(desk)
    made = action(name, **CASES[name])
    toolbox.acts = False
    assert await carry_out(toolbox, entry, made, 0, LOCAL_PERSON) == {"would_do": made}
    assert await snapshot(desk) == before


async def test_every_change_of_a_row_leaves_its_after_image(desk: Desk) -> None:
    await prepared(desk)
    for table, key in (("items", "item_id"), ("purchase_orders", "number"), ("approvals", "approval_id")):
        cursor = await desk.conn.execute(
            f"""SELECT to_jsonb(t) - 'building_id' AS row,
                       (SELECT c.data FROM changes c WHERE c.building_id = t.building_id AND c.entity = %s
                           AND c.id = t.{key} ORDER BY c.position DESC LIMIT 1) AS image
                  FROM {table} t""",
            (table,),
        )
        rows = await cursor.fetchall()
        assert rows
        for row in rows:
            assert row["image"] is not None
            assert set(row["image"]) == set(row["row"])
            assert row["image"].get("status") == row["row"].get("status")
