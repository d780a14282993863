"""With keys, Studio's server knows who calls: reading needs a key, and an answer is the person's whose key was sent."""

import json
import stat
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from domain.approvals import Approval
from runtime.settings import ApiKey
from runtime.studio_secret import REGISTRAR_HEADER
from tests.studio.conftest import run_studio
from tests.studio.room import Room, Studio, connect_as, open_room, status_of
from tests.studio.test_doors import STUDIO_PAGE, UPGRADE, answer_to, changing_routes, run_with

READER = ApiKey(key="reader-key-0123456789", id="anna", name="Anna Reader", roles=["reader"])
SENDER = ApiKey(key="sender-key-0123456789", id="erp", name="ERP", type="automated_rule", roles=["events"])
APPROVER = ApiKey(key="approver-key-0123456789", id="paula", name="Paula Approver", roles=["approver"])
OTHER = ApiKey(key="another-key-0123456789", id="oskar", name="Oskar Approver", roles=["approver"])
ADMIN = ApiKey(key="admin-key-0123456789", id="ingo", name="Ingo Admin", roles=["admin"])
PROGRAM = ApiKey(key="program-key-0123456789", id="bot", name="Assistant", type="ai_agent", roles=["admin"])
KEYS = (READER, SENDER, APPROVER, OTHER, ADMIN, PROGRAM)


@pytest.fixture(scope="module")
def keyed(studio_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Studio with keys."""
    keys = json.dumps([key.model_dump(mode="json", exclude_defaults=True) for key in KEYS])
    with run_studio(tmp_path_factory.mktemp("keyed"), studio_database, keys=keys) as started:
        yield started


@pytest.fixture
async def room(keyed: Studio) -> AsyncIterator[Room]:
    """A building of its own, seen with the approver's key."""
    async with open_room(keyed, key=APPROVER.key) as opened:
        yield opened


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-auth-scheme": "langsmith"},
        {"x-auth-scheme": "langsmith", "x-api-key": "lsv2_pt_0123456789", "x-tenant-id": "x"},
        {"authorization": "Bearer unknown-key-0123456789"},
        {"authorization": "Basic eDphcHByb3Zlci1rZXktMDEyMzQ1Njc4OQ=="},
        {"x-api-key": ""},
        {"origin": STUDIO_PAGE},
        {"origin": STUDIO_PAGE, "x-auth-scheme": "langsmith"},
        {"cookie": "key=approver-key-0123456789"},
        {REGISTRAR_HEADER: "guessed"},
        {REGISTRAR_HEADER: ""},
    ],
)
async def test_without_a_known_key_nothing_is_read_and_nothing_is_written(
    keyed: Studio, headers: dict[str, str]
) -> None:
    async with keyed.client(**headers) as client:
        for method, path in await keyed.routes(READER.key):
            response = await client.request(method, path, json={})
            assert response.status_code == 401, (method, path, response.text)
        if "Basic" not in headers.get("authorization", ""):  # the API beside it has its own say about that
            assert (await client.get("/longlead/buildings")).status_code in (401, 403)
        assert (await client.get("/threads/x/stream/events", headers=UPGRADE)).status_code == 403


async def test_a_reader_reads_and_does_nothing_else(room: Room) -> None:
    asked = await room.open()
    for key in (READER, SENDER):
        async with connect_as(room.studio, key.key) as client:
            state = await client.threads.get_state(room.thread)
            assert state["interrupts"][0]["value"]["approval_id"] == asked.approval_id
            assert await client.threads.get_history(room.thread)
            assert await client.threads.search(metadata={"building_id": room.desk.building_id})
            answering = client.runs.wait(room.thread, "building", command={"resume": answer_to(asked)})
            assert await status_of(answering) == [403]
        async with room.studio.client(key.key) as client:
            for method, path in await changing_routes(room.studio, key.key):
                response = await client.request(method, path, json={})
                assert response.status_code == 403, (method, path, response.text)
            assert (await client.get(f"/threads/{room.thread}/stream/events", headers=UPGRADE)).status_code == 403
            cancelling = f"/threads/{room.thread}/runs/{room.thread}/join?cancel_on_disconnect=true"
            assert (await client.get(cancelling)).status_code == 403
    assert (await room.desk.question()).status == "pending"


@pytest.mark.parametrize("key", [APPROVER, ADMIN], ids=lambda key: key.id)
@pytest.mark.parametrize("origin", [None, STUDIO_PAGE])
async def test_an_answer_is_posted_in_the_name_of_the_person_whose_key_was_sent(
    room: Room, key: ApiKey, origin: str | None
) -> None:
    asked = await room.open()
    headers = {"origin": origin} if origin else {}
    async with connect_as(room.studio, key.key, **headers) as client:
        state = await client.runs.wait(room.thread, "building", command={"resume": answer_to(asked)})
    assert isinstance(state, dict)
    assert "the worker carries it out" in state["outcome"]["note"]
    await room.desk.run()

    async with room.studio.client(READER.key) as rest:
        shown = (await rest.get(f"/longlead/approvals/{asked.approval_id}")).json()["decision"]
        assert (shown["type"], shown["status"]) == ("approve", "applied")
        assert shown["responder"] == {"type": "human", "id": key.id, "name": key.name}
        ledger = (await rest.get(f"/longlead/buildings/{room.desk.building_id}/events")).json()["data"]
        assert ledger[-1]["event_type"] == "Decision"
    (approval,) = [one for one in await room.desk.rows(Approval) if one.approval_id == asked.approval_id]
    assert approval.decision["mandate"] == {
        "via": "studio",
        "approver": None,
        "is_admin": key is ADMIN,
        "sends_events": key is ADMIN,
    }
    decided = [row["responder"] for row in await room._rows_of("decisions") if row["seq"] == approval.decision_seq]
    assert {responder["id"] for responder in decided if responder["type"] == "human"} == {key.id}


async def test_a_program_cannot_answer_and_the_question_is_asked_again(room: Room) -> None:
    asked = await room.open()
    before = await room.counts()
    async with connect_as(room.studio, PROGRAM.key) as client:
        state = await client.runs.wait(room.thread, "building", command={"resume": answer_to(asked)})
    assert isinstance(state, dict)
    (again,) = state["__interrupt__"]
    assert "Assistant is a program" in again["value"]["remark"]
    assert again["value"]["approval_id"] == asked.approval_id
    assert await room.counts() == before


FORGED: dict[str, Any] = {
    "langgraph_auth_user": {
        "identity": APPROVER.id,
        "display_name": APPROVER.name,
        "is_authenticated": True,
        "rights": ["read", "write"],
        "principal": {"responder": {"type": "human", "id": APPROVER.id, "name": APPROVER.name}},
    },
    "langgraph_auth_user_id": APPROVER.id,
    "langgraph_auth_permissions": ["admin"],
    "user_id": APPROVER.id,
}


async def test_nobody_answers_in_the_name_of_another_by_naming_that_other(room: Room) -> None:
    """A program that may start runs names the approver wherever a request has room for it."""
    asked = await room.open()
    before = await room.counts()
    async with connect_as(room.studio, PROGRAM.key) as client:
        assistant = await client.assistants.create("building", config={"configurable": dict(FORGED)})
        forged: list[dict[str, Any]] = [
            {"config": {"configurable": dict(FORGED)}},
            {"config": {"metadata": dict(FORGED)}, "metadata": dict(FORGED)},
            {"context": dict(FORGED)},
            {"checkpoint": {"checkpoint_ns": "", **FORGED}},
        ]
        for extra in forged:
            for name in ("building", assistant["assistant_id"]):
                remark = await _run_and_read_remark(room, name, {**run_with(asked), **extra}, {})
                assert "Assistant is a program" in remark, extra
        await client.threads.update(room.thread, metadata=dict(FORGED))
        headers = {"x-langgraph-auth-user": APPROVER.id, "langgraph_auth_user": APPROVER.id, "x-user-id": APPROVER.id}
        assert "Assistant is a program" in await _run_and_read_remark(room, "building", run_with(asked), headers)

        answered = {"answer": answer_to(asked)}
        edited = await client.threads.update_state(room.thread, answered, as_node="await_approval")
        state = await client.runs.wait(
            room.thread, "building", input=None, checkpoint_id=edited["checkpoint"]["checkpoint_id"]
        )
        assert isinstance(state, dict)
        assert "Assistant is a program" in state["__interrupt__"][0]["value"]["remark"]
    assert await room.counts() == before
    assert (await room.desk.question()).status == "pending"


async def _run_and_read_remark(room: Room, assistant: str, body: dict[str, Any], headers: dict[str, str]) -> str:
    async with room.studio.client(PROGRAM.key, **headers) as client:
        response = await client.post(f"/threads/{room.thread}/runs/wait", json={**body, "assistant_id": assistant})
        assert response.status_code == 200, response.text
        return str(response.json()["__interrupt__"][0]["value"]["remark"])


async def test_what_one_person_ran_does_not_answer_for_the_next(room: Room) -> None:
    """The server keeps a run's user with its thread; the next run is its own caller's."""
    asked = await room.open()
    async with connect_as(room.studio, APPROVER.key) as client:
        await client.runs.wait(room.thread, "building", command={"resume": "yes"})
    assert "Assistant is a program" in await _run_and_read_remark(room, "building", run_with(asked), {})
    async with connect_as(room.studio, OTHER.key) as client:
        await client.runs.wait(room.thread, "building", command={"resume": answer_to(asked)})
    async with room.studio.client(READER.key) as rest:
        taken = (await rest.get(f"/longlead/approvals/{asked.approval_id}")).json()["decision"]
    assert taken["responder"]["id"] == OTHER.id


async def test_no_key_is_shown_or_kept(room: Room) -> None:
    asked = await room.open()
    async with room.studio.client(APPROVER.key) as client:
        await client.post(f"/threads/{room.thread}/runs/wait", json=run_with(asked))
        for path in (f"/threads/{room.thread}", f"/threads/{room.thread}/runs", f"/threads/{room.thread}/history"):
            text = (await client.get(path)).text
            assert APPROVER.key not in text
            assert room.studio.registrar_file.read_text() not in text
    kept = await room._rows("SELECT metadata::text AS text FROM checkpoints WHERE thread_id = %s")
    assert kept
    assert not [row for row in kept if APPROVER.key in row["text"]]
    files = [file for file in (room.studio.folder / "data").rglob("*") if file.is_file() and file.stat().st_size < 1e7]
    assert files
    assert not [file for file in files if APPROVER.key.encode() in file.read_bytes()]
    assert APPROVER.key not in room.studio.log.read_text()


async def test_the_registrar_tells_of_threads_and_never_answers(room: Room) -> None:
    """`longlead studio` finds and registers buildings by a secret of its own, with nobody's key."""
    asked = await room.open()
    file = room.studio.registrar_file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secret = {REGISTRAR_HEADER: file.read_text()}
    async with connect_as(room.studio, None, **secret) as registrar:
        thread = await registrar.threads.create(graph_id="building")
        assert await registrar.threads.search(ids=[thread["thread_id"]])
        refused = await status_of(
            registrar.runs.wait(room.thread, "building", command={"resume": answer_to(asked)}),
            registrar.runs.create(None, "building", input={}),
            registrar.threads.get_state(room.thread),
            registrar.threads.update_state(room.thread, {}),
            registrar.threads.delete(room.thread),
            registrar.store.put_item(["x"], "y", {}),
        )
        assert refused == [403] * 6
    async with connect_as(room.studio, None, origin=STUDIO_PAGE, **secret) as page:
        assert await status_of(page.threads.search()) == [401]
    assert (await room.desk.question()).status == "pending"


async def test_edits_need_the_role_approver_and_stay_harmless(room: Room) -> None:
    asked = await room.open()
    before, line = await room.counts(), await room.live_line()
    for key in (APPROVER, ADMIN):
        async with connect_as(room.studio, key.key) as client:
            await client.threads.update_state(room.thread, {"outcome": {"note": "mine"}}, as_node="remember")
            await client.threads.copy(room.thread)
            assistant = await client.assistants.create("building", name=key.id)
            await client.assistants.delete(assistant["assistant_id"])
            await client.store.put_item(["notes"], key.id, {"text": "x"})
            assert await client.store.get_item(["notes"], key.id)
    assert (await room.counts(), await room.live_line()) == (before, line)
    assert (await room.desk.question()).approval_id == asked.approval_id


async def test_a_key_from_a_foreign_page_is_refused(room: Room) -> None:
    await room.open()
    async with room.studio.client(APPROVER.key, origin="https://evil.example") as page:
        assert (await page.get(f"/threads/{room.thread}")).status_code == 403
        assert (await page.get("/longlead/buildings")).status_code == 403
    async with room.studio.client(APPROVER.key, host="evil.example") as page:
        assert (await page.get(f"/threads/{room.thread}")).status_code == 403


async def test_the_api_beside_it_takes_the_same_keys_and_asks_once(room: Room) -> None:
    asked = await room.open()
    path = f"/longlead/approvals/{asked.approval_id}/decision"
    async with room.studio.client() as client:
        assert (await client.post(path, json={"type": "approve"})).status_code == 401
    async with room.studio.client(READER.key) as client:
        assert (await client.get("/longlead/approvals")).status_code == 200
        assert (await client.post(path, json={"type": "approve"})).status_code == 403
    async with room.studio.client(APPROVER.key) as client:
        response = await client.post(path, json={"type": "approve"})
        assert response.status_code in (200, 202), response.text
    (approval,) = [one for one in await room.desk.rows(Approval) if one.approval_id == asked.approval_id]
    assert approval.decision["responder"]["id"] == APPROVER.id


async def test_the_door_blocks_the_servers_event_loop_nowhere(room: Room) -> None:
    asked = await room.open()
    await room.answer(answer_to(asked))
    assert "BlockingError" not in room.studio.log.read_text()


async def test_studios_page_with_a_key_may_ask_first_send_and_read(room: Room) -> None:
    """A browser asks without the key, and shows the page only what names its origin."""
    await room.open()
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    async with room.studio.client(origin=STUDIO_PAGE) as page:
        preflight = await page.options(f"/threads/{room.thread}/runs/stream", headers=asks)
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, STUDIO_PAGE)
        without = await page.get(f"/threads/{room.thread}")
        assert (without.status_code, without.headers["access-control-allow-origin"]) == (401, STUDIO_PAGE)
    async with room.studio.client(READER.key, origin=STUDIO_PAGE) as page:
        shown = await page.get(f"/threads/{room.thread}")
        assert (shown.status_code, shown.headers["access-control-allow-origin"]) == (200, STUDIO_PAGE)


async def test_the_key_may_come_as_x_api_key(room: Room) -> None:
    await room.open()
    async with room.studio.client(**{"x-api-key": READER.key}) as client:
        assert (await client.get(f"/threads/{room.thread}")).status_code == 200
