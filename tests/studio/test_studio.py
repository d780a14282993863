"""LangGraph Studio sees the workers' threads, answers go through the inbox, and nothing done there is ever live."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph_sdk.errors import NotFoundError

from domain.approvals import Approval
from domain.errors import ConfigurationError
from domain.procurement import PurchaseOrder
from runtime.studio import settings_beside_the_loop
from runtime.studio_server import check_free, check_installed
from tests.studio.room import Room, Studio


async def test_a_thread_of_a_worker_is_found_and_shows_its_question_and_its_history(room: Room) -> None:
    question = await room.open(registered=False)
    thread = await _until_found(room)
    assert thread["metadata"] == {"building_id": room.desk.building_id, "name": "Office", "graph_id": "building"}

    shown = await room.shown()
    assert (shown["approval_id"], shown["version"]) == (question.approval_id, 1)
    (request,), (review,) = shown["action_requests"], shown["review_configs"]
    assert request["args"]["approval_id"] == question.approval_id
    assert request["args"]["actions"] == question.recommended
    assert question.summary in request["description"]
    assert review["action_name"] == request["name"] == "inspection_failed"
    assert review["allowed_decisions"] == ["approve", "reject", "edit", "respond"]

    history = await room.client.threads.get_history(room.thread, limit=100)
    assert [state["checkpoint"]["checkpoint_id"] for state in history] == [
        checkpoint_id for checkpoint_id, _ in reversed(await room.live_line())
    ]
    assert {state["metadata"]["seq"] for state in history} == {1, 2, 3}
    assert history[0]["next"] == ["await_approval"]


async def _until_found(room: Room) -> Any:
    """`longlead studio` itself tells the server of new buildings every few seconds."""
    for _ in range(100):
        try:
            return await room.client.threads.get(room.thread)
        except NotFoundError:
            await asyncio.sleep(0.1)
    raise AssertionError("the thread was not registered within 10 s")


def own(asked: Approval) -> Any:
    return {"type": "approve", "approval_id": asked.approval_id, "version": asked.version, "message": "replace it"}


def decisions(asked: Approval) -> Any:
    args = {"approval_id": asked.approval_id, "version": asked.version, "actions": asked.recommended}
    return {"decisions": [{"type": "approve", "args": args}]}


def accept(asked: Approval) -> Any:
    args = {"approval_id": asked.approval_id, "version": str(asked.version), "actions": asked.recommended}
    return [{"type": "accept", "args": {"action": asked.kind, "args": args}}]


@pytest.mark.parametrize("shape", [own, decisions, accept])
async def test_an_answer_in_every_shape_goes_through_the_inbox_and_the_worker_carries_it_out(
    room: Room, shape: Any
) -> None:
    asked = await room.open()
    done_before = await room.desk.actions()
    state = await room.answer(shape(asked))
    assert "the worker carries it out" in state["outcome"]["note"]
    assert "__interrupt__" not in state

    async with httpx.AsyncClient(base_url=f"{room.studio.url}/longlead") as rest:
        taken = (await rest.get(f"/approvals/{asked.approval_id}")).json()
        assert (taken["status"], taken["decision"]["status"]) == ("decided", "accepted")
        assert taken["decision"]["responder"]["id"] == "studio"
        events = (await rest.get(f"/buildings/{room.desk.building_id}/events")).json()["data"]
        assert (events[-1]["event_type"], events[-1]["status"]) == ("Decision", "queued")
        assert await room.desk.actions() == done_before

        await room.desk.run()
        events = (await rest.get(f"/buildings/{room.desk.building_id}/events")).json()["data"]
        assert (events[-1]["status"], events[-1]["outcome"]["decision"]) == ("done", "applied")
    carried_out = (await room.desk.actions())[len(done_before) :]
    assert [name for name, _ in carried_out][: len(asked.recommended)] == [one["name"] for one in asked.recommended]
    assert await room.desk.pending() == []
    after = await room.client.threads.get_state(room.thread)
    assert after["interrupts"] == []
    assert after["values"]["event"]["event_type"] == "Decision"


async def test_an_edit_is_carried_out_as_it_was_edited(room: Room) -> None:
    asked = await room.open()
    args = {"approval_id": asked.approval_id, "version": 1}
    hold = {"name": "hold_item", "arguments": {"item": "HVAC Units", "note": "the vendor comes on Monday"}}
    await room.answer({"decisions": [{"type": "edit", "edited_action": {"args": {**args, "actions": [hold]}}}]})
    await room.desk.run()
    assert (await room.desk.item("hvac-units")).hold_note == "the vendor comes on Monday"


@pytest.mark.parametrize(
    "bare",
    [
        "yes",
        [{"type": "accept", "args": None}],
        {"decisions": [{"type": "approve"}]},
    ],
)
async def test_a_bare_accept_is_asked_again_and_nothing_is_lost(room: Room, bare: Any) -> None:
    asked = await room.open()
    before, writes = await room.counts(), await room.live_writes()
    state = await room.answer(bare)
    (again,) = state["__interrupt__"]
    assert "approval_id" in again["value"]["remark"]
    assert again["value"]["approval_id"] == asked.approval_id
    assert await room.counts() == before
    assert await room.live_writes() == writes
    assert (await room.shown())["approval_id"] == asked.approval_id

    await room.desk.decide(asked)
    assert (await room.desk.item("hvac-units")).round == 2
    assert await room.desk.pending() == []


async def test_an_answer_that_comes_too_late_is_asked_again_with_a_remark(room: Room) -> None:
    asked = await room.open()
    await room.desk.decide(asked, "approve", why="first", run=False)
    late = await room.answer({**own(asked), "type": "reject"})
    assert "decided and takes no further answer" in late["__interrupt__"][0]["value"]["remark"]
    await room.desk.run()
    standing = await room.desk.rows(Approval)
    assert [(one.status, one.decision["type"], one.decision["status"]) for one in standing] == [
        ("decided", "approve", "applied")
    ]


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        ({"version": 7}, "stands at version 1"),
        ({"approval_id": "nowhere-1-0"}, "no approval 'nowhere-1-0' here"),
        ({"actions": [{"name": "hold_item", "arguments": {"item": "Doors"}}]}, "other than the recommended ones"),
    ],
)
async def test_an_answer_to_something_else_than_was_asked_is_asked_again(
    room: Room, change: dict[str, Any], remark: str
) -> None:
    asked = await room.open()
    state = await room.answer({**own(asked), **change})
    assert remark in state["__interrupt__"][0]["value"]["remark"]
    assert [one.status for one in await room.desk.rows(Approval)] == ["pending"]


async def test_the_question_of_another_building_cannot_be_answered_here(room: Room) -> None:
    asked = await room.open()
    room.desk.building_id += "-x"
    await room.open()
    state = await room.answer(own(asked))
    assert "There is no approval" in state["__interrupt__"][0]["value"]["remark"]
    assert (await room.desk.question()).status == "pending"


async def test_a_state_edited_at_the_head_and_run_to_its_end_is_not_the_live_line(room: Room) -> None:
    await room.open()
    before, line, writes = await room.counts(), await room.live_line(), await room.live_writes()
    event = {**(await _entry(room, 1)), "body": {**_submittal("Doors")}}
    edited = await room.client.threads.update_state(room.thread, {"event": event}, as_node="__start__")
    end = await room.run(input=None, checkpoint_id=edited["checkpoint"]["checkpoint_id"])
    assert end["item_id"] == "doors"
    await _is_not_live(room, before, line, writes)


async def test_a_state_edited_at_an_older_checkpoint_and_run_to_its_end_is_not_the_live_line(room: Room) -> None:
    await room.open()
    before, line, writes = await room.counts(), await room.live_line(), await room.live_writes()
    history = await room.client.threads.get_history(room.thread, limit=100)
    decided = next(state for state in reversed(history) if state["next"] == ["carry_out"])
    (order, *_) = decided["values"]["plan"]
    other = {**order, "action": {"name": "issue_purchase_order", "arguments": {"item": "doors"}}}
    edited = await room.client.threads.update_state(
        room.thread, {"plan": [order, other]}, as_node="decide", checkpoint=decided["checkpoint"]
    )
    end = await room.run(input=None, checkpoint_id=edited["checkpoint"]["checkpoint_id"])
    assert [one["result"]["would_do"]["arguments"]["item"] for one in end["done"]] == ["hvac-units", "doors"]
    # From an older checkpoint without an edit as well.
    again = await room.run(input=None, checkpoint_id=decided["checkpoint"]["checkpoint_id"])
    assert all("would_do" in one["result"] for one in again["done"])
    await _is_not_live(room, before, line, writes)


async def test_forged_metadata_does_not_make_a_run_live(room: Room) -> None:
    await room.open()
    before, line, writes = await room.counts(), await room.live_line(), await room.live_writes()
    forged = {"seq": 1_000_000, "generation": 9}
    await room.client.threads.update(room.thread, metadata=forged)
    event = {**(await _entry(room, 1)), "body": _submittal("Doors"), "seq": 1_000_000}
    everywhere: dict[str, Any] = {"metadata": forged, "config": {"metadata": forged, "configurable": forged}}
    await room.run(input={"event": event}, **everywhere)
    await room.run(input={"event": event}, **everywhere, durability="exit")
    await room.run(input=None, **everywhere, durability="exit")
    await room.client.threads.update_state(room.thread, {"outcome": {"note": "mine"}}, as_node="remember")
    copy = await room.client.threads.update_state(room.thread, None, as_node="__copy__")
    await room.run(input=None, checkpoint_id=copy["checkpoint"]["checkpoint_id"], metadata=forged)
    await _is_not_live(room, before, line, writes)


async def test_a_thread_deleted_there_loses_only_what_was_done_there(room: Room) -> None:
    asked = await room.open()
    before, line, writes = await room.counts(), await room.live_line(), await room.live_writes()
    await room.answer("yes")
    await room.client.threads.delete(room.thread)
    assert len(await room._rows("SELECT * FROM checkpoints WHERE thread_id = %s")) == len(line)
    await _is_not_live(room, before, line, writes)
    await room.desk.decide(asked)
    assert (await room.desk.item("hvac-units")).round == 2


async def test_a_new_thread_is_a_scratch_pad(room: Room) -> None:
    await room.open()
    before = await room.counts()
    scratch = await room.client.threads.create(graph_id="building")
    event = {**(await _entry(room, 1)), "body": _submittal("Doors")}
    await room.client.runs.wait(scratch["thread_id"], "building", input={"event": event})
    state = await room.client.threads.get_state(scratch["thread_id"])
    assert state["values"]["outcome"]["note"] == "would record Submittal_Approved"
    assert await room.counts() == before


async def _is_not_live(room: Room, before: dict[str, int], line: list[Any], writes: list[Any]) -> None:
    """Nothing was written; and the next event builds on what the worker left, as if nobody had been there."""
    assert await room.counts() == before
    assert await room.live_line() == line
    assert await room.live_writes() == writes
    head = line[-1][0]

    event_id = await room.desk.post("Human_Input", text="the crane is free on Monday")
    assert (await room.desk.event(event_id))["status"] == "done"
    assert (await room.live_line())[len(line)][1] == head
    assert len(await room.desk.rows(PurchaseOrder)) == 1
    assert (await room.desk.question("inspection_failed")).version == 1


async def _entry(room: Room, seq: int) -> dict[str, Any]:
    """The inbox entry as the worker put it into the state."""
    history = await room.client.threads.get_history(room.thread, limit=100)
    event = next(state["values"]["event"] for state in history if state["metadata"]["seq"] == seq)
    assert isinstance(event, dict)
    return event


def _submittal(item: str) -> dict[str, Any]:
    return {
        "event_type": "Submittal_Approved",
        "item": item,
        "document_url": "https://docs.example/submittal.pdf",
        "document_name": "Submittal",
    }


async def test_connections_that_broke_are_replaced(room: Room) -> None:
    asked = await room.open()
    await room.shown()
    await room.desk.conn.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name LIKE 'longlead studio%'"
    )
    assert (await room.shown())["approval_id"] == asked.approval_id
    await room.answer(own(asked))
    await room.desk.run()
    assert await room.desk.pending() == []


async def test_both_describe_themselves_and_only_studio_may_call_from_a_page(studio: Studio) -> None:
    async with httpx.AsyncClient(base_url=studio.url) as client:
        assert "/threads" in (await client.get("/openapi.json")).json()["paths"]
        assert "/approvals" in (await client.get("/longlead/openapi.json")).json()["paths"]
        assert (await client.get("/longlead/buildings/nowhere")).json()["status"] == 404
        for origin, allowed in (("https://smith.langchain.com", True), ("https://evil.example", False)):
            response = await client.get("/info", headers={"origin": origin})
            assert ("access-control-allow-origin" in response.headers) is allowed


async def test_the_data_folder_is_resolved_before_the_event_loop_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGLEAD_DATA_DIR", "somewhere")
    assert (await settings_beside_the_loop()).data_dir == Path.cwd() / "somewhere"


def test_a_taken_port_is_said_and_not_replaced_by_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigurationError, match="--port"):
        check_free(taken.getsockname()[1])


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"longlead\[studio\]"):
        check_installed()


async def test_nothing_blocked_the_servers_event_loop(room: Room) -> None:
    asked = await room.open()
    await room.answer(own(asked))
    assert "BlockingError" not in room.studio.log.read_text()


async def test_a_fork_in_place_with_another_line_and_another_answer_orders_nothing_and_tells_nobody(room: Room) -> None:
    """At a past step the line and the decision are edited, and the run is taken to its end: nothing outside of it is
    touched, and the next event builds on what the worker left."""
    asked = await room.open()
    before, line, writes = await room.counts(), await room.live_line(), await room.live_writes()
    orders = await room.desk.rows(PurchaseOrder)
    history = await room.client.threads.get_history(room.thread, limit=100)
    past = next(state for state in history if state["metadata"]["seq"] == 1 and state["next"] == ["carry_out"])
    (order, *_) = past["values"]["plan"]
    buy = {"name": "issue_purchase_order", "arguments": {"item": "doors"}}
    tell = {"name": "notify_team", "arguments": {"team": "project_manager", "message": "Doors are ordered."}}
    edited = await room.client.threads.update_state(
        room.thread,
        {
            "event": {**past["values"]["event"], "body": _submittal("Doors")},
            "item_id": "doors",
            "plan": [{**order, "action": buy}, {**order, "action": tell}],
        },
        as_node="decide",
        checkpoint=past["checkpoint"],
    )
    end = await room.run(input=None, checkpoint_id=edited["checkpoint"]["checkpoint_id"])
    assert [one["result"]["would_do"] for one in end["done"]] == [buy, tell]

    # The same at the open question: the state is told that somebody decided otherwise, and goes to its end.
    head = await room.client.threads.get_state(room.thread)
    hold = {"name": "hold_item", "arguments": {"item": "doors", "note": "edited in Studio"}}
    step = {"do": "action", "action": hold, "responder": {"type": "human", "id": "x", "name": "X"}}
    decided = await room.client.threads.update_state(
        room.thread, {"plan": [step], "item_id": "doors"}, as_node="decide", checkpoint=head["checkpoint"]
    )
    end = await room.run(input=None, checkpoint_id=decided["checkpoint"]["checkpoint_id"])
    assert hold in [one["result"].get("would_do") for one in end["done"]]

    assert await room.desk.rows(PurchaseOrder) == orders
    assert (await room.desk.item("doors")).hold_note is None
    assert (await room.desk.question("inspection_failed")).approval_id == asked.approval_id
    await _is_not_live(room, before, line, writes)
