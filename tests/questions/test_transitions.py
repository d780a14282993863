"""What may become of a question, whatever its kind; one that is closed asks nothing of anybody any more."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.approvals import LOCAL_PERSON, Approval, Decision
from domain.questions.registry import KINDS
from tests.agent.desk import Desk

NOW = datetime(2026, 2, 1, 9, tzinfo=UTC)


def pending(kind: str) -> Approval:
    return Approval(
        approval_id="a-1-0",
        key="1.0",
        kind=KINDS[kind].name,
        summary="Pumps is 20 days late. What is to be done?",
        fingerprint="x",
        raised_at=NOW,
        raised_seq=1,
        due_at=NOW,
        escalate_at=NOW,
    )


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_closed_question_is_due_to_nobody_and_asks_nothing(kind: str) -> None:
    for closed in (pending(kind).withdraw(), pending(kind).supersede(), pending(kind).outdate()):
        assert (closed.due_at, closed.escalate_at) == (None, None)
        assert closed.statement == "Pumps is 20 days late."


def test_an_answer_that_settled_nothing_leaves_the_question_as_it_was() -> None:
    asked = pending("hold_expired")
    answered = asked.accept(Decision(type="approve", responder=LOCAL_PERSON), 2, "d1", NOW)
    assert (answered.status, answered.decision_seq) == ("decided", 2)
    assert answered.reopen(NOW, NOW) == asked


def test_moving_up_the_chain_counts_and_a_reminder_does_not() -> None:
    later = NOW + timedelta(hours=4)
    assert pending("hold_expired").escalate("director", later, None).escalation_level == 1
    assert pending("hold_expired").remind("director", None).escalation_level == 0


async def test_the_message_that_a_question_settled_itself_asks_nothing(desk: Desk) -> None:
    await desk.open(
        schedule={"project": {"name": "x"}, "deliveries": [{"item": "Lift", "required_by": "2026-03-10"}]},
        items=[{"name": "Lift", "vendor_id": "v"}],
        vendors=[{"vendor_id": "v", "name": "V"}],
    )
    await desk.post("Submittal_Approved", item="Lift")
    await desk.post("ETA_Changed", item="Lift", eta="2026-03-20")
    assert (await desk.question()).kind == "schedule_conflict"
    await desk.post("ETA_Changed", item="Lift", eta="2026-02-20")
    assert await desk.pending() == []
    cursor = await desk.conn.execute("SELECT payload::text AS said FROM outbox WHERE subject LIKE 'Settled:%'")
    row = await cursor.fetchone()
    assert row is not None
    assert "?" not in row["said"]
