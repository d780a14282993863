"""The story that is cut off: two questions open, the newer one answered first, a refusal asked again, and somebody
editing the thread in Studio after every step."""

import json
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
from tests.durability.cutting import CutOffError, CuttableSlots, Switch
from tools.context import Toolbox

ITEMS = ("Steel Beams", "HVAC Units", "Electrical Panels", "Flooring Materials")
OPENING: dict[str, Any] = {
    "schedule": {
        "project": {"name": "Office"},
        "deliveries": [{"item": item, "required_by": "2026-04-15", "buffer_days": 5} for item in ITEMS],
    }
}

# What is compared: every row of the building, but for what counts starts and tells one building from another.
TABLES = (
    ("events", "seq", ("attempts",)),
    ("changes", "position", ()),
    ("actions", "seq, action, item, ordinal", ()),
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
BUILDING_OF_ITS_OWN = ("thread_id", "spec_hash", "epoch")

Ending = dict[str, Any]


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

    async def play(self, cuts: list[int] | None = None) -> tuple[Ending, list[str]]:
        """Play the story, cut off at these boundaries; how it ended, and the boundaries that were passed."""
        self.played += 1
        switch = Switch(list(cuts or []))
        slots = CuttableSlots(self.conninfo, self.clock, switch)
        settings = Settings(shutdown_grace=1, heartbeat_interval=1)
        desk = _RestartedDesk(
            self.conn,
            Drainer(settings, self.clock, slots, _Going()),  # type: ignore[arg-type]
            self.clock,
            f"house-{self.played:04}",
            switch=switch,
        )
        try:
            await self._steps(desk)
            assert not switch.cuts, f"never reached boundary {switch.cuts} of {len(switch.passed)}"
            return await self._ending(desk.building_id), switch.passed
        finally:
            await slots.close()

    async def _steps(self, desk: Desk) -> None:
        studio = self._studio()
        await desk.open(**OPENING)

        async def then() -> None:
            await edit_in_studio(studio, desk.building_id)

        await desk.post("Submittal_Approved", item="Steel Beams")
        await then()
        await desk.post("Inspection_Failed", item="HVAC Units", inspection_date="2026-02-11")
        await then()
        await desk.post("Human_Input", text="The crane on HVAC Units is booked.", item="HVAC Units")
        await then()
        await desk.post("Inspection_Failed", item="Electrical Panels", inspection_date="2026-02-12")
        await then()
        older, newer = sorted(await desk.pending(), key=lambda approval: approval.raised_seq)
        await desk.decide(newer, "approve")
        await then()
        await desk.post("Human_Input", text="The lift is out of order.")
        await then()
        await desk.decide((await self._again(desk, older)), "reject")
        await then()
        await desk.decide((await self._again(desk, older)), "approve")
        await then()
        await desk.post("Submittal_Approved", item="Flooring Materials")

    @staticmethod
    async def _again(desk: Desk, older: Any) -> Any:
        question = await desk.question(older.kind)
        assert question.item_id == older.item_id
        return question

    def _studio(self) -> CompiledStateGraph[Any]:
        saver = StudioSaver(self.studio_conn)
        toolbox = Toolbox(conn=self.studio_conn, clock=self.clock, acts=False, lock=saver.lock)
        return build(toolbox).compile(checkpointer=saver)

    async def _ending(self, building_id: str) -> Ending:
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
        return json.loads(json.dumps(ending, default=str, sort_keys=True).replace(building_id, "house"))

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
                await super().run()
                return
            except CutOffError:
                self.switch.restart()


class _Going:
    """Nobody asks the worker to stop."""

    def is_set(self) -> bool:
        return False


async def edit_in_studio(studio: CompiledStateGraph[Any], building_id: str) -> None:
    """Somebody edits an older checkpoint and the newest one of the thread, as Studio does."""
    thread: Any = {"configurable": {"thread_id": thread_id(building_id)}}
    history = [snapshot async for snapshot in studio.aget_state_history(thread, limit=6)]
    nonsense = {"outcome": {"note": "edited in Studio"}, "approvals": {}, "plan": [{"do": "nonsense"}]}
    await studio.aupdate_state(history[len(history) // 2].config, nonsense)
    await studio.aupdate_state(thread, nonsense)


def differences(ending: Ending, undisturbed: Ending) -> dict[str, Any]:
    """What a story ended with that the undisturbed one did not, by table."""
    return {
        part: {"cut off": ending[part], "undisturbed": undisturbed[part]}
        for part in undisturbed
        if ending[part] != undisturbed[part]
    }
