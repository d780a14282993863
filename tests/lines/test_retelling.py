"""A fact on file can be told again as the event that it was, as a question about it offers."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from domain.events import EVENT
from domain.lines.doubts import retell
from domain.lines.facts import Arrived
from domain.lines.stored import fact_row
from domain.procurement import Item, LineFile

HEARD = datetime(2026, 3, 2, 8, tzinfo=UTC)
FILE = LineFile(item=Item(item_id="pumps", name="Pumps", quantity=Decimal(100), unit="pcs", currency="EUR"))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        pytest.param(datetime(1, 1, 1, 12, tzinfo=UTC), None, id="nobody knows when"),
        pytest.param(datetime(2026, 2, 5, 7, tzinfo=UTC), "2026-02-05T07:00:00+00:00", id="that morning"),
    ],
)
def test_an_event_told_again_says_when_it_was_said_only_where_that_is_known(said: datetime, shown: str | None) -> None:
    arrived = Arrived(
        day=date(2026, 2, 5), said_at=said, received_at=HEARD, source="x", event_id="1", quantity=Decimal(50)
    )
    told = retell(fact_row(arrived, "pumps", "1", 1), FILE)
    assert told is not None
    assert told.get("occurred_at") == shown
    EVENT.validate_python(told)
