"""The description of the API: completed with the bodies that are read by hand, the keys and the common problems."""

import asyncio
import json
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from starlette.responses import JSONResponse

from api.auth import AnyCaller
from api.browsers import SAFE_METHODS
from api.delegation_view import DelegationBody
from api.forks_view import ForkBody
from api.links import RevocationBody
from api.problems import Problem, documented
from api.rule_view import OverrulingBody, RulePatch
from domain.approvals import DecisionBody
from domain.buildings import BuildingPatch, BuildingSpec
from domain.events import EVENT, CloudEvent
from domain.plain_json import JsonObject

router = APIRouter(include_in_schema=False)

ABOUT = """An autonomous procurement agent for construction: one per building, for as long as the building takes to
build. Events go in; the agent acts on what it may act on, and asks people where it must.

Errors are problem documents (RFC 9457). Lists are `{"data": [...], "next_cursor": ...}`."""

TAGS = [
    {"name": "buildings", "description": "Buildings, their people and their policy."},
    {"name": "events", "description": "What happened: sent once, processed in order."},
    {"name": "approvals", "description": "Questions to people, and their answers."},
    {"name": "procurement log", "description": "Lines, orders, shipments, inspections, flags and messages."},
    {"name": "rules", "description": "What was learned from people's answers, and what people have delegated."},
    {"name": "ledger", "description": "What was done and decided, by whom and why."},
    {"name": "history", "description": "The agent's own steps."},
    {"name": "forks", "description": "Sandboxes of a building as it was: what if?"},
    {"name": "service", "description": "Health and figures."},
]

_REF = "#/components/schemas/"
_OPEN = ("/healthz", "/readyz")
_BELOW = (400, 408, 414, 431)
"""What the HTTP server itself refuses: no HTTP, too late, an address or headers that are too long."""

_EVENT_EXAMPLES: JsonObject = {
    "submittal approved": {
        "summary": "The designer approved the vendor's document",
        "value": {
            "event_type": "Submittal_Approved",
            "event_id": "docs-311",
            "source": "document-control",
            "item": "Steel Beams",
            "document_url": "https://docs.example.com/311",
            "document_name": "Steel Beams, revision 0",
        },
    },
    "shipment departed": {
        "summary": "A shipment left the factory",
        "value": {
            "event_type": "Shipment_Departed_Factory",
            "item": "steel-beams",
            "eta": "2026-02-10",
            "date_departed": "2026-02-03",
            "location_address": "12 Mill Road, Sheffield",
        },
    },
}
_CLOUD_EVENT_EXAMPLE: JsonObject = {
    "specversion": "1.0",
    "id": "erp-4711",
    "source": "/erp",
    "type": "ETA_Changed",
    "time": "2026-02-04T09:00:00Z",
    "data": {"item": "Steel Beams", "eta": "2026-02-12"},
}
_PATCH_EXAMPLE: JsonObject = {"policy": {"po_limit": "50000"}}
_DECISION_EXAMPLES: JsonObject = {
    "approve": {"summary": "Do what is recommended", "value": {"type": "approve", "version": 1}},
    "edit": {
        "summary": "Do something else",
        "value": {
            "type": "edit",
            "actions": [{"name": "accept_as_is", "arguments": {"item": "hvac-units", "note": "dent is hidden"}}],
            "message": "The dent cannot be seen once it is installed.",
        },
    },
    "respond": {"summary": "Answer in words", "value": {"type": "respond", "message": "Yes."}},
}

_RULE_EXAMPLES: JsonObject = {
    "switch off": {"summary": "It is no longer used", "value": {"disabled": True}},
    "only recommend": {"summary": "It never decides alone", "value": {"autonomy": "recommend"}},
    "share": {"summary": "Other buildings may be recommended the same", "value": {"shared": True}},
}
_OVERRULING_EXAMPLE: JsonObject = {"message": "Repair was agreed with the vendor.", "entry": 25}

_BODIES: dict[tuple[str, str], dict[str, tuple[TypeAdapter[Any], JsonObject]]] = {
    ("/buildings", "post"): {"application/json": (TypeAdapter(BuildingSpec), {})},
    ("/buildings/{building_id}", "patch"): {
        "application/json": (TypeAdapter(BuildingPatch), {"example": _PATCH_EXAMPLE})
    },
    ("/buildings/{building_id}/events", "post"): {
        "application/json": (EVENT, {"examples": _EVENT_EXAMPLES}),
        "application/cloudevents+json": (TypeAdapter(CloudEvent), {"example": _CLOUD_EVENT_EXAMPLE}),
    },
    ("/buildings/{building_id}/forks", "post"): {
        "application/json": (TypeAdapter(ForkBody), {"example": {"before_event": 12}})
    },
    ("/approvals/{approval_id}/decision", "post"): {
        "application/json": (TypeAdapter(DecisionBody), {"examples": _DECISION_EXAMPLES})
    },
    ("/rules/{rule_id}", "patch"): {"application/json": (TypeAdapter(RulePatch), {"examples": _RULE_EXAMPLES})},
    ("/rules/{rule_id}/overrule", "post"): {
        "application/json": (TypeAdapter(OverrulingBody), {"example": _OVERRULING_EXAMPLE})
    },
    ("/delegations", "post"): {"application/json": (TypeAdapter(DelegationBody), {})},
    ("/links/revoke", "post"): {"application/json": (TypeAdapter(RevocationBody), {})},
}
"""Bodies are read by hand, bounded and parsed once; FastAPI therefore does not know them."""


@router.get("/openapi.json")
async def openapi_json(request: Request, _: AnyCaller) -> JSONResponse:
    return JSONResponse(await load_description(request.app))


async def load_description(app: FastAPI) -> JsonObject:
    """The app's description, made apart from the event loop: it takes a third of a second the first time."""
    if app.openapi_schema is None:
        return await asyncio.to_thread(app.openapi)
    return app.openapi_schema


def describe(app: FastAPI) -> JsonObject:
    """The app's description; made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes, tags=TAGS)
        _add_bodies(made)
        _add_common(made)
        schemas = part(made, "components", "schemas")
        for name in schemas:
            _describe_properties(name, part(schemas, name))
        app.openapi_schema = made
    return app.openapi_schema


def part(described: JsonObject, *path: str) -> JsonObject:
    """The object that is found there in a description."""
    for name in path:
        found = described[name]
        assert isinstance(found, dict)
        described = found
    return described


def _add_bodies(made: JsonObject) -> None:
    schemas = part(made, "components", "schemas")
    adapters = [
        (f"{path} {method} {media}", "validation", adapter)
        for (path, method), contents in _BODIES.items()
        for media, (adapter, _) in contents.items()
    ]
    found, shared = TypeAdapter.json_schemas(adapters, ref_template=_REF + "{model}")  # type: ignore[arg-type]
    definitions = shared["$defs"]
    taken = {name for name, schema in definitions.items() if schemas.get(name, schema) != schema}
    definitions, bodies = _renamed(definitions, {key: found[key, "validation"] for key, _, _ in adapters}, taken)
    schemas.update(definitions)
    for (path, method), contents in _BODIES.items():
        part(made, "paths", path, method)["requestBody"] = {
            "required": True,
            "content": {
                media: {"schema": bodies[f"{path} {method} {media}"], **examples}
                for media, (_, examples) in contents.items()
            },
        }


def _renamed(definitions: JsonObject, bodies: JsonObject, taken: set[str]) -> tuple[JsonObject, JsonObject]:
    """What goes in differs from what comes out (defaults, decimal strings): it gets a name of its own."""
    text = json.dumps((definitions, bodies))
    for name in taken:
        text = text.replace(f'"{_REF}{name}"', f'"{_REF}{name}Input"')
    definitions, bodies = json.loads(text)
    return {f"{name}Input" if name in taken else name: schema for name, schema in definitions.items()}, bodies


def _add_common(made: JsonObject) -> None:
    components, schemas = part(made, "components"), part(made, "components", "schemas")
    problem = Problem.model_json_schema(ref_template=_REF + "{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key of the service."},
        "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
    }
    for path, operations in part(made, "paths").items():
        for method in operations if isinstance(operations, dict) else ():
            operation = part(made, "paths", path, method)
            operation["security"] = [] if path in _OPEN else [{"bearer": []}, {"api_key": []}, {}]
            common = documented(*_BELOW, 500) if path in _OPEN else documented(*_BELOW, 401, 403, 500, 503)
            if method.upper() not in SAFE_METHODS:
                common |= documented(415)
            part(operation, "responses").update({str(status): response for status, response in common.items()})


def _describe_properties(name: str, schema: JsonObject) -> None:
    """Say what a bare tag or a bare reference is, from the schema that it belongs or leads to."""
    properties = part(schema, "properties") if "properties" in schema else {}
    for field in properties:
        prop = part(properties, field)
        if "description" in prop:
            continue
        if "const" in prop:
            prop["description"] = f"Always `{prop['const']}`. {schema.get('description', '')}".strip()
        elif field == "arguments":
            prop["description"] = f"What {name} is done with."
