"""A link holds for as long as what it was made for: the person, the address, the key. What is done with it is kept."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from itsdangerous import URLSafeSerializer
from pydantic import SecretStr

from cli.database import _backup, _restore
from domain.approvals import Approval
from domain.principals import Author
from runtime.keyring import Keyring
from runtime.links import EndedLinkError, ExpiredLinkError, Link, linker, principal_of_link
from runtime.settings import ApiKey, Settings
from storage import links as stored
from storage import pages, procurement
from storage.database import connect
from storage.links import LINK_USES, Revocation
from storage.retention import Policy, Pruning
from tests.agent.desk import Desk
from tests.delivery.post_room import PostRoom
from tests.delivery.question_page import SITE, form_in, link_in, press
from tests.delivery.receiver import Receiver

ME = Author(type="human", id="it", name="Administrator")
PM = {"role": "project_manager", "name": "Site manager", "contact": "pm@office.example", "limit": "100000"}
DIRECTOR = {"role": "project_director", "name": "Director", "contact": "director@office.example"}
ANNA = ApiKey(key="anna-key-0123456789", id="anna", name="Anna", roles=["approver"], approver="project_manager")
BOSS = ApiKey(key="boss-key-0123456789", id="boss", name="Boss", roles=["admin"])

Change = Callable[[PostRoom], Awaitable[None]]


async def patch(room: PostRoom, **changed: Any) -> None:
    async with room.client() as client:
        assert (await client.patch("/buildings/office", json=changed)).status_code == 200


async def revoke(room: PostRoom, **wanted: Any) -> None:
    async with room.client() as client:
        assert (await client.post("/links/revoke", json=wanted)).status_code == 200


ENDS: dict[str, Change] = {
    "another person has the role": lambda room: patch(room, approvers=[{**PM, "name": "Another"}, DIRECTOR]),
    "the same person has another address": lambda room: patch(
        room, approvers=[{**PM, "contact": "pm@elsewhere.example"}, DIRECTOR]
    ),
    "the address is gone": lambda room: patch(room, approvers=[{**PM, "contact": None}, DIRECTOR]),
    "nobody has the role": lambda room: patch(room, approvers=[DIRECTOR]),
    "a contact of the role has another address": lambda room: patch(
        room, contacts={"project_manager": {"name": "Site manager", "email": "other@office.example"}}
    ),
    "all were revoked": lambda room: revoke(room, all=True),
    "all of the building were revoked": lambda room: revoke(room, all=True, building_id="office"),
    "those of the person were revoked": lambda room: revoke(room, person="project_manager"),
    "those of the person in the building were revoked": lambda room: revoke(
        room, person="project_manager", building_id="office"
    ),
}


@pytest.mark.parametrize("end", ENDS)
async def test_a_link_ends_at_once_for_looking_and_for_answering_and_the_log_with_it(
    room: PostRoom,
    asked: Approval,
    receiver: Receiver,
    desk: Desk,
    end: str,
) -> None:
    link = link_in(receiver)
    async with room.client() as client:
        page = (await client.get(link)).text
        form, log = form_in(page), page.split('href="/pages/log/')[1].split('"')[0]
        assert (await client.get(f"/pages/log/{log}")).status_code == 200
        await ENDS[end](room)
        for refused in (
            await client.get(link),
            await client.post(link, data={**form, "answer": "approve"}),
            await client.get(f"/pages/log/{log}"),
        ):
            assert refused.status_code == 403, refused.text
            assert "no longer" in refused.text or "revoked" in refused.text
            assert "HVAC" not in refused.text
    assert (await desk.question()).status == "pending"


async def test_revoking_the_links_to_a_question_ends_also_the_log_that_they_lead_to_and_no_other_link(
    room: PostRoom,
    asked: Approval,
    receiver: Receiver,
) -> None:
    link = link_in(receiver)
    async with room.client() as client:
        log = (await client.get(link)).text.split('href="/pages/log/')[1].split('"')[0]
        other = (await client.post("/buildings/office/log-link")).json()["url"].removeprefix(SITE)
        await revoke(room, approval_id=asked.approval_id)
        assert [(await client.get(path)).status_code for path in (link, f"/pages/log/{log}")] == [403, 403]
        assert (await client.get(other)).status_code == 200
        missing = await client.post("/links/revoke", json={"approval_id": "none"})
        assert missing.status_code == 404


@pytest.mark.parametrize(
    "wanted",
    [
        {"person": "project_director"},
        {"person": "project_manager", "building_id": "annex"},
        {"all": True, "building_id": "annex"},
    ],
    ids=str,
)
async def test_what_does_not_concern_a_link_leaves_it_open(
    room: PostRoom,
    asked: Approval,
    receiver: Receiver,
    wanted: dict[str, Any],
) -> None:
    await room.open("annex")
    await patch(room, policy={"po_limit": "1"})
    await patch(room, approvers=[PM, {**DIRECTOR, "name": "Another director"}])
    await revoke(room, **wanted)
    async with room.client() as client:
        assert (await client.get(link_in(receiver))).status_code == 200
        assert (await press(client, link_in(receiver), "approve")).status_code == 303


@pytest.mark.parametrize(
    "body", [{}, {"all": False}, {"all": True, "person": "x"}, {"approval_id": "a", "person": "b"}]
)
async def test_a_revocation_says_what_it_ends(room: PostRoom, body: dict[str, Any]) -> None:
    async with room.client() as client:
        assert (await client.post("/links/revoke", json=body)).status_code == 422


async def test_a_link_made_after_a_revocation_opens(
    room: PostRoom,
    asked: Approval,
    receiver: Receiver,
) -> None:
    """The clock of the test stands still: what counts is the order in the database."""
    path = f"/approvals/{asked.approval_id}/link"
    async with room.client() as client:
        before = (await client.post(path)).json()["url"].removeprefix(SITE)
        await revoke(room, all=True)
        after = (await client.post(path)).json()["url"].removeprefix(SITE)
        assert [(await client.get(link)).status_code for link in (before, after)] == [403, 200]


async def test_a_letter_that_was_written_to_an_address_that_is_gone_brings_a_link_that_opens_nothing(
    room: PostRoom, desk: Desk, receiver: Receiver
) -> None:
    room.settings.channels = {"project_manager": [receiver.webhook("/pm")]}
    await desk.open(**{**_SPEC, "approvers": [PM, DIRECTOR]})
    await desk.post("Submittal_Approved", item="hvac")
    await desk.post("Shipment_Arrived_Site", item="hvac", date_arrived="2026-02-20")
    await desk.post(
        "Inspection_Failed", item="hvac", inspection_date="2026-02-23", document_url="https://d", document_name="R"
    )
    await patch(room, approvers=[{**PM, "name": "Another", "contact": "new@office.example"}, DIRECTOR])
    await room.deliver()
    async with room.client() as client:
        refused = await client.get(link_in(receiver))
    assert refused.status_code == 403


_SPEC: dict[str, Any] = {
    "name": "Office",
    "items": [
        {"item_id": "hvac", "name": "HVAC Units", "vendor_id": "air", "quantity": "4", "unit": "pcs"}
        | {"unit_price": "9800", "lead_time_days": 40, "required_by": "2026-03-01"}
    ],
    "vendors": [{"vendor_id": "air", "name": "Air"}],
}

REPLACED: dict[str, tuple[list[ApiKey], bool]] = {
    "untouched": ([ANNA], True),
    "renewed, and both secrets count": ([ANNA, ANNA.model_copy(update={"key": "anna-key-9876543210"})], True),
    "gone": ([], False),
    "another secret": ([ANNA.model_copy(update={"key": "anna-key-9876543210"})], False),
    "no longer an approver": ([ANNA.model_copy(update={"roles": ["reader", "events"]})], False),
    "a program's now": ([ANNA.model_copy(update={"type": "ai_agent"})], False),
    "bound to another building": ([ANNA.model_copy(update={"buildings": ["annex"]})], False),
    "expired": ([ANNA.model_copy(update={"expires_at": "soon"})], False),
    "the same secret, another id": ([ANNA.model_copy(update={"id": "bob"})], False),
}


@pytest.mark.parametrize("become", REPLACED)
async def test_a_link_that_a_person_asked_for_holds_as_long_as_the_very_key(
    room: PostRoom,
    asked: Approval,
    desk: Desk,
    become: str,
) -> None:
    room.settings.api_keys = [ANNA, BOSS]
    headers = {"X-API-Key": ANNA.key}
    async with room.client() as client:
        made = await client.post(f"/approvals/{asked.approval_id}/link", headers=headers)
        link = made.json()["url"].removeprefix(SITE)
        form = form_in((await client.get(link)).text)
    keys, holds = REPLACED[become]
    now = room.clock.now()
    room.settings.api_keys = [
        BOSS,
        *(key.model_copy(update={"expires_at": now}) if key.expires_at else key for key in keys),
    ]
    async with room.client() as client:
        shown, answered = await client.get(link), await client.post(link, data={**form, "answer": "approve"})
    assert (shown.status_code, answered.status_code) == ((200, 303) if holds else (403, 403))
    [row] = await desk.rows(Approval)
    assert (row.decision is not None) == holds
    if holds:
        assert row.decision["responder"] == {"type": "human", "id": "anna", "name": "Anna"}


async def test_the_local_persons_link_ends_when_keys_are_configured(
    room: PostRoom,
    asked: Approval,
) -> None:
    async with room.client() as client:
        made = await client.post(f"/approvals/{asked.approval_id}/link")
        link = made.json()["url"].removeprefix(SITE)
        assert (await client.get(link)).status_code == 200
    room.settings.api_keys = [ANNA]
    async with room.client() as client:
        assert (await client.get(link)).status_code == 403


async def test_who_answers_through_a_link_has_the_role_it_was_made_for_and_no_more(
    room: PostRoom,
    asked: Approval,
    receiver: Receiver,
) -> None:
    async with room.resources.pool.connection() as conn:
        links = await linker(conn, room.settings, room.clock.now())
        link = links.read("approval", link_in(receiver).rpartition("/")[2])
        building = await procurement.building(conn, "office")
        assert building is not None

        async def principal(link: Link, keys: list[ApiKey], later: timedelta = timedelta()) -> Any:
            return await principal_of_link(conn, Keyring(keys), links, link, building, room.clock.now() + later)

        person = await principal(link, [ANNA])
        assert (person.via, person.approver, person.is_person) == ("link", "project_manager", True)
        assert (person.responder.id, person.responder.name) == ("project_manager", "Site manager")
        assert (person.buildings, person.may("approver"), person.may("admin")) == ({"office"}, True, False)
        assert not person.may_send("Human_Input")
        with pytest.raises(ExpiredLinkError):
            await principal(link, [], timedelta(days=7))
        with pytest.raises(EndedLinkError):
            await principal(replace(link, audience=replace(link.audience, address="")), [])

        called = links.make("approval", asked.approval_id, 1, _audience(ANNA), room.clock.now())
        caller = await principal(called, [ANNA])
        assert caller == replace(ANNA.principal, via="link")


def _audience(key: ApiKey) -> Any:
    from runtime.links import Audience

    return Audience(key.id, key.name, "caller", key.digest)


async def test_a_link_does_not_show_the_address_that_it_was_made_for(
    room: PostRoom,
    asked: Approval,
    receiver: Receiver,
) -> None:
    async with room.resources.pool.connection() as conn:
        links = await linker(conn, room.settings, room.clock.now())
        token = link_in(receiver).rpartition("/")[2]
        said = links._signer.loads(token)
    assert "pm@office.example" not in json.dumps(said)
    assert links.fingerprint("PM@office.example ") in said


async def test_links_of_an_earlier_version_open_nothing_and_say_what_comes(
    room: PostRoom,
    asked: Approval,
    receiver: Receiver,
) -> None:
    [kept] = await room.rows("SELECT value FROM secrets WHERE name = 'links'")
    signer = URLSafeSerializer(
        kept["value"],
        salt="longlead.link",
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )
    until = int((room.clock.now() + timedelta(days=7)).timestamp())
    token = signer.dumps(["approval", asked.approval_id, 1, "project_manager", "Site manager", "role", until])
    async with room.client() as client:
        for refused in (
            await client.get(f"/pages/approval/{token}"),
            await client.post(f"/pages/approval/{token}", data={"answer": "approve"}),
            await client.get(f"/pages/log/{token}"),
        ):
            assert refused.status_code == 403
            assert "earlier version" in refused.text
            assert "next reminder" in refused.text


async def test_every_use_of_a_link_is_on_record_with_whom_it_was_made_for(
    room: PostRoom,
    asked: Approval,
    receiver: Receiver,
) -> None:
    link = link_in(receiver)
    async with room.client() as client:
        for _ in range(3):
            page = (await client.get(link)).text
        await client.get("/pages/log/" + page.split('href="/pages/log/')[1].split('"')[0])
        await press(client, link, "approve")
        room.clock.forward(days=1)
        await client.get(link)
        await revoke(room, all=True)
        for _ in range(3):
            await client.get(link)
        room.clock.forward(days=8)
        await client.get(link)
    async with room.resources.pool.connection() as conn:
        uses = (await pages.page(conn, LINK_USES, limit=50, building_id="office")).rows
    told = [(use["page"], use["subject"], use["person"], use["name"], use["what"]) for use in uses]
    question = ("approval", asked.approval_id, "project_manager", "Site manager")
    assert told == [
        (*question, "shown"),
        ("log", "office", "project_manager", "Site manager", "shown"),
        (*question, "answered"),
        (*question, "shown"),
        (*question, "refused"),
        (*question, "refused"),
    ]
    assert ["revoked" in use["why"] or "good until" in use["why"] for use in uses[-2:]] == [True, True]
    assert len({use["address"] for use in uses}) == 1
    assert "pm@office" not in repr(uses)


async def test_uses_are_kept_for_four_hundred_days_and_revocations_for_good(
    room: PostRoom,
    asked: Approval,
    receiver: Receiver,
) -> None:
    async with room.client() as client:
        await client.get(link_in(receiver))
    await revoke(room, all=True)
    for days, left in ((399, 1), (401, 0)):
        async with room.resources.pool.connection() as conn:
            assert await Pruning(conn, Policy(), room.clock.now() + timedelta(days=days)).tables()
        assert len(await room.rows("SELECT * FROM link_uses")) == left
    assert len(await room.rows("SELECT * FROM link_revocations")) == 1


async def test_a_restored_backup_opens_no_link_of_before(
    room: PostRoom,
    asked: Approval,
    receiver: Receiver,
    empty_database: str,
    tmp_path: Path,
) -> None:
    """A link that was revoked after the backup was made must not come back with it; nor may one from in between."""
    link = link_in(receiver)
    await _backup(Settings(database_url=room.resources.conninfo), tmp_path / "saved")
    await revoke(room, all=True)
    async with room.client() as client:
        later = (await client.post(f"/approvals/{asked.approval_id}/link")).json()["url"].removeprefix(SITE)
        assert (await client.get(later)).status_code == 200
    await _restore(Settings(database_url=empty_database), tmp_path / "saved")
    async with await connect(empty_database, application_name="test") as conn:
        links = await linker(conn, room.settings, room.clock.now())
        building = await procurement.building(conn, "office")
        assert building is not None
        for path in (link, later):
            read = links.read("approval", path.rpartition("/")[2])
            with pytest.raises(EndedLinkError, match="revoked"):
                await principal_of_link(conn, Keyring([]), links, read, building, room.clock.now())
        new = links.make("approval", asked.approval_id, 1, links_audience(building), room.clock.now())
        assert (await principal_of_link(conn, Keyring([]), links, new, building, room.clock.now())).via == "link"


def links_audience(building: Any) -> Any:
    from runtime.links import holder

    return holder(building, "project_manager")


async def test_a_fork_has_links_of_its_own_that_end_with_its_origins(
    room: PostRoom,
    asked: Approval,
    receiver: Receiver,
) -> None:
    async with room.client() as client:
        fork = (await client.post("/buildings/office/forks", json={})).json()["fork_id"]
        link = (await client.post(f"/buildings/{fork}/log-link")).json()["url"].removeprefix(SITE)
        assert (await client.get(link)).status_code == 200
        await revoke(room, all=True, building_id="office")
        assert (await client.get(link)).status_code == 403
        assert (await client.delete(f"/buildings/office/forks/{fork}")).status_code == 204
    assert [use["building_id"] for use in await room.rows("SELECT * FROM link_uses")] == []


async def test_one_bound_to_buildings_ends_no_links_of_others(
    room: PostRoom,
    asked: Approval,
) -> None:
    await room.open("annex")
    bound = BOSS.model_copy(update={"buildings": ["annex"]})
    room.settings.api_keys = [bound]
    headers = {"X-API-Key": bound.key}
    async with room.client() as client:

        async def status(**wanted: Any) -> int:
            return (await client.post("/links/revoke", json=wanted, headers=headers)).status_code

        assert await status(all=True) == 403
        assert await status(person="project_manager") == 403
        assert await status(all=True, building_id="office") == 404
        assert await status(approval_id=asked.approval_id) == 404
        assert await status(all=True, building_id="annex") == 200
    assert len(await room.rows("SELECT * FROM link_revocations")) == 1


async def test_revocations_count_from_when_they_are_made(room: PostRoom) -> None:
    async with room.resources.pool.connection() as conn:
        before = await stored.now(conn)
        await stored.revoke(conn, Revocation("person", "pm"), "test", ME)
        after = await stored.now(conn)

        async def revoked(made_at: Any, person: str = "pm") -> bool:
            return await stored.is_revoked(conn, made_at=made_at, buildings={"office"}, approvals={"a"}, person=person)

        assert [await revoked(before), await revoked(after), await revoked(before, "other")] == [True, False, False]


async def test_the_settings_own_secret_makes_links_that_can_be_revoked_too(
    room: PostRoom,
    asked: Approval,
    receiver: Receiver,
) -> None:
    room.settings.link_secret = SecretStr("x" * 40)
    async with room.client() as client:
        link = (await client.post(f"/approvals/{asked.approval_id}/link")).json()["url"].removeprefix(SITE)
        assert (await client.get(link)).status_code == 200
        assert (await client.get(link_in(receiver))).status_code == 404
        await revoke(room, person="local")
        assert (await client.get(link)).status_code == 403
