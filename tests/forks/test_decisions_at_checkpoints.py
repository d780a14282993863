"""A fork knows exactly the decisions that had been stored when its checkpoint was written: none fewer, none more."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.building import STEPS
from graph.fork_points import FIRST_NODES, NODES_AFTER_DECIDING
from graph.forking import fork
from graph.routes import HANDLERS
from storage import forks
from storage.audit import Signature
from storage.buildings import thread_id
from storage.connection import Connection
from storage.forks import Fork
from storage.retry import retry
from tests.durability.cutting import CuttableSaver, Switch
from tests.durability.stage import HOUSE, RestartedDesk, Stage, Step, Story
from tests.durability.stories import STORIES, lines, post
from tests.forks.past import WHO
from tools.decisions import known_below, step_of

Decisions = list[dict[str, Any]]

# Every column but the building's name. A question that is named by its id is the fork's own there.
LOG = """
SELECT to_jsonb(d) - 'building_id' - 'approval_id' AS row, substr(approval_id, length(building_id) + 1) AS asked
  FROM decisions d WHERE building_id = %s ORDER BY seq, generation, step"""
LIVE = "SELECT checkpoint_id FROM checkpoints WHERE thread_id = %s AND metadata ? 'seq'"

BETWEEN_LOOKS_OR_DECIDING = {*HANDLERS.values(), "read_message", "decide", "advise", "learn"}


@dataclass
class Recorder:
    """Takes the decision log down at the moment at which each checkpoint is made, while a story is played."""

    conn: Connection
    known: dict[str, Decisions] = field(default_factory=dict)
    """By checkpoint."""

    async def take_down(self, checkpoint_id: str) -> None:
        self.known[checkpoint_id] = await decisions_of(self.conn, HOUSE)


async def decisions_of(conn: Connection, building_id: str) -> Decisions:
    rows = await (await conn.execute(LOG, (building_id,))).fetchall()
    return [{**row["row"], "asked": row["asked"]} for row in rows]


@pytest.fixture
async def stage(database: str) -> AsyncIterator[Stage]:
    """A stage for stories, on a database of its own."""
    opened = await Stage.open(database)
    yield opened
    await opened.close()


@pytest.fixture
async def recorder(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Listens to every checkpoint that a worker makes. The run goes on when the log has been read."""
    recorder, put = Recorder(stage.conn), CuttableSaver.aput

    async def put_and_take_down(saver: CuttableSaver, config: Any, checkpoint: Any, *further: Any) -> Any:
        await recorder.take_down(checkpoint["id"])
        return await put(saver, config, checkpoint, *further)

    monkeypatch.setattr(CuttableSaver, "aput", put_and_take_down)
    return recorder


REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no orders today'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON purchase_orders FOR EACH ROW EXECUTE FUNCTION refuse()"""
ALLOW = "DROP TRIGGER refuse ON purchase_orders"


def run_sql(query: str) -> Step:
    async def ran(desk: RestartedDesk) -> None:
        await desk.conn.execute(query)

    return ran


async def _give_up(desk: RestartedDesk) -> None:
    """The order is decided, and fails until the event is dead."""
    for _ in range(2):
        await desk.run()
        desk.clock.forward(seconds=1)
    assert (await desk.event("order"))["status"] == "dead"


async def _retry(desk: RestartedDesk) -> None:
    await retry(desk.conn, desk.building_id, "order", None)
    await desk.run()


DYING = Story(
    lines("Doors", "Glass"),
    (
        run_sql(REFUSE),
        post("Submittal_Approved", event_id="order", item="Doors"),
        _give_up,
        post("Human_Input", text="The lift is out of order."),
        _retry,
        _give_up,
        post("Human_Input", text="The lift is still out of order."),
        run_sql(ALLOW),
        post("Submittal_Approved", item="Glass"),
        _retry,
        post("Human_Input", text="All is well."),
    ),
)
"""An event that dies twice after its decisions were stored, and is retried twice: each run decides by itself."""


@pytest.mark.parametrize("name", [*STORIES, "dying"])
async def test_a_fork_at_any_checkpoint_of_a_story_has_the_decisions_that_were_stored_at_that_moment(
    stage: Stage, recorder: Recorder, name: str
) -> None:
    story = {**STORIES, "dying": DYING}[name]
    async with stage.desk(Switch(), story) as desk:
        await stage.tell(desk, story)
        live = await (await stage.conn.execute(LIVE, (thread_id(HOUSE),))).fetchall()
        assert {row["checkpoint_id"] for row in live} <= recorder.known.keys()
        assert len(live) > 3 * len(story.steps)
        wrong = [await _wrong(stage.conn, row["checkpoint_id"], recorder) for row in live]
    found = [one for one in wrong if one is not None]
    assert not found, f"{len(found)} of {len(live)} forks: " + "\n".join(found[:5])


async def test_stories_lead_to_advice_in_a_first_and_in_a_second_look(stage: Stage, recorder: Recorder) -> None:
    """So that the test above says something about rules and models."""
    ending, _ = await stage.play(STORIES["learning"])
    rules = [one for one in ending["decisions"] if one["responder"]["id"].startswith("rule:")]
    assert {one["type"] for one in rules} == {"recommend", "act"}
    ending, _ = await stage.play(STORIES["advised"])
    advised = [one["step"] for one in ending["decisions"] if one["responder"]["id"] == "adviser"]
    assert [step for step in advised if step < known_below(0, "all")]
    assert [step for step in advised if known_below(1, "facts") <= step < known_below(1, "all")]


def test_every_node_comes_before_or_after_decisions_are_stored() -> None:
    """A new node needs its place in graph/fork_points.py, or here."""
    names = {node.__name__ for node in STEPS}
    assert names == FIRST_NODES | NODES_AFTER_DECIDING | BETWEEN_LOOKS_OR_DECIDING
    assert not (FIRST_NODES | NODES_AFTER_DECIDING) & BETWEEN_LOOKS_OR_DECIDING
    assert not FIRST_NODES & NODES_AFTER_DECIDING


Steps = st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 100_000))
"""Look, whether advised, and number: in the order in which decisions are stored."""


@given(Steps, Steps)
def test_steps_are_ordered_as_decisions_are_stored(one: tuple[int, bool, int], other: tuple[int, bool, int]) -> None:
    def step(of: tuple[int, bool, int]) -> int:
        return step_of(of[0], of[2], advised=of[1])

    assert (step(one) < step(other)) == (one < other)


@given(Steps, st.integers(0, 3))
def test_what_is_known_of_a_look_is_told_by_the_step(one: tuple[int, bool, int], look: int) -> None:
    passes, advised, number = one
    step = step_of(passes, number, advised=advised)
    assert (step < known_below(look, "nothing")) == (passes < look)
    assert (step < known_below(look, "facts")) == (passes < look or (passes == look and not advised))
    assert (step < known_below(look, "all")) == (passes <= look)


async def _wrong(conn: Connection, checkpoint_id: str, recorder: Recorder) -> str | None:
    """What a fork at the checkpoint, or a fork of that fork there, knows otherwise; None: nothing."""
    expected = recorder.known[checkpoint_id]
    made = await _fork(conn, HOUSE, checkpoint_id)
    again = await _fork(conn, made.fork_id, checkpoint_id)
    found = [await decisions_of(conn, one.fork_id) for one in (made, again)]
    for one in (again, made):
        assert await forks.delete(conn, one.parent_id, one.fork_id)
    if found == [expected, expected]:
        return None
    metadata = await (
        await conn.execute("SELECT metadata, checkpoint FROM checkpoints WHERE checkpoint_id = %s", (checkpoint_id,))
    ).fetchone()
    assert metadata is not None
    led = [name for name in metadata["checkpoint"]["channel_values"] if name.startswith("branch:")]
    return json.dumps(
        [metadata["metadata"], led, {"live": _steps(expected), "fork": _steps(found[0]), "again": _steps(found[1])}]
    )


def _steps(decisions: Decisions) -> list[tuple[int, int, int]]:
    return [(row["seq"], row["generation"], row["step"]) for row in decisions]


async def _fork(conn: Connection, building_id: str, checkpoint_id: str) -> Fork:
    clock = await (await conn.execute("SELECT now() AS now")).fetchone()
    assert clock is not None
    return await fork(conn, building_id, checkpoint_id=checkpoint_id, signature=Signature(WHO, clock["now"]))
