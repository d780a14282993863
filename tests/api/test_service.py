"""The service says how it is, and no error shows its inside."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from domain.errors import StorageError
from runtime.resources import Resources
from storage.database import open_pool
from tests.api.office import APPROVED, EVENTS, LOCAL, SPEC, assert_problem, raise_approval, rows

WORKER = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '{} s') RETURNING id"


async def test_it_is_alive_as_soon_as_it_answers(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}


async def test_it_is_ready_only_while_a_worker_gives_signs_of_life(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    await rows(resources, WORKER.format(60))
    problem = assert_problem(await client.get("/readyz"), 503, "longlead worker")
    assert problem["missing"] == ["worker"]
    await rows(resources, WORKER.format(1))
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "workers": 1})


@pytest.fixture
async def without_database(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service whose database is gone."""
    monkeypatch.setattr("api.held.CONNECTION_TIMEOUT_S", 0.2)
    monkeypatch.setattr("api.health._TIMEOUT_S", 0.2)
    pool = open_pool("host=/nowhere dbname=none", max_size=1, name="gone")
    await pool.open()
    resources.pool, opened = pool, resources.pool
    transport = httpx.ASGITransport(create_app(resources))
    async with httpx.AsyncClient(transport=transport, base_url=LOCAL, timeout=20) as client:
        yield client
    await pool.close()
    resources.pool = opened


async def test_a_database_that_is_gone_is_503_with_the_time_to_try_again(without_database: httpx.AsyncClient) -> None:
    problem = assert_problem(await without_database.get("/readyz"), 503, "database")
    assert problem["missing"] == ["database"]
    response = await without_database.post(EVENTS, json=APPROVED)
    assert_problem(response, 503, "Try again in 5 seconds")
    assert response.headers["retry-after"] == "5"
    assert (await without_database.get("/healthz")).status_code == 200


async def test_figures_count_events_questions_the_backlog_and_requests(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    await client.post("/buildings", json=SPEC)
    await client.post(EVENTS, json=APPROVED)
    await raise_approval(resources)
    await asyncio.sleep(0.01)
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    samples = {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }
    assert samples["longlead_events", "Submittal_Approved", "queued"] == 1
    assert samples["longlead_pending_approvals",] == 1
    assert samples["longlead_backlog_oldest_seconds",] > 0
    assert samples["longlead_buildings",] == 1
    posts = ("longlead_http_request_duration_seconds_count", "POST", "/buildings/{building_id}/events", "202")
    assert samples[posts] == 1


async def test_an_address_or_method_that_is_not_there_is_a_problem_document(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get("/no/such/address"), 404, "/docs")
    assert_problem(await client.delete("/healthz"), 405)


@pytest.mark.parametrize("error", [RuntimeError("secret"), StorageError("secret")])
async def test_what_nobody_foresaw_is_500_and_does_not_show_its_inside(resources: Resources, error: Exception) -> None:
    app, broken = create_app(resources), APIRouter()

    @broken.get("/broken")
    async def fail() -> None:
        raise error

    app.include_router(broken)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=LOCAL) as client:
        response = await client.get("/broken")
    assert_problem(response, 500)
    assert "secret" not in response.text
