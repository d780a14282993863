"""The rolling summary: each message is taken in once, what was merged is never summarised again, no number is lost."""

import re
from itertools import pairwise

from psycopg.types.json import Jsonb

from domain.approvals import Approval
from domain.events import Entry
from domain.identifiers import listed, named_in
from domain.procurement import Inspection, Message, PurchaseOrder, Shipment
from domain.summaries import Digest, Identifier, Summary, merged
from domain.tokens import count_tokens
from runtime.slots import Slot
from storage import inbox
from storage.retry import retry
from tests.agent.desk import Desk, make_drainer
from tests.memory.conftest import SMALL
from tests.memory.correspondence import Shorthand, names, note, open_building, supply, versions
from tools.prompts import assemble
from tools.summaries import compact, extract, summary_layers


async def test_every_number_survives_twenty_compactions_and_every_message_is_taken_in_once(desk: Desk) -> None:
    await open_building(desk)
    number = 0
    while len(await versions(desk)) < 20:
        if number % 2 == 0:
            await supply(desk, number)
        await note(desk, f"n{number}", words=1_500)
        number += 1
    found = await versions(desk)
    upto = found[-1].upto_seq
    assert number < 60

    orders = {order.number for order in await desk.rows(PurchaseOrder) if order.caused_seq <= upto}
    questions = {one.approval_id for one in await desk.rows(Approval) if one.raised_seq <= upto}
    reports = {one.ncr_number for one in await desk.rows(Inspection) if one.ncr_number and one.caused_seq <= upto}
    shipments = {one.shipment_id for one in await desk.rows(Shipment) if one.caused_seq <= upto}
    assert len(orders) > 10
    assert len(questions) > 5
    assert await names(desk, "order") >= orders
    assert await names(desk, "question") >= questions
    assert await names(desk, "report") >= reports
    assert await names(desk, "shipment") >= shipments
    prompt = assemble(summary_layers(found[-1], await desk.rows(Identifier), 8_000))
    missing = [name for name in orders | questions | reports | shipments if name not in prompt]
    assert missing == []

    taken_in = [message for message in await desk.rows(Message) if message.caused_seq <= upto]
    assert sum(version.messages for version in found) == len(taken_in)
    assert [one.version for one in found] == list(range(1, len(found) + 1))
    assert [one.upto_seq for one in found] == sorted({one.upto_seq for one in found})


async def test_the_summary_keeps_to_its_budget_and_counts_what_it_dropped(desk: Desk) -> None:
    before: Summary | None = None
    for number in range(200):
        digest = Digest(
            intent=[f"{number} vendor: promises {number}"],
            actions=[("issue_purchase_order", f"{number} issue_purchase_order line-{number}: PO-{number}")] * 4,
            artifacts=[f"Report {number}: https://docs.example/{number}.pdf"],
        )
        before = merged(before, digest, upto_seq=number, messages=10, by="template", caused_seq=number)
    assert before is not None
    assert before.version == 200
    assert before.intent[0] == "0 vendor: promises 0"
    assert before.intent[-1] == "199 vendor: promises 199"
    assert before.actions[-1].startswith("199 issue_purchase_order")
    kept = len(before.actions) + before.dropped["issue_purchase_order"]
    assert kept == 800
    assert len(before.intent) + before.dropped["message"] == 200
    assert len(before.artifacts) + before.dropped["document"] == 200
    assert count_tokens(assemble(summary_layers(before, [], 8_000))) <= 8_000


async def test_lines_are_merged_as_they_are_never_summarised_again(desk: Desk) -> None:
    await open_building(desk)
    for number in range(12):
        await note(desk, f"n{number}", words=500)
    found = await versions(desk)
    assert len(found) > 2
    for earlier, later in pairwise(found):
        new = [line for line in later.intent if int(line.removeprefix("[team] ").split()[0]) > earlier.upto_seq]
        assert later.intent[: len(later.intent) - len(new)] == [line for line in later.intent if line in earlier.intent]


async def test_what_a_dead_entry_says_when_it_is_tried_again_is_in_the_next_summary(desk: Desk) -> None:
    await open_building(desk)
    await desk.post("Submittal_Approved", item="line-0")
    failed = {"event_type": "Inspection_Failed", "item": "line-0", "inspection_date": "2026-02-23"}
    accepted = {"source": "test", "event_id": "bad", "event_type": "Inspection_Failed", "body": failed}
    await inbox.accept(desk.conn, desk.building_id, now=desk.clock.now(), **accepted)
    while (await desk.event("bad"))["status"] != "dead":
        desk.clock.forward(minutes=5)
        await desk.run()
    bad = (await desk.event("bad"))["seq"]
    number = 0
    while not (found := await versions(desk)) or found[-1].upto_seq <= bad:
        number += 1
        await note(desk, f"n{number}", words=500)

    mended = {**failed, "document_url": "https://docs.example/r.pdf", "document_name": "Report", "ncr_number": "NCR-9"}
    await desk.conn.execute("UPDATE events SET body = %s WHERE event_id = 'bad'", (Jsonb(mended),))
    await retry(desk.conn, desk.building_id, "bad", None)
    await desk.run()
    late = [message for message in await desk.rows(Message) if message.caused_seq == bad]
    assert late
    summarised = len(await versions(desk))
    while len(await versions(desk)) < summarised + 2:
        number += 1
        await note(desk, f"n{number}", words=500)
    found = await versions(desk)
    assert "NCR-9" in await names(desk, "report")
    taken_in = [message for message in await desk.rows(Message) if message.caused_seq <= found[-1].upto_seq]
    assert sum(version.messages for version in found) == len(taken_in), "each once, those that came late as well"


async def test_a_model_words_what_came_in_and_sees_each_message_once(desk: Desk, database: str) -> None:
    model = Shorthand(["the crane is in the yard"])
    desk.drainer = make_drainer(database, desk.clock, budgets=SMALL, models=model)
    await open_building(desk)
    for number in range(12):
        await note(desk, f"<n{number}>", words=500)
    await desk.drainer.slots.close()
    found = await versions(desk)
    assert len(found) > 2
    assert {version.by for version in found} == {"shorthand"}
    assert found[-1].intent[-1].endswith("the crane is in the yard")
    said = [marker for prompt in model.asked("summariser") for marker in re.findall(r"<n\d+>", prompt)]
    assert len(said) == len(set(said)) == sum(version.messages for version in found)
    assert len(model.asked("summariser")) == len(found)


async def test_a_typed_event_asks_no_model_even_when_the_messages_have_passed_their_budget(
    desk: Desk, database: str
) -> None:
    model = Shorthand(["x"])
    desk.drainer = make_drainer(database, desk.clock, budgets=SMALL, models=model)
    await open_building(desk)
    await say(desk, 40, an_entry=10)
    for number in range(5):
        await supply(desk, number)
    await desk.drainer.slots.close()
    assert model.asked("summariser") == []
    found = await versions(desk)
    assert found
    assert {version.by for version in found} == {"template"}


async def test_a_run_that_was_cut_off_takes_nothing_in_twice(desk: Desk, slot: Slot) -> None:
    await open_building(desk)
    await say(desk, 40)
    event_id = await desk.post("Human_Input", text="again", run=False)
    row = await desk.event(event_id)
    entry = Entry.model_validate({**{name: row[name] for name in Entry.model_fields if name in row}, "seq": 100})
    assert await compact(slot.toolbox, entry) == 1
    # The run was cut off before its checkpoint: the node runs again, and finds done what it was to do.
    assert await compact(slot.toolbox, entry) == 1
    found = await versions(desk)
    taken = sum(version.messages for version in found)
    assert 0 < taken < 40
    assert taken == len([one for one in await desk.rows(Message) if one.caused_seq <= found[-1].upto_seq])


async def say(desk: Desk, messages: int, an_entry: int = 1) -> None:
    """Messages on file, so many an entry, as if they had been said before anything was summarised."""
    for number in range(messages):
        await desk.conn.execute(
            "INSERT INTO messages VALUES ('office', %s, NULL, 'in', 'PM', %s, 'normal', %s)",
            (f"M-{number}", f"note {number} " + "about the crane " * 40, number // an_entry),
        )


def test_numbers_are_found_in_texts_of_any_kind() -> None:
    text = "Re: PO-office-0001 and PO 77, see NCR-12.B3; your question office-12-0. Port PO, POOL-4, my-office-12-0."
    found = {(one.kind, one.value) for one in named_in(text, "office", 3)}
    assert found == {
        ("order", "PO-office-0001"),
        ("order", "PO 77"),
        ("report", "NCR-12.B3"),
        ("question", "office-12-0"),
    }


def test_many_numbers_are_listed_as_ranges_within_the_budget() -> None:
    many = [Identifier(kind="order", value=f"PO-office-{n:04d}", item_id=f"line-{n}", seq=n) for n in range(1, 3000)]
    few = [Identifier(kind="question", value=f"office-{n * 7}-0", seq=n) for n in range(2000)]
    lines = listed([*many, *few])
    assert lines[0] == "orders: PO-office-0001 to 2999"
    assert count_tokens("\n".join(lines)) <= 3_000
    assert re.search(r"and \d+ more$", lines[1])


def test_an_extract_leaves_out_greetings_and_quotes() -> None:
    text = "Dear Mr Smith,\n\nthe beams are late. We are sorry.\n> On Monday you wrote:\n> where are they?"
    assert extract(text) == "the beams are late. We are sorry."
    assert len(extract("word " * 500)) <= 204
    assert extract("Hi,") == "Hi,"
