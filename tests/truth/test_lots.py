"""Goods come in parts, over, short, damaged and in other units; what is still missing is never forgotten."""

from decimal import Decimal

import pytest

from tests.truth.site import Site, amounts


async def is_said_to_be_over(site: Site, surplus: str) -> bool:
    """Whether a message, flag or question says how many too many came."""
    words = ("over", "more than ordered", "too many")
    return any([await site.told(surplus, word) for word in words])


async def test_a_part_that_was_inspected_releases_no_line(site: Site) -> None:
    """Seven of my twelve pumps are here and good. The other five are still with the vendor."""
    await site.open("12")
    await site.arrive("2026-03-10", "7", shipment_id="T1")
    await site.passes("2026-03-11", shipment_id="T1")
    assert await site.states() == amounts(accepted=7, ordered=5)
    assert (await site.item())["logistics"] == "partially_received"
    assert await site.status() != "released"
    assert await site.order_statuses() == ["partially_received"]


async def test_a_part_in_time_says_nothing_of_the_rest(site: Site) -> None:
    """Eighty of my three hundred lamps are on the road and in time. Nobody has said when the others come."""
    await site.open("300")
    await site.depart("2026-03-02", "2026-03-09", "80", shipment_id="T1")
    assert (await site.item())["schedule_band"] is None
    await site.depart("2026-03-04", "2026-03-11", "220", shipment_id="T2")
    assert (await site.item())["schedule_band"] == "clear"


async def test_a_rejected_part_is_in_no_time_before_its_replacement_has_a_day(site: Site) -> None:
    """Nine valves are good and three leak: the line is in time when the three have a day that is."""
    await site.open("12")
    await site.arrive("2026-03-05", "12", shipment_id="T1")
    await site.fails("2026-03-06", "3", shipment_id="T1", ncr_number="NCR-4")
    assert (await site.item())["schedule_band"] is None
    await site.choose("inspection_failed", "Replace")
    await site.promise("2026-04-20", "2026-03-10")
    assert (await site.item())["schedule_band"] == "clear"


async def test_three_lorries_on_three_days_make_the_line_complete(site: Site) -> None:
    """Five, four and three: only with the last one passed is the line done."""
    await site.open("12")
    for day, part in (("2026-03-10", "5"), ("2026-03-12", "4"), ("2026-03-17", "3")):
        assert await site.status() != "released"
        await site.arrive(day, part, shipment_id=f"T{part}")
        await site.passes(day, shipment_id=f"T{part}", document_name=f"Report {part}")
    assert await site.states() == amounts(accepted=12)
    assert await site.status() == "released"
    assert await site.order_statuses() == ["received"]


async def test_a_departure_of_a_part_leaves_the_rest_with_the_vendor(site: Site) -> None:
    """A tenth is on the road; ninety per cent have not been loaded."""
    await site.open("120")
    await site.depart("2026-03-02", "2026-03-09", "12", shipment_id="T1")
    assert await site.states() == amounts(in_transit=12, ordered=108)


async def test_the_second_lorry_arrives_first(site: Site) -> None:
    """Two lorries left; the one that left later is here. The first is still on the road, and nobody lost it."""
    await site.open("9")
    await site.depart("2026-03-02", "2026-03-06", "5", shipment_id="T1")
    await site.depart("2026-03-03", "2026-03-05", "4", shipment_id="T2")
    await site.arrive("2026-03-05", shipment_id="T2")
    assert await site.states() == amounts(on_site=4, in_transit=5)
    await site.arrive("2026-03-06", shipment_id="T1")
    assert await site.states() == amounts(on_site=9)


async def test_goods_on_site_without_a_verdict_hold_the_release(site: Site) -> None:
    """All is here, one lorry of two was inspected."""
    await site.open("9")
    await site.arrive("2026-03-05", "6", shipment_id="T1")
    await site.arrive("2026-03-06", "3", shipment_id="T2")
    await site.passes("2026-03-07", shipment_id="T1")
    assert await site.states() == amounts(accepted=6, on_site=3)
    assert await site.status() != "released"


async def test_short_delivery_leaves_the_missing_piece_open_and_is_told(site: Site) -> None:
    """The papers say eight left, the yard counted six. Two are missing, and somebody must ask for them."""
    await site.open("8")
    await site.depart("2026-03-02", "2026-03-06", "8", shipment_id="T1")
    await site.arrive("2026-03-06", "6", shipment_id="T1")
    states = await site.states()
    assert states["on_site"] == 6
    assert sum(states.values()) == 8
    await site.passes("2026-03-07")
    assert await site.status() != "released"
    assert await site.order_statuses() == ["partially_received"]


async def test_over_delivery_is_a_lot_of_its_own_and_is_said(site: Site) -> None:
    """Seventeen of fifteen: the two too many are paid or sent back, and never silently ours."""
    await site.open("15")
    await site.arrive("2026-03-06", "17", shipment_id="T1")
    assert sum((await site.states()).values()) == 17
    assert len([lot for lot in await site.lots() if Decimal(lot["quantity"]) == 2]) == 1
    assert await is_said_to_be_over(site, "2")


async def test_over_delivery_in_the_second_part_is_said_too(site: Site) -> None:
    """Ten came, then eight of the remaining five: three too many, although no lorry alone was more than the order."""
    await site.open("15")
    await site.arrive("2026-03-06", "10", shipment_id="T1")
    await site.arrive("2026-03-09", "8", shipment_id="T2")
    assert sum((await site.states()).values()) == 18
    assert await is_said_to_be_over(site, "3")


async def test_goods_damaged_on_arrival_are_not_good_goods(site: Site) -> None:
    """Two of twelve crates were crushed; receiving wrote it on the delivery note.

    Either the damaged two are rejected at once, or they wait for a verdict and somebody was told."""
    await site.open("12")
    await site.arrive("2026-03-06", "12", shipment_id="T1", quantity_damaged="2", condition="damaged")
    assert await site.told("damaged")
    await site.passes("2026-03-07", "10", shipment_id="T1")
    assert (await site.states())["accepted"] == 10
    assert await site.status() != "released"


async def test_the_wrong_goods_are_put_to_a_person(site: Site) -> None:
    """They sent valves. That is no delivery of pumps: it counts for nothing until I say so."""
    await site.open("12")
    await site.arrive("2026-03-06", "12", shipment_id="T1", condition="wrong")
    assert await site.questions() or await site.told("wrong")
    assert (await site.states()).get("accepted", 0) == 0
    assert await site.status() != "released"


async def test_a_first_truck_of_unknown_size_keeps_the_line_open(site: Site) -> None:
    """The driver says: that is the first truck. How much is on it nobody has counted."""
    await site.open("12")
    await site.arrive("2026-03-06", shipment_id="T1", complete=False)
    assert (await site.item())["logistics"] == "partially_received"
    await site.passes("2026-03-07", shipment_id="T1")
    assert await site.status() != "released"


async def test_the_last_truck_of_unknown_size_closes_the_line(site: Site) -> None:
    """The second one is said to be the last: now all twelve are here."""
    await site.open("12")
    await site.arrive("2026-03-06", shipment_id="T1", complete=False)
    await site.arrive("2026-03-09", shipment_id="T2", complete=True)
    assert (await site.item())["logistics"] == "on_site"
    await site.passes("2026-03-10")
    assert await site.status() == "released"


async def test_a_kit_is_complete_only_with_all_its_boxes(site: Site) -> None:
    """Three lift sets; box 1 of 2 of each has come. Not one set can be built from that."""
    await site.open("3", unit="set")
    await site.arrive("2026-03-06", shipment_id="box-1", complete=False)
    await site.passes("2026-03-07", shipment_id="box-1")
    assert await site.status() != "released"
    await site.arrive("2026-03-12", shipment_id="box-2", complete=True)
    await site.passes("2026-03-13", shipment_id="box-2", document_name="Box 2")
    assert await site.status() == "released"


async def test_steel_within_half_a_per_cent_is_complete(site: Site) -> None:
    """39.85 t on the weighbridge of 40 t ordered: nobody chases 150 kg."""
    await site.open("40", unit="t")
    await site.arrive("2026-03-06", "39.85", shipment_id="T1")
    await site.passes("2026-03-07")
    assert (await site.item())["logistics"] == "on_site"
    assert await site.status() == "released"


async def test_steel_beyond_half_a_per_cent_is_not_complete(site: Site) -> None:
    """39.7 t of 40 t is a beam short."""
    await site.open("40", unit="t")
    await site.arrive("2026-03-06", "39.7", shipment_id="T1")
    await site.passes("2026-03-07")
    assert await site.status() != "released"


async def test_pieces_have_no_tolerance(site: Site) -> None:
    """399 doors of 400 leave a hole in a wall."""
    await site.open("400")
    await site.arrive("2026-03-06", "399", shipment_id="T1")
    await site.passes("2026-03-07")
    assert await site.status() != "released"


@pytest.mark.parametrize(("ordered", "third", "unit"), [("10", "3.333", "m3"), ("20", "6.666", "t")])
async def test_thirds_do_not_stay_open_for_ever(site: Site, ordered: str, third: str, unit: str) -> None:
    """Three equal loads that round down are the whole order."""
    await site.open(ordered, unit=unit)
    for number, day in enumerate(("2026-03-06", "2026-03-09", "2026-03-12")):
        await site.arrive(day, third, shipment_id=f"T{number}")
    await site.passes("2026-03-13")
    assert await site.status() == "released"
    assert await site.order_statuses() == ["received"]


async def test_a_line_without_a_quantity_is_one_piece(site: Site) -> None:
    """One lift: it is ordered, comes, passes, and is done."""
    await site.open(None)
    await site.arrive("2026-03-06")
    assert (await site.item())["logistics"] == "on_site"
    await site.passes("2026-03-07")
    assert await site.states() == amounts(accepted=1)
    assert await site.status() == "released"


async def test_goods_in_the_storage_off_site_are_not_on_site(site: Site) -> None:
    """The vendor brought them to our warehouse across town. They still have to get here."""
    await site.open("12")
    await site.arrive("2026-03-06", "12", shipment_id="T1", place="storage")
    assert (await site.item())["logistics"] not in ("on_site", "partially_received")
    assert (await site.states()).get("on_site", 0) == 0
    await site.arrive("2026-04-06", "12", shipment_id="T1", place="site")
    assert await site.states() == amounts(on_site=12)


async def test_a_report_in_another_unit_is_put_to_a_person(site: Site) -> None:
    """Two pallets of bricks, ordered in tonnes: how many tonnes a pallet is, a person says once."""
    await site.open("20", unit="t")
    await site.arrive("2026-03-06", "2", unit="pallet", shipment_id="T1")
    assert await site.questions()
    assert (await site.states()).get("on_site", 0) != 2


async def test_a_negative_quantity_is_refused_and_names_the_way_to_take_back(site: Site) -> None:
    """Our ERP books returns as minus four; it is told what to send instead."""
    await site.open("12")
    refused = await site.post("Shipment_Arrived_Site", date_arrived="2026-03-06", quantity="-4")
    assert refused.status_code == 422
    assert "Event_Voided" in refused.text
