"""What must hold of a line whatever happens to it, with the real agent on PostgreSQL: after every event and answer."""

import asyncio
import itertools
import json
import os
import random
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.agent.any_history import APPROVED, ITEM, Line, Post, Step, Story, goods_events, histories, lines
from tests.agent.desk import Desk, FixedClock, open_desk
from tests.agent.history_checks import check_images, check_line, check_seen, view_of
from tests.forks.past import Rows, fork_of, rows_of

T = TypeVar("T")

FEW = settings(
    max_examples=int(os.environ.get("AGENT_EXAMPLES", "50")),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
"""`make properties` tries many more."""


@dataclass
class Stage:
    """A desk for many histories, one building for each."""

    runner: asyncio.Runner
    desk: Desk
    numbers: Iterator[int]

    def ask(self, act: Callable[[Story], Awaitable[T]]) -> T:
        """Let something happen to a line of its own building."""

        async def happening() -> T:
            self.desk.building_id = f"b{next(self.numbers)}"
            return await act(Story(self.desk))

        return self.runner.run(happening())

    def play(self, act: Callable[[Story], Awaitable[T]], line: Line) -> T:
        """The same, with the building open."""

        async def opened(story: Story) -> T:
            await story.open(story.desk.building_id, line)
            return await act(story)

        return self.ask(opened)


@pytest.fixture
def stage(database: str) -> Iterator[Stage]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        desk = runner.run(stack.enter_async_context(open_desk(database, FixedClock())))
        yield Stage(runner, desk, itertools.count())
        runner.run(stack.aclose())


async def happen(story: Story, history: list[Step], line: Line, fork_before: int) -> None:
    """Let a history happen and look at everything after every step; then go back to before one of them."""
    seen = None
    for number, step in enumerate(history):
        if number == fork_before % len(history):
            seen = await _next_seq(story), await rows_of(story.desk.conn, story.desk.building_id)
        happened = await story.take(step, number)
        await check_line(story, line)
        await check_images(story)
        if happened is not None:
            await check_seen(story, happened)
    assert seen is not None
    seq, rows = seen
    if seq < await _next_seq(story):
        made = await fork_of(story.desk, before_event=seq)
        again = await rows_of(story.desk.conn, made.fork_id)
        assert _neutral(again, story) == _neutral(rows, story), f"before entry {seq}"


def _neutral(rows: Rows, story: Story) -> Rows:
    """Questions are named in texts as their building's; here without it."""
    own = re.compile(rf"(?<!PO-)\b{story.desk.building_id}(?=[-:][rd]?\d)")
    return {table: sorted(json.loads(own.sub("~", json.dumps(found))), key=json.dumps) for table, found in rows.items()}


async def _next_seq(story: Story) -> int:
    query = "SELECT last_seq + 1 AS next FROM buildings WHERE building_id = %s"
    row = await (await story.desk.conn.execute(query, (story.desk.building_id,))).fetchone()
    assert row is not None
    return int(row["next"])


def test_everything_holds_after_every_event_of_any_history(stage: Stage) -> None:
    @FEW
    @given(lines, histories(), st.integers(0, 9))
    def holds(line: Line, history: list[Step], fork_before: int) -> None:
        if history:
            stage.play(lambda story: happen(story, history, line, fork_before), line)

    holds()


@st.composite
def dated_reports(draw: st.DrawFn) -> list[Post]:
    """Reports that say when they were said, each at a moment of its own."""
    return [draw(goods_events(number, dated=True)) for number in range(1, 1 + draw(st.integers(2, 5)))]


async def amounts_to(story: Story, line: Line, reports: list[tuple[str, Post]]) -> dict[str, Any]:
    """What the line amounts to when these reports have come in, after its order, on one late day."""
    await story.open(story.desk.building_id, line)
    await story.post(APPROVED, "e0")
    for event_id, report in reports:
        await story.post(replace(report, received=40), event_id)
    return view_of(await story.desk.file(ITEM))


def test_the_order_in_which_reports_come_in_does_not_matter(stage: Stage) -> None:
    @settings(FEW, max_examples=FEW.max_examples // 5)
    @given(lines, dated_reports(), st.randoms(use_true_random=False))
    def holds(line: Line, reports: list[Post], chance: random.Random) -> None:
        named = [(f"e{number}", report) for number, report in enumerate(reports, start=1)]
        shuffled = list(named)
        chance.shuffle(shuffled)
        assert stage.ask(lambda story: amounts_to(story, line, shuffled)) == stage.ask(
            lambda story: amounts_to(story, line, named)
        )

    holds()


async def tell_again(story: Story, line: Line, reports: list[Post], which: int, *, with_id: bool) -> None:
    before = await amounts_to(story, line, [(f"e{number}", report) for number, report in enumerate(reports, start=1)])
    report = reports[which % len(reports)]
    left_out = () if with_id else ("shipment_id",)
    again = {name: value for name, value in report.fields.items() if name not in left_out}
    await story.post(replace(report, received=41, fields=again), "again", source="mailbox")
    after = view_of(await story.desk.file(ITEM))
    kept = [name for name in before if name != "statements"]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


def test_a_report_that_another_system_tells_again_changes_nothing(stage: Stage) -> None:
    @settings(FEW, max_examples=FEW.max_examples // 5)
    @given(lines, dated_reports(), st.integers(0, 4), st.booleans())
    def holds(line: Line, reports: list[Post], which: int, with_id: bool) -> None:
        stage.ask(lambda story: tell_again(story, line, reports, which, with_id=with_id))

    holds()
