"""Running scenarios: in parallel, each in a task, a building and a time of its own; round after round."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version

import httpx
import psycopg

from domain.errors import LongleadError
from evals.grading import judge
from evals.playing import Played, Player
from evals.problems import Kind, Problem
from evals.recorded_models import left_over
from evals.results import FoundProblem, Run, ScenarioResult
from evals.scenario import Scenario
from evals.scratch import scratch_database
from evals.site import SLOTS, Site, open_site
from evals.timeline import moment_of
from storage.database import connect

Tell = Callable[[ScenarioResult], None]
"""Is told of every scenario when it has been played."""


async def run(
    conninfo: str,
    scenarios: list[Scenario],
    tell: Tell,
    *,
    rounds: int = 1,
    slots: int = SLOTS,
    model: str | None = None,
) -> Run:
    """Play the scenarios on this server, each round in a scratch database of its own. `model` names real models for
    the scenarios that have recorded answers."""
    began, started = time.monotonic(), datetime.now(UTC)
    results: list[ScenarioResult] = []
    for number in range(1, rounds + 1):
        async with scratch_database(conninfo) as scratch:
            results += await play_all(scratch, scenarios, tell, round_=number, slots=slots, model=model)
    return Run(
        longlead=version("longlead"),
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - began, 2),
        model=model,
        rounds=rounds,
        results=results,
    )


async def play_all(
    conninfo: str,
    scenarios: list[Scenario],
    tell: Tell,
    *,
    round_: int = 1,
    slots: int = SLOTS,
    model: str | None = None,
) -> list[ScenarioResult]:
    """Play them in a migrated database in which none of their buildings is."""
    room = asyncio.Semaphore(slots)
    async with open_site(conninfo, slots, model) as site, asyncio.TaskGroup() as group:

        async def one(scenario: Scenario) -> ScenarioResult:
            async with room:
                result = await play(site, conninfo, scenario, round_)
            tell(result)
            return result

        tasks = [group.create_task(one(scenario)) for scenario in scenarios]
    return [task.result() for task in tasks]


async def play(site: Site, conninfo: str, scenario: Scenario, round_: int = 1) -> ScenarioResult:
    """One scenario, played and judged. What stops it is a problem of its own."""
    began = time.monotonic()
    played: list[Played] = []
    stopped: Problem | None = None
    conn = await connect(conninfo, application_name="evals player")
    try:
        player = Player(site, conn, scenario)
        await player.open()
        steps = [(step, None) for step in scenario.given] + [(s, n) for n, s in enumerate(scenario.steps, 1)]
        for step, number in steps:
            played.append(await player.play(step, number))
        ending = player.ending()
        unused = left_over() if scenario.models else []
    except (LongleadError, httpx.HTTPError, psycopg.Error) as error:
        ending = None
        number = sum(one.number is not None for one in played) + 1
        stopped = Problem(Kind.FAILED, str(error), number)
    finally:
        await conn.close()
    if ending is not None and unused:
        stopped = Problem(Kind.FAILED, f"{len(unused)} recorded answers of models were not asked for")
    found = judge(scenario, played, ending) + ([stopped] if stopped else [])
    return ScenarioResult(
        name=scenario.name,
        title=scenario.title,
        why=scenario.why,
        round=round_,
        seconds=round(time.monotonic() - began, 3),
        problems=[FoundProblem(kind=one.kind, detail=one.detail, step=one.step) for one in found],
        timeline=[moment_of(one) for one in played],
    )
