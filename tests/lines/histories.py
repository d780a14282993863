"""Histories of a line as they happen: orders, trucks, verdicts, decisions, told by gates, carriers and ERP systems."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from domain.lines.facts import Arrived, Departed, Disposed, Fact, Inspected, Ordered

FIRST_DAY = date(2026, 3, 1)
SOURCES = ("gate", "carrier", "erp", "qa")
HANDLINGS = ("repair", "return", "accept", "scrap")
IDS = (None, "S1", "S2", "S3")

days = st.integers(0, 40).map(lambda number: FIRST_DAY + timedelta(days=number))
quantities = st.sampled_from([None, *(Decimal(number) for number in (1, 2, 3, 4, 5, 6, 10, 12)), Decimal("3.333")])


def told(number: int, day: date) -> dict[str, object]:
    """When and under which id the fact with this number was said: each at a moment of its own."""
    said = datetime(day.year, day.month, day.day, 8, tzinfo=UTC) + timedelta(minutes=number)
    return {"day": day, "said_at": said, "received_at": said, "event_id": f"e{number}"}


@st.composite
def facts(draw: st.DrawFn) -> list[Fact]:
    """A line's facts, possible and impossible ones, in the order in which they were said."""
    found: list[Fact] = []
    for number in range(draw(st.integers(0, 3))):
        day = draw(days)
        quantity = draw(st.sampled_from([None, Decimal(4), Decimal(10)]))
        found.append(Ordered(**told(number, day), source="longlead", order=f"PO-{number}", quantity=quantity))
    for number in range(10, 10 + draw(st.integers(0, 9))):
        day, source = draw(days), draw(st.sampled_from(SOURCES))
        common = {**told(number, day), "source": source}
        common["shipment_id"] = draw(st.sampled_from(IDS))
        common["order"] = draw(st.sampled_from([None, None, None, "PO-0", "PO-1"]))
        kind = draw(st.sampled_from(["departed", "arrived", "arrived", "passed", "failed", "disposed"]))
        if kind == "departed":
            found.append(Departed(**common, quantity=draw(quantities), eta=day + timedelta(days=5)))
        elif kind == "arrived":
            is_complete = draw(st.sampled_from([None, None, None, True, False]))
            found.append(Arrived(**common, quantity=draw(quantities), is_complete=is_complete))
        elif kind == "passed":
            found.append(Inspected(**common, passed=True, quantity=draw(quantities), document=f"doc-{number}"))
        elif kind == "failed":
            number_of_ncr = draw(st.sampled_from([None, "NCR-1", "NCR-2"]))
            found.append(
                Inspected(
                    **common,
                    passed=False,
                    quantity=draw(quantities),
                    rejected=draw(quantities),
                    ncr_number=number_of_ncr,
                    document=f"doc-{number}",
                )
            )
        else:
            found.append(
                Disposed(
                    **{**told(number, day), "source": "longlead"},
                    ncr=draw(st.sampled_from(["NCR-1", "NCR-2"])),
                    quantity=draw(quantities),
                    handling=draw(st.sampled_from(HANDLINGS)),
                    then=draw(st.sampled_from(["owed", "replaced", "credited"])),
                )
            )
    return found
