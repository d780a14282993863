"""Watch on the command line: its mode is shown, what it would do, and that an answer orders and sends nothing."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.agent.desk import FixedClock, make_drainer
from tests.agent.test_watch import LINES, MONDAY
from tests.api.served import Served
from tests.cli.conftest import Run

LIFTS = {**LINES["items"][0], "name": "Lifts", "quantity": 2, "unit": "pcs", "unit_price": "90000.00"}
SPEC = {**LINES, "building_id": "office", "name": "Office", "items": [*LINES["items"], LIFTS]}
APPROVED = {
    "event_type": "Submittal_Approved",
    "source": "docs",
    "document_url": "https://docs.example/1",
    "document_name": "Submittal",
}


@contextmanager
def agent_at_work(served: Served) -> Iterator[None]:
    """The agent of the building beside the service, as long as the block runs."""

    async def work() -> None:
        drainer = make_drainer(served.conninfo, FixedClock(MONDAY))
        try:
            while True:
                await drainer.drain("office")
                await asyncio.sleep(0.02)
        finally:
            await drainer.slots.close()

    running = asyncio.run_coroutine_threadsafe(work(), served.loop)
    try:
        yield
    finally:
        running.cancel()


@pytest.fixture
def watched(longlead: Run, served: Served) -> Iterator[str]:
    """A building in watch that would order its doors, and asks about its lifts."""
    assert longlead("building", "create", json.dumps(SPEC)).exit_code == 0
    with agent_at_work(served):
        for item in ("Doors", "Lifts"):
            event = json.dumps({**APPROVED, "item": item, "event_id": item})
            assert longlead("events", "send", "office", event, "--wait", "10").exit_code == 0
        yield "office"


def question(longlead: Run) -> str:
    (asked,) = json.loads(longlead("approvals", "list", "--building", "office", "--json").stdout)
    return str(asked["approval_id"])


def lines_of(shown: Any, word: str) -> list[str]:
    return [line for line in shown.stdout.splitlines() if word in line]


def test_a_building_shows_its_mode_and_what_it_would_do(longlead: Run, watched: str) -> None:
    shown = longlead("building", "show", watched)
    (order,) = lines_of(shown, "│ order ")
    assert [cell.strip() for cell in order.split("│")[2:5]] == ["Doors", "V Ltd", "36000.00 USD"]
    assert any(line.split() == ["mode", "watch"] for line in shown.stdout.splitlines())
    (listed,) = lines_of(longlead("building", "list"), "office")
    assert "watch" in listed


def test_on_the_first_day_live_it_shows_when_it_begins_to_order(longlead: Run, watched: str, served: Served) -> None:
    assert longlead("building", "change", watched, "--mode", "live").exit_code == 0
    for _ in range(500):
        shown = longlead("building", "show", watched)
        if lines_of(shown, "orders by itself from"):
            break
    (begins,) = lines_of(shown, "orders by itself from")
    assert "2026-02-03 07:00:00" in begins
    assert lines_of(shown, "│ order ")
    assert any(line.split() == ["mode", "live"] for line in shown.stdout.splitlines())


def test_a_building_that_is_live_shows_nothing_that_it_would_do(longlead: Run) -> None:
    shown = longlead("building", "create", json.dumps({**SPEC, "mode": "live"}))
    assert "would" not in shown.stdout


def test_a_line_shows_in_words_what_would_be_ordered(longlead: Run, watched: str) -> None:
    (would,) = lines_of(longlead("items", "show", watched, "doors"), "would order")
    assert would.split(maxsplit=2)[2].startswith("40 from V Ltd for 36000.00 USD, since 20")


def test_a_message_shows_that_it_is_withheld_and_why(longlead: Run, watched: str) -> None:
    (asked,) = lines_of(longlead("messages", "log", watched), "M-2-ask")
    assert "withheld (watch)" in asked


ANSWERS: list[tuple[list[str], str]] = [
    (["approve"], "Kept as your decision; the building is in watch, so nothing is ordered or sent."),
    (
        ["edit", "--actions", json.dumps([{"name": "notify_team", "arguments": {"team": "site", "message": "Wait."}}])],
        "Kept as your decision; the building is in watch, so nothing is ordered or sent.",
    ),
    (["edit", "--actions", '[{"name": "hold_item", "arguments": {"item": "lifts"}}]'], "Applied."),
]


@pytest.mark.parametrize(("answer", "said"), ANSWERS, ids=["an order", "a message", "on file here"])
def test_an_answer_says_whether_watch_kept_it_from_leaving_the_building(
    longlead: Run, watched: str, answer: list[str], said: str
) -> None:
    decided = longlead("approvals", "decide", question(longlead), *answer, "--wait", "10")
    assert decided.stdout.splitlines()[-1] == said, decided.stderr
