"""The pages say how much of a line is where, what was rejected, and what was promised when."""

from html import unescape

import httpx

from domain.approvals import Approval
from tests.agent.desk import Desk
from tests.delivery.post_room import PostRoom
from tests.delivery.question_page import EVIL


async def partly_rejected(desk: Desk) -> Approval:
    """Six of ten pumps came; four of them passed and two leak. Four are still to come, later than first promised."""
    await desk.open(
        name="Riverside Tower",
        items=[
            {"item_id": "pumps", "name": "Pumps", "vendor_id": "acme", "quantity": "10", "unit": "pcs"}
            | {"required_by": "2026-03-20", "lead_time_days": 30}
        ],
        vendors=[{"vendor_id": "acme", "name": "Acme"}],
        approvers=[{"role": "project_manager", "name": "Site manager", "contact": "pm@office.example"}],
    )
    await desk.post("Submittal_Approved", item="Pumps")
    desk.clock.forward(days=3)
    await promise(desk, "2026-03-10", said="2026-02-02T08:00:00Z", source="mail")
    await promise(desk, "2026-03-26", said="2026-02-04T08:00:00Z", source=f"portal {EVIL}")
    desk.clock.forward(days=40)  # 16 March
    await desk.post(
        *("Shipment_Departed_Factory",),
        **{"item": "Pumps", "shipment_id": f"S1 {EVIL}", "quantity": "6"},
        **{"date_departed": "2026-03-04", "eta": "2026-03-08"},
    )
    await desk.post("Shipment_Arrived_Site", item="Pumps", date_arrived="2026-03-09", quantity="6")
    await desk.post(
        "Inspection_Failed",
        item="Pumps",
        inspection_date="2026-03-10",
        ncr_number="NCR-7",
        quantity_rejected="2",
        defects=[f"leaks {EVIL}"],
    )
    return await desk.question("inspection_failed")


async def promise(desk: Desk, day: str, said: str, source: str) -> None:
    await desk.post("Purchase_Order_Acknowledged", item="Pumps", promised_date=day, occurred_at=said, source=source)


async def page(client: httpx.AsyncClient, link_to: str) -> str:
    made = (await client.post(link_to)).json()["url"]
    shown = await client.get("/pages/" + made.partition("/pages/")[2])
    assert shown.status_code == 200
    assert "<script" not in shown.text
    return " ".join(unescape(shown.text).split())


async def test_the_log_says_how_much_is_where_what_is_to_be_decided_and_what_was_promised(
    room: PostRoom, desk: Desk
) -> None:
    await partly_rejected(desk)
    async with room.client() as client:
        log = await page(client, "/buildings/office/log-link")
    assert "4 of 10 pcs accepted, 4 ordered, 2 rejected" in log
    assert "first promised 10 March 2026, now 26 March 2026" in log
    assert "NCR-7: 2 pcs rejected and not decided" in log


async def test_a_question_shows_the_goods_of_its_line_as_they_are_now(room: PostRoom, desk: Desk) -> None:
    asked = await partly_rejected(desk)
    async with room.client() as client:
        before = await page(client, f"/approvals/{asked.approval_id}/link")
        await desk.post("Shipment_Arrived_Site", item="Pumps", date_arrived="2026-03-12", quantity="4")
        after = await page(client, f"/approvals/{asked.approval_id}/link")
    first, now = "first promised 10 March 2026", "now 26 March 2026"
    assert f"4 of 10 pcs accepted, 4 ordered, 2 rejected; {first}, {now}." in before
    assert f"4 of 10 pcs accepted, 4 on site without a verdict, 2 rejected; {first}, {now}." in after
    assert "NCR-7: 2 pcs" in before
    assert "to be decided" in before
    told = [before.index(words) for words in ("Promised for 26 March 2026", "Promised for 10 March 2026")]
    assert told == sorted(told)
    assert before.count("counts now") == 1
    assert after.count("counts now") == 0
    assert "said on 2026-02-02, told by mail" in before
