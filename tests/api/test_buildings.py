"""Buildings are created once, shown with how far they are, and changed on the record."""

import hashlib
from typing import Any

import httpx
import pytest

from domain.buildings import BuildingSpec
from runtime.resources import Resources
from tests.api.office import APPROVED, BUILDING, EVENTS, SPEC, assert_problem, count, raise_approval, rows


async def test_the_smallest_building_is_created_with_a_line_for_each_delivery(
    client: httpx.AsyncClient, building: dict[str, Any]
) -> None:
    assert building["building_id"] == BUILDING
    assert building["thread_id"]
    assert building["progress"] == {"lines": {"planned": 2}, "doing": [], "waiting": 0, "blocked": []}
    items = (await client.get(f"/buildings/{BUILDING}/items")).json()["data"]
    assert [item["item_id"] for item in items] == ["hvac-units", "steel-beams"]


async def test_the_same_building_again_is_answered_with_it_and_another_content_with_409(
    client: httpx.AsyncClient, building: dict[str, Any]
) -> None:
    again = await client.post("/buildings", json=SPEC)
    assert again.status_code == 200
    assert again.json() == building
    other = await client.post("/buildings", json={**SPEC, "name": "Another"})
    assert_problem(other, 409, BUILDING, "PATCH")


async def test_a_building_is_the_same_however_its_body_is_written_and_whichever_version_stored_it(
    client: httpx.AsyncClient, building: dict[str, Any], resources: Resources
) -> None:
    defaults = {"policy": building["policy"], "items": [], "currency": building["currency"]}
    written = {**dict(reversed(SPEC.items())), **defaults}
    assert (await client.post("/buildings", json=written)).status_code == 200
    later = {"schedule": {"deliveries": {"__all__": {"quantity"}}}, "policy": {"tolerances"}}
    older = hashlib.sha256(BuildingSpec.model_validate(SPEC).model_dump_json(exclude=later).encode()).hexdigest()
    await rows(resources, f"UPDATE buildings SET spec_hash = '{older}' RETURNING 1")
    assert (await client.post("/buildings", json=SPEC)).status_code == 200
    assert (await client.post("/buildings", json={**SPEC, "policy": {"po_limit": "1"}})).status_code == 409


async def test_a_building_shows_what_it_is_doing_and_what_is_blocked_by_which_approval(
    client: httpx.AsyncClient, building: dict[str, Any], resources: Resources
) -> None:
    approval_id = await raise_approval(resources)
    await client.post(EVENTS, json=APPROVED)
    shown = (await client.get(f"/buildings/{BUILDING}")).json()
    assert [event["event_id"] for event in shown["progress"]["doing"]] == ["docs-311"]
    assert shown["progress"]["waiting"] == 1
    assert [(line["item_id"], line["approval_id"]) for line in shown["progress"]["blocked"]] == [
        ("hvac-units", approval_id)
    ]
    assert [approval["approval_id"] for approval in shown["pending_approvals"]] == [approval_id]
    assert shown["open_flags"] == []


async def test_a_change_of_policy_keeps_the_other_fields_and_is_logged_with_who_made_it(
    client: httpx.AsyncClient, building: dict[str, Any], resources: Resources
) -> None:
    changed = await client.patch(f"/buildings/{BUILDING}", json={"policy": {"po_limit": "50000.00"}})
    assert changed.status_code == 200
    assert changed.json()["policy"] == {**building["policy"], "po_limit": "50000.00"}
    logged = await rows(resources, "SELECT data FROM changes WHERE entity = 'building_change'")
    assert logged[0]["data"]["by"] == {"type": "human", "id": "local", "name": "local"}


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"policy": {"po_limit": -1}}, "policy.po_limit"),
        ({"policy": {"no_such": 1}}, "policy.no_such"),
        ({"name": "x"}, "name"),
        ({"approvers": [{"role": "pm"}]}, "approvers.0.name"),
    ],
)
async def test_a_wrong_change_is_refused_with_its_field_and_nothing_changes(
    client: httpx.AsyncClient, building: dict[str, Any], patch: dict[str, Any], field: str
) -> None:
    problem = assert_problem(await client.patch(f"/buildings/{BUILDING}", json=patch), 422, field)
    assert problem["errors"][0]["field"] == field
    assert (await client.get(f"/buildings/{BUILDING}")).json() == building


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"building_id": "no spaces"}, "building_id"),
        ({"name": "a\x00b"}, "name"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"schedule": {"project": {"name": "x"}, "deliveries": [{"item": "A"}]}}, "schedule.deliveries.0.required_by"),
        (
            {"schedule": {"project": {"name": "x", "start_date": "2026-02-30"}, "deliveries": []}},
            "schedule.project.start_date",
        ),
        ({"items": [{"name": "A", "vendor_id": "nobody"}]}, "body"),
        ({"contacts": {"receiving": {"nam": "x"}}}, "contacts.receiving.nam"),
    ],
)
async def test_a_wrong_building_is_refused_with_its_field_and_not_created(
    client: httpx.AsyncClient, resources: Resources, change: dict[str, Any], field: str
) -> None:
    problem = assert_problem(await client.post("/buildings", json={**SPEC, **change}), 422)
    assert field in [error["field"] for error in problem["errors"]]
    assert await count(resources, "buildings") == 0


async def test_emoji_and_other_scripts_in_names_are_kept(client: httpx.AsyncClient) -> None:
    name = "Büro 🏗️ 東京"
    created = await client.post("/buildings", json={**SPEC, "name": name})
    assert created.status_code == 201
    assert created.json()["name"] == name


async def test_an_unknown_building_is_404_everywhere(client: httpx.AsyncClient) -> None:
    for part in ("", "/events", "/items", "/purchase-orders", "/shipments", "/inspections", "/flags"):
        assert_problem(await client.get(f"/buildings/tower-9{part}"), 404, "tower-9")
    for part in ("/messages", "/schedule", "/actions", "/decisions", "/events/x", "/items/x"):
        assert_problem(await client.get(f"/buildings/tower-9{part}"), 404, "tower-9")
    assert_problem(await client.patch("/buildings/tower-9", json={}), 404, "tower-9")
    assert_problem(await client.post("/buildings/tower-9/events", json=APPROVED), 404, "tower-9")


async def test_lists_come_in_pages_that_neither_repeat_nor_leave_out_a_row(client: httpx.AsyncClient) -> None:
    ids = [f"b{number}" for number in range(7)]
    for building_id in ids:
        await client.post("/buildings", json={**SPEC, "building_id": building_id})
    seen, cursor = [], None
    while True:
        parameters = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = (await client.get("/buildings", params=parameters)).json()
        seen += [building["building_id"] for building in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "cursor=nonsense", "cursor=WyJhXHUwMDAwYiJd", "cursor=WzFd"]
)
async def test_a_wrong_page_is_refused_with_its_parameter(client: httpx.AsyncClient, query: str) -> None:
    problem = assert_problem(await client.get(f"/buildings?{query}"), 422)
    assert problem["errors"][0]["field"] == query.partition("=")[0]
