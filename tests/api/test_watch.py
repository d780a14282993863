"""Watch over REST: who may switch, what is shown, and what a body says of it."""

from typing import Any

import httpx
import pytest

from domain.events import INTERNAL_TYPES
from runtime.resources import Resources
from tests.api.office import (
    ADMIN,
    APPROVED,
    APPROVER,
    BUILDING,
    EVENTS,
    MACHINE,
    READER,
    SENDER,
    SPEC,
    assert_problem,
    bearer,
    count,
    rows,
)

PATH = f"/buildings/{BUILDING}"


async def test_a_building_is_created_in_watch_and_is_the_same_whatever_its_mode(client: httpx.AsyncClient) -> None:
    made = await client.post("/buildings", json={**SPEC, "mode": "watch"})
    assert (made.status_code, made.json()["mode"]) == (201, "watch")
    assert made.json()["would_do"] == {"orders": [], "chases": []}
    for again in (SPEC, {**SPEC, "mode": "watch"}, {**SPEC, "mode": "live"}):
        response = await client.post("/buildings", json=again)
        assert (response.status_code, response.json()["mode"]) == (200, "watch")
    assert [one["mode"] for one in (await client.get("/buildings")).json()["data"]] == ["watch"]


async def test_without_a_mode_a_building_is_live(client: httpx.AsyncClient, building: dict[str, Any]) -> None:
    assert (building["mode"], building["would_do"], building["acts_from"]) == ("live", None, None)


async def test_a_person_switches_and_it_is_audited_with_before_and_after(
    client: httpx.AsyncClient, building: dict[str, Any], resources: Resources
) -> None:
    assert (await client.patch(PATH, json={"mode": "watch"})).json()["mode"] == "watch"
    assert (await client.patch(PATH, json={"mode": "watch"})).json()["mode"] == "watch"
    live = (await client.patch(PATH, json={"mode": "live"})).json()
    assert (live["mode"], live["going_live"]) == ("watch", True)  # until its entry is processed
    (listed,) = (await client.get("/buildings")).json()["data"]
    assert (listed["mode"], listed["going_live"]) == ("watch", True)
    assert live["would_do"] == {"orders": [], "chases": []}
    assert (await client.get(PATH)).json() == live
    audited = (await client.get(f"{PATH}/audit")).json()["data"]
    assert [one["detail"]["changed"] for one in audited if one["what"] == "building_changed"] == [
        {"mode": {"before": "watch", "after": "live"}},
        {"mode": {"before": "live", "after": "watch"}},
    ]
    (entry,) = await rows(resources, "SELECT event_type, source, sent_by FROM events")
    assert (entry["event_type"], entry["source"]) == ("Building_Went_Live", "longlead.internal")
    assert entry["sent_by"]["type"] == "human"


@pytest.mark.parametrize("mode", ["live", "watch"])
@pytest.mark.parametrize("key", [READER, SENDER, APPROVER, MACHINE], ids=lambda key: key.name)
async def test_nobody_but_a_person_with_admin_switches(
    building: dict[str, Any], keyed: httpx.AsyncClient, key: Any, mode: str
) -> None:
    for now in ("watch", "live"):
        assert (await keyed.patch(PATH, json={"mode": now}, headers=bearer(ADMIN))).status_code == 200
        refused = await keyed.patch(PATH, json={"mode": mode}, headers=bearer(key))
        assert_problem(refused, 403)
        shown = (await keyed.get(PATH, headers=bearer(ADMIN))).json()
        assert (shown["mode"], shown["going_live"]) == ("watch", now == "live")


@pytest.mark.parametrize("mode", ["sandbox", "replay", "", "Watch", True])
async def test_another_mode_is_refused_with_its_field(
    client: httpx.AsyncClient, building: dict[str, Any], mode: Any
) -> None:
    assert_problem(await client.patch(PATH, json={"mode": mode}), 422, "mode")
    assert_problem(await client.post("/buildings", json={**SPEC, "building_id": "b2", "mode": mode}), 422, "mode")


async def test_a_fork_is_not_switched(client: httpx.AsyncClient) -> None:
    await client.post("/buildings", json={**SPEC, "mode": "watch"})
    made = (await client.post(f"{PATH}/forks", json={})).json()
    assert_problem(await client.patch(f"/buildings/{made['fork_id']}", json={"mode": "live"}), 409, "fork")


@pytest.mark.parametrize("event_type", INTERNAL_TYPES)
async def test_entries_that_only_longlead_writes_are_refused(
    client: httpx.AsyncClient, building: dict[str, Any], resources: Resources, event_type: str
) -> None:
    assert_problem(await client.post(EVENTS, json={**APPROVED, "event_type": event_type}), 422, "only Longlead")
    assert await count(resources, "events") == 0
