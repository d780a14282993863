"""The story that is cut off: two questions open, the newer one answered first, a refusal asked again, and somebody
editing the thread in Studio after every step."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from graph.building import build
from graph.checkpoints import LiveSaver, StudioSaver
from runtime.drain import Drainer
from runtime.settings import Settings
from storage.buildings import thread_id
from storage.database import Connection, connect
from tests.agent.desk import Desk, FixedClock
from tests.durability.cutting import CutOffError, Cuts, CuttableSlots, Switch
from tools.context import Toolbox

ITEMS = ("Steel Beams", "HVAC Units", "Electrical Panels", "Flooring Materials")
OPENING: dict[str, Any] = {
    "schedule": {
        "project": {"name": "Office"},
        "deliveries": [{"item": item, "required_by": "2026-04-15", "buffer_days": 5} for item in ITEMS],
    }
}

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
)
BUILDING_OF_ITS_OWN = ("spec_hash", "epoch")

Ending = dict[str, Any]


def _post(event_type: str, **fields: Any) -> Callable[[Desk], Awaitable[Any]]:
    return lambda desk: desk.post(event_type, **fields)


def _answer(item_id: str, kind: str) -> Callable[[Desk], Awaitable[Any]]:
    async def answer(desk: Desk) -> None:
        (question,) = [approval for approval in await desk.pending() if approval.item_id == item_id]
        await desk.decide(question, kind)

    return answer


STEPS: tuple[Callable[[Desk], Awaitable[Any]], ...] = (
    _post("Submittal_Approved", item="Steel Beams"),
    _post("Inspection_Failed", item="HVAC Units", inspection_date="2026-02-11"),
    _post("Human_Input", text="The crane for the units is booked.", item="HVAC Units"),
    _post("Inspection_Failed", item="Electrical Panels", inspection_date="2026-02-12"),
    _answer("electrical-panels", "approve"),
    _post("Human_Input", text="The lift is out of order."),
    _answer("hvac-units", "reject"),
    _answer("hvac-units", "approve"),
    _post("Submittal_Approved", item="Flooring Materials"),
)


@dataclass
class Stage:
    """Plays stories in one database, each in a building of its own."""

    conninfo: str
    conn: Connection
    studio_conn: Connection
    clock: FixedClock = field(default_factory=FixedClock)
    played: int = 0

    @classmethod
    async def open(cls, conninfo: str) -> "Stage":
        api = await connect(conninfo, application_name="api")
        return cls(conninfo, api, await connect(conninfo, application_name="studio"))

    async def close(self) -> None:
        await self.conn.close()
        await self.studio_conn.close()

    async def play(self, cuts: Cuts | None = None) -> tuple[Ending, Switch]:
        """Play the story, cut off at these boundaries; how it ended, and the boundaries that were passed."""
        self.played += 1
        switch = Switch({step: list(numbers) for step, numbers in (cuts or {}).items()})
        slots = CuttableSlots(self.conninfo, self.clock, switch)
        settings = Settings(shutdown_grace=1, heartbeat_interval=1, event_crashes=100)
        drainer = Drainer(settings, self.clock, slots, asyncio.Event())  # type: ignore[arg-type]
        desk = _RestartedDesk(self.conn, drainer, self.clock, f"house-{self.played:04}", switch=switch)
        try:
            await self._steps(desk)
            return await self.ending(desk.building_id), switch
        finally:
            await slots.close()

    async def _steps(self, desk: "_RestartedDesk") -> None:
        studio = self._studio()
        await desk.open(**OPENING)
        for number, step in enumerate(STEPS, start=1):
            desk.switch.begin(number)
            await step(desk)
            await edit_in_studio(studio, desk.building_id)

    def _studio(self) -> CompiledStateGraph[Any]:
        saver = StudioSaver(self.studio_conn)
        toolbox = Toolbox(conn=self.studio_conn, clock=self.clock, acts=False, lock=saver.lock)
        return build(toolbox).compile(checkpointer=saver)

    async def ending(self, building_id: str) -> Ending:
        """Every row of the building and the state of its live head, with the building's own name taken out."""
        ending: Ending = {}
        for table, order, but in TABLES:
            ending[table] = await self._rows(table, order, building_id, but)
        ending["buildings"] = await self._rows("buildings", "1", building_id, BUILDING_OF_ITS_OWN)
        head = await LiveSaver(self.conn).aget_tuple({"configurable": {"thread_id": thread_id(building_id)}})
        assert head is not None
        values = head.checkpoint["channel_values"]
        ending["state"] = {key: value for key, value in values.items() if not key.startswith(("branch:", "__"))}
        ending["head"] = {key: head.metadata[key] for key in ("seq", "generation")}  # type: ignore[literal-required]
        ending["interrupts"] = [value for _, channel, value in head.pending_writes or [] if channel == "__interrupt__"]
        plain = json.dumps(ending, default=str, sort_keys=True)
        return json.loads(plain.replace(building_id, "house").replace(thread_id(building_id), "thread"))

    async def _rows(self, table: str, order: str, building_id: str, but: tuple[str, ...]) -> list[dict[str, Any]]:
        query = f"SELECT * FROM {table} WHERE building_id = %s ORDER BY {order}"
        rows = await (await self.conn.execute(query, (building_id,))).fetchall()
        return [{key: value for key, value in row.items() if key not in but} for row in rows]


@dataclass
class _RestartedDesk(Desk):
    """A desk whose agent is started again, on a new connection, whenever it was cut off."""

    switch: Switch = field(default_factory=Switch)

    async def run(self) -> None:
        while True:
            try:
                return await super().run()
            except CutOffError:
                self.switch.restart()


async def edit_in_studio(studio: CompiledStateGraph[Any], building_id: str) -> None:
    """Somebody edits an older checkpoint and the newest one of the thread, as Studio does."""
    thread: Any = {"configurable": {"thread_id": thread_id(building_id)}}
    history = [snapshot async for snapshot in studio.aget_state_history(thread, limit=6)]
    nonsense = {"outcome": {"note": "edited in Studio"}, "approvals": {}, "plan": [{"do": "nonsense"}]}
    await studio.aupdate_state(history[len(history) // 2].config, nonsense)
    await studio.aupdate_state(thread, nonsense)


async def expect_the_same_at_every(stage: Stage, first: int, every: int) -> None:
    """Play the story once for the boundaries with this number in each of its steps, from the first on: cut off there
    in every step, each time after the step before has recovered."""
    undisturbed, switch = await stage.play()
    passed = {step: len(boundaries) for step, boundaries in switch.passed.items()}
    assert min(passed.values()) > 40, passed
    for number in range(first, max(passed.values()) + 1, every):
        cuts = {step: [number] for step, last in passed.items() if number <= last}
        switch = await expect_the_same(stage, cuts, undisturbed)
        assert not any(switch.cuts.values()), f"never reached {switch.cuts}"


async def expect_the_same(stage: Stage, cuts: Cuts, undisturbed: Ending) -> Switch:
    """Play the story cut off at these boundaries: it ends as the undisturbed one did, to the row."""
    ending, switch = await stage.play(cuts)
    for part, expected in undisturbed.items():
        assert ending[part] == expected, f"{part} differs when cut off at {switch.happened}"
    return switch
