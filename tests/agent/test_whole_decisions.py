"""The actions of one decision are done all or none, and later ones see what earlier ones did."""

import pytest

from domain.approvals import LOCAL_PERSON
from domain.errors import InvalidError
from tests.agent.desk import Desk
from tests.agent.test_effects import prepared, snapshot
from tools.effects import carry_out_together

CANCEL = {"name": "cancel_purchase_order", "arguments": {"item": "steel"}}
REORDER = {"name": "reorder_item", "arguments": {"item": "steel"}}


async def test_half_of_a_decision_cannot_be_done(desk: Desk) -> None:
    toolbox, entry = await prepared(desk)
    before = await snapshot(desk)
    lost = {"name": "expedite_order", "arguments": {"item": "nowhere"}}
    with pytest.raises(InvalidError):
        await carry_out_together(toolbox, entry, [CANCEL, lost], [0, 0], LOCAL_PERSON)
    assert await snapshot(desk) == before


async def test_an_order_is_cancelled_and_placed_again_in_one_decision(desk: Desk) -> None:
    toolbox, entry = await prepared(desk)
    first = await carry_out_together(toolbox, entry, [CANCEL, REORDER], [0, 0], LOCAL_PERSON)
    once = await snapshot(desk)
    assert await carry_out_together(toolbox, entry, [CANCEL, REORDER], [0, 0], LOCAL_PERSON) == first
    assert await snapshot(desk) == once
    file = await desk.file("steel")
    assert [order.status for order in file.orders] == ["cancelled", "issued"]
    assert (file.item.round, file.item.commercial) == (2, "ordered")


async def test_an_answer_that_can_no_longer_be_done_is_asked_again_with_the_reason(desk: Desk) -> None:
    await desk.open(schedule={"project": {"name": "x"}, "deliveries": [{"item": "Steel", "required_by": "2026-03-01"}]})
    await desk.post("Inspection_Failed", item="Steel", inspection_date="2026-02-11")
    tell = {"name": "notify_team", "arguments": {"team": "receiving", "message": "cancelled", "item": "steel"}}
    accepted = await desk.decide(await desk.question(), "edit", actions=[tell, CANCEL])
    asked = await desk.question("inspection_failed")
    assert (asked.version, asked.decision) == (2, None)
    assert "has no order to cancel" in asked.summary
    assert "notify_team" not in [name for name, _ in await desk.actions(accepted.event_id)]
