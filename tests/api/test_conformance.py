"""Whatever is sent, no answer is a server's error, and every answer is one that the description names."""

import re
from typing import Any

import httpx
import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.api.office import APPROVED, BUILDING, EVENTS, SPEC
from tests.api.served import Served

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    missing_required_header,
    unsupported_method,
    negative_data_rejection,
]
"""All that judge one answer, but those about keys: tests/api/test_auth.py has them."""
KNOWN = {
    "building_id": BUILDING,
    "item_id": "steel-beams",
    "event_id": "docs-311",
    "approval_id": f"{BUILDING}.1.0",
}


@pytest.fixture
def busy(served: Served, database: str) -> None:
    """A building with an event and a question, and a worker that is alive."""
    httpx.post(f"{served.url}/buildings", json=SPEC).raise_for_status()
    httpx.post(f"{served.url}{EVENTS}", json=APPROVED).raise_for_status()
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() + interval '1 h')")
    served.ask()


@pytest.mark.slow
@pytest.mark.usefixtures("busy")
def test_every_operation_answers_as_it_is_described_whatever_is_sent(served: Served) -> None:
    schema = schemathesis.openapi.from_dict(served.app.openapi())
    for found in schema.get_all_operations():
        _try(found.ok(), served.url, GenerationMode.POSITIVE, 12)


@pytest.mark.slow
@pytest.mark.usefixtures("busy")
def test_no_operation_takes_what_its_description_calls_invalid(served: Served) -> None:
    schema = schemathesis.openapi.from_dict(with_known_paths(served.app.openapi()))
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.query.items or operation.body.items:
            _try(operation, served.url, GenerationMode.NEGATIVE, 4)
            tried += 1
    assert tried > 20


def with_known_paths(described: dict[str, Any]) -> dict[str, Any]:
    """The same description of the addresses of things that are there: what is wrong is then in the query or the body.

    Almost everything can be in a path; looking for what cannot takes minutes.
    """
    paths = {}
    for path, operations in described["paths"].items():
        address = re.sub(r"{(\w+)}", lambda found: KNOWN.get(found[1], "1"), path)
        paths[address] = {
            method: {
                **operation,
                "parameters": [known for known in operation.get("parameters", []) if known["in"] == "query"],
            }
            for method, operation in operations.items()
        }
    return {**described, "paths": paths}


def _try(operation: Any, url: str, mode: GenerationMode, count: int) -> None:
    @given(case=operation.as_strategy(generation_mode=mode), known=st.booleans())
    @given_settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def conforms(case: Any, known: bool) -> None:
        if known and mode is GenerationMode.POSITIVE:
            case.path_parameters = {name: KNOWN.get(name, value) for name, value in case.path_parameters.items()}
        response = case.call(base_url=url)
        case.validate_response(response, checks=CHECKS)

    conforms()
