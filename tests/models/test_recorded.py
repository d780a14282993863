"""Every path on which a model is asked, with the answers of a real one that are on file: whatever it says, nothing
wrong is carried out. `make test-live` asks the model that OPENAI_BASE_URL names instead (test_live.py)."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from evals.reading import cases
from evals.reading.__main__ import groups
from evals.reading.cases import Result, counted
from evals.reading.paths import Path as Played
from evals.reading.recorded import CASSETTES, replayed

GROUPS = {name: (worker, plays) for name, worker, plays in groups()}
READ = [name for name in GROUPS if name.startswith(("mails", "replies"))]
OTHER = [name for name in GROUPS if name not in READ]


@pytest.mark.parametrize("name", READ)
async def test_of_what_is_read_nothing_wrong_is_carried_out(database: str, name: str) -> None:
    worker, plays = GROUPS[name]
    async with replayed(name, worker) as models:
        results = [await play(database, models) for play in plays]
    read = [one for one in results if isinstance(one, Result)]
    assert [one for one in read if one.outcome == "wrong"] == []
    sums = counted(read)
    told = [sums[one] for one in ("cases", "read right", "right", "confirmed", "asked", "wrong")]
    assert told == _told_of(name.replace("_", " ")), "evals/reading/results.md says what the replay shows"


def _told_of(name: str) -> list[int]:
    """The figures of a group in results.md."""
    text = (Path(cases.__file__).parent / "results.md").read_text(encoding="utf-8")
    found = re.search(rf"^\| {name} \|([ \d|]+)\|$", text, re.MULTILINE)
    assert found is not None, name
    return [int(figure) for figure in found[1].split("|")]


@pytest.mark.parametrize("name", OTHER)
async def test_advice_wording_and_summaries_do_no_harm(database: str, name: str) -> None:
    worker, plays = GROUPS[name]
    async with replayed(name, worker) as models:
        results = [await play(database, models) for play in plays]
    paths = [one for one in results if isinstance(one, Played)]
    assert {one.id: one.faults for one in paths if one.faults} == {}
    assert any(one.taken for one in paths), "the recorded model says something that is taken"


def test_a_call_that_is_not_recorded_fails_the_test_that_makes_it() -> None:
    whole = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/models/unrecorded.py"],
        cwd=whole,
        capture_output=True,
        text=True,
        timeout=120,
    )
    told = ended.stdout
    assert ended.returncode == 1, told
    assert "127.0.0.1:11434" in told
    assert "api.openai.com" in told
    assert "NotRecordedError: mails: 1 requests are not on file" in told
    assert "1 failed, 2 passed, 2 errors" in told, "refusals fail the test at its end"


@pytest.mark.parametrize("name", list(GROUPS))
def test_what_is_on_file_holds_no_key_and_no_address(name: str) -> None:
    text = (CASSETTES / f"{name}.yaml").read_text(encoding="utf-8")
    assert "uthorization" not in text
    assert "Bearer" not in text
    assert {line.split()[-1] for line in text.splitlines() if line.lstrip().startswith("uri:")} == {
        "http://127.0.0.1/v1/chat/completions"
    }
