"""No page of another site changes anything through somebody's browser, with keys or without; scripts are served."""

import base64

import httpx
import pytest

from api.app import create_app
from api.auth import PROXY_HEADERS
from runtime.resources import Resources
from tests.api.office import ADMIN, SPEC, assert_problem, bearer, client_of
from tests.api.routes import Route, changing_routes

HERE = {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"}
FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://localhost:3000"},
    {"Origin": "http://127.0.0.1:3000"},
    {"Origin": "http://127.0.0.1.evil.example"},
    {"Origin": "http://127.0.0.1@evil.example"},
    {"Origin": "file://"},
    {"Origin": "ftp://127.0.0.1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {**HERE, "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Referer": "https://evil.example/page"},
]
REFUSED_TYPES = ["text/plain", "text/plain; charset=utf-8", "multipart/form-data; boundary=x", "TEXT/PLAIN"]
FORM = "application/x-www-form-urlencoded"


def all_changing(resources: Resources) -> list[Route]:
    found = changing_routes(create_app(resources))
    assert len(found) >= 12
    return found


@pytest.mark.parametrize("page", FOREIGN, ids=str)
async def test_a_foreign_page_changes_nothing_though_it_knew_a_key(
    keyed: httpx.AsyncClient, resources: Resources, page: dict[str, str]
) -> None:
    for route in all_changing(resources):
        sent = await keyed.request(route.method, route.path(), json={}, headers={**page, **bearer(ADMIN)})
        assert (str(route), sent.status_code) == (str(route), 403), sent.text
        assert_problem(sent, 403, "another site")


@pytest.mark.parametrize("page", FOREIGN, ids=str)
async def test_without_keys_a_foreign_page_reads_and_changes_nothing(
    client: httpx.AsyncClient, resources: Resources, page: dict[str, str]
) -> None:
    for route in all_changing(resources):
        sent = await client.request(route.method, route.path(), json={}, headers=page)
        assert (str(route), sent.status_code) == (str(route), 401), sent.text
    assert_problem(await client.get("/buildings", headers=page), 401, "LONGLEAD_API_KEYS")


@pytest.mark.parametrize("kind", [*REFUSED_TYPES, FORM])
async def test_a_browser_sends_only_json(keyed: httpx.AsyncClient, resources: Resources, kind: str) -> None:
    headers = {**HERE, **bearer(ADMIN), "Content-Type": kind}
    for route in all_changing(resources):
        sent = await keyed.request(route.method, route.path(), content=b"{}", headers=headers)
        assert (str(route), sent.status_code) == (str(route), 415), sent.text
    bare = await keyed.post("/buildings", content=b"{}", headers={**HERE, **bearer(ADMIN)})
    assert_problem(bare, 415, "application/json")


@pytest.mark.parametrize("kind", REFUSED_TYPES)
async def test_text_and_files_are_read_from_nobody(
    keyed: httpx.AsyncClient, client: httpx.AsyncClient, resources: Resources, kind: str
) -> None:
    for route in all_changing(resources):
        sent = await keyed.request(
            route.method, route.path(), content=b"{}", headers={**bearer(ADMIN), "Content-Type": kind}
        )
        assert (str(route), sent.status_code) == (str(route), 415), sent.text


async def test_a_script_may_leave_the_type_to_curl_or_out(client: httpx.AsyncClient) -> None:
    for headers in ({"Content-Type": FORM}, {}, {"Content-Type": "application/json; charset=utf-8"}):
        made = await client.post(
            "/buildings", content=httpx.Request("POST", "http://x", json=SPEC).read(), headers=headers
        )
        assert made.status_code in (200, 201), made.text


@pytest.mark.parametrize(
    ("public_url", "origin", "host"),
    [
        ("", "http://127.0.0.1", None),
        ("", "https://longlead.example", "longlead.example"),  # behind a proxy that ends TLS
        ("https://longlead.example", "https://longlead.example", "10.0.0.7:8000"),
        ("https://longlead.example/under/", "https://longlead.example:443", "10.0.0.7:8000"),
    ],
)
async def test_the_services_own_page_may_change_something(
    keyed: httpx.AsyncClient, resources: Resources, public_url: str, origin: str, host: str | None
) -> None:
    resources.settings.public_url = public_url
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin", **bearer(ADMIN), **({"Host": host} if host else {})}
    assert (await keyed.post("/buildings", json=SPEC, headers=headers)).status_code == 201
    assert (await keyed.request("DELETE", "/delegations/none-d1", headers=headers)).status_code == 404


async def test_a_browser_is_never_asked_for_a_password_and_one_that_it_sends_is_not_read(
    keyed: httpx.AsyncClient,
) -> None:
    basic = base64.b64encode(f"anyone:{ADMIN.key}".encode()).decode()
    for method, path in (("GET", "/buildings"), ("GET", "/openapi.json"), ("POST", "/buildings")):
        for headers in ({}, {"Authorization": f"Basic {basic}"}):
            refused = await keyed.request(method, path, json=SPEC, headers=headers)
            assert_problem(refused, 401, "Bearer")
            assert refused.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "name", [*sorted(PROXY_HEADERS), "X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Host", "X-Forwarded-Prefix"]
)
async def test_without_keys_nobody_is_local_behind_a_proxy(client: httpx.AsyncClient, name: str) -> None:
    for method in ("GET", "POST"):
        refused = await client.request(method, "/buildings", json=SPEC, headers={name: "127.0.0.1"})
        assert_problem(refused, 401, "proxy", "LONGLEAD_API_KEYS")


@pytest.mark.parametrize(
    ("base_url", "origin", "status"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", 201),
        ("http://localhost:8000", "http://localhost:8000", 201),
        ("http://[::1]:8000", "http://[::1]:8000", 201),
        ("http://127.0.0.1:8000", "http://localhost:8000", 401),
        ("http://127.0.0.1:8000", "https://127.0.0.1:8000", 401),
        ("http://127.0.0.1:8000", "http://127.0.0.1", 401),
    ],
)
async def test_without_keys_only_the_very_origin_of_the_service_is_its_own(
    resources: Resources, base_url: str, origin: str, status: int
) -> None:
    async with client_of(resources, base_url=base_url) as client:
        sent = await client.post("/buildings", json=SPEC, headers={"Origin": origin})
    assert sent.status_code == status
