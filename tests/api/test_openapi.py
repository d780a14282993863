"""The description of the API is complete: whoever reads it needs nothing else."""

from typing import Any

import httpx
import pytest

from api.app import create_app
from runtime.resources import Resources


@pytest.fixture
def described(resources: Resources) -> dict[str, Any]:
    return create_app(resources).openapi()


def test_every_property_of_every_schema_is_described(described: dict[str, Any]) -> None:
    bare = [
        f"{name}.{field}"
        for name, schema in described["components"]["schemas"].items()
        for field, prop in schema.get("properties", {}).items()
        if not prop.get("description")
    ]
    assert bare == []


def test_every_address_parameter_and_schema_is_described(described: dict[str, Any]) -> None:
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (path, method)
            assert operation["description"], (path, method)
            assert all(parameter.get("description") for parameter in operation.get("parameters", [])), path


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for inner in value.values() for found in references(inner)]
        if isinstance(value, list):
            return [found for inner in value for found in references(inner)]
        return []

    assert {found.rpartition("/")[2] for found in references(described)} <= schemas.keys()


def test_the_main_bodies_have_examples(described: dict[str, Any]) -> None:
    events = described["paths"]["/buildings/{building_id}/events"]["post"]["requestBody"]["content"]
    assert events["application/json"]["examples"]
    assert events["application/cloudevents+json"]["example"]
    decision = described["paths"]["/approvals/{approval_id}/decision"]["post"]["requestBody"]["content"]
    assert decision["application/json"]["examples"]
    assert described["components"]["schemas"]["BuildingSpec"]["examples"]


async def test_the_examples_are_accepted(client: httpx.AsyncClient, described: dict[str, Any]) -> None:
    spec = described["components"]["schemas"]["BuildingSpec"]["examples"][0]
    assert (await client.post("/buildings", json=spec)).status_code == 201
    contents = described["paths"]["/buildings/{building_id}/events"]["post"]["requestBody"]["content"]
    events = f"/buildings/{spec['building_id']}/events"
    for example in contents["application/json"]["examples"].values():
        assert (await client.post(events, json=example["value"])).status_code == 202
    cloud = contents["application/cloudevents+json"]["example"]
    headers = {"content-type": "application/cloudevents+json"}
    assert (await client.post(events, json=cloud, headers=headers)).status_code == 202


async def test_the_pages_for_people_and_programs_are_served(client: httpx.AsyncClient) -> None:
    assert (await client.get("/openapi.json")).json()["info"]["title"] == "Longlead"
    assert "swagger" in (await client.get("/docs")).text
