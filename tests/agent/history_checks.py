"""What must hold of a line after every event of any history, read from the tables and added up here."""

import json
from decimal import Decimal
from typing import Any

from domain.lines.projection import changed_rows, project
from domain.lines.shown import list_facts, list_statements
from domain.procurement import LineFile
from storage.connection import Connection
from storage.rows import TABLES, row_id
from tests.agent.any_history import ITEM, Happened, Line, Story

SHARES_THAT_MAY_BE_MISSING = {"t": Decimal("0.005")}
GOODS_FACTS = (
    "Submittal_Approved",
    "Submittal_Rejected",
    "Purchase_Order_Acknowledged",
    "Shipment_Departed_Factory",
    "ETA_Changed",
    "Shipment_Arrived_Site",
    "Inspection_Passed",
    "Inspection_Failed",
)


async def check_line(story: Story, line: Line) -> None:
    """Everything that is read from the line's file alone."""
    file: LineFile = await story.desk.file(ITEM)
    check_conservation(file)
    check_release(file, line)
    check_nothing_patched(file)


def check_conservation(file: LineFile) -> None:
    """The lots of an order line are what was ordered, what came beyond it, and what is owed for what went back."""
    lots = [lot for lot in file.lots if not lot.is_gone]
    assert all(lot.quantity >= 0 for lot in file.lots)
    assert all(lot.quantity == 0 for lot in file.lots if lot.is_gone)
    after = {row.details.then or "owed" for row in file.facts if row.kind == "disposed"}
    for order_line in file.order_lines if file.item.account is not None else ():
        own = [lot for lot in lots if lot.order == order_line.number]
        ordered = Decimal(1) if order_line.quantity is None else order_line.quantity
        over = sum((lot.quantity for lot in own if lot.is_over), Decimal(0))
        owed = sum((lot.quantity for lot in own), Decimal(0)) - ordered - over
        returned = sum((lot.quantity for lot in own if lot.state == "returned" and not lot.is_over), Decimal(0))
        order = next(order for order in file.orders if order.number == order_line.number)
        assert 0 <= owed <= returned, (order_line.number, owed, returned)
        if after == {"owed"} and order.status != "cancelled":
            assert owed == returned, (order_line.number, owed, returned)
        elif "owed" not in after:
            assert owed == 0, (order_line.number, owed)


def check_release(file: LineFile, line: Line) -> None:
    """A released line has all it needs accepted, nothing without a verdict, and no NCR that nobody has decided."""
    if not file.item.is_released:
        return
    needed, share = Decimal(line[0] or 1), SHARES_THAT_MAY_BE_MISSING.get(line[1], Decimal(0))
    lots = [lot for lot in file.lots if not lot.is_gone]
    sums: dict[str, Decimal] = {}
    for lot in lots:
        sums[lot.state] = sums.get(lot.state, Decimal(0)) + lot.quantity
    assert sums.get("accepted", Decimal(0)) >= needed * (1 - share), sums
    assert not sums.get("on_site"), sums
    assert not sums.get("in_repair"), sums
    assert not sums.get("rejected"), sums
    assert not any(lot.is_unknown for lot in lots)
    assert not [ncr.ncr_number for ncr in file.ncrs if ncr.undecided and not ncr.is_gone]
    live = [row for row in file.facts if row.voided_by is None]
    judged = [row for row in live if row.kind == "inspected" or row.details.handling == "accept"]
    assert judged, "released, and nobody has said that it is good"


def check_nothing_patched(file: LineFile) -> None:
    """The rows are what the facts make of them: nothing else writes them."""
    if file.item.account is not None:
        otherwise = changed_rows(file, project(file, 10**6))
        assert not otherwise, f"not as projected: {otherwise}"


async def check_seen(story: Story, happened: Happened) -> None:
    """The event is visible, with what it did or why it did nothing; nothing died."""
    desk = story.desk
    cursor = await desk.conn.execute(
        "SELECT event_id, status, error FROM events WHERE building_id = %s AND status <> 'done'", (desk.building_id,)
    )
    assert await cursor.fetchall() == []
    assert not [one for one in await desk.pending() if one.kind == "event_failed"]
    cursor = await desk.conn.execute(
        "SELECT outcome, seq FROM events WHERE building_id = %s AND source = %s AND event_id = %s",
        (desk.building_id, happened.source, happened.event_id),
    )
    row = await cursor.fetchone()
    assert row is not None
    outcome = row["outcome"] or {}
    assert outcome.get("note") or outcome.get("actions") or outcome.get("approvals"), (happened, outcome)
    if happened.event_type not in GOODS_FACTS:
        return
    key = f"{happened.source}:{happened.event_id}"
    told = [one for one in list_facts(await desk.file(ITEM)) if f"{one.source}:{one.event_id}" == key]
    asked = await _asked_about(desk.conn, desk.building_id, row["seq"])
    assert told or asked or outcome.get("approvals"), (happened, outcome)
    assert all(one.effect == "counts" or one.why for one in told)


async def _asked_about(conn: Connection, building_id: str, seq: int) -> list[str]:
    cursor = await conn.execute(
        "SELECT approval_id FROM approvals WHERE building_id = %s AND raised_seq = %s", (building_id, seq)
    )
    return [row["approval_id"] for row in await cursor.fetchall()]


_IMAGES = """
SELECT DISTINCT ON (entity, id) entity, id, data::text AS data FROM changes
 WHERE building_id = %s AND entity = ANY(%s) ORDER BY entity, id, position DESC"""
_ROWS = " UNION ALL ".join(
    f"SELECT '{table.name}' AS entity, (to_jsonb(t) - 'building_id')::text AS data FROM {table.name} t "
    "WHERE building_id = %(building_id)s"
    for table in TABLES.values()
)


async def check_images(story: Story) -> None:
    """The newest image of every row is the row."""
    conn, building_id = story.desk.conn, story.desk.building_id
    kinds = {table.name: kind for kind, table in TABLES.items()}

    def load(row: dict[str, Any]) -> Any:
        return kinds[row["entity"]].model_validate(json.loads(row["data"], parse_float=Decimal))

    cursor = await conn.execute(_IMAGES, (building_id, list(kinds)))
    images = {(row["entity"], row["id"]): load(row) for row in await cursor.fetchall()}
    rows = await (await conn.execute(_ROWS, {"building_id": building_id})).fetchall()  # type: ignore[arg-type]
    found = {(row["entity"], row_id(model)): model for row in rows for model in [load(row)]}
    assert images == found, [key for key in images.keys() | found.keys() if images.get(key) != found.get(key)]


def view_of(file: LineFile) -> dict[str, Any]:
    """What a line amounts to, without names that depend on the order in which things came in."""
    lots = [
        (
            lot.order and lot.order.rpartition("-")[2],
            lot.quantity,
            lot.state,
            lot.since,
            lot.arrived_on,
            lot.expected_on,
        )
        + (lot.is_over, lot.is_unknown)
        for lot in file.lots
        if not lot.is_gone
    ]
    statements = [
        (one.kind, one.day, one.said_at, one.source, one.quantity, one.current, one.voided)
        for one in list_statements(file)
    ]
    item = file.item
    names = ("submittal", "submittal_revision", "commercial", "logistics", "eta", "promised_date", "round")
    facets = {name: getattr(item, name) for name in names}
    # While a question is open no inspection is planned: whether one is does not follow from what was reported.
    facets["quality"] = str(item.quality).replace("inspection_scheduled", "not_inspected")
    return {
        "lots": sorted(lots, key=str),
        "ncrs": sorted((ncr.quantity, ncr.undecided, ncr.disposition or "") for ncr in file.ncrs if not ncr.is_gone),
        "statements": sorted(statements, key=str),
        "facets": facets,
        "account": item.account,
        "band": item.schedule_band,
    }
