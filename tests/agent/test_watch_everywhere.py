"""Whatever happens to a building in watch, nothing is sent and nothing is ordered, and what it would do is what it says
when it goes live: all recorded scenarios, in watch."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from domain.errors import LongleadError
from domain.watch import Intentions
from evals.library import find
from evals.playing import Player
from evals.scenario import Scenario, Step
from evals.scratch import scratch_database
from evals.site import SLOTS, Site, open_site
from storage import procurement
from storage.connection import Connection
from storage.database import connect
from storage.embedded import EmbeddedServer
from storage.watching import read_intentions
from tests.agent.test_going_live import said_of

LEFT = """
SELECT (SELECT count(*) FROM outbox WHERE status <> 'withheld') AS messages,
       (SELECT count(*) FROM outbox WHERE status = 'withheld') AS withheld,
       (SELECT count(*) FROM deliveries) AS deliveries,
       (SELECT count(*) FROM purchase_orders WHERE NOT placed_outside) AS orders,
       (SELECT max(po_counter) FROM buildings) AS counted,
       (SELECT count(*) FROM actions WHERE result ? 'would_do') AS told"""


async def play_in_watch(site: Site, conninfo: str, scenario: Scenario, *, goes_live: bool = False) -> None:
    """Everything that happens in the scenario, as far as it can happen: in watch some questions are not asked. With
    `goes_live` what it would do is compared with what it says then."""
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
        if goes_live:
            await go_live_as_told(player, conn, scenario, site)
    finally:
        await conn.close()


async def go_live_as_told(player: Player, conn: Connection, scenario: Scenario, site: Site) -> None:
    """What the building would do is what its message says, and what it would do when it is live."""
    before = await told(conn, scenario, site)
    if before is None:
        return
    at = site.clock.now().astimezone(scenario.zone).replace(tzinfo=None)
    await player.play(Step.model_validate({"at": at.isoformat(), "change": {"mode": "live"}}), None)
    query = "SELECT payload FROM outbox WHERE building_id = %s AND subject LIKE 'Live from today%%'"
    (message,) = await (await conn.execute(query, (scenario.spec.building_id,))).fetchall()
    assert said_of(before) in message["payload"]["text"], scenario.spec.building_id
    assert await told(conn, scenario, site) == before


async def told(conn: Connection, scenario: Scenario, site: Site) -> Intentions | None:
    """None where it is closed: that does not go live."""
    building = await procurement.building(conn, scenario.spec.building_id)
    assert building is not None
    if building.status == "closed":
        return None
    return await read_intentions(conn, building, site.clock.now().astimezone(building.zone).date())


async def play_all_in_watch(conninfo: str, scenarios: list[Scenario], *, goes_live: bool = False) -> dict[str, Any]:
    """What is in the database when all of them were played."""
    async with scratch_database(conninfo) as scratch:
        room = asyncio.Semaphore(SLOTS)
        async with open_site(scratch) as site, asyncio.TaskGroup() as group:

            async def play(scenario: Scenario) -> None:
                async with room:
                    await play_in_watch(site, scratch, scenario, goes_live=goes_live)

            for scenario in scenarios:
                group.create_task(play(scenario))
        reader: Connection = await connect(scratch, application_name="reader")
        try:
            row = await (await reader.execute(LEFT)).fetchone()
        finally:
            await reader.close()
    assert row is not None
    return row


def is_played(scenario: Scenario) -> bool:
    """Not what goes live, and not what dies: an error is as loud as its whole stack."""
    steps = [*scenario.given, *scenario.steps]
    return not any((step.change or {}).get("mode") == "live" or step.dies for step in steps)


def expect_nothing_left(left: dict[str, Any], scenarios: list[Scenario]) -> None:
    assert [left[name] for name in ("messages", "deliveries", "orders", "counted")] == [0, 0, 0, 0]
    assert left["withheld"] > len(scenarios) / 2
    assert left["told"] > len(scenarios) / 2


SCENARIOS = Path(__file__).parents[2] / "evals" / "scenarios"
SOME = ("delegation_runs_out", "rule_decides_alone", "inspection_failed_replace", "order_asks_the_director")
SOME += ("acknowledgement_overdue", "mail_read_by_a_model", "silence_is_never_consent", "schedule_pulled_forward")


async def test_nothing_is_sent_or_ordered_in_watch(server: EmbeddedServer) -> None:
    """Rules, delegations, models, people, reminders, escalations and chases: one scenario of each."""
    scenarios = find([str(SCENARIOS / f"{name}.yaml") for name in SOME])
    expect_nothing_left(await play_all_in_watch(server.conninfo, scenarios), scenarios)


@pytest.mark.large
async def test_nothing_is_sent_or_ordered_in_watch_in_any_scenario(server: EmbeddedServer) -> None:
    scenarios = [scenario for scenario in find([]) if is_played(scenario)]
    expect_nothing_left(await play_all_in_watch(server.conninfo, scenarios), scenarios)


async def test_what_it_would_do_is_what_it_says_when_it_goes_live(server: EmbeddedServer) -> None:
    await play_all_in_watch(server.conninfo, find([str(SCENARIOS / f"{name}.yaml") for name in SOME]), goes_live=True)


@pytest.mark.large
async def test_what_it_would_do_is_what_it_says_after_any_scenario(server: EmbeddedServer) -> None:
    scenarios = [scenario for scenario in find([]) if is_played(scenario)]
    await play_all_in_watch(server.conninfo, scenarios, goes_live=True)
