"""The building whose messages the tests send: written as effects write them, delivered as the worker does."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from api.app import create_app
from domain.buildings import BuildingSpec
from runtime.delivery import Delivery
from runtime.resources import Resources
from runtime.settings import Settings
from storage import buildings, ledger
from storage.ledger import EffectKey
from storage.transaction import building_transaction
from tests.agent.desk import FixedClock

BUILDING = "office"


@dataclass
class PostRoom:
    """Messages in, deliveries out, and what the database says of them."""

    resources: Resources
    clock: FixedClock
    counted: list[tuple[str, str]] = field(default_factory=list)
    _seq: int = 0

    @property
    def settings(self) -> Settings:
        return self.resources.settings

    async def open(self, building_id: str = BUILDING, **spec: Any) -> None:
        body = {"building_id": building_id, "name": "Office", "schedule": {"project": {"name": "Office"}}, **spec}
        async with self.resources.pool.connection() as conn:
            await buildings.create(conn, BuildingSpec.model_validate(body), self.clock.now())

    async def write(self, recipient: str = "site", text: str = "Hello", building_id: str = BUILDING) -> str:
        """Put a message into the outbox; its key."""
        self._seq += 1
        key = EffectKey(building_id, self._seq, "notify_team", "", 0)
        async with (
            self.resources.pool.connection() as conn,
            building_transaction(conn, building_id) as transaction,
        ):
            ledger.post(
                transaction,
                key,
                channel="log",
                recipient=recipient,
                subject="Notice",
                payload={"to": recipient, "text": text, "item": None, "urgency": "normal"},
                at=self.clock.now(),
            )
        return str(key)

    def delivery(self) -> Delivery:
        def count(channel: str, outcome: str) -> None:
            self.counted.append((channel, outcome))

        return Delivery(self.settings, self.clock, self.resources.pool, count)

    async def deliver(self) -> int:
        return await self.delivery().run()

    async def rows(self, query: str = "SELECT * FROM outbox ORDER BY outbox_id") -> list[dict[str, Any]]:
        async with self.resources.pool.connection() as conn:
            return await (await conn.execute(query)).fetchall()

    async def statuses(self) -> list[str]:
        return [row["status"] for row in await self.rows()]

    def client(self) -> httpx.AsyncClient:
        """The API, called as from this machine."""
        transport = httpx.ASGITransport(create_app(self.resources), client=("127.0.0.1", 1))
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")
