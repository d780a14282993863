"""A key sees and does what it is bound to: its roles' events, its sources, its buildings; programs widen nothing."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from api.app import create_app
from domain.events import EVENT_TYPES
from domain.principals import EVENTS_BY_ROLE, ROLES, Author, Role
from domain.rules import Delegation, Rule
from graph.forking import fork
from runtime.resources import Resources
from runtime.settings import ApiKey
from storage.audit import Signature
from storage.transaction import building_transaction
from tests.api.office import ADMIN, APPROVED, BUILDING, EVENTS, MACHINE, SPEC, assert_problem, bearer, client_of
from tests.api.routes import IDS, Route, routes_of

MOMENT = datetime(2026, 2, 1, 9, tzinfo=UTC)
FOREIGN = "zebra-tower"
MARK = "zebra"
BOUND = ApiKey(key="bound-key-0123456789", id="bound", name="Bound", roles=["admin"], buildings=[BUILDING])
WHO = Author(type="human", id="local", name="local")


def key_with(**fields: Any) -> ApiKey:
    return ApiKey.model_validate(
        {"key": f"key-of-{json.dumps(fields, sort_keys=True)}", "id": "k", "name": "K", "roles": ["admin"]} | fields
    )


async def furnish(resources: Resources, building_id: str) -> dict[str, str]:
    """A building with one of everything; the ids by the names of addresses' parts."""
    spec = {**SPEC, "building_id": building_id, "name": f"Name of {building_id}"}
    spec["vendors"] = [{"vendor_id": "mill", "name": f"Mill of {building_id}"}]
    event = {**APPROVED, "event_id": f"event-{building_id}"}
    async with client_of(resources) as client:
        await client.post("/buildings", json=spec, headers=bearer(ADMIN))
        await client.post(f"/buildings/{building_id}/events", json=event, headers=bearer(ADMIN))
    approval = await raise_approval_of(resources, building_id)
    rule = Rule(
        rule_id="r17",
        kind="inspection_failed",
        title="Replace",
        text=f"Rule of {building_id}",
        actions=[],
        source="17.0",
        learned_from="PM",
        learned_at=MOMENT,
    )
    delegation = Delegation(
        delegation_id="d9", kind="inspection_failed", actions=["hold_item"], granted_by="PM", granted_at=MOMENT
    )
    async with resources.pool.connection() as conn:
        async with building_transaction(conn, building_id) as transaction:
            transaction.save(rule)
            transaction.save(delegation)
        made = await fork(conn, building_id, signature=Signature(WHO, MOMENT))
        message = await conn.execute(
            "INSERT INTO outbox (building_id, key, channel, recipient, subject, payload, status, created_at) "
            "VALUES (%s, 'k', 'log', %s, 'Hello', '{}', 'dead', now()) RETURNING outbox_id",
            (building_id, f"{building_id}@example.com"),
        )
        row = await message.fetchone()
        assert row is not None
    return {
        **IDS,
        "building_id": building_id,
        "event_id": event["event_id"],
        "approval_id": approval,
        "rule_id": f"{building_id}-r17",
        "delegation_id": f"{building_id}-d9",
        "outbox_id": str(row["outbox_id"]),
        "fork_id": made.fork_id,
    }


async def raise_approval_of(resources: Resources, building_id: str) -> str:
    from domain.approvals import Approval, Option

    approval = Approval.model_validate(
        {
            "approval_id": f"{building_id}-1-0",
            "key": "1.0",
            "item_id": "hvac-units",
            "kind": "inspection_failed",
            "summary": f"{building_id}: what now?",
            "options": [Option(title="Repair", actions=[{"name": "repair_item", "arguments": {"item": "hvac-units"}}])],
            "fingerprint": "f",
            "raised_at": MOMENT,
            "raised_seq": 0,
        }
    )
    async with resources.pool.connection() as conn, building_transaction(conn, building_id) as transaction:
        transaction.save(approval)
    return approval.approval_id


@pytest.fixture
def keys(resources: Resources) -> list[ApiKey]:
    resources.settings.api_keys = [ADMIN, MACHINE, BOUND]
    return resources.settings.api_keys


def bodies(route: Route, ids: dict[str, str]) -> dict[str, Any] | None:
    """A body that the route takes, for what these ids name."""
    return {
        "POST /buildings": {**SPEC, "building_id": ids["building_id"]},
        "PATCH /buildings/{building_id}": {"policy": {"po_limit": "1"}},
        "POST /buildings/{building_id}/vendors": {"vendor_id": "pump-works", "name": "Pump Works"},
        "PATCH /buildings/{building_id}/vendors/{vendor_id}": {"approved": False},
        "POST /buildings/{building_id}/events": {**APPROVED, "event_id": "new"},
        "POST /buildings/{building_id}/forks": {},
        "POST /approvals/{approval_id}/decision": {"type": "approve"},
        "PATCH /rules/{rule_id}": {"disabled": True},
        "POST /rules/{rule_id}/overrule": {"message": "no"},
        "POST /delegations": {
            "building_id": ids["building_id"],
            "kind": "inspection_failed",
            "actions": ["reorder_item"],
        },
        "POST /links/revoke": {"approval_id": ids["approval_id"]},
    }.get(str(route))


async def everything(resources: Resources) -> dict[str, Any]:
    """What is on file for the foreign building."""
    async with resources.pool.connection() as conn:
        counted = {}
        for table in (
            "events",
            "changes",
            "approvals",
            "rules",
            "delegations",
            "outbox",
            "forks",
            "buildings",
            "vendors",
        ):
            counted[table] = await (
                await conn.execute(f"SELECT * FROM {table} r WHERE r::text LIKE %s ORDER BY r::text", (f"%{MARK}%",))
            ).fetchall()
    return counted


@pytest.mark.usefixtures("keys")
async def test_nothing_of_another_building_is_in_any_answer_and_nothing_of_it_changes(resources: Resources) -> None:
    own, foreign = await furnish(resources, BUILDING), await furnish(resources, FOREIGN)
    forked = {**foreign, "building_id": foreign["fork_id"], "approval_id": f"{foreign['fork_id']}-1-0"}
    forked |= {"rule_id": f"{foreign['fork_id']}-r17", "delegation_id": f"{foreign['fork_id']}-d9"}
    before = await everything(resources)
    async with client_of(resources, client=("203.0.113.9", 1)) as client:
        for ids in (foreign, forked):
            absent = {name: value.replace(ids["building_id"], "nowhere") for name, value in ids.items()}
            absent |= {"outbox_id": "99999", "fork_id": "nowhere-fork-1", "building_id": "nowhere"}
            for route in routes_of(create_app(resources)):
                asked = await client.request(
                    route.method, route.path(ids), json=bodies(route, ids), headers=bearer(BOUND)
                )
                told = asked.text
                for sent in ids.values():  # what the caller sent themselves tells them nothing
                    told = told.replace(repr(sent), "")
                assert MARK not in told, (str(route), asked.text)
                if "{" in route.template or bodies(route, ids):
                    nothing = await client.request(
                        route.method, route.path(absent), json=bodies(route, absent), headers=bearer(BOUND)
                    )
                    assert asked.status_code in (403, 404), (str(route), asked.text)
                    assert nothing.status_code == asked.status_code, (str(route), asked.text, nothing.text)
                    assert _without(asked.text, ids) == _without(nothing.text, absent), str(route)
            for list_of in ("approvals", "rules", "delegations", "outbox"):
                named = await client.get(
                    f"/{list_of}", params={"building_id": ids["building_id"]}, headers=bearer(BOUND)
                )
                assert named.json()["data"] == []
    assert await everything(resources) == before
    assert own["building_id"] == BUILDING


def _without(text: str, ids: dict[str, str]) -> str:
    for value in sorted(ids.values(), key=len, reverse=True):
        text = text.replace(f"{value}", "...")
    return text


@pytest.mark.usefixtures("keys")
async def test_its_own_building_and_forks_are_open_to_it(resources: Resources) -> None:
    own, _ = await furnish(resources, BUILDING), await furnish(resources, FOREIGN)
    async with client_of(resources, client=("203.0.113.9", 1)) as client:
        for route in routes_of(create_app(resources)):
            if route.method == "GET" and "checkpoint" not in route.template:
                found = await client.get(route.path(own), headers=bearer(BOUND))
                assert found.status_code in (200, 503), (str(route), found.text)
        assert (await client.get(f"/buildings/{own['fork_id']}", headers=bearer(BOUND))).status_code == 200
        assert (await client.get(f"/buildings/{own['fork_id']}/items", headers=bearer(BOUND))).status_code == 200
        for list_of, number in (("buildings", 1), ("approvals", 1), ("rules", 1), ("delegations", 1), ("outbox", 1)):
            rows = (await client.get(f"/{list_of}", headers=bearer(BOUND))).json()["data"]
            assert [row["building_id"] for row in rows] == [BUILDING] * number, list_of
        sent = await client.post(f"/buildings/{own['fork_id']}/events", json=APPROVED, headers=bearer(BOUND))
        assert sent.status_code == 202
        assert (await client.post("/buildings", json=SPEC, headers=bearer(BOUND))).status_code in (200, 409)
        shared = await client.patch(f"/rules/{own['rule_id']}", json={"shared": True}, headers=bearer(BOUND))
        assert_problem(shared, 403, "share")


def test_the_events_of_a_role_exist() -> None:
    assert set().union(*EVENTS_BY_ROLE.values()) <= set(EVENT_TYPES)


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_sends_its_own_events_and_is_told_which_role_the_others_need(
    resources: Resources, role: Role
) -> None:
    key = key_with(roles=[role])
    resources.settings.api_keys = [ADMIN, key]
    allowed = {"events": set(EVENT_TYPES), "admin": set(EVENT_TYPES)}.get(role) or EVENTS_BY_ROLE.get(role, set())
    async with client_of(resources) as client:
        await client.post("/buildings", json=SPEC, headers=bearer(ADMIN))
        for event_type in EVENT_TYPES:
            sent = await client.post(EVENTS, json=event_of(event_type), headers=bearer(key))
            if event_type in allowed:
                assert sent.status_code == 202, sent.text
            else:
                assert_problem(sent, 403, "'events'")


REPORT = {"inspection_date": "2026-02-21", "document_url": "https://docs.example.com/1", "document_name": "Report"}
FIELDS: dict[str, dict[str, Any]] = {
    "Submittal_Approved": {"document_url": "https://docs.example.com/1", "document_name": "Steel Beams"},
    "Submittal_Rejected": {"reason": "wrong bolts"},
    "Purchase_Order_Acknowledged": {"promised_date": "2026-02-20"},
    "Shipment_Departed_Factory": {"eta": "2026-02-20", "date_departed": "2026-02-03", "location_address": "Mill"},
    "ETA_Changed": {"eta": "2026-02-20"},
    "Shipment_Arrived_Site": {"date_arrived": "2026-02-20", "location_address": "Gate 2"},
    "Inspection_Passed": REPORT,
    "Inspection_Failed": REPORT,
    "Message_Received": {"text": "hello"},
    "Human_Input": {"text": "hello"},
    "Schedule_Revised": {"schedule": SPEC["schedule"]},
    "Items_Changed": {"items": [{"item_id": "hvac-units", "quantity": "4"}]},
    "Event_Voided": {"source": "erp", "event_id": "4711", "reason": "sent by mistake"},
    "Building_Closed": {},
}
OF_NO_LINE = ("Message_Received", "Schedule_Revised", "Items_Changed", "Event_Voided", "Building_Closed")


def event_of(event_type: str) -> dict[str, Any]:
    """A small event of the type."""
    line = {} if event_type in OF_NO_LINE else {"item": "HVAC Units"}
    return {"event_type": event_type, "event_id": event_type, **line, **FIELDS[event_type]}


@pytest.mark.parametrize(
    ("sources", "given", "status", "stored"),
    [
        (None, None, 202, "api"),
        (None, "docs", 202, "docs"),
        (["erp"], None, 202, "erp"),
        (["erp"], "erp", 202, "erp"),
        (["erp"], "docs", 403, "'erp'"),
        (["erp"], "ERP", 403, "'erp'"),
        (["erp", "api"], None, 202, "api"),
        (["erp", "wms"], None, 422, "'erp', 'wms'"),
        (["erp", "wms"], "api", 403, "'erp', 'wms'"),
    ],
)
@pytest.mark.parametrize("as_cloud_event", [False, True])
async def test_a_key_sends_only_as_its_sources(
    resources: Resources, sources: list[str] | None, given: str | None, status: int, stored: str, as_cloud_event: bool
) -> None:
    if as_cloud_event and given is None:
        pytest.skip("a CloudEvent always names its source")
    key = key_with(type="automated_rule", roles=["events"], sources=sources)
    resources.settings.api_keys = [ADMIN, key]
    event = {name: value for name, value in APPROVED.items() if name != "source"} | ({"source": given} if given else {})
    headers = bearer(key)
    if as_cloud_event:
        data = {name: event[name] for name in ("item", "document_url", "document_name")}
        event = {"specversion": "1.0", "id": "e", "source": given, "type": "Submittal_Approved", "data": data}
        headers["content-type"] = "application/cloudevents+json"
    async with client_of(resources) as client:
        await client.post("/buildings", json=SPEC, headers=bearer(ADMIN))
        sent = await client.post(EVENTS, content=json.dumps(event), headers=headers)
        listed = (await client.get(EVENTS, headers=bearer(ADMIN))).json()["data"]
    if status == 202:
        assert (sent.status_code, [row["source"] for row in listed]) == (202, [stored])
    else:
        assert_problem(sent, status, stored)
        assert listed == []


WIDENING = {
    "PATCH /buildings/{building_id}",
    "POST /buildings/{building_id}/vendors",
    "PATCH /buildings/{building_id}/vendors/{vendor_id}",
    "POST /delegations",
    "DELETE /delegations/{delegation_id}",
    "PATCH /rules/{rule_id}",
    "POST /rules/{rule_id}/overrule",
    "POST /approvals/{approval_id}/link",
    "POST /buildings/{building_id}/log-link",
    "POST /links/revoke",
}
WITHIN = {
    "POST /buildings",  # it has no standing authority yet
    "POST /buildings/{building_id}/events",
    "POST /buildings/{building_id}/events/{event_id}/retry",
    "POST /buildings/{building_id}/forks",
    "DELETE /buildings/{building_id}/forks/{fork_id}",
    "POST /approvals/{approval_id}/decision",  # within what was delegated to it
    "POST /outbox/{outbox_id}/retry",
}


@pytest.mark.parametrize("kind", ["ai_agent", "automated_rule"])
async def test_what_widens_authority_needs_a_person_whatever_roles_a_program_has(
    resources: Resources, kind: str
) -> None:
    program = key_with(type=kind, roles=list(ROLES))
    resources.settings.api_keys = [ADMIN, program]
    ids = await furnish(resources, BUILDING)
    changing = [route for route in routes_of(create_app(resources)) if route.method != "GET"]
    assert {str(route) for route in changing} == WIDENING | WITHIN, "say whether the new route widens authority"
    async with client_of(resources) as client:
        for route in changing:
            if str(route) in WIDENING:
                sent = await client.request(
                    route.method, route.path(ids), json=bodies(route, ids), headers=bearer(program)
                )
                assert_problem(sent, 403, "Only a person may", kind)


@pytest.mark.parametrize("route", sorted(WIDENING))
async def test_a_person_may_do_what_widens_authority(resources: Resources, route: str) -> None:
    resources.settings.api_keys = [ADMIN]
    ids = await furnish(resources, BUILDING)
    method, template = route.split(" ")
    made = Route(method, template)
    async with client_of(resources) as client:
        sent = await client.request(method, made.path(ids), json=bodies(made, ids), headers=bearer(ADMIN))
    assert sent.status_code in (200, 201, 202, 409), sent.text


async def test_a_reader_reads_every_list_of_a_building(resources: Resources) -> None:
    reader = key_with(roles=["reader"])
    resources.settings.api_keys = [ADMIN, reader]
    ids = await furnish(resources, BUILDING)
    async with client_of(resources) as client:
        for route in routes_of(create_app(resources)):
            if route.method == "GET" and "checkpoint" not in route.template:
                assert (await client.get(route.path(ids), headers=bearer(reader))).status_code in (200, 503), str(route)
