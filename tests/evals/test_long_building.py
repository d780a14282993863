"""Over a long building people are asked less and less, and what they are asked is what they have not yet answered."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from itertools import pairwise

import pytest

from evals.long_building import QUARTERS, TROUBLES, answer, events, opening
from storage.database import connect
from tests.agent.desk import Desk, FixedClock, make_drainer
from tests.test_documents import text_of


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    clock = FixedClock()
    drainer = make_drainer(database, clock)
    conn = await connect(database, application_name="desk")
    try:
        yield Desk(conn, drainer, clock)
    finally:
        await drainer.slots.close()
        await conn.close()


OWN_DAYS = ("date_departed", "date_arrived", "inspection_date")


async def lived(desk: Desk) -> tuple[Counter[int], Counter[int]]:
    """Play the building; events and questions by quarter."""
    await desk.open(**opening())
    happened: Counter[int] = Counter()
    asked: Counter[int] = Counter()
    for posted in events():
        happened[posted.line.quarter] += 1
        days = [posted.fields[name] for name in OWN_DAYS if name in posted.fields]
        if days:  # nothing is told before it has happened
            desk.clock.moment = max(desk.clock.moment, datetime.fromisoformat(f"{days[0]}T12:00:00+00:00"))
        await desk.post(posted.event_type, **posted.fields)
        while questions := await desk.pending():
            for question in questions:
                asked[posted.line.quarter] += 1
                wanted = answer(question.kind, question.options, posted.line)
                await desk.decide(question, "edit", actions=wanted)
    return happened, asked


def documented() -> list[list[float]]:
    """Events, questions and questions per 100 events of each quarter, as docs/for-managers.md reports them."""
    lines = text_of("docs/for-managers.md").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| quarter ")]
    return [[float(cell) for cell in row[1:]] for row in rows]


@pytest.mark.slow
async def test_questions_fall_from_quarter_to_quarter_while_as_much_goes_wrong(desk: Desk) -> None:
    happened, asked = await lived(desk)
    quarters = range(QUARTERS)
    per_100 = [round(100 * asked[quarter] / happened[quarter], 1) for quarter in quarters]
    assert sum(happened.values()) > 300
    assert len(set(happened.values())) == 1
    assert asked[0] > TROUBLES > asked[1]
    assert all(later < earlier for earlier, later in pairwise(per_100)), per_100
    assert documented() == [[happened[q], asked[q], per_100[q]] for q in quarters], per_100
    await expect_all_that_was_decided_to_be_what_the_manager_would_have(desk)


async def expect_all_that_was_decided_to_be_what_the_manager_would_have(desk: Desk) -> None:
    """What was decided alone is what the manager decides in such cases: nothing was asked less at that price."""
    cursor = await desk.conn.execute(
        "SELECT kind, item_id, actions -> 0 ->> 'name' AS name FROM decisions "
        "WHERE type = 'act' AND basis ->> 'rule_id' IS NOT NULL ORDER BY seq"
    )
    decided = await cursor.fetchall()
    assert len(decided) > TROUBLES
    for row in decided:
        door = str(row["item_id"]).startswith("door")
        assert (
            row["name"]
            == {
                "inspection_failed": "repair_item" if door else "reorder_item",
                "schedule_conflict": "expedite_order",
                "acknowledgement_exception": "accept_as_is",
                "order_beyond_authority": "issue_purchase_order",
            }[row["kind"]]
        ), row
