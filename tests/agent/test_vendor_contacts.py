"""Who at a vendor is written to: orders, logistics and escalation have addresses of their own."""

from typing import Any

import pytest

from storage.upkeep import enter_owed
from tests.agent.desk import Desk

ADDRESSES = {"orders": "o@acme.example", "logistics": "l@acme.example", "escalation": "e@acme.example"}


async def opened(desk: Desk, contacts: dict[str, Any]) -> None:
    vendor = {"vendor_id": "acme", "name": "Acme", "contacts": contacts}
    await desk.open(vendors=[vendor], items=[{"name": "Panels", "vendor_id": "acme", "required_by": "2026-06-01"}])


async def recipients(desk: Desk) -> dict[str, str]:
    """The last recipient of each kind of message that went to the vendor."""
    rows = await (await desk.conn.execute("SELECT key, recipient FROM outbox ORDER BY outbox_id")).fetchall()
    return {row["key"].split(":")[2]: row["recipient"] for row in rows if row["recipient"].endswith("@acme.example")}


@pytest.mark.parametrize("contacts", [ADDRESSES, {"orders": "o@acme.example"}])
async def test_each_message_goes_to_whoever_it_is_about(desk: Desk, contacts: dict[str, str]) -> None:
    await opened(desk, contacts)
    logistics, escalation = contacts.get("logistics", "o@acme.example"), contacts.get("escalation", "o@acme.example")
    await desk.post("Submittal_Approved", item="Panels")
    assert await recipients(desk) == {"issue_purchase_order": "o@acme.example"}
    desk.clock.forward(days=20)
    await enter_owed(desk.conn, desk.clock.now())
    await desk.run()
    assert (await recipients(desk))["request_information"] == logistics
    desk.clock.forward(days=20)
    await enter_owed(desk.conn, desk.clock.now())
    await desk.run()
    question = await desk.question("milestone_overdue")
    assert question.options[0].actions[0]["arguments"]["contact"] == "escalation"
    expedite = {"name": "expedite_order", "arguments": {"item": "panels"}}
    cancel = {"name": "cancel_purchase_order", "arguments": {"item": "panels"}}
    await desk.decide(question, "edit", actions=[*question.options[0].actions, expedite, cancel])
    assert await recipients(desk) == {
        "issue_purchase_order": "o@acme.example",
        "request_information": escalation,
        "expedite_order": escalation,
        "cancel_purchase_order": "o@acme.example",
    }
