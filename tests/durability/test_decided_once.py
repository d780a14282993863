"""What was decided before a process died stands, though the policy was changed before it was carried out."""

from typing import Any

import pytest

from domain.buildings import BuildingPatch
from domain.principals import Author
from storage import buildings
from tests.durability.crew import all_rows
from tests.durability.cutting import CutOffError, SwitchAt
from tests.durability.stage import HOUSE, Stage

OPENING: dict[str, Any] = {
    "schedule": {"project": {"name": "Office"}, "deliveries": []},
    "items": [{"name": "Doors", "vendor_id": "v", "unit_price": "900"}],
    "vendors": [{"vendor_id": "v", "name": "V Ltd"}],
}
PM = Author(type="human", id="pm", name="Project manager")
LOW, HIGH = {"po_limit": "100"}, {"po_limit": "1000"}


@pytest.mark.parametrize(("before", "after", "done"), [(HIGH, LOW, True), (LOW, HIGH, False)])
async def test_what_was_decided_is_carried_out_whatever_the_policy_says_by_then(
    stage: Stage, before: dict[str, str], after: dict[str, str], done: bool
) -> None:
    switch = SwitchAt(boundary="after WITH stood")  # as soon as it has stored its decisions
    async with stage.desk(switch, restarted=False) as desk:
        switch.begin(0)
        await desk.open(**OPENING, policy=before)
        with pytest.raises(CutOffError):
            await desk.post("Submittal_Approved", item="Doors")
        logged = await all_rows(stage.conn, "SELECT actions FROM decisions")
        await buildings.change(stage.conn, HOUSE, BuildingPatch(policy=dict(after)), PM, desk.clock.now())
        switch.restart()
        await desk.run()

        if done:
            assert await desk.names() == ["issue_purchase_order", "start_tracking"]
            assert await desk.pending() == []
            assert await all_rows(stage.conn, "SELECT actions FROM decisions") == logged
        else:  # a question is no decision: by now it need not be asked
            assert logged == []
            assert await desk.names() == ["issue_purchase_order", "start_tracking"]
