"""What was done and decided is shown in order, with who decided and why."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from runtime.resources import Resources
from storage import ledger
from storage.ledger import EffectKey, Places, StoredDecision
from storage.transaction import building_transaction
from tests.api.office import APPROVED, BUILDING, EVENTS, raise_approval

pytestmark = pytest.mark.usefixtures("building")

AT = f"/buildings/{BUILDING}"
NOW = datetime(2026, 2, 3, 9, tzinfo=UTC)
POLICY = {"type": "automated_rule", "id": "policy", "name": "Policy"}


async def act(resources: Resources, seq: int, name: str, kind: str = "action", ordinal: int = 0) -> None:
    async with resources.pool.connection() as conn, building_transaction(conn, BUILDING) as transaction:
        ledger.record(
            transaction,
            EffectKey(BUILDING, seq, name, "steel-beams", ordinal),
            kind=kind,
            arguments={"item": "steel-beams"},
            result={"number": "PO-1"},
            responder=POLICY,
            at=NOW,
        )


async def data(client: httpx.AsyncClient, part: str, **parameters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get(f"{AT}/{part}", params=parameters)).json()["data"]
    return found


async def test_the_ledger_shows_actions_with_their_event_and_result_but_not_recorded_facts(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    await client.post(EVENTS, json=APPROVED)
    await act(resources, 1, "record_submittal", kind="fact")
    await act(resources, 1, "issue_purchase_order")
    assert await data(client, "actions") == [
        {
            "action_id": "1:issue_purchase_order:steel-beams:0",
            "name": "issue_purchase_order",
            "arguments": {"item": "steel-beams"},
            "result": {"number": "PO-1"},
            "event_id": "docs-311",
            "event_source": "docs",
            "responder": POLICY,
            "at": "2026-02-03T09:00:00Z",
        }
    ]


async def test_the_ledger_can_be_read_for_one_event_and_in_pages(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    for number in (1, 2):
        await client.post(EVENTS, json={**APPROVED, "event_id": f"e{number}"})
        await act(resources, number, "issue_purchase_order")
        await act(resources, number, "start_tracking")
    ids = [entry["action_id"] for entry in await data(client, "actions")]
    assert len(ids) == 4
    assert [entry["event_id"] for entry in await data(client, "actions", event_id="e2")] == ["e2", "e2"]
    assert await data(client, "actions", event_id="no-such") == []
    first = (await client.get(f"{AT}/actions", params={"limit": 3})).json()
    rest = await data(client, "actions", cursor=first["next_cursor"])
    assert [entry["action_id"] for entry in first["data"] + rest] == ids


async def test_the_decision_log_shows_who_decided_why_and_a_persons_own_words(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    approval_id = await raise_approval(resources)
    answer = {"type": "approve", "message": "We need them on Monday."}
    await client.post(f"/approvals/{approval_id}/decision", json=answer)
    stored = StoredDecision(
        building_id=BUILDING,
        seq=1,
        generation=0,
        step=0,
        type="approve",
        kind="inspection_failed",
        responder={"type": "human", "id": "local", "name": "local"},
        why="the recommendation was approved",
        actions=[{"name": "reorder_item", "arguments": {"item": "hvac-units"}}],
        at=NOW,
        item_id="hvac-units",
        approval_id=approval_id,
    )
    async with resources.pool.connection() as conn:
        await ledger.decide(conn, Places(BUILDING, 1, 0, 0, 0), [stored])
    [decision] = await data(client, "decisions")
    assert decision["why"] == "the recommendation was approved"
    assert decision["message"] == "We need them on Monday."
    assert decision["responder"]["id"] == "local"
    assert (decision["approval_id"], decision["item_id"]) == (approval_id, "hvac-units")
    assert decision["actions"][0]["name"] == "reorder_item"
