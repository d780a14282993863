"""The building, the callers and the checks that the API's tests share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from psycopg.types.json import Jsonb

from api.app import create_app
from domain.approvals import Approval, Option
from runtime.resources import Resources
from runtime.settings import ApiKey
from storage.transaction import building_transaction

LOCAL = "http://127.0.0.1"
BUILDING = "office-renovation"
SPEC: dict[str, Any] = {
    "building_id": BUILDING,
    "name": "Small Office Renovation",
    "schedule": {
        "project": {
            "name": "Small Office Renovation",
            "start_date": "2026-02-01",
            "end_date": "2026-05-31",
        },
        "deliveries": [
            {"item": "Steel Beams", "required_by": "2026-02-15", "buffer_days": 5},
            {"item": "HVAC Units", "required_by": "2026-03-01", "buffer_days": 7},
        ],
    },
}
APPROVED: dict[str, Any] = {
    "event_type": "Submittal_Approved",
    "event_id": "docs-311",
    "source": "docs",
    "item": "Steel Beams",
    "document_url": "https://docs.example.com/311",
    "document_name": "Steel Beams, revision 0",
}
EVENTS = f"/buildings/{BUILDING}/events"
READER = ApiKey(key="reader-key-0123456789", id="r", name="Reader", roles=["reader"])
SENDER = ApiKey(key="sender-key-0123456789", id="erp", name="ERP", type="automated_rule", roles=["events"])
APPROVER = ApiKey(key="approver-key-0123456789", id="pm", name="Project manager", roles=["approver"])
MACHINE = ApiKey(key="machine-key-0123456789", id="bot", name="Assistant", type="ai_agent", roles=["approver"])
ADMIN = ApiKey(key="admin-key-0123456789", id="it", name="Administrator", roles=["admin"])


@asynccontextmanager
async def client_of(
    resources: Resources, *, client: tuple[str, int] = ("127.0.0.1", 1), base_url: str = LOCAL
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app over these resources, seen from the address given."""
    transport = httpx.ASGITransport(create_app(resources), client=client)
    async with httpx.AsyncClient(transport=transport, base_url=base_url) as opened:
        yield opened


def bearer(key: ApiKey) -> dict[str, str]:
    return {"Authorization": f"Bearer {key.key}"}


async def raise_approval(resources: Resources, *, item: str | None = "hvac-units", **fields: Any) -> str:
    """Put a question on file as the agent would; its id."""
    number = fields.pop("number", 0)
    approval = Approval.model_validate(
        {
            "approval_id": f"{BUILDING}.1.{number}",
            "key": f"1.{number}",
            "item_id": item,
            "kind": "inspection_failed",
            "summary": "HVAC Units failed inspection. What now?",
            "options": [
                Option(title="Replace", actions=[{"name": "reorder_item", "arguments": {"item": "hvac-units"}}]),
                Option(title="Repair", actions=[{"name": "repair_item", "arguments": {"item": "hvac-units"}}]),
            ],
            "fingerprint": "f",
            "raised_at": datetime(2026, 2, 23, 12, number, tzinfo=UTC),
            "raised_seq": 0,
            **fields,
        }
    )
    async with resources.pool.connection() as conn, building_transaction(conn, BUILDING) as transaction:
        transaction.save(approval)
    return approval.approval_id


async def rows(resources: Resources, query: str) -> list[dict[str, Any]]:
    """What the database says."""
    async with resources.pool.connection() as conn:
        return await (await conn.execute(query)).fetchall()


async def count(resources: Resources, table: str) -> int:
    return int((await rows(resources, f"SELECT count(*) AS n FROM {table}"))[0]["n"])


async def finish_first_event(resources: Resources, outcome: dict[str, Any]) -> None:
    """Do what a worker would with the first event that comes in."""
    finish = "UPDATE events SET status = 'done', outcome = %s RETURNING 1"
    for _ in range(1000):
        async with resources.pool.connection() as conn:
            if await (await conn.execute(finish, (Jsonb(outcome),))).fetchone():
                return
        await asyncio.sleep(0.01)


def assert_problem(response: httpx.Response, status: int, *words: str) -> dict[str, Any]:
    """The response is a problem document of this status, and its detail has these words."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert problem["type"]
    assert problem["title"]
    for word in words:
        assert word in problem["detail"]
    return problem
