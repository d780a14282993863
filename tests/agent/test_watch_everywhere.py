"""Whatever happens to a building in watch, nothing is sent and nothing is ordered: all recorded scenarios, in watch."""

import asyncio
from typing import Any

from domain.errors import LongleadError
from evals.library import find
from evals.playing import Player
from evals.scenario import Scenario
from evals.scratch import scratch_database
from evals.site import SLOTS, Site, open_site
from storage.connection import Connection
from storage.database import connect
from storage.embedded import EmbeddedServer

LEFT = """
SELECT (SELECT count(*) FROM outbox WHERE status <> 'withheld') AS messages,
       (SELECT count(*) FROM outbox WHERE status = 'withheld') AS withheld,
       (SELECT count(*) FROM deliveries) AS deliveries,
       (SELECT count(*) FROM purchase_orders WHERE NOT placed_outside) AS orders,
       (SELECT max(po_counter) FROM buildings) AS counted,
       (SELECT count(*) FROM actions WHERE result ? 'would_do') AS told"""


async def play_in_watch(site: Site, conninfo: str, scenario: Scenario) -> None:
    """Everything that happens in the scenario, as far as it can happen: in watch some questions are not asked."""
    in_watch = scenario.model_copy(update={"building": {**scenario.building, "mode": "watch"}})
    conn = await connect(conninfo, application_name="watch")
    try:
        player = Player(site, conn, in_watch)
        await player.open()
        for number, step in enumerate([*scenario.given, *scenario.steps], 1):
            try:
                await player.play(step, number)
            except LongleadError:
                continue
    finally:
        await conn.close()


async def play_all_in_watch(conninfo: str, scenarios: list[Scenario]) -> dict[str, Any]:
    """What is in the database when all of them were played."""
    async with scratch_database(conninfo) as scratch:
        room = asyncio.Semaphore(SLOTS)
        async with open_site(scratch) as site, asyncio.TaskGroup() as group:

            async def play(scenario: Scenario) -> None:
                async with room:
                    await play_in_watch(site, scratch, scenario)

            for scenario in scenarios:
                group.create_task(play(scenario))
        reader: Connection = await connect(scratch, application_name="reader")
        try:
            row = await (await reader.execute(LEFT)).fetchone()
        finally:
            await reader.close()
    assert row is not None
    return row


def goes_live(scenario: Scenario) -> bool:
    return any((step.change or {}).get("mode") == "live" for step in scenario.steps)


async def test_nothing_is_sent_or_ordered_in_watch_whatever_happens(server: EmbeddedServer) -> None:
    scenarios = [scenario for scenario in find([]) if not goes_live(scenario)]
    left = await play_all_in_watch(server.conninfo, scenarios)
    assert {name: left[name] for name in ("messages", "deliveries", "orders", "counted")} == {
        "messages": 0,
        "deliveries": 0,
        "orders": 0,
        "counted": 0,
    }
    assert left["withheld"] > len(scenarios) / 2
    assert left["told"] > len(scenarios) / 2
