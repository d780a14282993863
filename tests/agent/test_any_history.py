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

from domain import shipments
from domain.lines import sameness
from domain.lines.account import Account
from domain.lines.facts import Fact
from domain.lines.lots import Change, Stock, Where
from domain.procurement import FactRow, LotRow, Row
from domain.recording import Recorded
from storage import forks
from storage.rows import TABLES
from storage.transaction import BuildingTransaction
from tests.agent.any_history import (
    APPROVED,
    FIRST_DAY,
    ITEM,
    Happened,
    Line,
    Post,
    Step,
    Story,
    day_named,
    goods_events,
    histories,
    lines,
    questions_of,
    said_at,
)
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
    return view_of(await story.desk.file(ITEM)) | {"questions": await questions_of(story)}


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


SAYINGS = ("ETA_Changed", "Purchase_Order_Acknowledged")


async def tell_again(story: Story, line: Line, reports: list[Post], which: int, *, with_id: bool) -> None:
    before = await amounts_to(story, line, [(f"e{number}", report) for number, report in enumerate(reports, start=1)])
    report = reports[which % len(reports)]
    is_of_goods = report.event_type not in SAYINGS
    # An ETA without its shipment is about all that is to come, and so another one; a part of a promise, too.
    if not is_of_goods and "quantity" in report.fields:
        return
    left_out = () if with_id or not is_of_goods else ("shipment_id",)
    again = {name: value for name, value in report.fields.items() if name not in left_out}
    await story.post(replace(report, received=41, fields=again), "again", source="mailbox")
    after = view_of(await story.desk.file(ITEM))
    kept = [name for name in after if name != "statements"]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


def test_a_report_that_another_system_tells_again_changes_nothing(stage: Stage) -> None:
    @settings(FEW, max_examples=FEW.max_examples // 5)
    @given(lines, dated_reports(), st.integers(0, 4), st.booleans())
    def holds(line: Line, reports: list[Post], which: int, with_id: bool) -> None:
        stage.ask(lambda story: tell_again(story, line, reports, which, with_id=with_id))

    holds()


# -- the checks find faults: each property is broken on purpose, and a plain history shows it

PIECES: Line = ("10", "pcs")
ARRIVED = Post("Shipment_Arrived_Site", 5, {"date_arrived": day_named(5), "quantity": "10", "shipment_id": "S1"})
PART = Post("Shipment_Arrived_Site", 5, {"date_arrived": day_named(5), "quantity": "4", "occurred_at": said_at(5, 1)})
NEWER = Post("ETA_Changed", 9, {"eta": day_named(20), "occurred_at": said_at(9, 1)})
OLDER = Post("ETA_Changed", 9, {"eta": day_named(12), "occurred_at": said_at(7, 1)})


def play(stage: Stage, *steps: Step) -> None:
    stage.play(lambda story: happen(story, list(steps), PIECES, fork_before=1), PIECES)


def test_a_plain_history_breaks_nothing(stage: Stage) -> None:
    play(stage, APPROVED, ARRIVED)
    stage.ask(lambda story: tell_again(story, PIECES, [PART], 0, with_id=True))
    assert stage.ask(lambda story: amounts_to(story, PIECES, [("a", OLDER), ("b", NEWER)])) == stage.ask(
        lambda story: amounts_to(story, PIECES, [("b", NEWER), ("a", OLDER)])
    )


def test_goods_that_are_lost_in_a_move_are_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    move = Stock.move

    def loses(stock: Stock, where: Where, change: Change, most: Any = None) -> Any:
        moved = move(stock, where, change, most)
        stock.lots = [lot for lot in stock.lots if lot.state != "on_site"]
        return moved

    monkeypatch.setattr(Stock, "move", loses)
    with pytest.raises(AssertionError):
        play(stage, APPROVED, ARRIVED)


def test_a_release_without_a_verdict_is_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Account, "is_released", property(lambda account: account.is_complete))
    with pytest.raises(AssertionError, match="on_site"):
        play(stage, APPROVED, ARRIVED)


def test_a_lot_that_is_patched_is_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    save = BuildingTransaction.save

    def patches(transaction: BuildingTransaction, *rows: Row) -> None:
        def patched(row: Row) -> Row:
            return row.model_copy(update={"expected_on": FIRST_DAY}) if isinstance(row, LotRow) else row

        save(transaction, *map(patched, rows))

    monkeypatch.setattr(BuildingTransaction, "save", patches)
    with pytest.raises(AssertionError, match="not as projected"):
        play(stage, APPROVED, ARRIVED)


def test_a_report_that_is_dropped_is_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipments, "take_in", lambda *_, **__: Recorded("noted"))
    with pytest.raises(AssertionError, match="Shipment_Arrived_Site"):
        play(stage, APPROVED, ARRIVED)


def test_a_row_that_is_changed_without_its_image_is_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    take = Story.take

    async def writes_sql(story: Story, step: Step, number: int) -> Happened | None:
        happened = await take(story, step, number)
        await story.desk.conn.execute("UPDATE items SET hold_note = 'by hand'")
        return happened

    monkeypatch.setattr(Story, "take", writes_sql)
    with pytest.raises(AssertionError, match="items"):
        play(stage, APPROVED, ARRIVED)


def test_a_fork_that_lacks_its_facts_is_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks, "TABLES", {kind: one for kind, one in TABLES.items() if kind is not FactRow})
    with pytest.raises(AssertionError, match="before entry"):
        play(stage, APPROVED, ARRIVED)


def test_a_line_that_believes_the_last_message_is_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fact, "saying", property(lambda fact: (fact.received_at, fact.received_at, "", "")))
    one = stage.ask(lambda story: amounts_to(story, PIECES, [("a", OLDER), ("b", NEWER)]))
    other = stage.ask(lambda story: amounts_to(story, PIECES, [("b", NEWER), ("a", OLDER)]))
    assert one != other


def test_reports_that_are_counted_twice_are_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sameness, "_compare_senders", lambda _claim, _report: "another")
    with pytest.raises(AssertionError):
        stage.ask(lambda story: tell_again(story, PIECES, [PART], 0, with_id=True))
