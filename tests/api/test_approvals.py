"""A question is answered once, by whoever is first, and nobody's words are read further than they go."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from runtime.resources import Resources
from runtime.settings import ApiKey
from tests.api.office import (
    APPROVER,
    BUILDING,
    SENDER,
    assert_problem,
    bearer,
    client_of,
    count,
    finish_first_event,
    raise_approval,
    rows,
)

pytestmark = pytest.mark.usefixtures("building")

Answer = dict[str, Any]
SECOND_APPROVER = ApiKey(key="second-key-0123456789", id="qs", name="Quantity surveyor", roles=["approver"])


def decision_of(approval_id: str) -> str:
    return f"/approvals/{approval_id}/decision"


def edit(name: str, **arguments: str) -> Answer:
    return {"type": "edit", "actions": [{"name": name, "arguments": {"item": "hvac-units", **arguments}}]}


async def test_an_approval_shows_its_recommendation_options_and_evidence(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    approval_id = await raise_approval(resources, evidence={"days_left": 6}, refused=1)
    shown = (await client.get(f"/approvals/{approval_id}")).json()
    assert shown["building_id"] == BUILDING
    assert shown["item_id"] == "hvac-units"
    assert shown["recommended"] == [{"name": "repair_item", "arguments": {"item": "hvac-units"}}]
    assert [option["title"] for option in shown["options"]] == ["Replace", "Repair"]
    assert shown["options"][0]["cost"] == "unknown"
    assert (shown["status"], shown["version"], shown["evidence"]) == ("pending", 1, {"days_left": 6})
    assert_problem(await client.get("/approvals/no-such"), 404, "no-such")


async def test_approvals_are_listed_by_status_and_building_the_oldest_first(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    newer = await raise_approval(resources, number=2)
    older = await raise_approval(resources, number=1, item="steel-beams")
    await raise_approval(resources, number=3, item=None, status="withdrawn")
    parameters = {"status": "pending", "building_id": BUILDING, "limit": 1}
    first = (await client.get("/approvals", params=parameters)).json()
    second = (await client.get("/approvals", params={**parameters, "cursor": first["next_cursor"]})).json()
    assert [approval["approval_id"] for approval in first["data"] + second["data"]] == [older, newer]
    assert second["next_cursor"] is None
    elsewhere = (await client.get("/approvals", params={"building_id": "tower-9"})).json()
    assert elsewhere == {"data": [], "next_cursor": None}


async def test_an_answer_is_accepted_into_the_inbox_with_who_gave_it(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    approval_id = await raise_approval(resources)
    answer = {"type": "approve", "version": 1, "message": "go"}
    response = await client.post(decision_of(approval_id), json=answer)
    assert response.status_code == 202
    accepted = response.json()
    assert accepted == {
        "approval_id": approval_id,
        "event_id": accepted["event_id"],
        "seq": 1,
        "status": "accepted",
        "version": 1,
    }
    [entry] = await rows(resources, "SELECT event_type, source, body FROM events")
    assert (entry["event_type"], entry["source"]) == ("Decision", "longlead.decision")
    assert entry["body"]["decision"]["responder"] == {"type": "human", "id": "local", "name": "local"}
    shown = (await client.get(f"/approvals/{approval_id}")).json()
    assert shown["status"] == "decided"
    assert (shown["decision"]["type"], shown["decision"]["why"], shown["decision"]["status"]) == (
        "approve",
        "go",
        "accepted",
    )


async def test_100_concurrent_decisions_are_one_202_and_99_conflicts_with_the_standing_one(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    approval_id = await raise_approval(resources)
    answers: list[Answer] = [{"type": "approve"}, {"type": "reject"}]
    responses = await asyncio.gather(
        *(client.post(decision_of(approval_id), json=answers[number % 2]) for number in range(100))
    )
    assert Counter(response.status_code for response in responses) == {202: 1, 409: 99}
    assert await count(resources, "events") == 1
    standing = (await client.get(f"/approvals/{approval_id}")).json()["decision"]
    refused = [response.json() for response in responses if response.status_code == 409]
    assert {problem["decision"]["type"] for problem in refused} == {standing["type"]}


async def test_the_same_idempotency_key_again_gets_the_first_answer(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    approval_id = await raise_approval(resources)
    key = {"Idempotency-Key": "click-1"}
    responses = await asyncio.gather(
        *(client.post(decision_of(approval_id), json={"type": "approve"}, headers=key) for _ in range(20))
    )
    assert {response.status_code for response in responses} == {202}
    assert {response.text for response in responses} == {responses[0].text}
    assert await count(resources, "events") == 1
    other = {"Idempotency-Key": "click-2"}
    assert_problem(await client.post(decision_of(approval_id), json={"type": "approve"}, headers=other), 409)


async def test_the_same_idempotency_key_with_another_answer_is_refused_and_says_so(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    approval_id = await raise_approval(resources)
    key = {"Idempotency-Key": "click-1"}
    said: Answer = {"type": "approve", "message": "As proposed.", "occurred_at": "2026-02-23T10:00:00Z"}
    first = await client.post(decision_of(approval_id), json=said, headers=key)
    assert first.status_code == 202
    others: list[Answer] = [
        {**said, "type": "reject"},
        {**said, "message": "Something else."},
        {**said, "occurred_at": "2026-02-23T11:00:00Z"},
        {**said, "version": 7},
        {"type": "approve"},
        edit("repair_item"),
    ]
    for other in others:
        refused = await client.post(decision_of(approval_id), json=other, headers=key)
        problem = assert_problem(refused, 409, "Idempotency-Key", "another answer")
        assert problem["decision"]["why"] == "As proposed."
    again = await client.post(decision_of(approval_id), json=said, headers=key)
    assert (again.status_code, again.json()) == (202, first.json())
    assert await count(resources, "events") == 1


async def test_two_answers_at_once_with_one_idempotency_key_are_one_202_and_one_refusal(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    approval_id = await raise_approval(resources)
    key = {"Idempotency-Key": "click-1"}
    answers: list[Answer] = [{"type": "approve"}, {"type": "reject"}]
    responses = await asyncio.gather(
        *(client.post(decision_of(approval_id), json=answers[number % 2], headers=key) for number in range(20))
    )
    standing = (await client.get(f"/approvals/{approval_id}")).json()["decision"]["type"]
    for number, response in enumerate(responses):
        assert response.status_code == (202 if answers[number % 2]["type"] == standing else 409), response.text


@pytest.mark.parametrize("other", ["reject", "approve"])
async def test_another_senders_idempotency_key_is_another_key(
    keyed: httpx.AsyncClient, resources: Resources, other: str
) -> None:
    approval_id = await raise_approval(resources)
    resources.settings.api_keys.append(SECOND_APPROVER)
    key = {"Idempotency-Key": "click-1"}
    async with client_of(resources, client=("203.0.113.9", 1)) as caller:
        address = decision_of(approval_id)
        first = await caller.post(address, json={"type": "approve"}, headers=bearer(APPROVER) | key)
        assert first.status_code == 202
        refused = await caller.post(address, json={"type": other}, headers=bearer(SECOND_APPROVER) | key)
    problem = assert_problem(refused, 409, "takes no further answer")
    assert (problem["decision"]["type"], problem["decision"]["responder"]["id"]) == ("approve", APPROVER.id)
    assert await count(resources, "events") == 1


async def test_an_answer_to_an_older_version_is_refused_with_the_one_that_stands(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    approval_id = await raise_approval(resources, version=3)
    refused = await client.post(decision_of(approval_id), json={"type": "approve", "version": 2})
    assert assert_problem(refused, 409, "version 3")["version"] == 3
    assert await count(resources, "events") == 0


async def test_an_edit_names_lines_in_any_spelling_and_stores_their_ids(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    approval_id = await raise_approval(resources)
    actions = [
        {"name": "hold_item", "arguments": {"item": "hvac  UNITS", "note": "dent is hidden"}},
        {"name": "restate_event", "arguments": {"event": {"event_type": "Human_Input", "text": "as said"}}},
    ]
    response = await client.post(decision_of(approval_id), json={"type": "edit", "actions": actions})
    assert response.status_code == 202
    stored = (await rows(resources, "SELECT body FROM events"))[0]["body"]["decision"]["actions"]
    assert stored[0] == {"name": "hold_item", "arguments": {"item": "hvac-units", "note": "dent is hidden"}}
    assert stored[1]["name"] == "restate_event"


async def test_what_cannot_be_done_is_refused_whole_with_the_reason(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    approval_id = await raise_approval(resources)
    tell = {"name": "notify_team", "arguments": {"team": "receiving", "message": "cancelled", "item": "hvac-units"}}
    cancel = {"name": "cancel_purchase_order", "arguments": {"item": "HVAC Units"}}
    refused = await client.post(decision_of(approval_id), json={"type": "edit", "actions": [tell, cancel]})
    problem = assert_problem(refused, 422, "has no order to cancel")
    assert "cancel_purchase_order" in problem["detail"]
    assert await count(resources, "events") == 0
    assert (await client.get(f"/approvals/{approval_id}")).json()["status"] == "pending"


@pytest.mark.parametrize(
    ("answer", "field", "words"),
    [
        ({"type": "maybe"}, "type", "approve"),
        ({}, "type", "is required"),
        ({"type": "approve", "responder": {"id": "me"}}, "responder", "not a known field"),
        ({**edit("start_tracking"), "type": "approve"}, "actions", "only type edit"),
        ({"type": "edit"}, "actions", "needs the actions"),
        ({"type": "edit", "actions": []}, "actions", "at least 1"),
        (edit("fly"), "actions.0", "fly"),
        (edit("hold_item", untl="x"), "actions.0.arguments.untl", "not a known field"),
        (edit("reorder_item", item="HVAC Unit"), "actions.0.arguments.item", "closest are HVAC Units"),
        ({"type": "respond"}, "message", "needs a message"),
        ({"type": "respond", "message": "yes, but only half of them"}, "message", "no model is configured"),
        ({"type": "approve", "version": 0}, "version", "greater"),
        ({"type": "approve", "message": "a\x00"}, "message", "NUL"),
        ({"type": "approve", "occurred_at": "9999-12-31T23:59:59"}, "occurred_at", "1900 to 2200"),
    ],
)
async def test_a_wrong_answer_is_refused_with_its_field_and_the_approval_stays_open(
    client: httpx.AsyncClient, resources: Resources, answer: Answer, field: str, words: str
) -> None:
    approval_id = await raise_approval(resources)
    problem = assert_problem(await client.post(decision_of(approval_id), json=answer), 422, words)
    assert problem["errors"][0]["field"] == field
    assert (await client.get(f"/approvals/{approval_id}")).json()["status"] == "pending"
    assert await count(resources, "events") == 0


@pytest.mark.parametrize(("message", "kind"), [("Yes!", "approve"), ("  nope. ", "reject"), ("Go ahead", "approve")])
async def test_a_plain_yes_or_no_is_understood_and_kept_in_the_persons_words(
    client: httpx.AsyncClient, resources: Resources, message: str, kind: str
) -> None:
    approval_id = await raise_approval(resources)
    response = await client.post(decision_of(approval_id), json={"type": "respond", "message": message})
    assert response.status_code == 202
    decision = (await client.get(f"/approvals/{approval_id}")).json()["decision"]
    assert (decision["type"], decision["why"]) == (kind, message.strip())


async def test_nothing_can_be_approved_where_nothing_is_recommended(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    approval_id = await raise_approval(resources, refused=2)
    assert_problem(await client.post(decision_of(approval_id), json={"type": "approve"}), 422, "edit or reject")


async def test_whoever_answers_is_who_the_key_says(keyed: httpx.AsyncClient, resources: Resources) -> None:
    approval_id = await raise_approval(resources)
    refused = await keyed.post(decision_of(approval_id), json={"type": "approve"}, headers=bearer(SENDER))
    assert_problem(refused, 403, "approver")
    await keyed.post(decision_of(approval_id), json={"type": "approve"}, headers=bearer(APPROVER))
    shown = (await keyed.get(f"/approvals/{approval_id}", headers=bearer(APPROVER))).json()
    assert shown["decision"]["responder"] == {"type": "human", "id": "pm", "name": "Project manager"}


@pytest.mark.parametrize("outcome", ["applied", "outdated"])
async def test_a_waited_answer_says_whether_it_was_applied(
    client: httpx.AsyncClient, resources: Resources, outcome: str
) -> None:
    approval_id = await raise_approval(resources)

    worker = asyncio.create_task(finish_first_event(resources, {"decision": outcome}))
    response = await client.post(decision_of(approval_id), json={"type": "approve"}, headers={"Prefer": "wait=10"})
    await worker
    assert response.status_code == 200
    assert response.headers["preference-applied"] == "wait"
    assert response.json()["status"] == outcome
