"""The baseline: the same shape of work as a plain LangGraph script. Four nodes, one thread for each building, every
step checkpointed by the stock saver; no inbox, no ledger, no tables, no HTTP.

    python -m evals.bench.script CONNINFO '{"threads": 100, "events": 42, "tasks": 20, "saver": "shared"}'
"""

import asyncio
import json
import sys
import time
from typing import Literal, TypedDict
from uuid import uuid4

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from domain.plain_json import JsonObject
from evals.bench.mix import story


class HandedIn(TypedDict):
    """An event as it is handed in."""

    building_id: str
    seq: int
    generation: int
    source: str
    body: JsonObject
    event_id: str
    event_type: str
    received_at: str


class ScriptFinding(TypedDict, total=False):
    note: str
    repeat: bool
    items: list[str | None]
    ask: list[str]
    say: list[str]


class ScriptEffect(TypedDict):
    name: str
    item: str | None
    do: str
    ordinal: int
    result: JsonObject


class ScriptOutcome(TypedDict, total=False):
    note: str
    actions: list[str]
    approvals: list[str]


class State(TypedDict, total=False):
    """About the size of Longlead's state."""

    event: HandedIn
    item_id: str | None
    finding: ScriptFinding
    plan: list[str]
    done: list[ScriptEffect]
    passes: int
    again: list[str]
    settled: str | None
    answer: str | None
    approvals: JsonObject
    question: JsonObject | None
    outcome: ScriptOutcome


class Took(TypedDict):
    """What a run came to."""

    events: int
    seconds: float
    cpu_s: float


def entry(building_id: str, seq: int, body: JsonObject) -> HandedIn:
    """An event of the story, as it is handed in."""
    return {
        "building_id": building_id,
        "seq": seq,
        "generation": 0,
        "source": "bench",
        "body": body,
        "event_id": str(body["event_id"]),
        "event_type": str(body["event_type"]),
        "received_at": "2026-02-01",
    }


async def classify(state: State) -> State:
    return {
        "item_id": str(state["event"]["body"]["item"]),
        "finding": {"note": "", "repeat": False, "items": [], "ask": [], "say": []},
        "settled": None,
        "plan": [],
        "done": [],
        "passes": 0,
        "again": [],
        "answer": None,
        "outcome": {},
    }


async def handle(state: State) -> State:
    items = [state["item_id"]]
    return {"finding": {"note": "recorded as it was sent", "repeat": False, "items": items, "ask": [], "say": []}}


async def act(state: State) -> State:
    arguments: JsonObject = {"item": state["item_id"]}
    done: list[ScriptEffect] = [
        {"name": name, "item": state["item_id"], "do": "action", "ordinal": 0, "result": arguments} for name in "ab"
    ]
    return {"plan": [], "done": done, "passes": 1, "again": []}


async def remember(state: State) -> State:
    outcome: ScriptOutcome = {
        "note": state["finding"]["note"],
        "actions": [one["name"] for one in state["done"]],
        "approvals": [],
    }
    return {"plan": [], "finding": {}, "approvals": {}, "question": None, "outcome": outcome}


def four_nodes() -> StateGraph[State]:
    """classify, handle, act, remember."""
    graph = StateGraph(State)
    steps = (classify, handle, act, remember)
    for step in steps:
        graph.add_node(step.__name__, step)
    for before, after in zip([START, *(s.__name__ for s in steps)], [*(s.__name__ for s in steps), END], strict=True):
        graph.add_edge(before, after)
    return graph


Saver = Literal["shared", "apart", "memory"]
"""One for all tasks, one for each, or none on the database."""


async def run(conninfo: str, *, threads: int, events: int, tasks: int, saver: Saver) -> Took:
    """Run `events` through each thread, in order, by so many tasks at once."""
    graphs, connections = [], []
    for _ in range(tasks if saver == "apart" else 1):
        if saver == "memory":
            graphs.append(four_nodes().compile(checkpointer=InMemorySaver()))
            continue
        conn = await AsyncConnection.connect(conninfo, autocommit=True, row_factory=dict_row, prepare_threshold=0)
        connections.append(conn)
        graphs.append(four_nodes().compile(checkpointer=AsyncPostgresSaver(conn)))
    waiting: asyncio.Queue[str] = asyncio.Queue()
    for _ in range(threads):
        waiting.put_nowait(str(uuid4()))
    bodies = story(-(-events // 6))[:events]
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(_work(graphs[number % len(graphs)], waiting, bodies) for number in range(tasks)))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    for conn in connections:
        await conn.close()
    return {"events": threads * events, "seconds": seconds, "cpu_s": cpu}


async def _work(graph: CompiledStateGraph[State], waiting: asyncio.Queue[str], bodies: list[JsonObject]) -> None:
    while not waiting.empty():
        thread = waiting.get_nowait()
        for seq, body in enumerate(bodies):
            await graph.ainvoke(
                {"event": entry(thread, seq, body)}, {"configurable": {"thread_id": thread}}, durability="sync"
            )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(run(sys.argv[1], **json.loads(sys.argv[2])))))
