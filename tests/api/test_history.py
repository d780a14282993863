"""The agent's steps can be looked back on, each with the event it belongs to; and the whole road over HTTP works."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from typing import Any

import httpx
import pytest

from runtime.drain import Drainer
from runtime.resources import Resources
from runtime.slots import SlotPool
from tests.api.office import APPROVED, BUILDING, EVENTS, assert_problem

pytestmark = pytest.mark.usefixtures("building")

AT = f"/buildings/{BUILDING}"
FAILED = {
    "event_type": "Inspection_Failed",
    "event_id": "qa-1",
    "item": "Steel Beams",
    "inspection_date": "2026-02-11",
    "document_url": "https://docs.example.com/qa-1",
    "document_name": "Report",
}
ARRIVED = {
    "event_type": "Shipment_Arrived_Site",
    "item": "Steel Beams",
    "date_arrived": "2026-02-10",
    "location_address": "the site",
}

Work = Callable[[], Awaitable[Any]]


@pytest.fixture
async def work(resources: Resources) -> AsyncIterator[Work]:
    """Process what waits in the building's inbox, as a worker does."""
    slots = SlotPool(resources.conninfo, resources.clock, 1, "test slot")
    drainer = Drainer(resources.settings, resources.clock, slots, asyncio.Event())
    yield lambda: drainer.drain(BUILDING)
    await slots.close()


async def test_a_failed_inspection_is_asked_about_and_the_answer_carried_out(
    client: httpx.AsyncClient, work: Work
) -> None:
    for event in (APPROVED, ARRIVED, FAILED):
        assert (await client.post(EVENTS, json=event)).status_code == 202
    await work()
    assert (await client.get(f"{EVENTS}/qa-1")).json()["status"] == "done"
    [asked] = (await client.get("/approvals", params={"status": "pending"})).json()["data"]
    assert (asked["kind"], asked["item_id"], asked["event_id"]) == ("inspection_failed", "steel-beams", "qa-1")
    assert len(asked["options"]) >= 3
    assert asked["options"][0]["actions"] == asked["recommended"]
    line = (await client.get(f"{AT}/items/steel-beams")).json()
    assert (line["on_hold_by"], line["quality"]) == (asked["approval_id"], "failed")

    body = {"type": "approve", "version": asked["version"], "message": "Order them again."}
    answering = asyncio.create_task(
        client.post(f"/approvals/{asked['approval_id']}/decision", json=body, headers={"Prefer": "wait=20"})
    )
    while not answering.done():
        await work()
        await asyncio.wait([answering], timeout=0.05)
    answer = answering.result()
    assert (answer.status_code, answer.json()["status"]) == (200, "applied")
    actions = (await client.get(f"{AT}/actions", params={"event_id": answer.json()["event_id"]})).json()["data"]
    assert actions[0]["name"] == asked["recommended"][0]["name"]
    assert actions[0]["responder"]["id"] == "local"
    decisions = (await client.get(f"{AT}/decisions")).json()["data"]
    assert [decision["message"] for decision in decisions if decision["responder"]["type"] == "human"] == [
        "Order them again."
    ]
    assert (await client.get(f"{AT}/items/steel-beams")).json()["on_hold_by"] is None


async def test_checkpoints_are_listed_newest_first_in_pages_with_their_event(
    client: httpx.AsyncClient, work: Work
) -> None:
    empty = (await client.get(f"{AT}/history")).json()
    assert empty == {"data": [], "next_cursor": None}
    await client.post(EVENTS, json=APPROVED)
    await work()
    whole = (await client.get(f"{AT}/history")).json()["data"]
    ids = [step["checkpoint_id"] for step in whole]
    assert ids == sorted(ids, reverse=True)
    assert {(step["event_id"], step["seq"], step["live"]) for step in whole} == {("docs-311", 1, True)}
    assert any("classify_event" in step["nodes"] for step in whole)
    seen, cursor = [], None
    while True:
        parameters = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await client.get(f"{AT}/history", params=parameters)).json()
        seen += [step["checkpoint_id"] for step in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids


async def test_each_step_is_listed_with_what_it_changed_and_nothing_else(client: httpx.AsyncClient, work: Work) -> None:
    for event in (APPROVED, ARRIVED, FAILED):
        await client.post(EVENTS, json=event)
    await work()
    steps = (await client.get(f"{AT}/history", params={"limit": 100})).json()["data"]
    assert len(steps) > 15
    assert all(step["nodes"] for step in steps)
    states = {one["checkpoint_id"]: await _state(client, one["checkpoint_id"]) for one in steps}
    for step, before in pairwise(steps):
        state, earlier = states[step["checkpoint_id"]], states[before["checkpoint_id"]]
        different = {name for name in state if name not in earlier or state[name] != earlier[name]}
        assert set(step["changed"]) & set(state) == different, step


async def _state(client: httpx.AsyncClient, checkpoint_id: str) -> dict[str, Any]:
    state: dict[str, Any] = (await client.get(f"{AT}/history/{checkpoint_id}")).json()["state"]
    return state


async def test_the_state_at_a_checkpoint_can_be_read(client: httpx.AsyncClient, work: Work) -> None:
    await client.post(EVENTS, json=APPROVED)
    await work()
    newest = (await client.get(f"{AT}/history", params={"limit": 1})).json()["data"][0]["checkpoint_id"]
    shown = (await client.get(f"{AT}/history/{newest}")).json()
    assert (shown["building_id"], shown["checkpoint_id"]) == (BUILDING, newest)
    assert shown["state"]
    assert_problem(await client.get(f"{AT}/history/no-such"), 404, "no-such")
    assert_problem(await client.get("/buildings/tower-9/history"), 404, "tower-9")
    assert_problem(await client.get(f"/buildings/tower-9/history/{newest}"), 404, "tower-9")
