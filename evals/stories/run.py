"""Running stories: several at once, each in a database, a task and a time of its own."""

import asyncio
import time
from collections.abc import Callable

from evals.scratch import scratch_database
from evals.site import open_site
from evals.stories.format import Story
from evals.stories.judging import judge
from evals.stories.playing import StoryPlayer
from evals.stories.results import StoryResult, summarise
from storage.database import connect

LANES = 2
"""Stories that are played at once: the agent computes on one core, PostgreSQL on another."""
SLOTS = 2
"""Workers behind each story: a building is one thread."""


async def run_stories(
    conninfo: str, stories: list[Story], advance: Callable[[], None], *, lanes: int = LANES
) -> list[StoryResult]:
    """Play and judge the stories on this server; `advance` is told of each step.

    Raises:
        PlayStoppedError: the API refuses a building.
    """
    free = asyncio.Semaphore(lanes)

    async def run_story(story: Story) -> StoryResult:
        async with free, scratch_database(conninfo) as scratch:
            return await play_story(scratch, story, advance)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run_story(story)) for story in stories]
    return [task.result() for task in tasks]


async def play_story(conninfo: str, story: Story, advance: Callable[[], None]) -> StoryResult:
    """Play and judge one story in a migrated database in which its building is not."""
    began = time.monotonic()
    async with open_site(conninfo, SLOTS) as site:
        conn = await connect(conninfo, application_name="story player")
        try:
            record = await StoryPlayer(site, conn, story).play(advance)
        finally:
            await conn.close()
    return summarise(record, judge(record), time.monotonic() - began)
