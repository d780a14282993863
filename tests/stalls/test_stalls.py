"""No request and no event holds the loop up, so that everybody else goes on: measured in CPU time of its thread."""

import json
from typing import Any

import httpx
import pytest

from runtime.resources import Resources
from tests.agent.desk import Desk, FixedClock, open_desk
from tests.api.conftest import client, resources  # noqa: F401
from tests.stalls import hostile
from tests.stalls.meter import Meter, leave_behind, loop_meter

JSON = {"Content-Type": "application/json"}


def expect_no_stall(meter: Meter) -> None:
    print(meter.report())
    assert meter.stalls() == []


async def test_no_building_holds_the_loop_up(client: httpx.AsyncClient) -> None:  # noqa: F811
    wide = json.dumps({f"field {number}": 1 for number in range(300_000)}).encode()
    spec = hostile.building()
    wrong = {**spec, "items": [{**item, **{f"x{n}": 1 for n in range(20)}} for item in spec["items"]]}
    bodies = {
        "fields that nobody knows": (wide[:4_900_000] + b'":1}', 422),
        "lines with fields that nobody knows": (json.dumps(wrong).encode()[:4_990_000], 422),
        "no JSON": (b"[" * 4_900_000, 422),
        "too large": (b" " * 5_000_001, 413),
        "the largest": (json.dumps(spec).encode(), 201),
        "the same again": (json.dumps(spec).encode(), 200),
    }
    gets = ["", "/items", "/schedule", "/events", "/actions", "/decisions", "/messages", "/flags", "/purchase-orders"]
    async with loop_meter() as meter:
        for name, (body, status) in bodies.items():
            meter.doing = f"POST /buildings: {name}"
            answer = await client.post("/buildings", content=body, headers=JSON)
            assert answer.status_code == status, (name, answer.text[:300])
            assert len(answer.content) < 200_000, name
        for path in gets:
            meter.doing = f"GET {path}"
            whole = {"limit": 500} if path not in ("", "/schedule") else {}
            assert (await client.get(f"/buildings/tower{path}", params=whole)).status_code == 200
    expect_no_stall(meter)


async def test_no_other_body_holds_the_loop_up(
    client: httpx.AsyncClient,  # noqa: F811
    resources: Resources,  # noqa: F811
) -> None:
    """Every route of the description that takes a body, with bodies that are wide, deep, long or none."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    wide = json.dumps({f"f{number}": 1 for number in range(7_000)}).encode()
    bodies = [wide[:49_000], wide[:99_000], b"[" * 49_000, b'{"a":' * 9_000, b'"' + b"x" * 49_990 + b'"', b"1" * 49_000]
    bodies += [json.dumps({"actions": [{"name": "x", "arguments": {}}] * 1_500}).encode()]
    await client.post("/buildings", content=json.dumps(hostile.building(1)).encode(), headers=JSON)
    async with loop_meter() as meter:
        for path, methods in paths.items():
            for method in {"post", "put", "patch"} & set(methods):
                for body in bodies:
                    meter.doing = f"{method} {path}"
                    address = path.replace("{building_id}", "tower").replace("{", "").replace("}", "")
                    answer = await client.request(method, address, content=body, headers=JSON)
                    assert answer.status_code < 500, answer.text
    expect_no_stall(meter)


async def test_no_page_holds_the_loop_up(
    client: httpx.AsyncClient,  # noqa: F811
) -> None:
    """Lists whose rows are as large as rows can be: a page has fewer of them, and the cursor leads to the rest."""
    await client.post("/buildings", content=json.dumps(hostile.building(1)).encode(), headers=JSON)
    words = ["w" * 900] * 50
    for number in range(120):
        body = {"event_type": "Inspection_Failed", "item": "steel-beam-0", "inspection_date": "2026-03-01"}
        body |= {"document_url": "u", "document_name": "n", "event_id": f"e{number}", "defects": words}
        answer = await client.post("/buildings/tower/events", content=json.dumps(body).encode(), headers=JSON)
        assert answer.status_code == 202, answer.text
    seen, cursor = 0, None
    async with loop_meter() as meter:
        while seen == 0 or cursor is not None:
            meter.doing = "GET /buildings/{building_id}/events, the largest"
            asked = {"limit": 500} | ({"cursor": cursor} if cursor else {})
            page = (await client.get("/buildings/tower/events", params=asked)).content
            meter.doing = "the test"
            read = json.loads(page)
            seen, cursor = seen + len(read["data"]), read["next_cursor"]
            assert len(page) < 2_000_000
    assert seen == 120
    meter.worst.pop("the test", None)
    expect_no_stall(meter)


@pytest.fixture
async def tower(database: str) -> Any:
    """A desk for a building with thousands of lines."""
    async with open_desk(database, FixedClock()) as desk:
        body = hostile.building()
        body.pop("building_id")
        desk.building_id = "tower"
        await desk.open(**body)
        yield desk


async def test_no_event_holds_the_worker_up(tower: Desk) -> None:
    hostile.assert_every_type_is_known()
    async with loop_meter() as meter:
        for number, (name, body) in enumerate(hostile.events()):
            if body["event_type"] == "Building_Closed":
                continue
            meter.doing = name
            await leave_behind()
            is_void = body["event_type"] == "Event_Voided"
            named = {name: body.pop(name) for name in ("source", "event_id")} if is_void else None
            event_id = await tower.post(**body, event_id=f"w{number}", named=named)
            event = await tower.event(event_id)
            assert event["status"] == "done", (name, event["error"])
    expect_no_stall(meter)
