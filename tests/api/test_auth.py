"""Who may call: whoever has a key, within its roles; without keys only this machine itself."""

import httpx
import pytest

from api.app import create_app
from runtime.resources import Resources
from runtime.settings import ApiKey
from tests.api.office import (
    ADMIN,
    APPROVED,
    APPROVER,
    EVENTS,
    LOCAL,
    MACHINE,
    READER,
    SENDER,
    SPEC,
    assert_problem,
    bearer,
    client_of,
    raise_approval,
)


async def test_without_a_key_only_health_is_open(keyed: httpx.AsyncClient) -> None:
    assert (await keyed.get("/healthz")).status_code == 200
    assert (await keyed.get("/readyz")).status_code in (200, 503)
    for address in ("/buildings", "/approvals", "/metrics", "/openapi.json"):
        response = await keyed.get(address)
        assert_problem(response, 401, "Authorization: Bearer")
        assert response.headers["www-authenticate"] == "Bearer"


async def test_the_page_that_shows_the_api_is_open_but_has_no_data(keyed: httpx.AsyncClient) -> None:
    shown = await keyed.get("/docs")
    assert shown.status_code == 200
    assert "/buildings" not in shown.text


async def test_an_unknown_key_is_refused(keyed: httpx.AsyncClient) -> None:
    assert_problem(await keyed.get("/buildings", headers={"Authorization": "Bearer nope"}), 401, "not known")
    assert_problem(await keyed.get("/buildings", headers=[(b"X-API-Key", b"\xfcnknown")]), 401)


async def test_a_key_is_taken_from_each_place_it_may_stand_in(keyed: httpx.AsyncClient) -> None:
    for headers in (bearer(READER), {"X-API-Key": READER.key}):
        assert (await keyed.get("/buildings", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("key", "create", "send", "retry"),
    [(READER, 403, 403, 403), (SENDER, 403, 202, 403), (APPROVER, 403, 403, 403), (ADMIN, 200, 202, 409)],
)
async def test_each_role_may_do_its_own_and_read(
    keyed: httpx.AsyncClient, key: ApiKey, create: int, send: int, retry: int
) -> None:
    await keyed.post("/buildings", json=SPEC, headers=bearer(ADMIN))
    await keyed.post(EVENTS, json={**APPROVED, "event_id": "first"}, headers=bearer(ADMIN))
    assert (await keyed.post("/buildings", json=SPEC, headers=bearer(key))).status_code == create
    assert (await keyed.post(EVENTS, json=APPROVED, headers=bearer(key))).status_code == send
    assert (await keyed.post(f"{EVENTS}/first/retry", headers=bearer(key))).status_code == retry
    assert (await keyed.get(EVENTS, headers=bearer(key))).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
async def test_without_keys_this_machine_is_the_local_person(resources: Resources, host: str) -> None:
    for base_url in (LOCAL, "http://localhost:8000", "http://[::1]:8000"):
        async with client_of(resources, client=(host, 1), base_url=base_url) as client:
            assert (await client.get("/buildings")).status_code == 200


@pytest.mark.parametrize("host", ["10.0.0.7", "203.0.113.9", "2001:db8::1", "testclient", ""])
async def test_without_keys_nobody_else_may_call(resources: Resources, host: str) -> None:
    async with client_of(resources, client=(host, 1)) as client:
        assert_problem(await client.get("/buildings"), 401, "LONGLEAD_API_KEYS")
        assert (await client.get("/healthz")).status_code == 200


async def test_without_keys_a_web_page_in_the_local_persons_browser_may_not_call(client: httpx.AsyncClient) -> None:
    page = {"Origin": "https://evil.example"}
    assert_problem(await client.post("/buildings", json=SPEC, headers=page), 401)
    rebound = {"Host": "evil.example:8000"}
    assert_problem(await client.get("/buildings", headers=rebound), 401)
    broken = {"Host": "[::1"}
    assert_problem(await client.get("/buildings", headers=broken), 401)
    own = {"Origin": "http://127.0.0.1"}
    assert (await client.post("/buildings", json=SPEC, headers=own)).status_code == 201


async def test_a_caller_without_an_address_is_not_local(resources: Resources) -> None:
    app = create_app(resources)

    async def through_a_socket(scope, receive, send):  # type: ignore[no-untyped-def]
        await app({**scope, "client": None}, receive, send)

    transport = httpx.ASGITransport(through_a_socket)
    async with httpx.AsyncClient(transport=transport, base_url=LOCAL) as client:
        assert_problem(await client.get("/buildings"), 401)


async def test_a_programs_key_cannot_answer_what_only_a_person_may(
    keyed: httpx.AsyncClient, resources: Resources
) -> None:
    await keyed.post("/buildings", json=SPEC, headers=bearer(ADMIN))
    approval = await raise_approval(resources)
    refused = await keyed.post(f"/approvals/{approval}/decision", json={"type": "approve"}, headers=bearer(MACHINE))
    assert_problem(refused, 403, "needs a person")
    accepted = await keyed.post(f"/approvals/{approval}/decision", json={"type": "approve"}, headers=bearer(APPROVER))
    assert accepted.status_code == 202


async def test_a_programs_key_may_say_what_an_unclear_event_was_within_its_authority(
    keyed: httpx.AsyncClient, resources: Resources
) -> None:
    await keyed.post("/buildings", json=SPEC, headers=bearer(ADMIN))
    approval = await raise_approval(resources, item=None, kind="event_unclear")
    answer = {"type": "edit", "actions": [{"name": "cancel_purchase_order", "arguments": {"item": "HVAC Units"}}]}
    path = f"/approvals/{approval}/decision"
    assert_problem(await keyed.post(path, json=answer, headers=bearer(MACHINE)), 403, "needs a person")
    answer["actions"] = [{"name": "dismiss_event", "arguments": {"note": "spam"}}]
    assert (await keyed.post(path, json=answer, headers=bearer(MACHINE))).status_code == 202
