"""The connections of all processes are added up at each start, and what does not fit is said."""

from pathlib import Path

import pytest

from runtime.connection_budget import WORKER_POOL, ConnectionBudget, describe_shortage
from runtime.settings import Settings
from storage.server_check import Room
from storage.workers import Declared

WORKER = ConnectionBudget(slots=20, pool=5)
NONE = Declared(0, 0)


def room(limit: int, in_use: int = 0, ours: int = 0) -> Room:
    return Room("max_connections", limit, 3, in_use, ours)


@pytest.mark.parametrize(
    ("free", "declared"),
    [
        (room(32), NONE),
        (room(64, in_use=5, ours=5), Declared(32, 1)),
        (room(97, in_use=10, ours=5), Declared(32, 1)),
        (room(74, in_use=42, ours=42), NONE),
    ],
)
def test_where_all_fits_nothing_is_said(free: Room, declared: Declared) -> None:
    assert describe_shortage(WORKER, free, declared) == ""


@pytest.mark.parametrize(
    ("free", "declared", "needed"),
    [
        (room(31), NONE, 32),
        (room(97, in_use=20, ours=20), Declared(96, 3), 128),
        (room(97, in_use=90, ours=20), Declared(64, 2), 166),
        (room(97, in_use=70, ours=70), NONE, 102),
    ],
    ids=["one alone", "three declare more than they have open", "other programs too", "open and declared by nobody"],
)
def test_what_does_not_fit_is_said_with_the_sum_and_what_to_change(free: Room, declared: Declared, needed: int) -> None:
    said = describe_shortage(WORKER, free, declared)
    assert f"{needed} in all, and {free.limit} are allowed" in said
    assert f"raise max_connections to {needed + 3}" in said, "the reserved ones are counted in that setting"
    assert "20 slots + 5 + 7" in said


def test_the_documented_sums_are_those_that_are_checked() -> None:
    settings = Settings()
    serve, worker = ConnectionBudget.of_service(settings), ConnectionBudget.of_worker(settings)
    page = (Path(__file__).parents[2] / "docs/scale.md").read_text(encoding="utf-8")
    assert f"{serve.most} x serve + {worker.most} x workers" in page
    assert f"`LONGLEAD_CONCURRENCY` ({serve.slots})" in page
    assert f"`LONGLEAD_API_CONNECTIONS` ({serve.pool}) | {WORKER_POOL} |" in page
    assert f"fewer than {worker.least} are left" in page
    said = (Path(__file__).parents[2] / "docs/for-integrators.md").read_text(encoding="utf-8")
    assert f"`LONGLEAD_CONCURRENCY` + `LONGLEAD_API_CONNECTIONS` + {serve.engine} connections ({serve.most})" in said
    assert f"`LONGLEAD_CONCURRENCY` + {worker.most - worker.slots} ({worker.most})" in said
