"""Everything is stopped and started again, the database too: nothing that was open is forgotten."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from runtime.resources import open_resources
from runtime.settings import Settings
from runtime.worker import open_worker
from tests.api.office import BUILDING, EVENTS, SPEC, client_of
from tests.durability.crew import SHORT

FAILED: dict[str, Any] = {
    "event_type": "Inspection_Failed",
    "event_id": "qa-7",
    "item": "HVAC Units",
    "inspection_date": "2026-02-23",
    "document_url": "https://docs.example/7.pdf",
    "document_name": "Report 7",
}


@asynccontextmanager
async def _service(data_dir: Path) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """API, worker and embedded PostgreSQL, started and stopped; the client and the database's conninfo."""
    settings = Settings(data_dir=data_dir, database_url="", **SHORT)
    async with open_resources(settings, name="service") as resources, open_worker(resources) as worker:
        running = asyncio.create_task(worker.run())
        try:
            async with client_of(resources) as client:
                yield client, resources.conninfo
        finally:
            worker.stopping.set()
            await running


@pytest.mark.slow
async def test_an_open_approval_is_still_there_after_everything_was_restarted_and_can_be_answered(
    open_tmp_path: Path,
) -> None:
    data_dir = open_tmp_path / "data"
    async with _service(data_dir) as (client, conninfo):
        assert (await client.post("/buildings", json=SPEC)).status_code == 201
        assert (await client.post(EVENTS, json=FAILED)).status_code == 202
        await _done(client, "qa-7")
        (asked,) = (await client.get("/approvals?status=pending")).json()["data"]
    with pytest.raises(psycopg.OperationalError):
        await psycopg.AsyncConnection.connect(conninfo, connect_timeout=2)

    async with _service(data_dir) as (client, _):
        (still,) = (await client.get("/approvals?status=pending")).json()["data"]
        assert still == asked
        answer = {"type": "approve", "version": asked["version"]}
        response = await client.post(f"/approvals/{asked['approval_id']}/decision", json=answer)
        assert response.status_code in (200, 202), response.text
        await _done(client, response.json()["event_id"])
        assert (await client.get("/approvals?status=pending")).json()["data"] == []
        lines = (await client.get(f"/buildings/{BUILDING}/items")).json()["data"]
        assert [line["commercial"] for line in lines if line["item_id"] == "hvac-units"] == ["ordered"]


async def _done(client: httpx.AsyncClient, event_id: str) -> None:
    async with asyncio.timeout(20):
        while True:
            response = await client.get(f"{EVENTS}/{event_id}")
            if response.json().get("status") == "done":
                return
            await asyncio.sleep(0.05)
