"""Driving a building that is taken on while it runs."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx

from runtime.resources import Resources
from storage import upkeep
from tests.truth.site import BUILDING, Found, Site

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""The morning on which the project is taken on: Monday, 2 March 2026."""
VENDORS = [
    {"vendor_id": "kent", "name": "Kent", "contact": "orders@kent.example"},
    {"vendor_id": "york", "name": "York", "contact": "orders@york.example"},
]


def line(item_id: str = "pumps", quantity: str | None = "100", **more: Any) -> Found:
    """A line of the log; `state` among the rest."""
    made = {"item_id": item_id, "name": item_id.title(), "vendor_id": "kent", "unit": "pcs", "unit_price": "10"}
    made |= {"required_by": "2026-06-01", "lead_time_days": 30, **({"quantity": quantity} if quantity else {})}
    return made | more


def order(number: str = "4711", *shipments: Found, **more: Any) -> Found:
    return {"number": number, "shipments": list(shipments), **more}


@dataclass
class HalfBought:
    """The building, whose clock begins on the Monday."""

    site: Site
    resources: Resources

    async def post(self, *lines: Found, later: bool = False, **more: Any) -> httpx.Response:
        """Post the log as a whole; `later`: an empty building first, then the lines with `Items_Changed`."""
        if self.site.clock.moment < MONDAY:
            self.site.clock.moment = MONDAY
        body: Found = {
            "building_id": BUILDING,
            "name": "Site",
            "time_zone": "UTC",
            "schedule": {"project": {"name": "Site"}, "deliveries": []},
            "vendors": VENDORS,
            **more,
        }
        answer = await self.site.client.post("/buildings", json=body if later else body | {"items": list(lines)})
        if later and answer.status_code == 201:
            answer = await self.change(*lines)
        await self.site.drainer.drain(BUILDING)
        return answer

    async def change(self, *lines: Found) -> httpx.Response:
        return await self.site.post("Items_Changed", items=list(lines))

    async def open(self, *lines: Found, later: bool = False, **more: Any) -> None:
        answer = await self.post(*lines, later=later, **more)
        assert answer.status_code in (201, 202), answer.text

    async def refused(self, *lines: Found) -> str:
        """The field that the answer names."""
        answer = await self.post(*lines)
        assert answer.status_code == 422, answer.text
        return " ".join(str(error["field"]) for error in answer.json()["errors"])

    async def pass_days(self, to: str) -> None:
        """Let time pass until a day, at noon; what falls due is done."""
        self.site.clock.moment = datetime.fromisoformat(f"{to}T12:00:00+00:00")
        async with self.resources.pool.connection() as conn:
            await upkeep.enter_owed(conn, self.site.clock.now())
        await self.site.drainer.drain(BUILDING)

    async def item(self, item_id: str = "pumps") -> Found:
        return await self.site._get(f"/buildings/{BUILDING}/items/{item_id}")

    async def quantities(self, item_id: str = "pumps") -> dict[str, Decimal]:
        """Where the goods are; what is nowhere is left out."""
        found = (await self.item(item_id))["quantities"]
        return {
            name: Decimal(value) for name, value in found.items() if name not in ("needed", "open") and Decimal(value)
        }

    async def facts(self, item_id: str = "pumps") -> list[Found]:
        return await self.site.rows(f"items/{item_id}/facts")

    async def actions(self) -> list[str]:
        return [row["name"] for row in await self.site.rows("actions")]

    async def orders(self) -> dict[str, Found]:
        return {row["number"]: row for row in await self.site.orders()}

    async def messages(self) -> list[Found]:
        return [row for row in await self.site.rows("messages") if row["direction"] == "out"]

    async def questions(self) -> list[str]:
        return sorted(question["kind"] for question in await self.site.questions())
