"""The page of a question: whoever got the link may answer once, as who they are; looking never decides."""

import json
import re
from datetime import timedelta

import pytest

from domain.approvals import Approval
from runtime.settings import ApiKey
from tests.agent.desk import Desk
from tests.delivery.post_room import PostRoom
from tests.delivery.question_page import SITE, SPEC, form_in, link_in, press
from tests.delivery.receiver import Receiver


async def test_the_message_about_a_question_brings_a_link_and_nothing_of_it_is_stored(
    room: PostRoom, asked: Approval, receiver: Receiver
) -> None:
    link = link_in(receiver)
    words = [json.loads(request.body)["message"] for request in receiver.received if "/words" in request.path]
    [asking] = [text for text in words if "Read and answer" in text]
    assert asking.startswith("HVAC Units failed inspection")
    assert "\n\nRead and answer: https://longlead.example/pages/approval/" in asking
    stored = repr([await room.rows(), await room.rows("SELECT * FROM deliveries")])
    assert "/pages/" not in stored
    assert link not in stored


async def test_the_page_shows_the_question_its_options_and_its_evidence(
    room: PostRoom, asked: Approval, receiver: Receiver
) -> None:
    async with room.client() as client:
        page = await client.get(link_in(receiver))
    assert page.status_code == 200
    for words in ("HVAC Units failed inspection", "There on", "day late", "Cost", "It assumes", "39200.00 USD"):
        assert words in page.text
    assert page.text.count("Do this instead: ") == len(asked.options) - 1
    assert "Approve: " in page.text
    assert "You answer as Site manager (Project manager)" in page.text
    assert "Dent &lt;script&gt;" in page.text or "dent &lt;script&gt;" in page.text


async def test_nothing_from_outside_is_markup_and_nothing_is_loaded_kept_or_framed(
    room: PostRoom, asked: Approval, receiver: Receiver
) -> None:
    async with room.client() as client:
        page = await client.get(link_in(receiver))
        log = await client.get(re.findall(r'href="(/pages/log/[^"]+)"', page.text)[0])
    for shown in (page, log):
        assert "<script" not in shown.text
        assert 'href="javascript' not in shown.text
        assert not re.search(r'(src|href)="(?!/pages/|https?://docs\.)', shown.text)
        policy = shown.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert shown.headers["cache-control"] == "no-store"
        assert shown.headers["referrer-policy"] == "same-origin"
        assert shown.headers["x-content-type-options"] == "nosniff"
    assert "{{ 7 * 7 }}" in page.text


async def test_looking_never_decides(room: PostRoom, asked: Approval, receiver: Receiver, desk: Desk) -> None:
    link = link_in(receiver)
    async with room.client() as client:
        for query in ("", "?answer=approve&version=1", "?answer=reject"):
            assert (await client.get(link + query)).status_code == 200
        assert (await client.head(link)).status_code == 405
    assert (await desk.question("inspection_failed")).status == "pending"


async def test_approving_is_recorded_as_the_person_the_link_was_made_for(
    room: PostRoom, asked: Approval, receiver: Receiver, desk: Desk
) -> None:
    link = link_in(receiver)
    async with room.client() as client:
        answered = await press(client, link, "approve", "Go on.")
        assert (answered.status_code, answered.headers["location"]) == (303, link)
        waiting = await client.get(link)
        assert "is being carried out" in waiting.text
        assert 'http-equiv="refresh"' in waiting.text
        await desk.run()
        shown = (await client.get(link)).text
    [row] = await desk.rows(Approval)
    assert row.decision["responder"] == {"type": "human", "id": "project_manager", "name": "Site manager"}
    assert (row.decision["type"], row.decision["why"], row.decision["status"]) == ("approve", "Go on.", "applied")
    assert "Answered and carried out" in shown
    assert "Order a replacement for HVAC Units" in shown
    assert "PO-office-0002" in shown
    assert "<button" not in shown


async def test_another_option_is_carried_out_instead(
    room: PostRoom, asked: Approval, receiver: Receiver, desk: Desk
) -> None:
    number = next(n for n, option in enumerate(asked.options) if option.actions[0]["name"] == "repair_item")
    async with room.client() as client:
        assert (await press(client, link_in(receiver), f"option-{number}")).status_code == 303
    await desk.run()
    [row] = await desk.rows(Approval)
    assert (row.decision["type"], row.decision["actions"]) == ("edit", asked.options[number].actions)


async def test_a_rejection_is_followed_by_the_next_best_option_as_a_new_question(
    room: PostRoom, asked: Approval, receiver: Receiver, desk: Desk
) -> None:
    async with room.client() as client:
        await press(client, link_in(receiver), "reject", "Too late.")
        await desk.run()
        await room.deliver()
        again = link_in(receiver)
        page = (await client.get(again)).text
    assert "refused before" in page
    assert (await desk.question("inspection_failed")).refused == 1


@pytest.mark.parametrize(("words", "kind"), [("Yes, please!", "approve"), (" no ", "reject")])
async def test_a_plain_yes_or_no_is_understood(
    room: PostRoom, asked: Approval, receiver: Receiver, desk: Desk, words: str, kind: str
) -> None:
    async with room.client() as client:
        assert (await press(client, link_in(receiver), "respond", words)).status_code == 303
    [row] = await desk.rows(Approval)
    assert (row.decision["type"], row.decision["why"]) == (kind, words.strip())


@pytest.mark.parametrize(
    ("answer", "changed", "words"),
    [
        ("respond", {"message": "yes, but <b>half</b> of them"}, "only a plain yes or no"),
        ("respond", {}, "write your answer first"),
        ("", {}, "press one of the buttons"),
        ("option-99", {}, "press one of the buttons"),
        ("approve", {"version": "x"}, "press one of the buttons"),
        ("approve", {"message": "x" * 20_001}, "over 20000 characters"),
    ],
)
async def test_what_cannot_be_read_decides_nothing_and_the_page_says_what_to_do(
    room: PostRoom, asked: Approval, receiver: Receiver, desk: Desk, answer: str, changed: dict[str, str], words: str
) -> None:
    async with room.client() as client:
        refused = await press(client, link_in(receiver), answer, **changed)
    assert refused.status_code == 422
    assert words in refused.text
    assert "<b>half" not in refused.text
    assert ("&lt;b&gt;half" in refused.text) == ("half" in changed.get("message", ""))  # the words are not lost
    assert (await desk.question()).status == "pending"


async def test_where_a_model_reads_answers_the_page_says_so_and_shows_what_came_of_the_last(
    room: PostRoom, asked: Approval, receiver: Receiver, desk: Desk
) -> None:
    link, words = link_in(receiver), "yes, but <b>half</b> of them"
    async with room.client() as client:
        assert "takes a plain yes or no" in (await client.get(link)).text
    room.resources.settings = room.settings.model_copy(update={"models_reader": ["reader"]})
    async with room.client() as client:
        assert "What is not certain is asked again." in (await client.get(link)).text
        assert (await press(client, link, "respond", words)).status_code == 303
        await desk.run()
        shown = (await client.get(link)).text
    told = shown[: shown.index("What can be done")]
    assert "&lt;b&gt;half" in told
    assert "Nothing was done." in told


async def test_a_double_click_is_one_answer_and_a_second_person_is_told_what_stands(
    room: PostRoom, asked: Approval, receiver: Receiver, desk: Desk
) -> None:
    link = link_in(receiver)
    async with room.client() as client:
        form = {**form_in((await client.get(link)).text), "answer": "approve", "message": "first"}
        later = form_in((await client.get(link)).text)
        assert [(await client.post(link, data=form)).status_code for _ in range(3)] == [303, 303, 303]
        second = await client.post(link, data={**later, "answer": "reject", "message": "second"})
    assert second.status_code == 409
    assert "settled before" in second.text
    assert "Approved" in second.text
    assert "Site manager" in second.text
    [row] = await desk.rows(Approval)
    assert row.decision["why"] == "first"


async def test_a_link_of_an_older_version_shows_what_stands_and_an_older_page_cannot_decide(
    room: PostRoom, asked: Approval, receiver: Receiver, desk: Desk
) -> None:
    link = link_in(receiver)
    async with room.client() as client:
        old_page = form_in((await client.get(link)).text)
        await desk.post(
            "Schedule_Revised",
            schedule={"project": {"name": "Office"}, "deliveries": [{"item": "hvac", "required_by": "2026-03-09"}]},
        )
        renewed = await desk.question("inspection_failed")
        assert renewed.version == 2
        refused = await client.post(link, data={**old_page, "answer": "approve"})
        assert refused.status_code == 409
        assert "the facts have changed since the page was opened" in refused.text
        page = (await client.get(link)).text
        assert "The facts have changed since this link was sent" in page
        assert "Required by 2026-03-09" in page
        assert (await desk.question()).status == "pending"
        assert (await press(client, link, "approve")).status_code == 303  # having read what stands now


async def test_a_question_that_settled_itself_asks_nothing_any_more(
    room: PostRoom, asked: Approval, receiver: Receiver, desk: Desk
) -> None:
    await desk.post("Event_Voided", named={"source": "test", "event_id": "e3"}, reason="of another building")
    async with room.client() as client:
        page = (await client.get(link_in(receiver))).text
    assert "No longer asked" in page
    assert "What is to be done?" not in page
    assert "<form" not in page


async def test_a_reminder_and_an_escalation_bring_links_of_their_own(
    room: PostRoom, asked: Approval, receiver: Receiver, desk: Desk
) -> None:
    from storage import upkeep

    first = link_in(receiver)
    room.clock.forward(days=5)
    await upkeep.enter_overdue(desk.conn, room.clock.now())
    await desk.run()
    await room.deliver()
    director = link_in(receiver, "/hook")
    assert director != first
    async with room.client() as client:
        assert "You answer as Director (Project director)" in (await client.get(director)).text
        assert (await press(client, director, "approve")).status_code == 303
    [row] = await desk.rows(Approval)
    assert row.decision["responder"]["id"] == "project_director"


async def test_links_expire(room: PostRoom, asked: Approval, receiver: Receiver) -> None:
    link = link_in(receiver)
    async with room.client() as client:
        room.clock.forward(days=6, hours=23)
        form = form_in((await client.get(link)).text)
        room.clock.forward(hours=1)
        for gone in (await client.get(link), await client.post(link, data={**form, "answer": "approve"})):
            assert gone.status_code == 410
            assert "was good until" in gone.text


async def test_a_link_that_was_not_made_here_opens_nothing(
    room: PostRoom, asked: Approval, receiver: Receiver, desk: Desk
) -> None:
    link = link_in(receiver)
    token = link.rpartition("/")[2]
    async with room.client() as client:
        for wrong in (token[:-2], token[::-1], "x", token.partition(".")[0], "%00", token + "A"):
            assert (await client.get(f"/pages/approval/{wrong}")).status_code == 404
            assert (await client.post(f"/pages/approval/{wrong}", data={"answer": "approve"})).status_code == 404
        assert (await client.get(f"/pages/log/{token}")).status_code == 404  # a question's link is none of a log
        await room.rows("UPDATE secrets SET value = repeat('x', 64) RETURNING 1")
        assert (await client.get(link)).status_code == 404
    assert (await desk.question()).status == "pending"


async def test_an_answer_from_another_site_is_refused(
    room: PostRoom, asked: Approval, receiver: Receiver, desk: Desk
) -> None:
    link = link_in(receiver)
    async with room.client() as client:
        form = {**form_in((await client.get(link)).text), "answer": "approve"}
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (await client.post(link, data=form, headers=headers)).status_code == 403
        assert (await client.post(link, content=b"x" * 100_001)).status_code == 413
        assert (await desk.question()).status == "pending"
        behind_a_proxy = {"Origin": SITE, "Sec-Fetch-Site": "same-origin"}
        assert (await client.post(link, data=form, headers=behind_a_proxy)).status_code == 303


async def test_a_link_does_not_outlive_its_holders_role(
    room: PostRoom, asked: Approval, receiver: Receiver, desk: Desk
) -> None:
    link = link_in(receiver)
    chain = [{**SPEC["approvers"][0], "name": "Successor"}, SPEC["approvers"][1]]
    async with room.client() as client:
        assert (await client.patch("/buildings/office", json={"approvers": chain})).status_code == 200
        refused = await press(client, link, "approve")
    assert refused.status_code == 403
    assert "no longer project manager" in refused.text
    assert (await desk.question()).status == "pending"


async def test_a_person_with_a_key_gets_a_link_as_who_they_are_and_a_program_gets_none(
    room: PostRoom, asked: Approval, desk: Desk
) -> None:
    path = f"/approvals/{asked.approval_id}/link"
    people = [
        ApiKey(key="person-key-0123456789", id="anna", name="A person", roles=["approver"]),
        ApiKey(key="machine-key-0123456789", id="bot", name="Assistant", type="ai_agent", roles=["approver"]),
    ]
    room.settings.api_keys = people
    async with room.client() as client:
        assert (await client.post(path)).status_code == 401
        assert (await client.post(path, headers={"X-API-Key": people[1].key})).status_code == 403
        made = (await client.post(path, headers={"X-API-Key": people[0].key})).json()
        assert (await press(client, made["url"].removeprefix(SITE), "approve")).status_code == 303
    [row] = await desk.rows(Approval)
    assert row.decision["responder"] == {"type": "human", "id": "anna", "name": "A person"}


async def test_the_log_shows_every_line_and_what_waits(room: PostRoom, asked: Approval, desk: Desk) -> None:
    async with room.client() as client:
        made = (await client.post("/buildings/office/log-link")).json()
        page = (await client.get(made["url"].removeprefix(SITE))).text
        assert (await client.post("/buildings/nowhere/log-link")).status_code == 404
    for words in ("HVAC Units", "Failed inspection", "waits for a person", "PO-office-0001", "Waiting for an answer"):
        assert words in page
    assert "Plan the inspection of HVAC Units" in page
    assert "<form" not in page


async def test_every_process_makes_links_with_the_same_secret(
    room: PostRoom, asked: Approval, receiver: Receiver
) -> None:
    [kept] = await room.rows("SELECT name, length(value) AS length FROM secrets")
    assert (kept["name"], kept["length"] >= 43) == ("links", True)
    assert timedelta(days=room.settings.link_days) == timedelta(days=7)
    async with room.client() as one, room.client() as other:
        assert [(await client.get(link_in(receiver))).status_code for client in (one, other)] == [200, 200]
