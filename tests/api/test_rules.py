"""Rules and delegations over REST: people read, correct and grant; programs stay within what was granted to them."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from domain.rules import Delegation, Rule
from runtime.resources import Resources
from storage.transaction import building_transaction
from tests.api.office import ADMIN, APPROVER, BUILDING, MACHINE, READER, assert_problem, bearer, raise_approval, rows

pytestmark = pytest.mark.usefixtures("building")

RULE = f"{BUILDING}-r17"
MOMENT = datetime(2026, 2, 1, 9, tzinfo=UTC)
GRANT: dict[str, Any] = {"building_id": BUILDING, "kind": "inspection_failed", "actions": ["reorder_item"]}


async def learned(resources: Resources, **fields: Any) -> None:
    rule = Rule(
        **{
            "rule_id": "r17",
            "kind": "inspection_failed",
            "title": "Replace",
            "text": "When an inspection fails: replace. Learned from Project manager on HVAC Units.",
            "actions": [{"name": "reorder_item", "arguments": {"item": "{item}"}}],
            "source": "17.0",
            "learned_from": "Project manager on HVAC Units",
            "learned_at": MOMENT,
            "confirmed": 3,
            "streak": 3,
            **fields,
        }
    )
    async with resources.pool.connection() as conn, building_transaction(conn, BUILDING) as transaction:
        transaction.save(rule)


DECIDED = f"""
INSERT INTO decisions (building_id, seq, generation, step, item_id, type, kind, responder, why, actions, basis, at)
VALUES ('{BUILDING}', 25, 0, 500000, 'hvac-units', 'act', 'inspection_failed',
        '{{"type": "automated_rule", "id": "rule:r17", "name": "Learned rule r17"}}', 'as learned', '[]',
        '{{"rule_id": "r17", "delegation_id": "d9", "policy": "delegated by Project manager"}}', now()) RETURNING 1"""


async def test_rules_are_listed_read_and_show_what_they_come_from(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    assert (await client.get("/rules")).json() == {"data": [], "next_cursor": None}
    await learned(resources)
    (listed,) = (await client.get("/rules", params={"building_id": BUILDING, "status": "active"})).json()["data"]
    assert listed == (await client.get(f"/rules/{RULE}")).json()
    assert (listed["rule_id"], listed["source_approval"]) == (RULE, f"{BUILDING}-17-0")
    assert (listed["standing"], listed["in_a_row"], listed["autonomy_after"]) == ("trusted", 3, 3)
    assert_problem(await client.get(f"/rules/{BUILDING}-r18"), 404, "r18")
    assert_problem(await client.get("/rules/nothing"), 404, "nothing")


@pytest.mark.parametrize(
    ("patch", "shown"),
    [
        ({"text": "Replace what fails."}, {"text": "Replace what fails."}),
        ({"disabled": True}, {"standing": "disabled"}),
        ({"autonomy": "recommend"}, {"autonomy": "recommend", "standing": "recommends"}),
        ({"shared": True}, {"shared": True}),
    ],
)
async def test_a_person_changes_a_rule_and_it_is_known_who(
    client: httpx.AsyncClient, resources: Resources, patch: dict[str, Any], shown: dict[str, Any]
) -> None:
    await learned(resources)
    changed = await client.patch(f"/rules/{RULE}", json=patch)
    assert changed.status_code == 200, changed.text
    assert shown.items() <= changed.json().items()
    assert changed.json()["edited_by"] == "local"
    (image,) = await rows(resources, "SELECT data FROM changes WHERE entity = 'rules' ORDER BY position DESC LIMIT 1")
    assert image["data"]["edited_by"] == "local"


async def test_a_rule_that_is_switched_on_again_starts_over(client: httpx.AsyncClient, resources: Resources) -> None:
    await learned(resources, status="disabled")
    again = (await client.patch(f"/rules/{RULE}", json={"disabled": False})).json()
    assert (again["standing"], again["in_a_row"], again["confirmed"]) == ("recommends", 0, 3)
    assert_problem(await client.patch(f"/rules/{RULE}", json={}), 422, "at least one")
    assert_problem(await client.patch(f"/rules/{RULE}", json={"actions": []}), 422, "actions")
    assert_problem(await client.patch("/rules/nobody-r1", json={"shared": True}), 404, "nobody-r1")


async def test_switching_a_rule_off_withdraws_what_it_asked_for(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    await learned(resources)
    asked = await raise_approval(resources, item=None, kind="delegation_request", subject={"rule_id": "r17"})
    await client.patch(f"/rules/{RULE}", json={"disabled": True})
    assert (await client.get(f"/approvals/{asked}")).json()["status"] == "withdrawn"


async def test_a_person_delegates_and_takes_it_back(client: httpx.AsyncClient, resources: Resources) -> None:
    granted = await client.post("/delegations", json={**GRANT, "amount_limit": "10000", "item": "HVAC Units"})
    assert granted.status_code == 201, granted.text
    made = granted.json()
    assert (made["item_id"], made["amount_limit"], made["granted_by"]) == ("hvac-units", "10000", "local")
    assert (made["status"], made["granted_to"], made["expires_at"]) == ("active", "rules", None)
    (listed,) = (await client.get("/delegations", params={"building_id": BUILDING})).json()["data"]
    assert listed == made
    for _ in range(2):
        revoked = await client.delete(f"/delegations/{made['delegation_id']}")
        assert (revoked.status_code, revoked.json()["status"]) == (200, "revoked")
    assert (await client.get("/delegations", params={"status": "active"})).json()["data"] == []
    assert_problem(await client.delete(f"/delegations/{BUILDING}-d999"), 404, "d999")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"kind": "hold_expired"}, "kind"),
        ({"actions": ["grant_delegation"]}, "actions"),
        ({"actions": ["buy_lunch"]}, "actions"),
        ({"actions": []}, "actions"),
        ({"amount_limit": "-1"}, "amount_limit"),
        ({"granted_to": "nobody"}, "granted_to"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2090-01-01T00:00:00Z", "days": 3}, "expires_at"),
    ],
)
async def test_what_cannot_be_delegated_is_refused_with_the_field(
    client: httpx.AsyncClient, resources: Resources, changed: dict[str, Any], field: str
) -> None:
    problem = assert_problem(await client.post("/delegations", json={**GRANT, **changed}), 422)
    assert problem["errors"][0]["field"].startswith(field)
    assert await rows(resources, "SELECT 1 FROM delegations") == []


async def test_unknown_buildings_and_lines_are_not_found(client: httpx.AsyncClient) -> None:
    assert_problem(await client.post("/delegations", json={**GRANT, "building_id": "nowhere"}), 404, "nowhere")
    assert_problem(await client.post("/delegations", json={**GRANT, "item": "Roof"}), 404, "Roof")


async def test_only_people_with_the_role_of_an_approver_teach_and_delegate(
    keyed: httpx.AsyncClient, resources: Resources
) -> None:
    await learned(resources)
    for key, status in ((READER, 403), (MACHINE, 403), (APPROVER, 200), (ADMIN, 200)):
        patched = await keyed.patch(f"/rules/{RULE}", json={"shared": False}, headers=bearer(key))
        assert patched.status_code == status, key.name
        granted = await keyed.post("/delegations", json=GRANT, headers=bearer(key))
        assert granted.status_code == {200: 201}.get(status, status), key.name
        overruled = await keyed.post(f"/rules/{RULE}/overrule", json={}, headers=bearer(key))
        assert overruled.status_code == {200: 409}.get(status, status), key.name
        assert (await keyed.get("/rules", headers=bearer(key))).status_code == 200


async def test_a_program_answers_only_what_was_delegated_to_it(keyed: httpx.AsyncClient, resources: Resources) -> None:
    asked = await raise_approval(resources)
    answer = f"/approvals/{asked}/decision"
    refused = await keyed.post(answer, json={"type": "approve"}, headers=bearer(MACHINE))
    assert_problem(refused, 403, "inspection_failed", "needs a person")
    await keyed.post("/delegations", json=GRANT, headers=bearer(APPROVER))
    again = await keyed.post(answer, json={"type": "approve"}, headers=bearer(MACHINE))
    assert_problem(again, 403, "needs a person")  # that was granted to the rules, not to this key
    await keyed.post("/delegations", json={**GRANT, "granted_to": MACHINE.id}, headers=bearer(APPROVER))
    other = [{"name": "repair_item", "arguments": {"item": "hvac-units"}}]
    beyond = await keyed.post(answer, json={"type": "edit", "actions": other}, headers=bearer(MACHINE))
    assert_problem(beyond, 403)
    taken = await keyed.post(answer, json={"type": "approve"}, headers=bearer(MACHINE))
    assert taken.status_code == 202, taken.text


async def test_what_a_rule_decided_is_overruled_once_and_shown_in_the_log(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    await learned(resources)
    assert_problem(await client.post(f"/rules/{RULE}/overrule", json={}), 409, "nothing alone")
    await rows(resources, DECIDED)
    (entry,) = (await client.get(f"/buildings/{BUILDING}/decisions")).json()["data"]
    assert (entry["rule_id"], entry["delegation_id"]) == (RULE, f"{BUILDING}-d9")
    assert entry["policy_line"] == "delegated by Project manager"
    unknown = [{"name": "repair_item", "arguments": {"item": "Roof"}}]
    assert_problem(await client.post(f"/rules/{RULE}/overrule", json={"actions": unknown}), 422, "Roof")
    first = await client.post(f"/rules/{RULE}/overrule", json={"message": "No.", "entry": 25})
    assert first.status_code == 202
    assert first.json()["decided_at"] == 25
    second = await client.post(f"/rules/{RULE}/overrule", json={})
    assert (second.status_code, second.json()) == (200, first.json())
    (queued,) = await rows(resources, "SELECT body, sent_by FROM events WHERE event_type = 'Rule_Overruled'")
    assert queued["body"]["responder"]["name"] == "local"
    assert queued["sent_by"] == {"type": "human", "id": "local", "name": "local", "via": "local"}


async def test_a_decision_that_was_overruled_takes_no_other_actions_and_says_so(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    await learned(resources)
    await rows(resources, DECIDED)
    actions = [{"name": "repair_item", "arguments": {"item": "HVAC Units"}}]
    first = await client.post(f"/rules/{RULE}/overrule", json={"actions": actions})
    assert (await client.post(f"/rules/{RULE}/overrule", json={"actions": actions})).json() == first.json()
    actions[0]["name"] = "return_item"
    assert_problem(await client.post(f"/rules/{RULE}/overrule", json={"actions": actions}), 409, "other actions")
    assert len(await rows(resources, "SELECT seq FROM events")) == 1


async def test_a_delegation_row_is_saved_with_its_after_image(client: httpx.AsyncClient, resources: Resources) -> None:
    await client.post("/delegations", json=GRANT)
    (image,) = await rows(resources, "SELECT data FROM changes WHERE entity = 'delegations'")
    assert Delegation.model_validate(image["data"]).actions == ["reorder_item"]
