"""Cut off again and again, also while it recovers, the story ends as if nothing had happened."""

import itertools
import random

import pytest

from tests.durability.cutting import Cuts
from tests.durability.stage import Stage, expect_the_same
from tests.durability.stories import STORIES, Story

TIMES = 2
MOST_CUTS = 4
"""In one step; each of them up to 25 boundaries after the one before."""


@pytest.mark.slow
@pytest.mark.parametrize("name", STORIES)
async def test_a_story_that_is_cut_off_many_times_ends_as_the_undisturbed_one(stage: Stage, name: str) -> None:
    story, chance = STORIES[name], random.Random(name)
    undisturbed, _ = await stage.play(story)
    happened = 0
    for _ in range(TIMES):
        switch = await expect_the_same(stage, story, _cuts(story, chance), undisturbed)
        happened += len(switch.happened)
    assert happened >= min(10, 2 * len(story.steps)) * TIMES


def _cuts(story: Story, chance: random.Random) -> Cuts:
    cuts = {}
    for step in range(1, len(story.steps) + 1):
        gaps = [chance.randint(1, 25) for _ in range(chance.randint(0, MOST_CUTS))]
        cuts[step] = list(itertools.accumulate(gaps))
    return cuts
