"""Where stories are played: each in a building of its own, its processes cut off where one is asked to."""

import asyncio
import difflib
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from graph.building import build
from graph.checkpoints import LiveSaver, StudioSaver
from runtime.drain import Drainer
from runtime.settings import Settings
from storage import upkeep
from storage.approvals import AcceptedDecision
from storage.buildings import thread_id
from storage.connection import Connection
from storage.database import connect
from tests.agent.desk import Desk, FixedClock
from tests.durability.cutting import CutOffError, Cuts, CuttableSlots, Switch, cuttable_connection, moments, reconnected
from tools.context import NoSteps, Toolbox
from tools.models import ModelAccess
from tools.prompts import Budgets

# What is compared: every row of the building, but for what counts starts or is made of the building's own name.
TABLES = (
    ("events", "seq", ("attempts", "body_hash")),
    ("changes", "position", ()),
    ("actions", "seq, action, item, ordinal", ("args_hash",)),
    ("decisions", "seq, generation, step", ()),
    ("outbox", "key", ("outbox_id",)),
    ("schedules", "version", ()),
    ("vendors", "vendor_id", ()),
    ("items", "item_id", ()),
    ("flags", "flag_id", ()),
    ("purchase_orders", "number", ()),
    ("purchase_order_lines", "number, line", ()),
    ("shipments", "item_id, shipment_id", ()),
    ("receipts", "item_id, receipt_id", ()),
    ("inspections", "item_id, inspection_id", ()),
    ("milestones", "item_id, round, kind", ()),
    ("messages", "message_id", ()),
    ("approvals", "approval_id", ()),
    ("rules", "rule_id", ()),
    ("delegations", "delegation_id", ()),
    ("model_calls", "seq, worker, ordinal, tier", ("call_id", "took_s", "at")),
    ("summaries", "version", ()),
    ("identifiers", "kind, value", ()),
    ("audit", "number", ("number",)),
)
BUILDING_OF_ITS_OWN = ("spec_hash", "epoch")

HOUSE = "house"
"""The building of every story; another one's name is replaced by it where the two are compared."""

Ending = dict[str, Any]


@dataclass
class RestartedDesk(Desk):
    """A desk whose API, tick and agent are started again whenever they were cut off; who had no answer asks again."""

    switch: Switch = field(default_factory=Switch)
    conninfo: str = ""
    again: bool = True

    async def run(self) -> None:
        await self.surely(super().run)

    async def post(self, event_type: str, **fields: Any) -> str:
        return await self._same_again(lambda: super(RestartedDesk, self).post(event_type, **fields))

    async def decide(self, approval: Any, kind: str = "approve", **fields: Any) -> AcceptedDecision:
        return await self._same_again(lambda: super(RestartedDesk, self).decide(approval, kind, **fields))

    async def _same_again(self, asking: Callable[[], Awaitable[Any]]) -> Any:
        numbers = self._numbers

        async def asked() -> Any:
            self._numbers = numbers  # asked again, it is the same request
            return await asking()

        return await self.surely(asked)

    async def tick(self) -> None:
        """What the tick enters, and what follows from it."""

        async def entered() -> None:
            now = self.clock.now()
            await upkeep.enter_expired_holds(self.conn, now)
            await upkeep.enter_overdue(self.conn, now)
            await upkeep.enter_owed(self.conn, now)
            await upkeep.enter_first_days(self.conn, now)

        await self.surely(entered)
        await self.run()

    async def surely(self, doing: Callable[[], Awaitable[Any]]) -> Any:
        while True:
            try:
                return await doing()
            except CutOffError:
                if not self.again:
                    raise
                self.switch.restart()
                self.conn = await reconnected(self.conn, self.conninfo)  # type: ignore[arg-type]


Step = Callable[[RestartedDesk], Awaitable[Any]]


@dataclass(frozen=True)
class Story:
    """What happens to one building, step by step."""

    opening: dict[str, Any]
    steps: tuple[Step, ...]
    studio: bool = False
    """Whether somebody edits the thread in Studio after every step."""
    models: ModelAccess | None = None
    budgets: Budgets = field(default_factory=Budgets)


@dataclass
class Stage:
    """Plays stories in one database, each in a building of its own."""

    conninfo: str
    conn: Connection
    studio_conn: Connection
    slots: CuttableSlots

    @classmethod
    async def open(cls, conninfo: str) -> "Stage":
        reader = await connect(conninfo, application_name="reader")
        slots = CuttableSlots(conninfo, FixedClock(), Switch())
        return cls(conninfo, reader, await connect(conninfo, application_name="studio"), slots)

    async def close(self) -> None:
        await self.slots.close()
        await self.conn.close()
        await self.studio_conn.close()

    async def play(self, story: Story, cuts: Cuts | None = None) -> tuple[Ending, Switch]:
        """Play the story, cut off at these boundaries; how it ended, and the boundaries that were passed."""
        switch = Switch({step: list(numbers) for step, numbers in (cuts or {}).items()})
        return await self.play_with(story, switch), switch

    async def play_with(self, story: Story, switch: Switch) -> Ending:
        """Play the story with this switch; how it ended."""
        async with self.desk(switch, story) as desk:
            await self.tell(desk, story)
            ending = await self.ending(HOUSE)
        await self.clear()
        return ending

    @asynccontextmanager
    async def desk(
        self, switch: Switch, story: Story | None = None, *, restarted: bool = True
    ) -> AsyncIterator[RestartedDesk]:
        """A desk for a new building, whose processes the switch cuts off; and starts again, unless told not to. It has
        the models of the story."""
        if story is not None:
            self.slots.models, self.slots.budgets = story.models, story.budgets
        clock = FixedClock()
        self.slots.begin(clock, switch)
        settings = Settings(
            shutdown_grace=1, heartbeat_interval=1, event_crashes=100, event_attempts=2, retry_base=0.01
        )
        drainer = Drainer(settings, clock, self.slots, asyncio.Event())  # type: ignore[arg-type]
        caller = await cuttable_connection(self.conninfo, switch)
        desk = RestartedDesk(caller, drainer, clock, HOUSE, switch=switch, conninfo=self.conninfo, again=restarted)
        try:
            yield desk
        finally:
            await desk.conn.close()

    async def clear(self) -> None:
        """Tear the house down, so that the next one has the same name: order numbers and digests are made of it."""
        for table in ("checkpoint_writes", "checkpoint_blobs", "checkpoints"):
            await self.conn.execute(f"DELETE FROM {table} WHERE thread_id = %s", (thread_id(HOUSE),))
        await self.conn.execute("DELETE FROM store WHERE prefix LIKE %s", (f"buildings.{thread_id(HOUSE)}%",))
        await self.conn.execute("DELETE FROM procrastinate_jobs WHERE lock = %s", (HOUSE,))
        for table in ("buildings", "audit"):
            await self.conn.execute(f"DELETE FROM {table} WHERE building_id = %s", (HOUSE,))

    async def tell(self, desk: RestartedDesk, story: Story) -> None:
        """Tell the story to the desk, step by step."""
        studio = self._studio(desk.clock) if story.studio else None
        desk.switch.begin(0)
        await desk.surely(lambda: desk.open(**story.opening))
        for number, step in enumerate(story.steps, start=1):
            desk.switch.begin(number)
            await step(desk)
            if studio is not None:
                await edit_in_studio(studio, desk.building_id)

    def _studio(self, clock: FixedClock) -> CompiledStateGraph[Any]:
        saver = StudioSaver(self.studio_conn)
        toolbox = Toolbox(conn=self.studio_conn, clock=clock, acts=False, steps=NoSteps(saver.lock))
        return build(toolbox, for_edits=True).compile(checkpointer=saver)

    async def ending(self, building_id: str) -> Ending:
        """Every row of the building and the state of its live head, with the building's own name taken out."""
        ending = await self.rows(building_id)
        head = await LiveSaver(self.conn).aget_tuple({"configurable": {"thread_id": thread_id(building_id)}})
        assert head is not None
        values = head.checkpoint["channel_values"]
        ending["state"] = {key: value for key, value in values.items() if not key.startswith(("branch:", "__"))}
        ending["head"] = {key: head.metadata[key] for key in ("seq", "generation")}  # type: ignore[literal-required]
        ending["interrupts"] = [
            [interrupt.value for interrupt in shown]
            for _, channel, shown in head.pending_writes or []
            if channel == "__interrupt__"
        ]
        plain = json.dumps(ending, default=str, sort_keys=True)
        made: Ending = json.loads(plain.replace(building_id, HOUSE).replace(thread_id(building_id), "thread"))
        return made

    async def rows(self, building_id: str) -> Ending:
        """Every row of the building."""
        rows: Ending = {}
        for table, order, but in TABLES:
            rows[table] = await self._rows(table, order, building_id, but)
        rows["buildings"] = await self._rows("buildings", "1", building_id, BUILDING_OF_ITS_OWN)
        # A model that abstained is asked again by whoever goes on; what one answered is kept, and asked once.
        rows["model_calls"] = [call for call in rows["model_calls"] if call["outcome"] == "answered"]
        memories = "SELECT prefix, key, value FROM store WHERE prefix LIKE %s ORDER BY prefix, key"
        cursor = await self.conn.execute(memories, (f"buildings.{thread_id(building_id)}%",))
        rows["store"] = await cursor.fetchall()
        return rows

    async def _rows(self, table: str, order: str, building_id: str, but: tuple[str, ...]) -> list[dict[str, Any]]:
        query = f"SELECT * FROM {table} WHERE building_id = %s ORDER BY {order}"
        rows = await (await self.conn.execute(query, (building_id,))).fetchall()
        return [{key: value for key, value in row.items() if key not in but} for row in rows]


async def edit_in_studio(studio: CompiledStateGraph[Any], building_id: str) -> None:
    """Somebody edits an older checkpoint and the newest one of the thread, as Studio does."""
    thread: Any = {"configurable": {"thread_id": thread_id(building_id)}}
    history = [snapshot async for snapshot in studio.aget_state_history(thread, limit=6)]
    nonsense = {"outcome": {"note": "edited in Studio"}, "approvals": {}, "plan": [{"do": "nonsense"}]}
    await studio.aupdate_state(history[len(history) // 2].config, nonsense)
    await studio.aupdate_state(thread, nonsense)


def cuts_at_every_moment(switch: Switch) -> Iterator[Cuts]:
    """For each time the story is told, where each of its steps is cut off: every moment of every step once, after
    the step before has recovered. Which of a moment's boundaries it is changes from step to step."""
    of_steps = {step: moments(passed) for step, passed in switch.passed.items() if step > 0}
    for place in range(max(map(len, of_steps.values()))):
        here = {step: of_step[place] for step, of_step in of_steps.items() if place < len(of_step)}
        yield {step: [next(itertools.islice(itertools.cycle(one), step + place, None))] for step, one in here.items()}


async def expect_the_same_at_every_moment(stage: Stage, story: Story) -> Ending:
    """Cut off at any moment of any of its steps, the story ends as the undisturbed one did; how that is."""
    undisturbed, switch = await stage.play(story)
    for cuts in cuts_at_every_moment(switch):
        cut = await expect_the_same(stage, story, cuts, undisturbed)
        assert not any(cut.cuts.values()), f"never reached {cut.cuts}"
    return undisturbed


async def expect_the_same(stage: Stage, story: Story, cuts: Cuts, undisturbed: Ending) -> Switch:
    """Play the story cut off at these boundaries: it ends as the undisturbed one did, to the row."""
    ending, switch = await stage.play(story, cuts)
    compare(ending, undisturbed, switch)
    return switch


def compare(ending: Ending, undisturbed: Ending, switch: Switch) -> None:
    for part, expected in undisturbed.items():
        difference = _difference(expected, ending[part])
        assert ending[part] == expected, f"{part} differs when cut off at {switch.happened}:\n{difference}"


def _difference(expected: Any, found: Any) -> str:
    """The first lines that differ."""
    if expected == found:
        return ""
    before, after = (json.dumps(part, indent=1, sort_keys=True).splitlines() for part in (expected, found))
    return "\n".join(itertools.islice(difflib.unified_diff(before, after, "undisturbed", "cut off", lineterm=""), 40))
