"""The checker finds what is wrong in a run: a fault is planted in the workers, and nothing else differs."""

import sys
from pathlib import Path

import pytest

from evals.chaos.havoc import Amount
from evals.chaos.run import Plan, chaos
from evals.chaos.violation import Violation

FEW = {"buildings": 8, "apis": 1, "settle_s": 60.0}
LEFT_ALONE = Amount(kills=0, freezes=0, seconds=0, frozen_s=0, restarts=0)
FROZEN = Amount(kills=0, freezes=2, seconds=8, frozen_s=4, restarts=0)


async def _violations(
    folder: Path, amount: Amount, workers: int, *faults: str, seed: int = 3, events: int = 32
) -> list[Violation]:
    worker = (sys.executable, "-m", "tests.chaos.faulty_worker", *faults)
    settings = {"stalled_after": "2", "heartbeat_interval": "0.5"}
    plan = Plan(seed, events, amount, workers=workers, worker=worker, settings=settings, **FEW)  # type: ignore[arg-type]
    async with chaos(plan, folder, lambda _: None) as outcome:
        return [found for found in outcome.violations if found.rule != "processes end when told"]


@pytest.mark.slow
async def test_without_a_key_in_the_ledger_effects_happen_twice_and_that_is_found(open_tmp_path: Path) -> None:
    found = await _violations(open_tmp_path, LEFT_ALONE, 1, "suicidal", "keyless")
    assert any("done twice" in violation.what for violation in found), found


@pytest.mark.slow
async def test_without_fencing_two_runs_write_one_thread_and_that_is_found(open_tmp_path: Path) -> None:
    """A worker has to be frozen in the middle of an entry, before its effect: else it is tried again."""
    found: list[Violation] = []
    for seed in (3, 4, 5, 6):
        folder = open_tmp_path / str(seed)
        folder.mkdir(mode=0o755)
        found += await _violations(folder, FROZEN, 2, "unfenced", "slow", seed=seed, events=160)
        if any(violation.rule == "the line is whole" for violation in found):
            return
    pytest.fail(f"two runs wrote one thread, and nobody noticed: {found}")


@pytest.mark.slow
async def test_with_key_and_fencing_the_same_deaths_do_no_harm(open_tmp_path: Path) -> None:
    assert await _violations(open_tmp_path, LEFT_ALONE, 1, "suicidal") == []
