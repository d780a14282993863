"""The gate, the carrier and the ERP report one lorry; two lorries look like one. Counted once, and counted all."""

from tests.truth.site import Site, amounts


async def test_gate_carrier_and_erp_report_one_lorry(site: Site) -> None:
    """Seven pumps came once, with a lorry number, a waybill and a goods receipt."""
    await site.open("14")
    await site.arrive("2026-03-10", "7", source="gate")
    await site.arrive("2026-03-10", "7", source="carrier", shipment_id="AWB-881")
    await site.arrive("2026-03-10", "7", source="erp", shipment_id="GR-5001")
    assert await site.states() == amounts(on_site=7, ordered=7)
    aliases = {alias for lot in await site.lots() if lot["state"] == "on_site" for alias in lot["aliases"]}
    assert {"AWB-881", "GR-5001"} <= aliases


async def test_the_three_reports_make_the_same_picture_backwards(site: Site) -> None:
    """The ERP is first for once."""
    await site.open("14")
    await site.arrive("2026-03-10", "7", source="erp", shipment_id="GR-5001")
    await site.arrive("2026-03-10", "7", source="gate")
    assert await site.states() == amounts(on_site=7, ordered=7)
    assert not await site.questions()


async def test_a_verdict_finds_the_lorry_by_the_erps_name(site: Site) -> None:
    """The lorry is AWB-881 to the carrier and GR-5001 to the ERP; quality control uses the ERP's number."""
    await site.open("14")
    await site.arrive("2026-03-10", "7", source="carrier", shipment_id="AWB-881")
    await site.arrive("2026-03-10", "7", source="erp", shipment_id="GR-5001")
    await site.arrive("2026-03-12", "7", source="carrier", shipment_id="AWB-900")
    await site.passes("2026-03-13", shipment_id="GR-5001")
    assert await site.states() == amounts(accepted=7, on_site=7)


async def test_two_numbers_of_one_source_are_two_lorries(site: Site) -> None:
    """Two equal lorries on one day, each with its own waybill from the same carrier."""
    await site.open("14")
    await site.arrive("2026-03-10", "7", source="carrier", shipment_id="AWB-1")
    await site.arrive("2026-03-10", "7", source="carrier", shipment_id="AWB-2")
    assert await site.states() == amounts(on_site=14)


async def test_the_second_part_of_one_shipment_counts(site: Site) -> None:
    """T1 was unloaded in two goes, five and nine: all fourteen are here."""
    await site.open("14")
    await site.depart("2026-03-02", "2026-03-10", "14", shipment_id="T1")
    await site.arrive("2026-03-10", "5", shipment_id="T1")
    await site.arrive("2026-03-11", "9", shipment_id="T1")
    assert await site.states() == amounts(on_site=14)


async def test_a_part_for_which_there_is_no_room_is_not_counted_in_silence(site: Site) -> None:
    """T1 carried nine. Nine were unloaded, and then nine once more on the next day: which of the two is wrong?"""
    await site.open("30")
    await site.depart("2026-03-02", "2026-03-10", "9", shipment_id="T1")
    await site.arrive("2026-03-10", "9", shipment_id="T1")
    await site.arrive("2026-03-11", "9", shipment_id="T1")
    assert await site.questions()
    assert (await site.states())["on_site"] == 9


async def test_the_quantity_of_a_departure_is_corrected(site: Site) -> None:
    """Fourteen on the first paper, nine on the corrected one: nine are on the road and five are not."""
    await site.open("14")
    await site.depart("2026-03-02", "2026-03-10", "14", shipment_id="T1")
    await site.depart("2026-03-02", "2026-03-10", "9", shipment_id="T1", occurred_at="2026-03-03T08:00:00")
    assert await site.states() == amounts(in_transit=9, ordered=5)
    await site.arrive("2026-03-10", shipment_id="T1")
    assert await site.states() == amounts(on_site=9, ordered=5)


async def test_two_equal_lorries_of_one_source_without_numbers_are_asked_about_where_it_matters(site: Site) -> None:
    """The gate wrote "seven pumps" twice on one day, in two entries. One lorry or two? Of fourteen it matters."""
    await site.open("14")
    await site.arrive("2026-03-10", "7", source="gate")
    await site.arrive("2026-03-10", "7", source="gate")
    assert await site.questions()
    assert (await site.states())["on_site"] == 7


async def test_all_of_it_twice_is_not_worth_a_question(site: Site) -> None:
    """All fourteen, told twice by the gate without a number. There were only fourteen.

    Either it is put on file, or asked (fourteen too many would be an over-delivery); never counted twice."""
    await site.open("14")
    await site.arrive("2026-03-10", source="gate")
    await site.arrive("2026-03-10", source="gate")
    assert await site.states() == amounts(on_site=14)


async def test_other_serial_numbers_are_other_pumps(site: Site) -> None:
    """Two and two, same day, but not one serial number in common."""
    await site.open("4")
    await site.arrive("2026-03-10", "2", source="gate", serials=["A1", "A2"])
    await site.arrive("2026-03-10", "2", source="erp", serials=["B1", "B2"])
    assert await site.states() == amounts(on_site=4)


async def test_one_departure_told_by_vendor_and_carrier(site: Site) -> None:
    """The vendor has no waybill yet."""
    await site.open("14")
    await site.depart("2026-03-02", "2026-03-10", "6", source="vendor")
    await site.depart("2026-03-02", "2026-03-10", "6", source="carrier", shipment_id="AWB-3")
    assert await site.states() == amounts(in_transit=6, ordered=8)


async def test_the_same_event_id_with_another_body_is_refused(site: Site) -> None:
    """Our ERP used a number twice. It is told so, and nothing is overwritten."""
    await site.open("14")
    await site.arrive("2026-03-10", "6", event_id="gr-1", source="erp")
    second = await site.post(
        "Shipment_Arrived_Site", date_arrived="2026-03-10", quantity="8", event_id="gr-1", source="erp"
    )
    assert second.status_code == 409
    assert await site.states() == amounts(on_site=6, ordered=8)
