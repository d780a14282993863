"""Lines of before facts were kept: what an upgrade makes of them is told beforehand, and right by hand arithmetic."""

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from domain.lines.facts import Cancelled, Ordered
from domain.lines.old_rows import read_facts
from domain.lines.shown import complete_file
from evals.backtest import Backtest, Trial
from runtime.clock import SystemClock
from runtime.settings import Settings
from storage import migrate as migrations
from storage.adopted_lines import tell_of_released
from storage.connection import Connection
from storage.database import connect
from storage.migrate import migrate, read_migrations
from tests.agent.desk import Desk
from tests.cli.conftest import Run
from tests.cli.conftest import run as run
from tests.forks.conftest import quiet as quiet
from tests.forks.past import desk_of, fork_of
from tests.histories.dump import History, load, read
from tests.histories.test_old_histories import VERSIONS, at, open_entries

PARTS = "f1648bd-parts"
"""Steel Beams: 18 t ordered, 10 arrived, of them 4 rejected and ordered again. HVAC Units: all 4 released. Electrical
Panels: 2 of 6 arrived, of them 1 rejected, and nobody has decided about it."""


async def amounts(desk: Desk, item_id: str) -> dict[str, Decimal]:
    """How much of a line is where, without what is nothing."""
    account = complete_file(await desk.file(item_id)).item.account
    return {state: amount for state, amount in account.quantities.items() if amount and state != "needed"}


def released_too_early(history: History) -> History:
    """As versions of then could leave it: a line was released though half of it came, and another by a later pass,
    though nobody had decided about what was rejected."""
    changed: History = json.loads(json.dumps(history))

    def change(table: str, item_id: str, **fields: Any) -> None:
        for row in changed[table]:
            if row.get("item_id") == item_id:
                row.update(fields)
        for row in changed["changes"]:
            if row["entity"] == table and row["data"]["item_id"] == item_id:
                row["data"].update(fields)

    change("shipments", "hvac-units", quantity=2)
    change("receipts", "hvac-units", quantity=2)
    change("shipments", "electrical-panels", quantity=6)
    change("receipts", "electrical-panels", quantity=6)
    change("items", "electrical-panels", quality="passed", logistics="on_site")
    changed["approvals"] = [row for row in changed["approvals"] if row["status"] != "pending"]
    changed["changes"] = [
        row for row in changed["changes"] if not (row["entity"] == "approvals" and row["data"]["status"] == "pending")
    ]
    return changed


# -- quantities


async def test_lines_in_parts_go_on_with_quantities_that_are_right_by_hand(desk: Desk) -> None:
    await at(desk, read(PARTS))
    desk.clock.forward(days=20)
    beams = {"item": "Steel Beams", "date_arrived": "2026-02-20"}
    await desk.post("Shipment_Arrived_Site", **beams, shipment_id="S2", purchase_order="PO-parts-office-0001")
    # 18 ordered, 10 came first: 8 are the rest. 4 of the 10 go back, and 4 are ordered for them.
    assert await amounts(desk, "steel-beams") == {
        "accepted": 6,
        "on_site": 8,
        "ordered": 4,
        "returned": 4,
        "open": 12,
    }
    await desk.post("Inspection_Passed", item="Steel Beams", inspection_date="2026-02-20", shipment_id="S2")
    assert await amounts(desk, "steel-beams") == {"accepted": 14, "ordered": 4, "returned": 4, "open": 4}
    await desk.post("Shipment_Arrived_Site", **beams, shipment_id="S3", purchase_order="PO-parts-office-0004")
    assert not (await desk.item("steel-beams")).is_released
    await desk.post("Inspection_Passed", item="Steel Beams", inspection_date="2026-02-21", shipment_id="S3")
    assert await amounts(desk, "steel-beams") == {"accepted": 18, "returned": 4}
    assert (await desk.item("steel-beams")).status == "released"
    assert await open_entries(desk) == []


async def test_what_was_rejected_then_is_decided_now_and_the_rest_comes(desk: Desk) -> None:
    await at(desk, read(PARTS))
    desk.clock.forward(days=20)
    assert await amounts(desk, "electrical-panels") == {"accepted": 1, "rejected": 1, "ordered": 4, "open": 5}
    await desk.decide(await desk.question("inspection_failed"), "approve")
    # The one that was rejected goes back, and another is ordered for it.
    assert await amounts(desk, "electrical-panels") == {"accepted": 1, "returned": 1, "ordered": 5, "open": 5}
    panels = {"item": "Electrical Panels", "date_arrived": "2026-02-24", "purchase_order": "PO-parts-office-0003"}
    await desk.post("Shipment_Arrived_Site", **panels, quantity="4", shipment_id="P2")
    await desk.post("Inspection_Passed", item="Electrical Panels", inspection_date="2026-02-24", shipment_id="P2")
    found = await amounts(desk, "electrical-panels")
    assert (found["accepted"], found["open"]) == (5, 1)
    assert not (await desk.item("electrical-panels")).is_released
    assert await open_entries(desk) == []


ENTRIES: dict[str, dict[str, Any]] = {
    "Submittal_Approved": {},
    "Purchase_Order_Acknowledged": {"promised_date": "2026-03-10"},
    "Shipment_Departed_Factory": {"date_departed": "2026-02-20", "eta": "2026-03-10"},
    "ETA_Changed": {"eta": "2026-03-11"},
    "Shipment_Arrived_Site": {"date_arrived": "2026-02-20", "quantity": "1", "shipment_id": "new"},
    "Inspection_Passed": {"inspection_date": "2026-02-20"},
    "Inspection_Failed": {"inspection_date": "2026-02-20", "quantity_rejected": "1", "ncr_number": "NCR-new"},
}


@pytest.mark.parametrize("event_type", ENTRIES)
async def test_whatever_comes_first_what_the_rows_said_is_kept_as_facts(desk: Desk, event_type: str) -> None:
    await at(desk, read(PARTS))
    desk.clock.forward(days=20)
    adopted = 0
    for item_id in ("steel-beams", "electrical-panels", "hvac-units"):
        before = await desk.file(item_id)
        known = [fact.key for fact in read_facts(before) if not isinstance(fact, (Ordered, Cancelled))]
        await desk.post(event_type, item=item_id, **ENTRIES[event_type])
        after = await desk.file(item_id)
        assert (after.item.account is None) == (after.facts == [])
        assert [f"{row.source}:{row.event_id}" for row in after.facts][: len(known)] == (known if after.facts else [])
        adopted += bool(after.facts)
    assert adopted


@pytest.mark.parametrize("action", ["repair_item", "return_item", "accept_as_is", "cancel_purchase_order"])
async def test_whatever_is_decided_first_what_the_rows_said_is_kept_as_facts(desk: Desk, action: str) -> None:
    await at(desk, read(PARTS))
    known = {fact.key for fact in read_facts(await desk.file("electrical-panels"))}
    actions = [{"name": action, "arguments": {"item": "electrical-panels"}}]
    await desk.decide(await desk.question("inspection_failed"), "edit", actions=actions)
    after = await desk.file("electrical-panels")
    kept = {f"{row.source}:{row.event_id}" for row in after.facts}
    assert known - kept == {"longlead.adopted:order:PO-parts-office-0003"}
    assert complete_file(after).item.account.quantities["accepted"] == (2 if action == "accept_as_is" else 1)


async def test_a_question_stays_as_it_was_asked_until_its_line_has_an_entry(desk: Desk) -> None:
    await at(desk, read(PARTS))

    async def asked() -> list[tuple[str, int, str]]:
        return sorted((one.approval_id, one.version, one.fingerprint) for one in await desk.pending())

    before = await asked()
    assert len(before) == 2
    await tell_of_released(desk.conn)
    await desk.post("Human_Input", text="The gate is closed on Friday.")
    await desk.post("Submittal_Approved", item="Doors")
    assert [one for one in await asked() if one in before] == before


# -- what is told beforehand


@pytest.fixture
def migrate_to(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Bring the empty database to an earlier version."""

    async def migrates(last: int) -> str:
        files = tuple(one for one in read_migrations() if one.number <= last)
        with monkeypatch.context() as patched:
            patched.setattr(migrations, "read_migrations", lambda: files)
            await migrate(empty_database)
        async with await connect(empty_database, application_name="test") as conn:
            await conn.execute("DELETE FROM longlead_components WHERE name = 'adopted lines'")
        return empty_database

    return migrates


def run_check(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("db", "migrate", "--check", "--json").stdout)
    return found


async def test_the_check_says_of_an_earlier_database_what_will_change_and_changes_nothing(
    migrate_to: Callable[..., Any], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    conninfo = await migrate_to(18)
    async with await connect(conninfo, application_name="test") as conn:
        await load(conn, released_too_early(read(PARTS)))
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", conninfo)
    found = await asyncio.to_thread(run_check, run)
    assert found["to_apply"] == [*(one.name for one in read_migrations() if one.number > 18), "adopted lines"]
    assert found["lines"] == 4
    assert found["changes"] == [
        {
            "building": "parts-office",
            "line": "steel-beams",
            "name": "Steel Beams",
            "status_now": "ordered",
            "status_then": "partially_received",
            "why": "6 of 18 t accepted, 12 ordered, 4 returned",
        }
    ]
    assert [(one["line"], one["status_then"]) for one in found["stay_released"]] == [
        ("electrical-panels", "released"),
        ("hvac-units", "released"),
    ]
    async with await connect(conninfo, application_name="test") as conn:
        assert await scalar(conn, "SELECT to_regclass('facts')") is None
        assert await scalar(conn, "SELECT count(*) FROM events WHERE event_type = 'Lines_Adopted'") == 0
    assert await asyncio.to_thread(run_check, run) == found
    words = (await asyncio.to_thread(run, "db", "migrate", "--check")).stdout
    assert "steel-beams" in words
    assert "stay released" in words

    await migrate(conninfo)
    after = await asyncio.to_thread(run_check, run)
    assert after == {**found, "to_apply": []}
    async with await connect(conninfo, application_name="test") as conn:
        assert await scalar(conn, "SELECT count(*) FROM events WHERE event_type = 'Lines_Adopted'") == 1


async def scalar(conn: Connection, query: str) -> Any:
    row = await (await conn.execute(query.encode())).fetchone()
    return next(iter(row.values())) if row else None


async def test_the_check_of_an_empty_database_finds_nothing(
    empty_database: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", empty_database)
    found = await asyncio.to_thread(run_check, run)
    assert (found["lines"], found["changes"], found["stay_released"]) == (0, [], [])


# -- lines that stay released


async def messages_of(desk: Desk) -> list[str]:
    query = "SELECT party, text FROM messages WHERE building_id = %s AND text LIKE '%%computes what a line%%'"
    rows = await (await desk.conn.execute(query, (desk.building_id,))).fetchall()
    assert {row["party"] for row in rows} <= {"pm@office.example", "project_manager"}
    return [row["text"] for row in rows]


async def test_lines_that_were_released_stay_so_and_the_manager_is_told_once_and_not_asked(desk: Desk) -> None:
    await at(desk, released_too_early(read(PARTS)))
    for _ in range(2):
        await tell_of_released(desk.conn)
        await desk.run()
    (text,) = await messages_of(desk)
    assert "2 lines were released before" in text
    assert "HVAC Units (2 of 4 pcs accepted, 2 ordered)" in text
    assert "nobody decided about NCR-electrical-panels-1-1" in text
    assert await desk.pending() == []
    for line in ("HVAC Units", "Electrical Panels"):
        await desk.post("ETA_Changed", item=line, eta="2026-03-01")
    for item_id in ("hvac-units", "electrical-panels"):
        item = await desk.item(item_id)
        assert item.account is not None
        assert item.status == "released"
    assert "inspection_failed" not in {one.kind for one in await desk.pending()}
    assert await open_entries(desk) == []


async def test_what_is_reported_against_a_released_line_takes_its_release_back(desk: Desk) -> None:
    await at(desk, released_too_early(read(PARTS)))
    await desk.post(
        "Inspection_Failed", item="HVAC Units", inspection_date="2026-02-10", quantity_rejected="1", ncr_number="NCR-9"
    )
    assert (await desk.item("hvac-units")).status == "failed_inspection"
    assert (await desk.question("inspection_failed")).subject["ncr_number"] == "NCR-9"


async def test_a_backtest_after_the_upgrade_tells_the_same_again(desk: Desk, database: str) -> None:
    await at(desk, released_too_early(read(PARTS)))
    await tell_of_released(desk.conn)
    await desk.run()
    report = await Backtest(database, Settings(database_url=database), SystemClock(), Trial()).run([desk.building_id])
    (result,) = report.buildings
    assert result.error is None
    cursor = await desk.conn.execute("SELECT seq FROM events WHERE event_type = 'Lines_Adopted' LIMIT 1")
    (row,) = await cursor.fetchall()
    assert [one for one in result.differences if one.seq == row["seq"]] == []


# -- the past


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_fork_of_before_the_upgrade_reads_the_rows_of_then(desk: Desk, version: str) -> None:
    """Images of then have no account: what a line amounts to is computed from them."""
    await at(desk, read(f"{version}-finished"))
    await desk.post("Human_Input", item="Steel Beams", text="Mind the gate.")
    made = await fork_of(desk, before_event=8)
    here = desk_of(desk, made)
    assert (await here.item("steel-beams")).account is None
    await here.decide(await here.question("inspection_failed"), "approve")
    found = await amounts(here, "steel-beams")
    assert found["accepted"] == 14  # of 18, which came at once, 4 were rejected


async def test_a_backtest_of_the_last_version_without_facts_reports_nothing(desk: Desk, database: str) -> None:
    await at(desk, read("f1648bd-finished"))
    report = await Backtest(database, Settings(database_url=database), SystemClock(), Trial()).run([desk.building_id])
    (result,) = report.buildings
    assert (result.error, result.differences) == (None, [])
