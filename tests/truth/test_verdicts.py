"""Passed, failed, failed in part and failed again: each nonconformance report (NCR) stands for itself."""

from tests.truth.site import Site, amounts


async def open_two_lorries(site: Site) -> None:
    """Fourteen pumps came: nine on T1, five on T2."""
    await site.open("14")
    await site.arrive("2026-03-10", "9", shipment_id="T1")
    await site.arrive("2026-03-11", "5", shipment_id="T2")


async def test_a_pass_of_one_lorry_says_nothing_of_the_other(site: Site) -> None:
    """T2 was rejected; the later pass of T1 does not make it good."""
    await open_two_lorries(site)
    await site.fails("2026-03-12", "5", shipment_id="T2", ncr_number="NCR-1")
    await site.passes("2026-03-13", shipment_id="T1", document_name="T1")
    assert await site.states() == amounts(accepted=9, rejected=5)
    await site.question("inspection_failed", about="NCR-1")
    assert (await site.item())["quality"] == "failed"
    assert await site.status() != "released"


async def test_what_was_inspected_and_not_rejected_is_accepted(site: Site) -> None:
    """They looked at all twelve and rejected five: seven are good."""
    await site.open("12")
    await site.arrive("2026-03-10", "12", shipment_id="T1")
    await site.fails("2026-03-11", "5", shipment_id="T1", ncr_number="NCR-1")
    assert await site.states() == amounts(accepted=7, rejected=5)


async def test_a_failure_without_a_quantity_rejects_all_that_it_inspected(site: Site) -> None:
    """The report names the lorry and no number: the whole lorry is rejected, and only it."""
    await open_two_lorries(site)
    await site.fails("2026-03-12", shipment_id="T1", ncr_number="NCR-1")
    assert await site.states() == amounts(rejected=9, on_site=5)


async def test_a_sample_says_nothing_about_what_was_not_inspected(site: Site) -> None:
    """Six of twelve were looked at, one is bad: five are good, six are still to be looked at."""
    await site.open("12")
    await site.arrive("2026-03-10", "12", shipment_id="T1")
    await site.fails("2026-03-11", "1", quantity="6", shipment_id="T1", ncr_number="NCR-1")
    assert await site.states() == amounts(accepted=5, rejected=1, on_site=6)


async def test_a_passed_sample_releases_only_itself(site: Site) -> None:
    """Eight of twelve passed. I may build in eight."""
    await site.open("12")
    await site.arrive("2026-03-10", "12", shipment_id="T1")
    await site.passes("2026-03-11", "8")
    assert await site.states() == amounts(accepted=8, on_site=4)
    assert await site.status() != "released"
    await site.passes("2026-03-12", "4", document_name="The rest")
    assert await site.status() == "released"


async def test_two_ncrs_are_two_questions(site: Site) -> None:
    """A bent shaft on T1 and a wrong motor on T2: two reports, two decisions."""
    await open_two_lorries(site)
    await site.fails("2026-03-12", "2", shipment_id="T1", ncr_number="NCR-1", defects="Bent shaft")
    await site.fails("2026-03-12", "3", shipment_id="T2", ncr_number="NCR-2", defects="Wrong motor")
    assert len(await site.questions("inspection_failed")) == 2
    assert await site.states() == amounts(accepted=9, rejected=5)
    assert set(await site.ncrs()) == {"NCR-1", "NCR-2"}


async def test_answering_one_ncr_leaves_the_other_open(site: Site) -> None:
    """NCR-2 may stay as it is. That says nothing about NCR-1."""
    await open_two_lorries(site)
    await site.fails("2026-03-12", "2", shipment_id="T1", ncr_number="NCR-1")
    await site.fails("2026-03-12", "3", shipment_id="T2", ncr_number="NCR-2")
    await site.answer("inspection_failed", ("accept_as_is", {"ncr_number": "NCR-2"}), about="NCR-2", on="2026-03-13")
    assert await site.states() == amounts(accepted=12, rejected=2)
    await site.question("inspection_failed", about="NCR-1")
    assert await site.status() != "released"


async def test_two_ncrs_on_one_lorry_add_up(site: Site) -> None:
    """Two on Monday, three more on Tuesday, of the same lorry: five are bad."""
    await site.open("12")
    await site.arrive("2026-03-10", "12", shipment_id="T1")
    await site.fails("2026-03-11", "2", quantity="6", shipment_id="T1", ncr_number="NCR-1")
    await site.fails("2026-03-12", "3", quantity="6", shipment_id="T1", ncr_number="NCR-2")
    assert await site.states() == amounts(accepted=7, rejected=5)
    assert len(await site.questions("inspection_failed")) == 2


async def test_a_latent_defect_takes_the_release_back(site: Site) -> None:
    """A month after the release two pumps leak. The line is not done, and I am asked."""
    await site.open("12")
    await site.arrive("2026-03-10", "12", shipment_id="T1")
    await site.passes("2026-03-11")
    assert await site.status() == "released"
    await site.fails("2026-04-14", "2", quantity="2", ncr_number="NCR-7", document_name="Leak")
    assert await site.status() != "released"
    assert await site.states() == amounts(accepted=10, rejected=2)
    await site.question("inspection_failed", about="NCR-7")


async def test_a_pass_after_the_repair_closes_the_ncr(site: Site) -> None:
    """Repaired on site, looked at again, good: all twelve are released."""
    await site.open("12")
    await site.arrive("2026-03-10", "12", shipment_id="T1")
    await site.fails("2026-03-11", "3", shipment_id="T1", ncr_number="NCR-1")
    await site.answer("inspection_failed", ("repair_item", {"ncr_number": "NCR-1"}), on="2026-03-12")
    assert await site.states() == amounts(accepted=9, in_repair=3)
    assert await site.status() != "released"
    await site.passes("2026-03-18", document_name="After the repair")
    assert await site.states() == amounts(accepted=12)
    assert await site.status() == "released"


async def test_a_repair_that_fails_again_is_asked_again(site: Site) -> None:
    """The weld cracked a second time. Same three pumps, new report: still three bad ones, not six."""
    await site.open("12")
    await site.arrive("2026-03-10", "12", shipment_id="T1")
    await site.fails("2026-03-11", "3", shipment_id="T1", ncr_number="NCR-1")
    await site.answer("inspection_failed", ("repair_item", {"ncr_number": "NCR-1"}), on="2026-03-12")
    await site.fails("2026-03-18", "3", ncr_number="NCR-1-R", document_name="Second look")
    assert await site.states() == amounts(accepted=9, rejected=3)
    assert await site.questions("inspection_failed")


async def test_one_ncr_from_two_sources_is_one_ncr(site: Site) -> None:
    """Quality control and the document system both send NCR-4."""
    await site.open("12")
    await site.arrive("2026-03-10", "12", shipment_id="T1")
    await site.fails("2026-03-11", "4", ncr_number="NCR-4", source="quality")
    await site.fails("2026-03-11", "4", ncr_number="NCR-4", source="documents", document_name="NCR-4 scan.pdf")
    assert await site.states() == amounts(accepted=8, rejected=4)
    await site.question("inspection_failed")
    assert set(await site.ncrs()) == {"NCR-4"}


async def test_a_revised_document_of_an_answered_ncr_is_no_new_failure(site: Site) -> None:
    """Revision B of NCR-4 comes after I accepted the goods: nothing to decide again."""
    await site.open("12")
    await site.arrive("2026-03-10", "12", shipment_id="T1")
    await site.fails("2026-03-11", "4", ncr_number="NCR-4")
    await site.answer("inspection_failed", ("accept_as_is", {"ncr_number": "NCR-4"}), on="2026-03-12")
    await site.fails("2026-03-11", "4", ncr_number="NCR-4", document_name="NCR-4 rev B.pdf", received="2026-03-16")
    assert not await site.questions("inspection_failed")
    assert await site.status() == "released"


async def test_an_old_report_does_not_hit_the_replacement(site: Site) -> None:
    """The report of 11 March is of the first delivery, even if it comes in when the replacement stands here."""
    await site.open("12")
    await site.arrive("2026-03-10", "12", shipment_id="T1")
    await site.fails("2026-03-11", "12", shipment_id="T1", ncr_number="NCR-1")
    await site.answer("inspection_failed", ("reorder_item", {"ncr_number": "NCR-1"}), on="2026-03-12")
    await site.arrive("2026-04-02", "12", shipment_id="T9")
    await site.fails("2026-03-11", "12", ncr_number="NCR-1", document_name="Copy.pdf", received="2026-04-03")
    await site.passes("2026-04-04", shipment_id="T9", document_name="T9")
    assert not await site.questions("inspection_failed")
    assert await site.status() == "released"


async def test_an_old_pass_does_not_release_what_failed_later(site: Site) -> None:
    """The pass of the 11th was overtaken by the failure of the 13th of the same pumps; it comes in last.

    Either a person is asked which of the two holds, or the pass is only put on file: never a release."""
    await site.open("12")
    await site.arrive("2026-03-10", "12", shipment_id="T1")
    await site.fails("2026-03-13", "12", shipment_id="T1", ncr_number="NCR-1")
    await site.passes("2026-03-11", shipment_id="T1", received="2026-03-14", document_name="Old")
    assert await site.status() != "released"
    assert (await site.states()).get("accepted", 0) == 0
    assert await site.questions("inspection_failed")


async def test_the_verdict_comes_before_the_arrival_is_told(site: Site) -> None:
    """Quality control is quicker than the gate: the two reports make the same picture in either order."""
    await site.open("12")
    await site.passes("2026-03-11", shipment_id="T1")
    await site.arrive("2026-03-10", "12", shipment_id="T1", received="2026-03-12")
    assert await site.states() == amounts(accepted=12)
    assert not await site.questions("facts_contradict")
    assert await site.status() == "released"
