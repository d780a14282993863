"""Everything that changes something has an author: whatever address it was sent to, who did it can be read."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi.routing import APIRoute

from api.app import create_app
from runtime.resources import Resources
from runtime.settings import ApiKey
from storage.retention import Policy, prune_all
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
    client_of,
    raise_approval,
    rows,
)
from tests.api.test_rules import DECIDED, GRANT, RULE, learned

AT = f"/buildings/{BUILDING}"
AUDIT = f"{AT}/audit"
SPECIAL = ApiKey(key="special-key-0123456789", id="special", name="Somebody special", roles=["admin"])
"""The caller whose traces are looked for; everything else is prepared by others."""

GIVEN_UP = f"""
INSERT INTO outbox (building_id, key, channel, recipient, subject, payload, status, attempts, error, created_at)
VALUES ('{BUILDING}', 'a-key', 'vendor', 'vendor', 'Order', '{{}}', 'dead', 8, 'refused', now()) RETURNING outbox_id"""
DIED = "UPDATE events SET status = 'dead', error = 'no vendor', finished_at = now() RETURNING 1"

# Wherever somebody's name is kept with what they did.
TRACES = """
SELECT 'event ' || event_type AS trace FROM events WHERE sent_by ->> 'id' = 'special'
UNION ALL SELECT 'decision ' || kind FROM decisions WHERE responder ->> 'id' = 'special'
UNION ALL SELECT what FROM audit WHERE by ->> 'id' = 'special' ORDER BY 1"""


@dataclass
class Desk:
    """A client of a service with keys, and what others have prepared."""

    client: httpx.AsyncClient
    resources: Resources

    async def prepare(self, method: str, path: str, **request: Any) -> Any:
        """Somebody else's request."""
        response = await self.client.request(method, path, headers=bearer(ADMIN), **request)
        assert response.is_success, response.text
        return response.json()

    async def act(self, method: str, path: str, **request: Any) -> None:
        """The request of the caller whose traces are looked for."""
        response = await self.client.request(method, path, headers=bearer(SPECIAL), **request)
        assert response.is_success, response.text


@pytest.fixture
async def desk(resources: Resources) -> AsyncIterator[Desk]:
    resources.settings.api_keys = [ADMIN, SPECIAL]
    async with client_of(resources, client=("203.0.113.9", 1)) as client:
        made = Desk(client, resources)
        await made.prepare("POST", "/buildings", json=SPEC)
        yield made


async def _create_building(desk: Desk) -> None:
    await desk.act("POST", "/buildings", json={**SPEC, "building_id": "another"})


async def _change_building(desk: Desk) -> None:
    await desk.act("PATCH", AT, json={"policy": {"po_limit": "50000"}})


async def _add_vendor(desk: Desk) -> None:
    await desk.act("POST", f"{AT}/vendors", json={"vendor_id": "mill", "name": "Mill"})


async def _change_vendor(desk: Desk) -> None:
    await desk.prepare("POST", f"{AT}/vendors", json={"vendor_id": "mill", "name": "Mill"})
    await desk.act("PATCH", f"{AT}/vendors/mill", json={"approved": False})


async def _send_event(desk: Desk) -> None:
    await desk.act("POST", EVENTS, json=APPROVED)


async def _retry_event(desk: Desk) -> None:
    await desk.prepare("POST", EVENTS, json=APPROVED)
    await rows(desk.resources, DIED)
    await desk.act("POST", f"{EVENTS}/docs-311/retry")


async def _decide(desk: Desk) -> None:
    asked = await raise_approval(desk.resources)
    await desk.act("POST", f"/approvals/{asked}/decision", json={"type": "approve"})


async def _answer_on_the_page(desk: Desk) -> None:
    asked = await raise_approval(desk.resources)
    made = await desk.client.post(f"/approvals/{asked}/link", headers=bearer(SPECIAL))
    path = urlsplit(made.json()["url"]).path
    form = {"answer": "approve", "version": "1", "answer_id": "an-answer-of-mine"}
    answered = await desk.client.post(path, data=form)
    assert answered.status_code == 303, answered.text


async def _change_rule(desk: Desk) -> None:
    await learned(desk.resources)
    await desk.act("PATCH", f"/rules/{RULE}", json={"disabled": True})


async def _overrule(desk: Desk) -> None:
    await learned(desk.resources)
    await rows(desk.resources, DECIDED)
    await desk.act("POST", f"/rules/{RULE}/overrule", json={})


async def _delegate(desk: Desk) -> None:
    await desk.act("POST", "/delegations", json=GRANT)


async def _revoke(desk: Desk) -> None:
    granted = await desk.prepare("POST", "/delegations", json=GRANT)
    await desk.act("DELETE", f"/delegations/{granted['delegation_id']}")


async def _make_fork(desk: Desk) -> None:
    await desk.act("POST", f"{AT}/forks", json={})


async def _delete_fork(desk: Desk) -> None:
    made = await desk.prepare("POST", f"{AT}/forks", json={})
    await desk.act("DELETE", f"{AT}/forks/{made['fork_id']}")


async def _retry_message(desk: Desk) -> None:
    (given_up,) = await rows(desk.resources, GIVEN_UP)
    await desk.act("POST", f"/outbox/{given_up['outbox_id']}/retry")


async def _link_to_question(desk: Desk) -> None:
    await desk.act("POST", f"/approvals/{await raise_approval(desk.resources)}/link")


async def _link_to_log(desk: Desk) -> None:
    await desk.act("POST", f"{AT}/log-link")


async def _revoke_links(desk: Desk) -> None:
    await desk.act("POST", "/links/revoke", json={"all": True})


Recipe = Callable[[Desk], Awaitable[None]]
RECIPES: dict[str, tuple[Recipe, str]] = {
    "POST /buildings": (_create_building, "building_created"),
    "PATCH /buildings/{building_id}": (_change_building, "building_changed"),
    "POST /buildings/{building_id}/vendors": (_add_vendor, "vendor_added"),
    "PATCH /buildings/{building_id}/vendors/{vendor_id}": (_change_vendor, "vendor_changed"),
    "POST /buildings/{building_id}/events": (_send_event, "event Submittal_Approved"),
    "POST /buildings/{building_id}/events/{event_id:path}/retry": (_retry_event, "event_retried"),
    "POST /approvals/{approval_id}/decision": (_decide, "decision_given"),
    "POST /pages/approval/{token}": (_answer_on_the_page, "decision_given"),
    "PATCH /rules/{rule_id}": (_change_rule, "rule_changed"),
    "POST /rules/{rule_id}/overrule": (_overrule, "event Rule_Overruled"),
    "POST /delegations": (_delegate, "delegation_granted"),
    "DELETE /delegations/{delegation_id}": (_revoke, "delegation_revoked"),
    "POST /buildings/{building_id}/forks": (_make_fork, "fork_made"),
    "DELETE /buildings/{building_id}/forks/{fork_id}": (_delete_fork, "fork_deleted"),
    "POST /outbox/{outbox_id}/retry": (_retry_message, "message_retried"),
    "POST /approvals/{approval_id}/link": (_link_to_question, "link_made"),
    "POST /buildings/{building_id}/log-link": (_link_to_log, "link_made"),
    "POST /links/revoke": (_revoke_links, "links_revoked"),
}
"""How each address is used once, and the trace that its user leaves."""


def test_every_address_that_changes_something_is_tried(resources: Resources) -> None:
    """A new one needs its recipe here, and leaves an author behind: an event, a decision or a row of the audit."""
    app = create_app(resources)
    addresses = set(_addresses(app.routes))
    assert addresses == set(RECIPES)
    paths = app.openapi()["paths"]
    described = {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}
    changing = {address for address in described if not address.startswith("GET ")}
    assert changing <= {address.replace(":path}", "}") for address in addresses}


def _addresses(routes: Iterable[Any]) -> Iterator[str]:
    """Method and path of all routes that change something, those of the pages too."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield from (f"{method} {route.path}" for method in route.methods - {"GET", "HEAD"})
        elif hasattr(route, "original_router"):
            yield from _addresses(route.original_router.routes)


@pytest.mark.parametrize("address", RECIPES)
async def test_whoever_uses_an_address_that_changes_something_is_named(desk: Desk, address: str) -> None:
    recipe, trace = RECIPES[address]
    assert await rows(desk.resources, TRACES) == []
    await recipe(desk)
    assert trace in [row["trace"] for row in await rows(desk.resources, TRACES)]
    named = await rows(
        desk.resources,
        "SELECT DISTINCT by FROM (SELECT by FROM audit UNION ALL SELECT sent_by FROM events) a "
        "WHERE by ->> 'id' = 'special'",
    )
    via = "link" if "/pages/" in address else "key"
    assert {"type": "human", "id": "special", "name": "Somebody special", "via": via} in [row["by"] for row in named]


async def test_what_was_done_is_read_newest_first_with_before_and_after(
    client: httpx.AsyncClient, building: dict[str, Any]
) -> None:
    contacts = {**building["contacts"], "receiving": "gate@office.example"}
    changed = await client.patch(AT, json={"policy": {"po_limit": "50000"}, "contacts": contacts})
    assert changed.status_code == 200, changed.text
    granted = (await client.post("/delegations", json=GRANT)).json()
    found = (await client.get(AUDIT)).json()
    assert found["next_cursor"] is None
    delegated, change, created = found["data"]
    assert [one["what"] for one in found["data"]] == ["delegation_granted", "building_changed", "building_created"]
    assert delegated["subject"] == granted["delegation_id"]
    assert delegated["detail"]["granted"]["actions"] == ["reorder_item"]
    assert change["detail"]["changed"] == {
        "policy.po_limit": {"before": building["policy"].get("po_limit"), "after": "50000"},
        "contacts.receiving": {"before": None, "after": "gate@office.example"},
    }
    assert (created["subject"], created["building_id"]) == (BUILDING, BUILDING)
    assert created["by"] == {"type": "human", "id": "local", "name": "local", "via": "local"}


async def test_the_audit_is_read_in_pages_and_by_what_was_done(
    client: httpx.AsyncClient, building: dict[str, Any]
) -> None:
    for limit in range(1, 6):
        await client.patch(AT, json={"policy": {"po_limit": str(limit)}})
    seen: list[int] = []
    cursor: str | None = None
    while True:
        given = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await client.get(AUDIT, params=given)).json()
        seen += [one["number"] for one in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == 6
    assert seen == sorted(seen, reverse=True)
    created = (await client.get(AUDIT, params={"what": "building_created"})).json()["data"]
    assert [one["number"] for one in created] == [seen[-1]]
    assert_problem(await client.get(AUDIT, params={"what": "nothing"}), 422)
    assert_problem(await client.get("/buildings/nowhere/audit"), 404, "nowhere")


async def test_everybody_with_a_key_may_read_it_and_nobody_else(keyed: httpx.AsyncClient) -> None:
    await keyed.post("/buildings", json=SPEC, headers=bearer(ADMIN))
    for key in (READER, SENDER, APPROVER):
        (created,) = (await keyed.get(AUDIT, headers=bearer(key))).json()["data"]
        assert (created["by"]["id"], created["by"]["via"]) == ("it", "key")
    assert_problem(await keyed.get(AUDIT), 401)


async def test_what_changes_nothing_or_is_refused_leaves_no_trace(
    client: httpx.AsyncClient, building: dict[str, Any]
) -> None:
    before = (await client.get(AUDIT)).json()
    assert (await client.post("/buildings", json=SPEC)).status_code == 200
    assert (await client.post("/buildings", json={**SPEC, "name": "Other"})).status_code == 409
    assert (await client.patch(AT, json={"policy": {"po_limit": "-1"}})).status_code == 422
    assert (await client.patch(AT, json={"policy": building["policy"]})).status_code == 200
    assert (await client.delete(f"{AT}/forks/{BUILDING}-fork-9")).status_code == 404
    assert (await client.get(AUDIT)).json() == before


async def test_a_link_is_never_in_the_audit(client: httpx.AsyncClient, building: dict[str, Any]) -> None:
    link = (await client.post(f"{AT}/log-link")).json()
    listed = await client.get(AUDIT)
    assert listed.json()["data"][0]["what"] == "link_made"
    assert link["url"].rpartition("/")[2] not in listed.text


async def test_a_building_that_is_gone_still_tells_who_did_what(
    client: httpx.AsyncClient, building: dict[str, Any]
) -> None:
    made = (await client.post(f"{AT}/forks", json={})).json()["fork_id"]
    await client.patch(f"/buildings/{made}", json={"policy": {"po_limit": "7"}})
    assert (await client.delete(f"{AT}/forks/{made}")).status_code == 204
    assert_problem(await client.get(f"/buildings/{made}"), 404)
    (changed,) = (await client.get(f"/buildings/{made}/audit")).json()["data"]
    assert changed["what"] == "building_changed"
    told = [(one["what"], one["subject"]) for one in (await client.get(AUDIT)).json()["data"]]
    assert told == [("fork_deleted", made), ("fork_made", made), ("building_created", BUILDING)]


async def test_retention_keeps_the_audit_for_good(
    client: httpx.AsyncClient, building: dict[str, Any], resources: Resources
) -> None:
    await client.patch(AT, json={"policy": {"po_limit": "7"}})
    before = (await client.get(AUDIT)).json()
    later = resources.clock.now() + timedelta(days=3650)
    async with resources.pool.connection() as conn:
        await prune_all(conn, Policy(events=1, days=1, finished_days=1), later)
    assert (await client.get(AUDIT)).json() == before
