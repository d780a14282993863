"""Telling LangGraph's dev server of the buildings' threads: it lists, and finds by id, only what it was told of."""

import asyncio
import contextlib

import httpx
import psycopg
from langgraph_sdk.client import LangGraphClient

from storage.database import connect

GRAPH = "building"
"""The graph's name in langgraph.json."""

LOOK_EVERY_S = 3.0

ALL_BUILDINGS = "SELECT building_id, name, thread_id::text FROM buildings ORDER BY created_at, building_id"


class Registrar:
    """Registers each building's thread once."""

    def __init__(self, client: LangGraphClient, conninfo: str) -> None:
        self._client = client
        self._conninfo = conninfo
        self._known: set[str] = set()

    async def register_new(self) -> int:
        """Register the buildings that are not yet; how many those were."""
        async with await connect(self._conninfo, application_name="longlead studio registrar") as conn:
            rows = await (await conn.execute(ALL_BUILDINGS)).fetchall()
        new = [row for row in rows if row["thread_id"] not in self._known]
        for row in new:
            await self._client.threads.create(
                thread_id=row["thread_id"],
                if_exists="do_nothing",
                graph_id=GRAPH,
                metadata={"building_id": row["building_id"], "name": row["name"]},
            )
            self._known.add(row["thread_id"])
        return len(new)

    async def keep_registering(self) -> None:
        """Look for new buildings every few seconds, until cancelled; a database or server that is away for a while
        is asked again."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            with contextlib.suppress(psycopg.OperationalError, httpx.TransportError):
                await self.register_new()
