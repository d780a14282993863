"""While Studio runs without keys, no web page decides as a person: pages may not call, and Studio's own only reads."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.studio_door import STUDIO_ORIGINS
from domain.approvals import Approval
from tests.studio.room import Room, Studio, connect_as, status_of

STUDIO_PAGE = "https://smith.langchain.com"
FOREIGN_HOSTS = ("evil.example", "evil.example:2024", "127.0.0.1.evil.example", "localhost.evil.example", "127.0.0.1@x")
FOREIGN_ORIGINS = (
    "https://evil.example",
    "null",
    "http://localhost:3000",
    "http://127.0.0.1",
    "https://smith.langchain.com.evil.example",
    "http://smith.langchain.com",
    "https://smith.langchain.com:444",
    "file://",
    "",
)
PATHS = (
    "/ok",
    "/info",
    "/docs",
    "/openapi.json",
    "/metrics",
    "/assistants/search",
    "/threads/search",
    "/longlead/docs",
)
CHANGING = [
    ("POST", "/assistants"),
    ("POST", "/threads"),
    ("POST", "/threads/{thread}/state"),
    ("POST", "/threads/{thread}/copy"),
    ("POST", "/threads/{thread}/commands"),
    ("POST", "/threads/{thread}/runs"),
    ("POST", "/threads/{thread}/runs/wait"),
    ("POST", "/threads/{thread}/runs/stream"),
    ("POST", "/runs"),
    ("POST", "/runs/wait"),
    ("POST", "/runs/stream"),
    ("POST", "/runs/batch"),
    ("PATCH", "/threads/{thread}"),
    ("DELETE", "/threads/{thread}"),
    ("PUT", "/store/items"),
    ("POST", "/internal/truncate"),
    ("POST", "/deploy"),
]
"""Some of what changes something; the server's OpenAPI must name them, so that the walk over it is no empty one."""
UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def answer_to(asked: Approval) -> dict[str, Any]:
    return {"type": "approve", "approval_id": asked.approval_id, "version": asked.version}


def run_with(asked: Approval) -> dict[str, Any]:
    return {"assistant_id": "building", "command": {"resume": answer_to(asked)}}


async def changing_routes(studio: Studio, key: str | None = None) -> list[tuple[str, str]]:
    """The routes of the server's OpenAPI that change something: all but GET and the searches."""
    reading = ("/search", "/count", "/history", "/versions", "/state/checkpoint", "/stream/events", "/namespaces")
    return [
        (method, path)
        for method, path in await studio.routes(key)
        if method != "GET" and not (method == "POST" and path.endswith(reading))
    ]


async def test_under_a_foreign_name_nothing_answers(studio: Studio) -> None:
    async with studio.client() as client:
        for host in FOREIGN_HOSTS:
            for path in PATHS:
                for method in ("GET", "POST"):
                    response = await client.request(method, path, headers={"host": host}, json={})
                    assert response.status_code == 403, (host, method, path, response.text)


async def test_every_route_that_changes_something_refuses_every_foreign_page(studio: Studio) -> None:
    routes = await changing_routes(studio)
    template = {(method, path.replace("{thread}", "x").count("/")) for method, path in CHANGING}
    assert template <= {(method, path.count("/")) for method, path in routes}
    async with studio.client() as client:
        for method, path in routes:
            for origin in FOREIGN_ORIGINS:
                response = await client.request(method, path, headers={"origin": origin}, json={})
                assert response.status_code == 403, (origin, method, path, response.text)
                assert "access-control-allow-origin" not in response.headers


async def test_every_route_that_changes_something_refuses_studios_page_without_keys(studio: Studio) -> None:
    async with studio.client() as client:
        for method, path in await changing_routes(studio):
            for origin in sorted(STUDIO_ORIGINS):
                response = await client.request(method, path, headers={"origin": origin}, json={})
                assert response.status_code == 403, (origin, method, path, response.text)


async def test_a_foreign_page_reads_nothing(room: Room) -> None:
    await room.open()
    async with room.studio.client() as client:
        for method, path in await room.studio.routes():
            response = await client.request(method, path, headers={"origin": "https://evil.example"}, json={})
            assert response.status_code == 403, (method, path)
        # An image, a frame or a link of that page sends no Origin.
        for site in ("cross-site", "same-site"):
            for mode in ("no-cors", "navigate", "cors"):
                headers = {"sec-fetch-site": site, "sec-fetch-mode": mode}
                response = await client.get(f"/threads/{room.thread}/state", headers=headers)
                assert response.status_code == 403, headers


@pytest.mark.parametrize("path", ["/threads/x/runs/wait", "/threads/x/state", "/longlead/approvals/x/decision"])
async def test_a_foreign_page_that_asks_first_is_granted_nothing(studio: Studio, path: str) -> None:
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    async with studio.client() as client:
        for origin in FOREIGN_ORIGINS:
            response = await client.options(path, headers={"origin": origin, **asks})
            assert response.status_code == 403, (origin, response.text)
            assert not [name for name in response.headers if name.startswith("access-control-")]
        private = {"access-control-request-private-network": "true"}
        response = await client.options(path, headers={"origin": "https://evil.example", **asks, **private})
        assert not [name for name in response.headers if name.startswith("access-control-")]


async def test_studios_page_may_ask_first_and_is_told_what_it_may_send(studio: Studio) -> None:
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    async with studio.client() as client:
        for origin in sorted(STUDIO_ORIGINS):
            response = await client.options("/threads/search", headers={"origin": origin, **asks})
            assert response.status_code == 200
            assert response.headers["access-control-allow-origin"] == origin
            assert "authorization" in response.headers["access-control-allow-headers"].lower()


async def test_studios_page_reads_without_keys_and_cannot_answer(room: Room) -> None:
    asked = await room.open()
    async with connect_as(room.studio, None, origin=STUDIO_PAGE) as page:
        found = await page.threads.search(metadata={"building_id": room.desk.building_id})
        assert [thread["thread_id"] for thread in found] == [room.thread]
        state = await page.threads.get_state(room.thread)
        assert state["interrupts"][0]["value"]["approval_id"] == asked.approval_id
        assert await page.threads.get_history(room.thread)
        assert await page.assistants.search()

        refused = await status_of(
            page.runs.wait(room.thread, "building", command={"resume": answer_to(asked)}),
            page.runs.create(room.thread, "building", input=None),
            page.threads.update_state(room.thread, {"answer": answer_to(asked)}, as_node="await_approval"),
            page.threads.create(),
            page.threads.delete(room.thread),
            page.threads.update(room.thread, metadata={"x": 1}),
        )
        assert refused == [403] * 6
    assert (await room.desk.question()).status == "pending"


async def test_studios_page_is_told_why_it_was_refused(room: Room) -> None:
    asked = await room.open()
    async with room.studio.client(origin=STUDIO_PAGE) as page:
        response = await page.post(f"/threads/{room.thread}/runs/wait", json=run_with(asked))
    assert response.status_code == 403
    assert response.headers["access-control-allow-origin"] == STUDIO_PAGE
    assert "LONGLEAD_API_KEYS" in response.json()["detail"]


async def test_what_runs_on_this_machine_answers_without_keys(room: Room) -> None:
    asked = await room.open()
    async with room.studio.client() as curl:
        response = await curl.post(f"/threads/{room.thread}/runs/wait", json=run_with(asked))
        assert response.status_code == 200, response.text
    decision = (await room.desk.rows(Approval))[0].decision
    assert decision["responder"] == {"type": "human", "id": "studio", "name": "Studio"}
    assert decision["mandate"]["via"] == "local", "as at the other doors: the person at this machine"


async def test_the_servers_own_page_may_call_it(room: Room) -> None:
    await room.open()
    async with room.studio.client(origin=room.studio.url) as page:
        assert (await page.get(f"/threads/{room.thread}")).status_code == 200
        assert (await page.post("/threads/search", json={})).status_code == 200
        assert (await page.get("/longlead/buildings")).status_code == 200


async def test_no_page_opens_a_socket(room: Room) -> None:
    await room.open()
    path = f"/threads/{room.thread}/stream/events"
    async with room.studio.client(**UPGRADE) as client:
        for origin in (*FOREIGN_ORIGINS, *sorted(STUDIO_ORIGINS)):
            response = await client.get(path, headers={"origin": origin})
            assert response.status_code == 403, origin
        response = await client.get(path, headers={"host": "evil.example"})
        assert response.status_code == 403
        async with client.stream("GET", path) as opened:
            assert opened.status_code == 101


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/deploy"),
        ("GET", "/deploy"),
        ("POST", "/internal/truncate"),
        ("GET", "/internal/debug/thread/x"),
        ("POST", "/mcp"),
        ("POST", "/a2a/building"),
        ("POST", "/ui/building"),
        ("GET", "/ui/x.js"),
        ("GET", "/profile"),
        ("POST", "/noauth/threads/search"),
        ("POST", "/runs/crons"),
        ("POST", "/threads/019b0000-0000-7000-8000-000000000000/runs/crons"),
    ],
)
async def test_what_nobody_needs_is_not_served(studio: Studio, method: str, path: str) -> None:
    """Whoever calls: the server's own deployment, debugging and scheduling."""
    async with studio.client() as client:
        body = {"assistant_id": "building", "schedule": "* * * * *"}
        response = await client.request(method, path, json=body)
        assert response.status_code in (403, 404), (response.status_code, response.text)


@pytest.mark.parametrize("header", ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"])
async def test_without_keys_no_proxy_calls_for_others(studio: Studio, header: str) -> None:
    async with studio.client(**{header: "203.0.113.7"}) as client:
        for method, path in (("POST", "/threads/search"), ("POST", "/threads"), ("GET", "/info")):
            response = await client.request(method, path, json={})
            assert response.status_code == 401
            assert "LONGLEAD_API_KEYS" in response.json()["detail"]


async def test_the_api_beside_it_is_decided_by_no_page(room: Room) -> None:
    asked = await room.open()
    path, body = f"/longlead/approvals/{asked.approval_id}/decision", {"type": "approve"}
    async with room.studio.client() as client:
        for origin in (*FOREIGN_ORIGINS, *sorted(STUDIO_ORIGINS)):
            response = await client.post(path, json=body, headers={"origin": origin})
            assert response.status_code == 403, origin
        for host in FOREIGN_HOSTS:
            response = await client.post(path, json=body, headers={"host": host})
            assert response.status_code == 403, host
        response = await client.post(path, content=json.dumps(body), headers={"sec-fetch-site": "cross-site"})
        assert response.status_code == 403
        assert (await room.desk.question()).status == "pending"

        response = await client.post(path, json=body)
        assert response.status_code in (200, 202), response.text
    assert (await room.desk.rows(Approval))[0].decision["responder"]["id"] == "local"


async def test_a_link_in_a_mail_still_leads_to_the_apis_pages(studio: Studio) -> None:
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    async with studio.client(**followed) as browser:
        assert (await browser.get("/longlead/docs")).status_code == 200
        assert (await browser.get("/docs")).status_code == 403


async def test_what_a_caller_sends_in_headers_is_not_kept(room: Room) -> None:
    """LangGraph copies x-headers into a run's configuration, and with it into checkpoints, unless it is told not to."""
    asked = await room.open()
    async with connect_as(room.studio, None, **{"x-secret-of-mine": "swordfish"}) as client:
        await client.runs.wait(room.thread, "building", command={"resume": answer_to(asked)})
        assert "swordfish" not in json.dumps(await client.runs.list(room.thread), default=str)
    kept = await room._rows("SELECT metadata::text AS text FROM checkpoints WHERE thread_id = %s")
    assert kept
    assert not [row for row in kept if "swordfish" in row["text"]]


def test_the_door_and_the_servers_configuration_name_the_same_pages() -> None:
    config = json.loads((Path(__file__).parent.parent.parent / "langgraph.json").read_text())
    assert set(config["http"]["cors"]["allow_origins"]) == STUDIO_ORIGINS
    assert "allow_origin_regex" not in config["http"]["cors"]
    assert config["auth"]["disable_studio_auth"] is True


async def test_two_hosts_or_two_origins_are_no_way_around(studio: Studio) -> None:
    host = studio.url.removeprefix("http://")
    twice: list[list[tuple[str, str]]] = [
        [("host", host), ("origin", studio.url), ("origin", "https://evil.example")],
        [("host", host), ("origin", "https://evil.example"), ("origin", STUDIO_PAGE)],
    ]
    async with studio.client() as client:
        for headers in twice:
            response = await client.post("/threads/search", json={}, headers=httpx.Headers(headers))
            assert response.status_code == 403
