"""Silence: it is brought to mind, it moves up the chain, and it is never taken for consent."""

from datetime import UTC, datetime

from storage.upkeep import enter_overdue
from tests.agent.desk import Desk

CHAIN = [
    {"role": "buyer", "name": "Buyer", "limit": "100"},
    {"role": "project_manager", "name": "PM", "limit": "5000"},
    {"role": "director", "name": "Director"},
]


ASKED = "Doors: failed inspection, needed in 37 days, please decide"
REMINDED = f"Reminder: {ASKED}"


async def asked(desk: Desk) -> None:
    """A question about 900 USD on Monday 23 February 2026 at 09:00 in Berlin: the project manager's."""
    desk.clock.moment = datetime(2026, 2, 23, 8, 0, tzinfo=UTC)
    await desk.open(
        time_zone="Europe/Berlin",
        schedule={"project": {"name": "x"}, "deliveries": [{"item": "Doors", "required_by": "2026-04-01"}]},
        items=[{"name": "Doors", "vendor_id": "v", "unit_price": "900"}],
        vendors=[{"vendor_id": "v", "name": "V"}],
        approvers=CHAIN,
    )
    await desk.post("Inspection_Failed", item="Doors", inspection_date="2026-02-23")


async def tick(desk: Desk) -> int:
    entered = await enter_overdue(desk.conn, desk.clock.now())
    await desk.run()
    return entered


async def told(desk: Desk) -> list[tuple[str, str]]:
    rows = await (await desk.conn.execute("SELECT recipient, subject FROM outbox ORDER BY outbox_id")).fetchall()
    return [(row["recipient"], row["subject"]) for row in rows]


async def test_a_reminder_comes_after_four_working_hours_and_once(desk: Desk) -> None:
    await asked(desk)
    desk.clock.forward(hours=3, minutes=59)
    assert await tick(desk) == 0
    desk.clock.forward(minutes=1)
    assert await tick(desk) == 1
    assert await tick(desk) == 0
    assert await told(desk) == [("PM", ASKED), ("PM", REMINDED)]
    question = await desk.question()
    assert (question.escalation_level, question.version) == (0, 1)


async def test_it_moves_up_the_chain_and_stays_open_however_long_it_lasts(desk: Desk) -> None:
    await asked(desk)
    desk.clock.moment = datetime(2026, 2, 25, 8, 0, tzinfo=UTC)  # 24 working hours: two days of twelve
    await tick(desk)
    question = await desk.question()
    assert (question.asked_of, question.escalation_level) == ("director", 1)
    for _ in range(5):
        desk.clock.forward(days=7)
        await tick(desk)
    question = await desk.question()
    assert (question.asked_of, question.escalation_level, question.status) == ("director", 1, "pending")
    assert (await told(desk))[-1] == ("Director", "Reminder: Doors: failed inspection, needed today, please decide")
    assert "reorder_item" not in await desk.names()


async def test_after_an_outage_what_is_overdue_is_told_late_and_once(desk: Desk) -> None:
    await asked(desk)
    desk.clock.forward(days=10)
    await tick(desk)
    assert await told(desk) == [("PM", ASKED), ("Director", f"Escalated: {ASKED}".replace("37", "27"))]


async def test_nobody_is_reminded_at_night_or_on_a_sunday(desk: Desk) -> None:
    await asked(desk)
    question = await desk.question()
    desk.clock.moment = datetime(2026, 2, 27, 17, 0, tzinfo=UTC)  # Friday, 18:00 in Berlin
    again = {"inspection_date": "2026-02-27", "document_name": "second report", "ncr_number": question.matter}
    await desk.post("Inspection_Failed", item="Doors", **again)
    renewed = await desk.question()
    assert (renewed.approval_id, renewed.version) == (question.approval_id, 2)
    await desk.decide(renewed, "reject")
    again = await desk.question()
    assert again.due_at == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # one hour on Friday, three on Monday from 07:00


async def test_what_fell_due_during_an_outage_that_ends_at_night_is_told_in_the_morning(desk: Desk) -> None:
    await asked(desk)
    desk.clock.moment = datetime(2026, 2, 26, 2, 0, tzinfo=UTC)  # Thursday, 03:00 in Berlin
    assert await tick(desk) == 1
    assert await tick(desk) == 0
    assert await told(desk) == [("PM", ASKED)]
    desk.clock.moment = datetime(2026, 2, 26, 6, 0, tzinfo=UTC)
    assert await tick(desk) == 1
    assert await told(desk) == [("PM", ASKED), ("Director", f"Escalated: {ASKED}".replace("37", "34"))]


async def test_an_answered_question_needs_no_reminder(desk: Desk) -> None:
    await asked(desk)
    desk.clock.forward(days=1)
    assert await enter_overdue(desk.conn, desk.clock.now()) == 1
    question = await desk.question()
    await desk.decide(question, "approve")
    assert not [subject for _, subject in await told(desk) if subject.startswith(("Reminder", "Escalated"))]
    desk.clock.forward(days=30)
    assert await tick(desk) == 0
