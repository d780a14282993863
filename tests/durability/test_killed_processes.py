"""Real processes, really killed: the story ends as if nothing had happened, and each effect happens once."""

import asyncio
import json
import random
from typing import Any

import pytest

from storage.connection import Connection
from tests.agent.desk import Desk, FixedClock
from tests.durability.crew import all_rows, several, until, worker_process
from tests.durability.stage import Stage, Story
from tests.durability.stories import DELIVERY, QUESTIONS, UNCLEAR

KILLS = 4
TOLD = (QUESTIONS, DELIVERY, UNCLEAR)
WRITTEN = ("key", "recipient", "subject", "payload", "created_at")
"""Columns of the outbox that effects write; the others are the tick's, which delivers."""


@pytest.mark.slow
async def test_stories_whose_worker_is_killed_again_and_again_end_as_the_undisturbed_ones(
    stage: Stage, database: str
) -> None:
    undisturbed = [(await stage.play(story))[0] for story in TOLD]
    async with several(database, len(TOLD)) as callers:
        desks = [_PatientDesk(conn, None, FixedClock(), f"yard-{n:04}") for n, conn in enumerate(callers)]  # type: ignore[arg-type]
        telling = asyncio.gather(*(_tell(desk, story) for desk, story in zip(desks, TOLD, strict=True)))
        await _kill_while(telling, stage.conn, database)
        await telling

    for desk, whole in zip(desks, undisturbed, strict=True):
        ending = await stage.ending(desk.building_id)
        for part, expected in whole.items():
            assert _comparable(part, ending[part]) == _comparable(part, expected), (desk.building_id, part)
    started = await all_rows(stage.conn, "SELECT max(attempts) AS most FROM events")
    assert started[0]["most"] > 1, "no kill came in the middle of an entry"


async def _tell(desk: Any, story: Story) -> None:
    await desk.open(**story.opening)
    for step in story.steps:
        await step(desk)


async def _kill_while(telling: "asyncio.Future[Any]", conn: Connection, database: str) -> None:
    """Run a worker, and kill it each time after it has written a few more checkpoints; the last one lives."""
    chance = random.Random(11)
    checkpoints = "SELECT count(*) FROM checkpoints"
    for _ in range(KILLS):
        before = (await all_rows(conn, checkpoints))[0]["count"]
        with worker_process(database, "standing") as process:
            more = before + chance.randint(3, 24)
            assert not telling.done(), "the story was over before the last kill"
            await until(conn, f"SELECT count(*) >= {more} FROM checkpoints")
            process.kill()
            process.wait()
    with worker_process(database, "standing"):
        await asyncio.wait([telling], timeout=120)


class _PatientDesk(Desk):
    """A desk that waits for whichever process runs its agent."""

    async def run(self) -> None:
        done = "SELECT NOT EXISTS (SELECT 1 FROM events WHERE building_id = %s AND status IN ('queued', 'running'))"
        await until(self.conn, done, self.building_id, within=60)


def _comparable(part: str, rows: Any) -> Any:
    """Without what the tick delivers, which does not run in the undisturbed story, and without the digests that are
    made of order numbers, and so of a building's name."""
    if part == "outbox":
        return [{key: row[key] for key in WRITTEN} for row in rows]
    return json.loads(json.dumps(rows), object_hook=lambda found: {**found, "fingerprint": None})
