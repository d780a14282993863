"""Forks over REST: made at any point, listed, sent events and answers, compared, deleted; each by who may."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from runtime.drain import Drainer
from runtime.resources import Resources
from runtime.slots import SlotPool
from tests.api.office import (
    ADMIN,
    APPROVED,
    APPROVER,
    BUILDING,
    EVENTS,
    READER,
    SENDER,
    SPEC,
    assert_problem,
    bearer,
)

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
HOLD = {"name": "hold_item", "arguments": {"item": "steel-beams", "until": "2027-03-01", "note": "ask the mill"}}

Work = Callable[[str], Awaitable[Any]]


@pytest.fixture
async def work(resources: Resources) -> AsyncIterator[Work]:
    """Process what waits in a building's inbox, as a worker does."""
    slots = SlotPool(resources.conninfo, resources.clock, 1, "test slot")
    drainer = Drainer(resources.settings, resources.clock, slots, asyncio.Event())
    yield drainer.drain
    await slots.close()


async def _question_of(client: httpx.AsyncClient, building_id: str) -> dict[str, Any]:
    found = await client.get("/approvals", params={"status": "pending", "building_id": building_id})
    (asked,) = found.json()["data"]
    assert isinstance(asked, dict)
    return asked


async def test_another_decision_is_tried_on_a_fork_and_compared_with_reality(
    client: httpx.AsyncClient, work: Work
) -> None:
    for event in (APPROVED, FAILED):
        await client.post(EVENTS, json=event)
    await work(BUILDING)
    asked = await _question_of(client, BUILDING)
    await client.post(f"/approvals/{asked['approval_id']}/decision", json={"type": "approve", "message": "Replace."})
    await work(BUILDING)

    made = await client.post(f"{AT}/forks", json={"before_event": 3})
    assert made.status_code == 201, made.text
    fork = made.json()
    assert made.headers["location"] == f"/buildings/{fork['fork_id']}"
    assert (fork["building_id"], fork["after_event"], fork["exact"], fork["note"]) == (BUILDING, 2, True, None)
    assert fork["created_by"]["id"] == "local"
    shown = (await client.get(f"/buildings/{fork['fork_id']}")).json()
    assert (shown["mode"], shown["origin"]) == ("sandbox", BUILDING)

    again = await _question_of(client, fork["fork_id"])
    assert again["approval_id"] == f"{fork['fork_id']}-2-0"
    await client.post(f"/approvals/{again['approval_id']}/decision", json={"type": "edit", "actions": [HOLD]})
    await work(fork["fork_id"])

    listed = (await client.get(f"{AT}/forks")).json()["data"]
    assert [(one["fork_id"], one["events_since"], one["pending_approvals"]) for one in listed] == [
        (fork["fork_id"], 1, 0)
    ]
    diff = (await client.get(f"{AT}/forks/{fork['fork_id']}/diff")).json()
    assert (diff["after_event"], diff["really_until"], diff["here_until"]) == (2, 3, 3)
    (line,) = diff["lines"]
    assert {"what": "held_until", "really": None, "here": "2027-03-01"} in line["changes"]
    (order,) = diff["orders"]
    assert (order["round"], order["here"]) == (2, None)
    assert order["really"]["number"] == f"PO-{BUILDING}-0002"
    (question,) = diff["approvals"]
    assert question["really"].startswith("approved by local: reorder item steel-beams")
    assert question["here"] == "decided otherwise by local: hold item steel-beams 2027-03-01"
    assert [decision["type"] for decision in diff["decisions"]["here"]] == ["edit"]
    assert diff["messages"]["here"] == []
    assert [event["event_type"] for event in diff["events"]["here"]] == ["Decision"]

    deleted = await client.delete(f"{AT}/forks/{fork['fork_id']}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert_problem(await client.get(f"/buildings/{fork['fork_id']}"), 404)
    assert_problem(await client.get(f"{AT}/forks/{fork['fork_id']}/diff"), 404, "no fork")


async def test_a_fork_that_does_the_same_does_not_differ(client: httpx.AsyncClient, work: Work) -> None:
    await client.post(EVENTS, json=APPROVED)
    await work(BUILDING)
    for event in (FAILED,):
        await client.post(EVENTS, json=event)
    await work(BUILDING)
    fork = (await client.post(f"{AT}/forks", json={"before_event": 2})).json()
    await client.post(f"/buildings/{fork['fork_id']}/events", json=FAILED)
    repeated = await client.post(f"/buildings/{fork['fork_id']}/events", json=APPROVED)
    assert (repeated.status_code, repeated.json()["seq"]) == (200, 1), "it knows what it has had"
    await work(fork["fork_id"])
    diff = (await client.get(f"{AT}/forks/{fork['fork_id']}/diff")).json()
    assert {name: value for name, value in diff.items() if isinstance(value, list) and value} == {}
    for part in ("decisions", "messages", "events"):
        assert diff[part] == {"really": [], "here": []}


async def test_forks_are_listed_with_their_building_and_nowhere_else(client: httpx.AsyncClient, work: Work) -> None:
    await client.post(EVENTS, json=FAILED)
    await work(BUILDING)
    fork = (await client.post(f"{AT}/forks", json={})).json()
    buildings = (await client.get("/buildings")).json()["data"]
    assert [one["building_id"] for one in buildings] == [BUILDING]
    pending = (await client.get("/approvals", params={"status": "pending"})).json()["data"]
    assert [one["building_id"] for one in pending] == [BUILDING]
    assert (await _question_of(client, fork["fork_id"]))["building_id"] == fork["fork_id"]
    second = (await client.post(f"/buildings/{fork['fork_id']}/forks", json={})).json()
    assert second["building_id"] == fork["fork_id"]
    assert_problem(await client.delete(f"{AT}/forks/{fork['fork_id']}"), 409, second["fork_id"])
    assert_problem(await client.delete(f"{AT}/forks/{second['fork_id']}"), 404, "no fork")


async def test_a_point_that_is_not_there_is_said(client: httpx.AsyncClient) -> None:
    assert_problem(await client.post("/buildings/nowhere/forks", json={}), 404, "nowhere")
    assert_problem(await client.post(f"{AT}/forks", json={"before_event": 7}), 404, "no event 7")
    assert_problem(await client.post(f"{AT}/forks", json={"checkpoint_id": "x"}), 404, "no checkpoint")
    both = await client.post(f"{AT}/forks", json={"checkpoint_id": "x", "before_event": 1})
    assert_problem(both, 422, "not both")
    problem = assert_problem(await client.post(f"{AT}/forks", json={"before_event": 0}), 422)
    assert problem["errors"][0]["field"] == "before_event"
    assert_problem(await client.get("/buildings/nowhere/forks"), 404)


async def test_readers_look_and_approvers_try(keyed: httpx.AsyncClient) -> None:
    await keyed.post("/buildings", json=SPEC, headers=bearer(ADMIN))
    for key, status in ((READER, 403), (SENDER, 403), (APPROVER, 201)):
        made = await keyed.post(f"{AT}/forks", json={}, headers=bearer(key))
        assert made.status_code == status
    fork_id = made.json()["fork_id"]
    assert (await keyed.get(f"{AT}/forks", headers=bearer(READER))).status_code == 200
    assert (await keyed.get(f"{AT}/forks/{fork_id}/diff", headers=bearer(READER))).status_code == 200
    assert (await keyed.delete(f"{AT}/forks/{fork_id}", headers=bearer(READER))).status_code == 403
    assert (await keyed.delete(f"{AT}/forks/{fork_id}", headers=bearer(APPROVER))).status_code == 204
