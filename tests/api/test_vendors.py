"""Vendors of a building are added and changed by people who may, on the record; what stands is read by everybody."""

import asyncio
from typing import Any

import httpx
import pytest

from domain.buildings import MAX_VENDORS
from graph.forking import fork
from runtime.clock import SystemClock
from runtime.replay_by_hand import ByHand
from runtime.resources import Resources
from storage import replayed_changes
from storage.audit import Signature
from tests.api.office import ADMIN, APPROVER, BUILDING, MACHINE, READER, SENDER, SPEC, assert_problem, bearer, rows
from tests.api.test_bound_keys import MOMENT, WHO

AT = f"/buildings/{BUILDING}"
VENDORS = f"{AT}/vendors"
MILL: dict[str, Any] = {"vendor_id": "mill", "name": "Mill Road Steel", "contact": "orders@mill.example"}
NOBODY = {"logistics": None, "escalation": None}
STANDING = {**MILL, "contacts": {"orders": MILL["contact"], **NOBODY}, "approved": True}


async def listed(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get(VENDORS)).json()["data"]
    return found


async def audited(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """What was done to vendors, the newest first."""
    found = (await client.get(f"{AT}/audit")).json()["data"]
    return [one for one in found if one["what"].startswith("vendor_")]


async def test_a_vendor_is_added_once_and_read(client: httpx.AsyncClient, building: dict[str, Any]) -> None:
    assert await listed(client) == []
    added = await client.post(VENDORS, json=MILL)
    assert (added.status_code, added.json()) == (201, STANDING)
    again = await client.post(VENDORS, json=STANDING)
    assert (again.status_code, again.json()) == (200, STANDING)
    other = await client.post(VENDORS, json={**MILL, "contact": "thief@elsewhere.example"})
    assert_problem(other, 409, "PATCH /buildings/office-renovation/vendors/mill")
    assert await listed(client) == [STANDING]
    (record,) = await audited(client)
    assert (record["what"], record["subject"]) == ("vendor_added", "mill")
    assert record["detail"]["changed"]["contact"] == {"before": None, "after": "orders@mill.example"}


async def test_a_vendor_of_the_first_day_is_listed_with_those_that_came_later(client: httpx.AsyncClient) -> None:
    await client.post("/buildings", json={**SPEC, "vendors": [MILL, {"vendor_id": "a-pump", "name": "Pump Works"}]})
    await client.post(VENDORS, json={"vendor_id": "glass", "name": "Glass House", "approved": False})
    assert [one["vendor_id"] for one in await listed(client)] == ["a-pump", "glass", "mill"]
    first = (await client.get(VENDORS, params={"limit": 2})).json()
    rest = (await client.get(VENDORS, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [one["vendor_id"] for one in first["data"] + rest["data"]] == ["a-pump", "glass", "mill"]


@pytest.mark.parametrize(
    ("change", "stands"),
    [
        ({"name": "Mill Ltd"}, {**STANDING, "name": "Mill Ltd"}),
        (
            {"contact": "new@mill.example"},
            {**STANDING, "contact": "new@mill.example", "contacts": {"orders": "new@mill.example", **NOBODY}},
        ),
        ({"contact": None}, {**STANDING, "contact": None, "contacts": {"orders": None, **NOBODY}}),
        ({"approved": False}, {**STANDING, "approved": False}),
        ({"name": "Mill Ltd", "approved": False}, {**STANDING, "name": "Mill Ltd", "approved": False}),
    ],
)
async def test_what_is_given_replaces_what_stands_and_both_are_on_record(
    client: httpx.AsyncClient, building: dict[str, Any], change: dict[str, Any], stands: dict[str, Any]
) -> None:
    await client.post(VENDORS, json=MILL)
    changed = await client.patch(f"{VENDORS}/mill", json=change)
    assert (changed.status_code, changed.json()) == (200, stands)
    newest, _ = await audited(client)
    assert newest["what"] == "vendor_changed"
    assert newest["detail"]["changed"] == {
        name: {"before": STANDING[name], "after": value} for name, value in change.items()
    }


async def test_what_changes_nothing_leaves_no_trace(
    client: httpx.AsyncClient, building: dict[str, Any], resources: Resources
) -> None:
    await client.post(VENDORS, json=MILL)
    before = await rows(resources, "SELECT * FROM changes ORDER BY position"), await audited(client)
    for change in ({}, {"approved": True}, {"name": MILL["name"], "contact": MILL["contact"]}):
        assert (await client.patch(f"{VENDORS}/mill", json=change)).status_code == 200
    await client.post(VENDORS, json=MILL)
    assert (await rows(resources, "SELECT * FROM changes ORDER BY position"), await audited(client)) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "Mill"}, "vendor_id"),
        ({"vendor_id": "mill"}, "name"),
        ({"vendor_id": "no id!", "name": "Mill"}, "vendor_id"),
        ({**MILL, "approved": "yes"}, "approved"),
        ({**MILL, "bank_account": "1"}, "bank_account"),
        ([MILL], ""),
    ],
)
async def test_a_vendor_that_is_none_is_refused(
    client: httpx.AsyncClient, building: dict[str, Any], body: Any, field: str
) -> None:
    assert_problem(await client.post(VENDORS, json=body), 422, field)
    assert await listed(client) == []


@pytest.mark.parametrize("change", [{"name": None}, {"approved": None}, {"name": ""}, {"vendor_id": "x"}, {"zip": 1}])
async def test_a_change_that_is_none_is_refused(
    client: httpx.AsyncClient, building: dict[str, Any], change: dict[str, Any]
) -> None:
    await client.post(VENDORS, json=MILL)
    assert_problem(await client.patch(f"{VENDORS}/mill", json=change), 422)
    assert await listed(client) == [STANDING]


async def test_what_is_not_there_is_said_with_where_to_look(
    client: httpx.AsyncClient, building: dict[str, Any]
) -> None:
    assert_problem(await client.patch(f"{VENDORS}/nobody", json={"approved": False}), 404, "GET " + VENDORS)
    for asked in (client.get("/buildings/nowhere/vendors"), client.post("/buildings/nowhere/vendors", json=MILL)):
        assert_problem(await asked, 404, "nowhere")


async def test_only_a_person_with_the_role_adds_and_changes_and_every_key_reads(keyed: httpx.AsyncClient) -> None:
    await keyed.post("/buildings", json=SPEC, headers=bearer(ADMIN))
    assert (await keyed.post(VENDORS, json=MILL, headers=bearer(ADMIN))).status_code == 201
    for key in (READER, SENDER, APPROVER, MACHINE):
        assert_problem(await keyed.post(VENDORS, json={**MILL, "vendor_id": "x"}, headers=bearer(key)), 403)
        assert_problem(await keyed.patch(f"{VENDORS}/mill", json={"contact": "x"}, headers=bearer(key)), 403)
        assert (await keyed.get(VENDORS, headers=bearer(key))).json()["data"] == [STANDING]
    assert_problem(await keyed.post(VENDORS, json=MILL), 401)


async def test_of_many_who_add_the_same_vendor_at_once_one_does(
    client: httpx.AsyncClient, building: dict[str, Any]
) -> None:
    answers = await asyncio.gather(*(client.post(VENDORS, json=MILL) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len(await audited(client)) == 1


async def test_a_building_has_only_so_many_vendors(client: httpx.AsyncClient) -> None:
    many = [{"vendor_id": f"v-{number}", "name": f"Vendor {number}"} for number in range(MAX_VENDORS)]
    assert (await client.post("/buildings", json={**SPEC, "vendors": many})).status_code == 201
    assert_problem(await client.post(VENDORS, json=MILL), 409, str(MAX_VENDORS))
    assert (await client.post(VENDORS, json=many[7])).status_code == 200


async def test_a_fork_begins_with_the_vendors_of_its_moment_and_a_replay_adds_and_changes_them_again(
    client: httpx.AsyncClient, building: dict[str, Any], resources: Resources
) -> None:
    async with resources.pool.connection() as conn:
        before = await fork(conn, BUILDING, signature=Signature(WHO, MOMENT))
    await client.post(VENDORS, json=MILL)
    await client.patch(f"{VENDORS}/mill", json={"contact": None, "approved": False})
    now = await listed(client)
    async with resources.pool.connection() as conn:
        after = await fork(conn, BUILDING, signature=Signature(WHO, MOMENT))
    assert (await client.get(f"/buildings/{before.fork_id}/vendors")).json()["data"] == []
    assert (await client.get(f"/buildings/{after.fork_id}/vendors")).json()["data"] == now

    again = ByHand(SystemClock(), BUILDING, before.fork_id, {})
    async with resources.pool.connection() as conn:
        for change in await replayed_changes.read(conn, BUILDING, 0, []):
            await again.again(conn, change)
    assert again.remarks == []
    assert (await client.get(f"/buildings/{before.fork_id}/vendors")).json()["data"] == now


async def test_contacts_are_named_by_what_they_are_for_and_changed_one_by_one(
    client: httpx.AsyncClient, building: dict[str, Any]
) -> None:
    body = {
        "vendor_id": "mill",
        "name": "Mill",
        "contacts": {"orders": "o@mill.example", "logistics": "l@mill.example"},
    }
    added = (await client.post(VENDORS, json=body)).json()
    assert added["contact"] == "o@mill.example"
    assert added["contacts"] == {"orders": "o@mill.example", "logistics": "l@mill.example", "escalation": None}
    same = {**body, "contact": "o@mill.example", "contacts": {"logistics": "l@mill.example"}}
    assert (await client.post(VENDORS, json=same)).status_code == 200
    change = {"contacts": {"orders": "new@mill.example", "logistics": None, "escalation": "boss@mill.example"}}
    changed = (await client.patch(f"{VENDORS}/mill", json=change)).json()
    assert (changed["contact"], changed["contacts"]) == ("new@mill.example", change["contacts"])
    newest, _ = await audited(client)
    assert newest["by"]["name"]
    assert newest["detail"]["changed"] == {
        "contact": {"before": "o@mill.example", "after": "new@mill.example"},
        "contacts.logistics": {"before": "l@mill.example", "after": None},
        "contacts.escalation": {"before": None, "after": "boss@mill.example"},
    }


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({**MILL, "contact": "Mill orders@mill.example"}, "no mail address"),
        ({**MILL, "contacts": {"logistics": "a@b@c.example"}}, "no mail address"),
        ({**MILL, "contacts": {"orders": "other@mill.example"}}, "contacts.orders"),
        ({**MILL, "contacts": {"sales": "x@mill.example"}}, "sales"),
    ],
)
async def test_an_address_that_nothing_can_be_sent_to_is_refused_with_what_may_be_written(
    client: httpx.AsyncClient, building: dict[str, Any], body: dict[str, Any], said: str
) -> None:
    assert_problem(await client.post(VENDORS, json=body), 422, said)
    await client.post(VENDORS, json=MILL)
    change = {name: body[name] for name in ("contact", "contacts") if name in body}
    assert_problem(await client.patch(f"{VENDORS}/mill", json=change), 422, said)
    assert_problem(await client.post("/buildings", json={**SPEC, "building_id": "x", "vendors": [body]}), 422, said)


VENDOR_EVENT = {"event_type": "Items_Changed", "items": [], "vendors": [{**MILL, "approved": True}]}


async def test_only_a_person_who_may_change_vendors_sends_them_in_an_event(keyed: httpx.AsyncClient) -> None:
    await keyed.post("/buildings", json=SPEC, headers=bearer(ADMIN))
    events = f"{AT}/events"
    for key in (SENDER, APPROVER, MACHINE, READER):
        assert_problem(await keyed.post(events, json=VENDOR_EVENT, headers=bearer(key)), 403)
    cloud = {"specversion": "1.0", "id": "1", "source": "erp", "type": "Items_Changed", "data": VENDOR_EVENT}
    wrapped = {**bearer(SENDER), "Content-Type": "application/cloudevents+json"}
    assert_problem(await keyed.post(events, json=cloud, headers=wrapped), 403)
    assert (await keyed.get(VENDORS, headers=bearer(ADMIN))).json()["data"] == []
    assert (await keyed.get(f"{events}", headers=bearer(ADMIN))).json()["data"] == []
    assert (await keyed.post(events, json=VENDOR_EVENT, headers=bearer(ADMIN))).status_code == 202


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "items"),
        ({"vendors": []}, "items"),
        ({"vendors": [{"approved": True}]}, "vendor_id"),
        ({"vendors": [{"vendor_id": "mill", "contact": None}]}, "contact"),
        ({"vendors": [{"vendor_id": "mill", "contacts": {"logistics": None}}]}, "logistics"),
        ({"vendors": [{"vendor_id": "mill", "contact": "a b@c.example"}]}, "no mail address"),
    ],
)
async def test_an_event_with_a_vendor_that_is_none_is_refused(
    client: httpx.AsyncClient, building: dict[str, Any], fields: dict[str, Any], said: str
) -> None:
    refused = await client.post(f"{AT}/events", json={"event_type": "Items_Changed", **fields})
    assert_problem(refused, 422, said)
