"""Whatever is sent, no answer is a server's error, and every answer is one that the description names."""

from typing import Any

import httpx
import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.office import APPROVED, BUILDING, EVENTS, SPEC
from tests.api.served import Served

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
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
        _try(found.ok(), served.url)


def _try(operation: Any, url: str) -> None:
    @given(case=operation.as_strategy(), known=st.booleans())
    @given_settings(
        max_examples=12,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def conforms(case: Any, known: bool) -> None:
        if known:
            case.path_parameters = {name: KNOWN.get(name, value) for name, value in case.path_parameters.items()}
        response = case.call(base_url=url)
        case.validate_response(response, checks=CHECKS)

    conforms()
