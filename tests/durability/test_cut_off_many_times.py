"""Cut off again and again, also while it recovers, the story ends as if nothing had happened."""

import itertools
import random

import pytest

from tests.durability.cutting import Cuts
from tests.durability.story import STEPS, Stage, expect_the_same

STORIES = 10
MOST_CUTS = 4
"""In one step; each of them up to 25 boundaries after the one before."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_story_that_is_cut_off_many_times_ends_as_the_undisturbed_one(stage: Stage, seed: int) -> None:
    undisturbed, _ = await stage.play()
    chance = random.Random(seed)
    happened = 0
    for _ in range(STORIES):
        switch = await expect_the_same(stage, _cuts(chance), undisturbed)
        happened += len(switch.happened)
    assert happened > 5 * STORIES


def _cuts(chance: random.Random) -> Cuts:
    cuts = {}
    for step in range(1, len(STEPS) + 1):
        gaps = [chance.randint(1, 25) for _ in range(chance.randint(0, MOST_CUTS))]
        cuts[step] = list(itertools.accumulate(gaps))
    return cuts
