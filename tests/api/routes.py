"""Every route of the service's own description, with an address and a body that fit."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

SAFE = ("get", "head")
IDS: Mapping[str, str] = {
    "building_id": "office-renovation",
    "item_id": "steel-beams",
    "event_id": "docs-311",
    "vendor_id": "mill",
    "approval_id": "office-renovation.1.0",
    "rule_id": "office-renovation-r17",
    "delegation_id": "office-renovation-d9",
    "outbox_id": "1",
    "fork_id": "office-renovation-fork-1",
    "checkpoint_id": "1ef0-none",
}


@dataclass(frozen=True)
class Route:
    """A method and the template of its address."""

    method: str
    template: str

    def path(self, ids: Mapping[str, str] = IDS) -> str:
        return re.sub(r"{(\w+)(?::path)?}", lambda found: ids.get(found[1], "some-id"), self.template)

    def names(self, part: str) -> bool:
        return f"{{{part}}}" in self.template

    def __str__(self) -> str:
        return f"{self.method} {self.template}"


def routes_of(app: FastAPI) -> Iterator[Route]:
    """Every documented route."""
    described: dict[str, Any] = app.openapi()["paths"]
    for template, operations in described.items():
        for method in operations:
            yield Route(method.upper(), template)


def changing_routes(app: FastAPI) -> list[Route]:
    """The routes that change something."""
    return [route for route in routes_of(app) if route.method.lower() not in SAFE]
