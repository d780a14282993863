"""What people decide about rejected goods, and what becomes of the orders; what is owed keeps the line open."""

from decimal import Decimal

from tests.truth.site import Found, Site, amounts


async def reject(site: Site, rejected: str, quantity: str = "14") -> None:
    """All that was ordered came on T1, and some of it was rejected with NCR-1."""
    await site.open(quantity)
    await site.arrive("2026-03-10", quantity, shipment_id="T1")
    await site.fails("2026-03-11", rejected, shipment_id="T1", ncr_number="NCR-1")


async def send_back(site: Site, then: str) -> None:
    """All that was rejected goes back."""
    await site.answer("inspection_failed", ("return_item", {"ncr_number": "NCR-1", "then": then}), on="2026-03-12")


def live(orders: list[Found]) -> list[Found]:
    return [order for order in orders if order["status"] != "cancelled"]


async def test_what_is_returned_and_owed_keeps_the_line_open(site: Site) -> None:
    """Four go back, the vendor owes them on the same order. Ten good ones are not fourteen."""
    await reject(site, "4")
    await send_back(site, "owed")
    states = await site.states()
    assert (states["accepted"], states["returned"]) == (10, 4)
    assert await site.status() != "released"
    assert len(await site.orders()) == 1


async def test_a_return_is_delivered_again_in_parts(site: Site) -> None:
    """Of six that went back, two come, then four. Only with the last of them is the line done."""
    await reject(site, "6")
    await send_back(site, "owed")
    await site.arrive("2026-03-24", "2", shipment_id="T2")
    await site.passes("2026-03-25", shipment_id="T2", document_name="T2")
    assert (await site.states())["accepted"] == 10
    assert await site.status() != "released"
    await site.arrive("2026-03-30", "4", shipment_id="T3")
    await site.passes("2026-03-31", shipment_id="T3", document_name="T3")
    assert (await site.states())["accepted"] == 14
    assert await site.status() == "released"


async def test_what_is_returned_and_replaced_comes_on_another_order(site: Site) -> None:
    """Replaced: the next order is for exactly the four that went back."""
    await reject(site, "4")
    await site.answer(
        "inspection_failed", ("return_item", {"ncr_number": "NCR-1", "then": "replaced"}), on="2026-03-12"
    )
    orders = await site.orders()
    assert [Decimal(order["lines"][0]["quantity"]) for order in orders] == [14, 4]
    assert await site.status() != "released"


async def test_what_is_returned_and_credited_leaves_the_need_open(site: Site) -> None:
    """The money comes back, the pumps do not: I still need fourteen, and nobody owes me four of them."""
    await reject(site, "4")
    await site.answer(
        "inspection_failed", ("return_item", {"ncr_number": "NCR-1", "then": "credited"}), on="2026-03-12"
    )
    assert await site.status() != "released"
    states = await site.states()
    assert (states["accepted"], states["returned"], states.get("ordered", 0)) == (10, 4, 0)


async def test_a_replacement_is_ordered_for_what_was_rejected(site: Site) -> None:
    """Three of fourteen are bad: three are ordered again, and the eleven good ones stay good."""
    await reject(site, "3")
    await site.answer("inspection_failed", ("reorder_item", {"ncr_number": "NCR-1"}), on="2026-03-12")
    assert [Decimal(order["lines"][0]["quantity"]) for order in await site.orders()] == [14, 3]
    states = await site.states()
    assert (states["accepted"], states["ordered"]) == (11, 3)
    assert await site.status() != "released"


async def test_the_line_is_released_when_the_replacement_has_passed(site: Site) -> None:
    """The three new ones came and are good."""
    await reject(site, "3")
    await site.answer("inspection_failed", ("reorder_item", {"ncr_number": "NCR-1"}), on="2026-03-12")
    await site.arrive("2026-04-02", "3", shipment_id="T9")
    assert await site.status() != "released"
    await site.passes("2026-04-03", shipment_id="T9", document_name="T9")
    assert (await site.states())["accepted"] == 14
    assert await site.status() == "released"


async def test_two_answers_to_one_ncr_of_five(site: Site) -> None:
    """Two stay as they are, three are repaired: both are one NCR, and it is done only when the three have passed."""
    await reject(site, "5")
    await site.answer(
        "inspection_failed",
        ("accept_as_is", {"ncr_number": "NCR-1", "quantity": "2"}),
        ("repair_item", {"ncr_number": "NCR-1", "quantity": "3"}),
        on="2026-03-12",
    )
    assert await site.states() == amounts(accepted=11, in_repair=3)
    assert await site.status() != "released"
    await site.passes("2026-03-19", document_name="After the repair")
    assert await site.status() == "released"


async def test_a_part_that_was_decided_leaves_the_rest_of_its_ncr_to_decide(site: Site) -> None:
    """Two of five may stay. What of the other three? I am still asked."""
    await reject(site, "5")
    await site.answer("inspection_failed", ("accept_as_is", {"ncr_number": "NCR-1", "quantity": "2"}), on="2026-03-12")
    assert await site.states() == amounts(accepted=11, rejected=3)
    await site.question("inspection_failed", about="NCR-1")
    assert await site.status() != "released"


async def test_accepting_as_is_releases_when_all_is_here(site: Site) -> None:
    """The scratches do not matter: fourteen of fourteen."""
    await reject(site, "5")
    await site.answer("inspection_failed", ("accept_as_is", {"ncr_number": "NCR-1"}), on="2026-03-12")
    assert await site.states() == amounts(accepted=14)
    assert await site.status() == "released"


async def test_a_building_is_not_closed_without_a_word_while_goods_are_owed(site: Site) -> None:
    """Four pumps are owed. Closing asks, or says so."""
    await reject(site, "4")
    await send_back(site, "owed")
    await site.say("Building_Closed", received="2026-03-20")
    assert await site.questions() or await site.told("Pumps", "open")


async def test_a_cancelled_order_leaves_the_line_ready_to_be_ordered(site: Site) -> None:
    """The vendor cannot deliver, the pumps are still needed: the line has a need and no supply."""
    await cancel(site)
    assert await site.status() == "ready_to_order"
    assert await site.order_statuses() == ["cancelled"]


async def cancel(site: Site) -> None:
    await site.open("14", policy={"po_limit": "100000"})
    await site.promise("2026-03-20", "2026-02-04", exceptions=["cannot deliver"])
    await site.answer("acknowledgement_exception", ("cancel_purchase_order", {}), on="2026-02-05")


async def test_another_vendor_is_ordered_from_after_a_cancellation(site: Site) -> None:
    """York gets the order; Kent's is dead. Either it is ordered at once, or a person is asked to."""
    await cancel(site)
    await site.say("Items_Changed", items=[{"item_id": "pumps", "vendor_id": "york"}], received="2026-02-06")
    await site.approve("2026-02-09", revision=1)
    orders = live(await site.orders())
    assert [order["vendor_id"] for order in orders] == ["york"] or await site.questions("order_beyond_authority")


async def test_a_delivery_on_a_cancelled_order_is_asked_about(site: Site) -> None:
    """Kent's lorry comes all the same. Whoever signs for it buys it."""
    await cancel(site)
    number = (await site.orders())[0]["number"]
    await site.arrive("2026-03-10", "14", shipment_id="T1", purchase_order=number)
    await site.question("facts_contradict")
    assert (await site.states()).get("accepted", 0) == 0
    assert await site.order_statuses() == ["cancelled"]


async def test_the_older_order_is_confirmed_after_the_replacement_was_ordered(site: Site) -> None:
    """Kent confirms the first order by its number. The replacement has not been confirmed by that."""
    await reject(site, "3")
    await site.answer("inspection_failed", ("reorder_item", {"ncr_number": "NCR-1"}), on="2026-03-12")
    first, second = sorted(await site.orders(), key=lambda order: str(order["number"]))
    await site.promise("2026-03-09", "2026-03-13", purchase_order=first["number"])
    after = {order["number"]: order["status"] for order in await site.orders()}
    assert after[second["number"]] == "issued"
    assert "2026-03-09" not in await site.current("promise")


async def test_a_delivery_that_names_the_replacement_leaves_the_first_order_alone(site: Site) -> None:
    """Two orders are open: ten of fourteen are outstanding on the first, and two that were rejected on the second."""
    await site.open("14")
    await site.arrive("2026-03-10", "4", shipment_id="T1")
    await site.fails("2026-03-11", "2", shipment_id="T1", ncr_number="NCR-1")
    await site.answer("inspection_failed", ("reorder_item", {"ncr_number": "NCR-1"}), on="2026-03-12")
    first, second = sorted(await site.orders(), key=lambda order: str(order["number"]))
    await site.arrive("2026-03-30", "2", shipment_id="T2", purchase_order=second["number"])
    after = {order["number"]: order["status"] for order in await site.orders()}
    assert after == {first["number"]: "partially_received", second["number"]: "received"}
    assert (await site.states())["ordered"] == 10


async def test_more_pumps_after_the_order_are_a_change_order(site: Site) -> None:
    """The client wants eighteen instead of fourteen: the order is for fourteen until a person has changed it."""
    await site.open("14")
    await site.say("Items_Changed", items=[{"item_id": "pumps", "quantity": "18"}], received="2026-02-10")
    await site.question("change_order")
    assert Decimal((await site.orders())[0]["lines"][0]["quantity"]) == 14
    await site.answer("change_order", on="2026-02-11")
    order = (await site.orders())[0]
    assert (Decimal(order["lines"][0]["quantity"]), Decimal(order["total"])) == (18, 1800)
    assert order["revision"] >= 1
