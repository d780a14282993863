"""Cut off between any two of its steps, an entry of any type ends as if nothing had happened."""

from dataclasses import replace

import pytest

from tests.durability.cutting import RelentlessSwitch
from tests.durability.stage import Stage, compare, expect_the_same_at_every_moment
from tests.durability.stories import QUESTIONS, STORIES


@pytest.mark.slow
@pytest.mark.parametrize("name", STORIES)
async def test_a_story_whose_every_process_dies_a_moment_further_on_ends_as_the_undisturbed_one(
    stage: Stage, name: str
) -> None:
    """Each process lives to the next boundary that none has died at: so all of them are died at, once, and what is
    begun again is cut off as well."""
    undisturbed, whole = await stage.play(STORIES[name])
    switch = RelentlessSwitch()
    compare(await stage.play_with(STORIES[name], switch), undisturbed, switch)

    died = [one.partition(" ")[2] for one in switch.happened]
    for step, passed in whole.passed.items():
        here = [one for one in died if one.startswith(f"{step},")]
        assert len(here) >= sum(boundary == "after the commit" for boundary in passed), f"step {step}: {here}"
    assert len(died) > 10 * len(STORIES[name].steps)


@pytest.mark.slow
async def test_a_story_that_is_cut_off_once_in_each_step_ends_as_the_undisturbed_one(stage: Stage) -> None:
    """At every moment once, each time after the step before has recovered."""
    await expect_the_same_at_every_moment(stage, replace(QUESTIONS, studio=False))
