"""What the cut-off stories are worth: nothing that can happen is missing in them, and no boundary is passed over."""

import contextlib
from typing import Any

from domain.approvals import DECISION_TYPES
from domain.events import EVENT_TYPES, INTERNAL_TYPES
from graph.building import STEPS
from storage.buildings import thread_id
from storage.connection import Connection
from tests.durability.crew import all_rows
from tests.durability.cutting import CutOffError, Switch, moments
from tests.durability.stage import HOUSE, Stage
from tests.durability.stories import DELIVERY, STORIES
from tools.catalogue import EFFECTS

OF_STUDIO = {"post_answer"}
"""Nodes that only Studio's runs reach."""
OF_AN_UPGRADE = {"Lines_Adopted"}
"""Entries for which there must be rows of an earlier version: tests/histories has them."""


async def test_the_stories_have_every_type_of_entry_every_effect_and_every_kind_of_answer(stage: Stage) -> None:
    """A new type, effect or node needs its place in tests/durability/stories.py."""
    types, effects, answers, nodes = set(), set(), set(), set()
    for story in STORIES.values():
        ending, switch = await stage.play(story)
        types |= {event["event_type"] for event in ending["events"]}
        effects |= {action["action"] for action in ending["actions"] if action["kind"] == "action"}
        answers |= {one["body"]["decision"]["type"] for one in ending["events"] if one["event_type"] == "Decision"}
        nodes |= {one.removeprefix("start of ") for passed in switch.passed.values() for one in passed}
        assert {event["status"] for event in ending["events"]} == {"done"}
    assert types == {*EVENT_TYPES, *INTERNAL_TYPES} - OF_AN_UPGRADE
    assert effects == set(EFFECTS)
    assert answers == set(DECISION_TYPES)
    assert {node.__name__ for node in STEPS} - nodes == OF_STUDIO


async def test_between_two_moments_nothing_is_written(stage: Stage, conn: Connection) -> None:
    """So to be cut off at one boundary of a moment is to be cut off at any of them; but for a checkpoint that is
    under way while its writes are handed over, and may be there already."""
    passed, whole = await _order(stage, conn, None)
    left: dict[int, Any] = {}
    for number in range(1, len(passed) + 1):
        _, left[number] = await _order(stage, conn, number)
    groups = moments(passed)
    assert len(groups) < len(passed) / 2
    for group, after in zip(groups, [*(left[following[0]] for following in groups[1:]), whole], strict=True):
        for number in group:
            assert left[number] in (left[group[0]], after), (passed[number - 1], [passed[n - 1] for n in group])


async def _order(stage: Stage, conn: Connection, cut_off_at: int | None) -> tuple[list[str], dict[str, Any]]:
    """Order a line, cut off at this boundary and not started again: the boundaries that were passed, and what is in
    the database then."""
    switch = Switch({1: [cut_off_at] if cut_off_at else []})
    async with stage.desk(switch, restarted=False) as desk:
        switch.begin(0)
        await desk.open(**DELIVERY.opening)
        switch.begin(1)
        with contextlib.suppress(CutOffError):
            await desk.post("Submittal_Approved", item="Doors")
    assert switch.dead == (cut_off_at is not None)
    left = await _left(stage, conn)
    await stage.clear()
    return switch.passed[1], left


async def _left(stage: Stage, conn: Connection) -> dict[str, Any]:
    counted = {
        table: await all_rows(conn, f"SELECT count(*) FROM {table} WHERE thread_id = %s", thread_id(HOUSE))
        for table in ("checkpoints", "checkpoint_writes", "checkpoint_blobs")
    }
    starts = await all_rows(conn, "SELECT seq, status, attempts FROM events ORDER BY seq")
    epoch = await all_rows(conn, "SELECT epoch, last_seq, position FROM buildings")
    jobs = await all_rows(conn, "SELECT status, lock FROM procrastinate_jobs")
    return {**await stage.rows(HOUSE), **counted, "starts": starts, "epoch": epoch, "jobs": jobs}
