"""Deliveries by quantity: partial, repeated, late, impossible."""

from typing import Any

from domain.procurement import Inspection, Receipt, Shipment
from tests.agent.desk import Desk

DELIVERY = {"item": "Steel", "required_by": "2026-02-20", "buffer_days": 3}


async def opened(desk: Desk, **fields: Any) -> None:
    await desk.open(
        schedule={"project": {"name": "Office"}, "deliveries": [DELIVERY]},
        items=[{"name": "Steel", "vendor_id": "acme", "quantity": "20", "unit": "t", **fields}],
        vendors=[{"vendor_id": "acme", "name": "Acme"}],
    )
    await desk.post("Submittal_Approved", item="Steel")


async def test_two_shipments_are_received_and_inspected_each(desk: Desk) -> None:
    await opened(desk)
    await desk.post("Shipment_Departed_Factory", item="Steel", eta="2026-02-10", shipment_id="S1", quantity="12")
    await desk.post("Shipment_Departed_Factory", item="Steel", eta="2026-02-12", shipment_id="S2", quantity="8")
    assert str((await desk.item("steel")).eta) == "2026-02-12"
    first = await desk.post("Shipment_Arrived_Site", item="Steel", date_arrived="2026-02-10", shipment_id="S1")
    assert (await desk.item("steel")).logistics == "partially_received"
    second = await desk.post("Shipment_Arrived_Site", item="Steel", date_arrived="2026-02-12", shipment_id="S2")
    assert (await desk.item("steel")).logistics == "on_site"
    for event in (first, second):
        assert await desk.names(event) == ["notify_team", "schedule_inspection"]
    assert [str(receipt.quantity) for receipt in await desk.rows(Receipt)] == ["12", "8"]
    planned = [(inspection.shipment_id, str(inspection.scheduled_on)) for inspection in await desk.rows(Inspection)]
    # 12 February 2026 is a Thursday.
    assert planned == [("S1", "2026-02-11"), ("S2", "2026-02-13")]
    await desk.post("Inspection_Passed", item="Steel", inspection_date="2026-02-13")
    assert (await desk.item("steel")).status == "released"


async def test_an_inspection_falls_on_the_next_working_day(desk: Desk) -> None:
    await opened(desk)
    await desk.post("Shipment_Arrived_Site", item="Steel", date_arrived="2026-02-13")
    (inspection,) = await desk.rows(Inspection)
    assert str(inspection.scheduled_on) == "2026-02-16"


async def test_partial_arrivals_without_a_shipment_id_add_up_by_quantity(desk: Desk) -> None:
    await opened(desk)
    await desk.post("Shipment_Arrived_Site", item="Steel", date_arrived="2026-02-09", quantity="15")
    assert (await desk.item("steel")).logistics == "partially_received"
    await desk.post("Shipment_Arrived_Site", item="Steel", date_arrived="2026-02-10", quantity="5")
    assert (await desk.item("steel")).logistics == "on_site"


async def test_the_same_arrival_again_is_noted_even_after_it_passed(desk: Desk) -> None:
    await opened(desk)
    await desk.post("Shipment_Arrived_Site", item="Steel", date_arrived="2026-02-09")
    await desk.post("Inspection_Passed", item="Steel", inspection_date="2026-02-10")
    again = await desk.post("Shipment_Arrived_Site", item="Steel", date_arrived="2026-02-09")
    assert await desk.names(again) == []
    assert len(await desk.rows(Receipt)) == 1
    assert (await desk.item("steel")).status == "released"
    assert await desk.pending() == []


async def test_an_arrival_on_another_day_when_all_had_come_is_asked(desk: Desk) -> None:
    await opened(desk)
    await desk.post("Shipment_Arrived_Site", item="Steel", date_arrived="2026-02-09")
    await desk.post("Shipment_Arrived_Site", item="Steel", date_arrived="2026-02-12")
    await desk.question("facts_contradict")
    assert len(await desk.rows(Receipt)) == 1


async def test_arrived_before_it_departed_is_asked(desk: Desk) -> None:
    await opened(desk)
    await desk.post("Shipment_Departed_Factory", item="Steel", eta="2026-02-10", date_departed="2026-02-05")
    await desk.post("Shipment_Arrived_Site", item="Steel", date_arrived="2026-02-03")
    await desk.question("facts_contradict")
    # It was seen on site; the departure is what cannot be.
    assert (await desk.item("steel")).logistics == "on_site"


async def test_a_departure_reported_after_the_arrival_only_fills_it_in(desk: Desk) -> None:
    await opened(desk)
    await desk.post("Shipment_Arrived_Site", item="Steel", date_arrived="2026-02-09")
    await desk.post("Shipment_Departed_Factory", item="Steel", eta="2026-02-10", date_departed="2026-02-05")
    (shipment,) = await desk.rows(Shipment)
    assert str(shipment.departed_on) == "2026-02-05"
    assert (await desk.item("steel")).logistics == "on_site"
    assert await desk.pending() == []


async def test_the_same_departure_again_is_noted(desk: Desk) -> None:
    await opened(desk)
    for _ in range(2):
        await desk.post("Shipment_Departed_Factory", item="Steel", eta="2026-02-10")
    assert len(await desk.rows(Shipment)) == 1


async def test_a_foreign_order_number_is_asked(desk: Desk) -> None:
    await opened(desk)
    await desk.post("Shipment_Arrived_Site", item="Steel", date_arrived="2026-02-09", purchase_order="PO-x-0009")
    await desk.question("facts_contradict")


async def test_more_than_ordered_is_received_and_said(desk: Desk) -> None:
    await opened(desk)
    event = await desk.post("Shipment_Arrived_Site", item="Steel", date_arrived="2026-02-09", quantity="22")
    assert "2 more than ordered" in (await desk.event(event))["outcome"]["note"]
