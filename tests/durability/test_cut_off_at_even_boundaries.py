"""Cut off between any two of its steps, an entry ends as if nothing had happened: the even boundaries."""

import pytest

from tests.durability.story import Stage, expect_the_same_at_every


@pytest.mark.slow
@pytest.mark.parametrize("first", [2, 4, 6])
async def test_an_entry_that_is_cut_off_at_any_boundary_ends_as_the_undisturbed_one(stage: Stage, first: int) -> None:
    await expect_the_same_at_every(stage, first, every=6)
