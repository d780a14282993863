"""A question whose facts change is put with the facts of now, and says what changed since people were told."""

from typing import Any

from tests.agent.desk import Desk

VENDORS = [{"vendor_id": "kent", "name": "Kent Steel"}, {"vendor_id": "mill", "name": "Mill Road Steel"}]
STEEL: dict[str, Any] = {"name": "Steel Beams", "vendor_id": "kent", "unit_price": "100", "required_by": "2026-02-15"}
MANAGER = [{"role": "project_manager", "name": "Pat", "contact": "pm@office.example"}]


async def opened(desk: Desk, po_limit: str | None = None, **line: Any) -> None:
    await desk.open(
        items=[{**STEEL, **line}], vendors=VENDORS, approvers=MANAGER, policy={"po_limit": po_limit} if po_limit else {}
    )
    await desk.post("Submittal_Approved", item="Steel Beams")


async def last_message(desk: Desk) -> tuple[str, str]:
    """Subject and text of what the manager was told last."""
    cursor = await desk.conn.execute(
        "SELECT subject, payload ->> 'text' AS text FROM outbox WHERE recipient = 'pm@office.example' "
        "ORDER BY outbox_id DESC LIMIT 1"
    )
    row = await cursor.fetchone()
    assert row is not None
    return row["subject"], row["text"]


async def test_a_line_that_becomes_later_is_told_with_both_dates(desk: Desk) -> None:
    await opened(desk)
    await desk.post("ETA_Changed", item="Steel Beams", eta="2026-02-17")
    assert await last_message(desk) == ("Steel Beams: 2 days late, please decide", (await last_message(desk))[1])
    assert "Changed" not in (await last_message(desk))[1]
    await desk.post("ETA_Changed", item="Steel Beams", eta="2026-02-21")
    question = await desk.question("schedule_conflict")
    changed = ["was 2 days late, now 6", "ETA 2026-02-21 instead of 2026-02-17"]
    assert question.evidence["changed"] == changed
    assert "6 calendar days late" in question.summary
    assert "2026-02-17" not in question.summary
    subject, text = await last_message(desk)
    assert subject == "Changed: Steel Beams: 6 days late, please decide"
    assert "Changed: was 2 days late, now 6: ETA 2026-02-21 instead of 2026-02-17." in text


async def test_each_change_is_told_against_what_was_told_before(desk: Desk) -> None:
    await opened(desk)
    for day in ("17", "21", "16"):
        await desk.post("ETA_Changed", item="Steel Beams", eta=f"2026-02-{day}")
    question = await desk.question("schedule_conflict")
    assert question.evidence["changed"] == ["was 6 days late, now 1", "ETA 2026-02-16 instead of 2026-02-21"]


async def test_what_was_missing_and_has_come_is_not_called_missing_any_more(desk: Desk) -> None:
    await opened(desk, "50", vendor_id=None, unit_price=None)
    assert (await desk.question()).summary.startswith(
        "Steel Beams is approved but cannot be ordered: vendor and unit price missing."
    )
    await desk.post("Items_Changed", items=[{"item_id": "steel-beams", "unit_price": "100"}])
    question = await desk.question("order_incomplete")
    assert question.summary.startswith("Steel Beams is approved but cannot be ordered: vendor missing.")
    assert "missing: vendor instead of vendor and unit price" in question.evidence["changed"]
    assert not [option.title for option in question.options if "unit price" in option.title]


async def test_an_order_is_asked_about_with_the_reason_of_now(desk: Desk) -> None:
    await opened(desk, "50")
    assert "po_limit: 50 USD" in (await desk.question("order_beyond_authority")).summary
    await desk.post("Items_Changed", items=[{"item_id": "steel-beams", "currency": "EUR", "unit_price": "40"}])
    question = await desk.question("order_beyond_authority")
    assert "po_limit: 50 USD is the most" not in question.summary
    assert "EUR" in question.summary
    assert any("value 40.00 EUR instead of 100.00 USD" in change for change in question.evidence["changed"])


async def test_a_question_that_settles_itself_is_told_as_settled_and_recommends_nothing(desk: Desk) -> None:
    await opened(desk)
    await desk.post("ETA_Changed", item="Steel Beams", eta="2026-02-17")
    await desk.post("ETA_Changed", item="Steel Beams", eta="2026-02-09")
    cursor = await desk.conn.execute("SELECT subject, payload ->> 'text' AS text FROM outbox ORDER BY outbox_id")
    (told,) = [row for row in await cursor.fetchall() if row["subject"].startswith("Settled: ")]
    assert told["subject"] == "Settled: Steel Beams: 2 days late, no answer needed"
    assert "no answer needed" in told["text"]
    assert "Recommended" not in told["text"]
