"""What the description calls invalid is refused: a slip must not pass as something that was not said."""

import time
from typing import Any

import httpx
import pytest

from tests.api.office import BUILDING, EVENTS, SPEC, assert_problem

IDS = {"building_id": BUILDING, "item_id": "steel-beams", "approval_id": "a", "fork_id": "f", "rule_id": "r"}
pytestmark = pytest.mark.usefixtures("building")


async def queries(client: httpx.AsyncClient) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """Each address with its method and the parameters that its query takes."""
    described = (await client.get("/openapi.json")).json()
    found = []
    for path, operations in described["paths"].items():
        address = path
        for name, value in IDS.items():
            address = address.replace(f"{{{name}}}", value)
        for method, operation in operations.items():
            if path not in ("/healthz", "/readyz", "/metrics"):
                taken = [known for known in operation.get("parameters", []) if known["in"] == "query"]
                found.append((method.upper(), address.replace("{", "").replace("}", ""), taken))
    return found


async def test_an_unknown_parameter_is_refused_everywhere(client: httpx.AsyncClient) -> None:
    found = await queries(client)
    assert len(found) > 30
    for method, address, _ in found:
        refused = await client.request(method, address, params={"statsu": "open"})
        assert_problem(refused, 422, "statsu", "not a known parameter")


async def test_a_parameter_that_is_given_twice_is_refused_everywhere(client: httpx.AsyncClient) -> None:
    for method, address, taken in await queries(client):
        for known in taken:
            twice = [(known["name"], "1"), (known["name"], "2")]
            refused = await client.request(method, address, params=twice)
            assert_problem(refused, 422, known["name"], "more than once")


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("integer", ["1.0", " 1", "1_0", "+5", "1e2", "0x10", "٣", "true", "", "null"]),
        ("boolean", ["1", "0", "yes", "on", "True", "t", "", "null"]),
    ],
)
async def test_numbers_and_truth_values_are_plain_everywhere(
    client: httpx.AsyncClient, kind: str, values: list[str]
) -> None:
    tried = 0
    for method, address, taken in await queries(client):
        for known in taken:
            if known["schema"].get("type") == kind:
                for value in values:
                    tried += 1
                    assert_problem(await client.request(method, address, params={known["name"]: value}), 422)
    assert tried


async def test_what_is_described_is_taken(client: httpx.AsyncClient) -> None:
    for parameters in ({"limit": 5}, {"removed": "true"}, {"removed": "false", "limit": 500}):
        assert (await client.get(f"/buildings/{BUILDING}/items", params=parameters)).status_code == 200
    assert (await client.get("/healthz?probe=17")).status_code == 200


@pytest.mark.parametrize(
    ("address", "method", "body", "field"),
    [
        (EVENTS, "POST", {"event_type": "Human_Input", "text": "hello", "item": 5}, "item"),
        (
            EVENTS,
            "POST",
            {"event_type": "Inspection_Failed", "item": "steel-beams", "inspection_date": 20260223},
            "inspection_date",
        ),
        ("/approvals/a/decision", "POST", {"type": "approve", "version": "1"}, "version"),
        ("/approvals/a/decision", "POST", {"type": "approve", "version": True}, "version"),
        ("/rules/r", "PATCH", {"disabled": "yes"}, "disabled"),
        ("/rules/r", "PATCH", {"disabled": 1}, "disabled"),
        ("/buildings", "POST", {**SPEC, "building_id": 5}, "building_id"),
        ("/buildings", "POST", {**SPEC, "items": [{"name": "A", "lead_time_days": "40"}]}, "lead_time_days"),
    ],
)
async def test_values_of_another_type_are_not_read_as_if_they_were_right(
    client: httpx.AsyncClient, address: str, method: str, body: dict[str, Any], field: str
) -> None:
    problem = assert_problem(await client.request(method, address, json=body), 422)
    assert field in problem["errors"][0]["field"], problem


async def test_an_amount_is_taken_as_a_number_and_as_text(client: httpx.AsyncClient) -> None:
    for number, amount in enumerate((50000, "50000", 50000.5)):
        spec = {**SPEC, "building_id": f"b{number}", "policy": {"po_limit": amount}}
        response = await client.post("/buildings", json=spec)
        assert response.status_code == 201, response.text


async def test_a_day_in_a_cloud_event_is_taken_as_text(client: httpx.AsyncClient) -> None:
    envelope = {
        "specversion": "1.0",
        "id": "erp-1",
        "source": "/erp",
        "type": "ETA_Changed",
        "time": "2026-02-04T09:00:00Z",
        "data": {"item": "Steel Beams", "eta": "2026-02-12"},
    }
    headers = {"content-type": "application/cloudevents+json"}
    assert (await client.post(EVENTS, json=envelope, headers=headers)).status_code == 202


@pytest.mark.parametrize(
    "hostile",
    [
        b'{"x":[' + b",".join([b"[" * 150 + b"]" * 150] * 16_000) + b"]}",
        b'{"x":[' + b",".join([b"[]"] * 1_200_000) + b"]}",
        b'{"x":[' + b",".join([b"1"] * 2_000_000) + b"]}",
        b'{"items":[' + b",".join([b"[]"] * 1_200_000) + b'],"items":[],"building_id":"b","name":"B"}',
    ],
    ids=["deep", "many lists", "many numbers", "a name twice"],
)
async def test_a_body_of_too_many_parts_is_refused_before_it_is_parsed(
    client: httpx.AsyncClient, hostile: bytes
) -> None:
    """Parsing holds the interpreter, in a thread as well: it took seconds, in which nobody was answered."""
    body = hostile[:4_990_000]
    started = time.process_time()
    answer = await client.post("/buildings", content=body, headers={"Content-Type": "application/json"})
    assert_problem(answer, 422, "parts")
    assert time.process_time() - started < 0.3
