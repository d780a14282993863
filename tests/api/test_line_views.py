"""What is known of a line is seen: how much is where, what was rejected, and who said which day when."""

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from domain.lines.projection import adopt, project
from domain.lines.shown import account_shown
from domain.procurement import Commercial, FactRow, Item, OrderLine, PurchaseOrder, Receipt, Row, Shipment
from storage.transaction import building_transaction
from tests.agent.desk import Desk
from tests.api.office import assert_problem

PUMPS = "/buildings/office/items/pumps"


async def read(client: httpx.AsyncClient, part: str = "") -> Any:
    response = await client.get(f"{PUMPS}{part}")
    assert response.status_code == 200, response.text
    return response.json()


@pytest.fixture
async def pumps(desk: Desk) -> Desk:
    """Ten pumps, needed on 20 March 2026, approved and ordered on 1 February."""
    await desk.open(
        schedule={"project": {"name": "Office"}, "deliveries": [{"item": "Pumps", "required_by": "2026-03-20"}]},
        items=[{"name": "Pumps", "vendor_id": "acme", "quantity": "10", "unit": "pcs", "lead_time_days": 30}],
        vendors=[{"vendor_id": "acme", "name": "Acme"}],
    )
    await desk.post("Submittal_Approved", item="Pumps")
    return desk


async def promise(desk: Desk, day: str, said: str, **fields: Any) -> None:
    await desk.post("Purchase_Order_Acknowledged", item="Pumps", promised_date=day, occurred_at=said, **fields)


async def depart(desk: Desk, shipment: str, quantity: str, on: str, eta: str) -> None:
    await desk.post(
        "Shipment_Departed_Factory", item="Pumps", shipment_id=shipment, quantity=quantity, date_departed=on, eta=eta
    )


async def arrive(desk: Desk, on: str, **fields: Any) -> None:
    await desk.post("Shipment_Arrived_Site", item="Pumps", date_arrived=on, **fields)


@pytest.fixture
async def rejected(pumps: Desk) -> Desk:
    """Six of ten pumps came on 9 March; on 10 March four of them passed and two leaked. Four are still to come."""
    pumps.clock.forward(days=2)  # 3 February
    await promise(pumps, "2026-03-10", "2026-02-02T08:00:00Z")
    pumps.clock.forward(days=40)  # 15 March
    await depart(pumps, "S1", "6", on="2026-03-04", eta="2026-03-08")
    await arrive(pumps, "2026-03-09", shipment_id="S1", quantity="6")
    await pumps.post(
        "Inspection_Failed",
        item="Pumps",
        inspection_date="2026-03-10",
        ncr_number="NCR-7",
        quantity_rejected="2",
        defects=["leaks at the flange"],
    )
    return pumps


def amounts(**known: str) -> dict[str, str]:
    """Quantities by state; what is not named is nothing."""
    names = ("needed", "ordered", "in_transit", "on_site", "accepted", "rejected", "in_repair", "returned")
    return {name: known.get(name, "0") for name in (*names, "scrapped", "cancelled", "open")}


async def test_a_line_of_which_a_part_was_rejected_shows_how_much_is_where(
    client: httpx.AsyncClient, rejected: Desk
) -> None:
    line = await read(client)
    assert line["quantities"] == amounts(needed="10", ordered="4", accepted="4", rejected="2", open="6")
    # Two of the ten are rejected and nobody has decided: no day is known on which all ten are there.
    assert line["needs"] == [
        {"quantity": "10", "required_by": "2026-03-20", "covered_on": None, "days_late": None},
    ]
    dates = ("ordered_on", "acknowledged_on", "shipped_on", "received_on", "usable_on")
    assert [line[name] for name in dates] == ["2026-02-01", "2026-02-02", "2026-03-04", None, None]
    assert (line["first_promise"], line["latest_promise"]) == ("2026-03-10", "2026-03-10")


async def test_the_lots_of_a_line_are_its_quantities_each_in_one_state(
    client: httpx.AsyncClient, rejected: Desk
) -> None:
    lots = (await read(client, "/lots"))["data"]
    shown = ("quantity", "unit", "state", "expected_on", "usable_on", "aliases")
    assert [[lot[name] for name in shown] for lot in lots] == [
        ["4", "pcs", "accepted", "2026-03-09", "2026-03-10", ["S1"]],
        ["4", "pcs", "ordered", "2026-03-10", "2026-03-10", []],
        ["2", "pcs", "rejected", "2026-03-09", None, ["S1"]],
    ]
    assert {lot["order"] for lot in lots} == {"PO-office-0001"}
    assert len({lot["lot_id"] for lot in lots}) == 3


async def test_an_ncr_names_its_lot_and_is_closed_by_what_a_person_decides(
    client: httpx.AsyncClient, rejected: Desk
) -> None:
    (ncr,) = (await read(client, "/ncrs"))["data"]
    (lot,) = [lot for lot in (await read(client, "/lots"))["data"] if lot["state"] == "rejected"]
    assert ncr == {
        "ncr_number": "NCR-7",
        "lot_id": lot["lot_id"],
        "quantity": "2",
        "undecided": "2",
        "defects": ["leaks at the flange"],
        "disposition": None,
        "status": "open",
    }
    question = await rejected.question("inspection_failed")
    send_back = [{"name": "return_item", "arguments": {"item": "pumps"}}]
    await rejected.decide(question, "edit", actions=send_back)
    (ncr,) = (await read(client, "/ncrs"))["data"]
    assert (ncr["status"], ncr["undecided"], ncr["disposition"]) == ("closed", "0", "return")
    states = {lot["lot_id"]: lot["state"] for lot in (await read(client, "/lots"))["data"]}
    assert states[ncr["lot_id"]] == "returned"
    # The vendor owes the two again: six are to come.
    assert (await read(client))["quantities"] == amounts(needed="10", ordered="6", accepted="4", returned="2", open="6")


async def test_every_promise_stays_and_the_newest_saying_counts_whenever_it_came_in(
    client: httpx.AsyncClient, pumps: Desk
) -> None:
    pumps.clock.forward(days=4)  # 5 February
    await promise(pumps, "2026-03-10", "2026-02-02T08:00:00Z", source="mail")
    await promise(pumps, "2026-03-26", "2026-02-04T08:00:00Z", source="portal")
    await promise(pumps, "2026-03-01", "2026-02-03T08:00:00Z", source="mail")  # told late
    told = (await read(client, "/statements"))["data"]
    assert [(one["kind"], one["day"], one["said_at"], one["source"], one["current"]) for one in told] == [
        ("promise", "2026-03-26", "2026-02-04T08:00:00Z", "portal", True),
        ("promise", "2026-03-01", "2026-02-03T08:00:00Z", "mail", False),
        ("promise", "2026-03-10", "2026-02-02T08:00:00Z", "mail", False),
    ]
    assert {(one["order"], one["shipment_id"], one["quantity"]) for one in told} == {("PO-office-0001", None, None)}
    line = await read(client)
    assert (line["first_promise"], line["latest_promise"]) == ("2026-03-10", "2026-03-26")
    assert line["needs"][0] | {"quantity": "10"} == {
        "quantity": "10",
        "required_by": "2026-03-20",
        "covered_on": "2026-03-26",
        "days_late": 6,
    }


async def test_the_eta_of_a_departure_counts_for_its_shipment_and_the_promise_for_the_rest(
    client: httpx.AsyncClient, pumps: Desk
) -> None:
    pumps.clock.forward(days=32)  # 5 March
    await promise(pumps, "2026-03-10", "2026-02-02T08:00:00Z")
    await depart(pumps, "S1", "6", on="2026-03-04", eta="2026-03-12")
    told = (await read(client, "/statements"))["data"]
    assert [(one["kind"], one["day"], one["shipment_id"], one["quantity"], one["current"]) for one in told] == [
        ("eta", "2026-03-12", "S1", "6", True),
        ("promise", "2026-03-10", None, None, True),
    ]
    assert (await read(client))["quantities"] == amounts(needed="10", ordered="4", in_transit="6", open="10")
    pumps.clock.forward(days=5)  # 10 March
    await pumps.post(
        "ETA_Changed", item="Pumps", shipment_id="S1", eta="2026-03-14", occurred_at="2026-03-09T08:00:00Z"
    )
    told = (await read(client, "/statements"))["data"]
    assert [(one["kind"], one["day"], one["current"]) for one in told] == [
        ("eta", "2026-03-14", True),
        ("eta", "2026-03-12", False),
        ("promise", "2026-03-10", True),
    ]
    await arrive(pumps, "2026-03-10", shipment_id="S1", quantity="6")
    # Four are still to come, by the promise; the ETAs were of what is here now.
    told = (await read(client, "/statements"))["data"]
    assert [one["day"] for one in told if one["current"]] == ["2026-03-10"]


async def test_every_report_says_what_it_does_or_why_it_does_nothing(client: httpx.AsyncClient, rejected: Desk) -> None:
    await arrive(rejected, "2026-03-09", quantity="6", source="gate", event_id="truck-1")
    await arrive(rejected, "2026-03-12", quantity="4", source="gate", event_id="truck-2")
    await arrive(rejected, "2026-03-13", quantity="3", source="gate", event_id="truck-3")
    facts = {(one["source"], one["event_id"]): one for one in (await read(client, "/facts"))["data"]}
    assert len(facts) == 8
    again, rest, beyond = (facts["gate", f"truck-{number}"] for number in (1, 2, 3))
    assert again["effect"] == "told_again"
    assert again["why"].startswith("It tells again what test told as e")
    assert (again["shipment_id"], again["quantity"]) == ("S1", "6")
    assert (rest["effect"], rest["why"]) == ("counts", None)
    assert beyond["effect"] == "doubted"
    assert "all of it had arrived before" in beyond["why"]
    assert [one["effect"] for one in facts.values() if one["kind"] == "promise"] == ["superseded"]
    (failed,) = (one for one in facts.values() if one["kind"] == "failed")
    assert (failed["ncr_number"], failed["quantity_rejected"], failed["effect"]) == ("NCR-7", "2", "counts")


async def test_a_damaged_arrival_names_the_ncr_that_it_raised(client: httpx.AsyncClient, pumps: Desk) -> None:
    pumps.clock.forward(days=40)  # 13 March
    await arrive(pumps, "2026-03-09", quantity="10", quantity_damaged="3")
    facts = {one["kind"]: one for one in (await read(client, "/facts"))["data"]}
    (ncr,) = (await read(client, "/ncrs"))["data"]
    assert (ncr["quantity"], ncr["status"]) == ("3", "open")
    assert (facts["arrived"]["ncr_number"], facts["arrived"]["quantity_rejected"]) == (ncr["ncr_number"], "3")
    assert (await read(client))["quantities"] == amounts(needed="10", on_site="7", rejected="3", open="10")


async def test_a_verdict_on_an_older_revision_of_a_submittal_is_superseded(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    await desk.open(items=[{"name": "Pumps", "quantity": "10", "unit": "pcs"}])
    await desk.post("Submittal_Rejected", item="Pumps", revision=0)
    await desk.post("Submittal_Approved", item="Pumps", revision=1)
    facts = {one["kind"]: one for one in (await read(client, "/facts"))["data"]}
    assert facts["submittal_approved"]["effect"] == "counts"
    assert facts["submittal_rejected"]["effect"] == "superseded"
    assert "newer revision" in facts["submittal_rejected"]["why"]


async def test_what_was_taken_back_stays_in_sight_and_is_marked(client: httpx.AsyncClient, pumps: Desk) -> None:
    pumps.clock.forward(days=4)
    await promise(pumps, "2026-03-10", "2026-02-02T08:00:00Z")
    await promise(pumps, "2026-03-26", "2026-02-04T08:00:00Z")
    newest = max(await pumps.rows(FactRow), key=lambda row: row.said_at)
    named = {"source": newest.source, "event_id": newest.event_id}
    await pumps.post("Event_Voided", reason="It was meant for another order.", event_id="void-1", named=named)
    told = (await read(client, "/statements"))["data"]
    assert [(one["day"], one["voided"], one["current"]) for one in told] == [
        ("2026-03-26", True, False),
        ("2026-03-10", False, True),
    ]
    fact = (await read(client, "/facts"))["data"][0]
    assert (fact["effect"], fact["why"]) == ("taken_back", "It was taken back by test:void-1.")


async def save(desk: Desk, *rows: Row) -> None:
    async with building_transaction(desk.conn, desk.building_id) as transaction:
        transaction.save(*rows)


async def test_a_line_that_was_never_ordered_is_open_as_a_whole(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.open(items=[{"name": "Pumps", "quantity": "2.50", "unit": "t"}, {"name": "Doors"}])
    line = await read(client)
    assert line["quantities"] == amounts(needed="2.5", open="2.5")
    assert line["needs"] == [{"quantity": "2.5", "required_by": None, "covered_on": None, "days_late": None}]
    for part in ("/lots", "/ncrs", "/statements", "/facts"):
        assert await read(client, part) == {"data": [], "next_cursor": None}
    doors = (await client.get("/buildings/office/items/doors")).json()
    assert doors["quantities"] == amounts(needed="1", open="1")  # a line without a quantity is one lot


async def test_a_day_said_of_a_line_that_is_not_ordered_orders_nothing(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.open(items=[{"name": "Pumps", "quantity": "10", "unit": "pcs"}])
    await desk.post("ETA_Changed", item="Pumps", eta="2026-03-14")
    assert (await read(client))["quantities"] == amounts(needed="10", open="10")
    assert (await read(client, "/lots"))["data"] == []


KEPT_WITHOUT_FACTS = (
    PurchaseOrder(number="PO-9", currency="USD", status="partially_received", issued_on=date(2026, 1, 5)),
    OrderLine(number="PO-9", line=1, item_id="pumps", round=1, quantity=Decimal(10), promised_date=date(2026, 3, 10)),
    Shipment(
        shipment_id="S1",
        item_id="pumps",
        round=1,
        purchase_order="PO-9",
        quantity=Decimal(6),
        status="received",
        departed_on=date(2026, 1, 20),
        eta=date(2026, 1, 25),
    ),
    Receipt(receipt_id="R-S1", shipment_id="S1", item_id="pumps", quantity=Decimal(6), received_on=date(2026, 1, 24)),
)


async def test_a_line_of_an_earlier_version_is_shown_like_any_other(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.open(items=[{"name": "Pumps", "quantity": "10", "unit": "pcs"}])
    line = Item(
        **{
            **(await desk.item("pumps")).model_dump(),
            "commercial": Commercial.ACKNOWLEDGED,
            "round": 1,
            "account": None,
        }
    )
    await save(desk, line, *KEPT_WITHOUT_FACTS)
    shown = await read(client)
    assert shown["quantities"] == amounts(needed="10", ordered="4", on_site="6", open="10")
    assert (shown["ordered_on"], shown["shipped_on"]) == ("2026-01-05", "2026-01-20")
    assert (shown["first_promise"], shown["latest_promise"]) == ("2026-03-10", "2026-03-10")
    listed = (await client.get("/buildings/office/items")).json()["data"]
    assert listed == [shown]
    lots = (await read(client, "/lots"))["data"]
    assert [(lot["quantity"], lot["state"], lot["aliases"]) for lot in lots] == [
        ("6", "on_site", ["S1"]),
        ("4", "ordered", []),
    ]
    told = (await read(client, "/statements"))["data"]
    # Earlier versions did not keep when something was said.
    assert sorted((one["kind"], one["day"], one["said_at"], one["current"]) for one in told) == [
        ("eta", "2026-01-25", None, False),
        ("promise", "2026-03-10", None, True),
    ]
    # Nothing of that is written: reading changes nothing.
    assert await desk.rows(FactRow) == []
    file = await desk.file("pumps")
    kept = project(adopt(file), 1).item
    assert account_shown(kept).quantities == {k: Decimal(v) for k, v in shown["quantities"].items()}


async def test_long_lists_of_a_line_are_read_page_by_page(client: httpx.AsyncClient, rejected: Desk) -> None:
    for part in ("/lots", "/statements", "/facts"):
        whole = (await read(client, part))["data"]
        seen: list[Any] = []
        cursor: str | None = None
        while len(seen) <= len(whole):
            parameters = {"limit": 1, **({"cursor": cursor} if cursor else {})}
            found = (await client.get(f"{PUMPS}{part}", params=parameters)).json()
            seen += found["data"]
            cursor = found["next_cursor"]
            if cursor is None:
                break
        assert seen == whole
        refused = await client.get(f"{PUMPS}{part}", params={"cursor": "WyIyMDI2LTAzLTAxIiwiMjAyNi0wMy0wMSIsIngiXQ"})
        assert_problem(refused, 422, "cursor")


@pytest.mark.parametrize("part", ["lots", "ncrs", "statements", "facts"])
async def test_an_unknown_line_has_no_lists(client: httpx.AsyncClient, pumps: Desk, part: str) -> None:
    assert_problem(await client.get(f"/buildings/office/items/no-such/{part}"), 404, "no-such", "/items")
    assert_problem(await client.get(f"/buildings/elsewhere/items/pumps/{part}"), 404, "elsewhere")
