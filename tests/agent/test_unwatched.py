"""A worker's nodes run without LangChain's callbacks while nobody listens, and with them for whoever does."""

from typing import Any

from langchain_core.callbacks import AsyncCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver

from domain.events import Entry
from graph.building import STEPS, build
from graph.unwatched import Unwatched, unwatched
from runtime.slots import open_slot
from tests.agent.desk import Desk, FixedClock
from tools.context import Toolbox


class Listener(AsyncCallbackHandler):
    """Notes the runs that it is told of."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended = self.failed = 0

    async def on_chain_start(self, *told: Any, **named: Any) -> None:
        self.begun.append(named["name"])

    async def on_chain_end(self, *told: Any, **named: Any) -> None:
        self.ended += 1

    async def on_chain_error(self, *told: Any, **named: Any) -> None:
        self.failed += 1


async def told_of(desk: Desk, graph: Any, entry: Entry) -> Listener:
    listener = Listener()
    config = {"configurable": {"thread_id": "listened to"}, "callbacks": [listener]}
    await graph.ainvoke({"event": entry.model_dump(mode="json")}, config)
    return listener


async def test_every_node_of_a_worker_runs_without_callbacks(database: str) -> None:
    slot = await open_slot(database, FixedClock(), "test slot")
    try:
        unlike = [step.__name__ for step in STEPS if type(slot.graph.nodes[step.__name__].node) is not Unwatched]
    finally:
        await slot.conn.close()
    assert unlike == []


async def test_who_listens_is_told_what_the_stock_graph_tells(desk: Desk) -> None:
    await desk.open()
    await desk.post("Submittal_Approved", item="Steel Beams")
    entry, *_ = await desk.entries()
    toolbox = Toolbox(conn=desk.conn, clock=desk.clock, acts=False)
    stock, workers = (build(toolbox).compile(checkpointer=InMemorySaver()) for _ in range(2))
    expected, found = await told_of(desk, stock, entry), await told_of(desk, unwatched(workers), entry)
    assert vars(found) == vars(expected)
    assert found.ended + found.failed == len(found.begun)  # the node that waits for a person does not end
    assert {"classify_event", "decide", "carry_out", "remember", "await_approval"} <= set(found.begun)
