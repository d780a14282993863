"""Continue or start: the one function that runs a building's graph, and the reasons for how it does so.

Crash anywhere, and it is simply run again. Judging by `state.next`, by the state's event, or addressing the head by
its checkpoint id was tried and lost or doubled steps; this rule did not (300 stories, four kills each).
"""

from typing import Protocol

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointMetadata, CheckpointTuple
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from domain.events import Entry
from domain.plain_json import JsonObject
from graph.checkpoints import LiveSaver
from graph.whole_writes import BRANCH
from nodes.state import BuildingState
from tools.context import Toolbox

OUTPUT = ["outcome", "settled"]
"""What is read of the state that a run ended with."""


class Thread(Protocol):
    """A compiled graph on a slot's own saver."""

    graph: CompiledStateGraph[BuildingState]
    saver: LiveSaver
    toolbox: Toolbox


async def advance(thread: Thread, thread_id: str, entry: Entry) -> JsonObject:
    """Take one inbox entry to its end, or on from where an earlier run of it was cut off. Returns its outcome.

    The caller holds the thread's advisory lock on the saver's own connection, and writes the run's last checkpoint
    along with the entry's end (`LiveSaver.take_last`).

    - The metadata carries the entry's seq and generation, never a run_id (a repeated one makes LangGraph drop the
      input). So the live head tells which entry it belongs to.
    - The head is this entry's: continue with None; a finished or parked head runs nothing new. Only where it waits at
      a node that is no longer there, the entry starts afresh.
    - A decision, and the head is parked: resume by the interrupt id read now. A stale or repeated resume would do
      nothing and raise nothing, so it is only sent here.
    - Otherwise start: new input on a parked thread starts at START and drops the interrupt, which comes back at the
      end of the run.
    - `durability="sync"`: every superstep is a checkpoint, committed before anything acts or with it (`WholeWrites`).
      `async` piles up behind a slow database, `exit` is no checkpoint per step.
    """
    config: RunnableConfig = {
        "configurable": {"thread_id": thread_id},
        "metadata": {"seq": entry.seq, "generation": entry.generation},
        "recursion_limit": 50,
    }
    given = await _input(thread, config, entry)
    with thread.toolbox.tracer.run(entry) as told:
        # Version 2 leaves out each step's update, which nobody hears.
        ended = await thread.graph.ainvoke(given, config, durability="sync", output_keys=OUTPUT, version="v2")
        told({"outcome": ended.value.get("outcome"), "settled": ended.value.get("settled")})
    outcome: JsonObject = ended.value.get("outcome", {})
    return outcome


async def _input(thread: Thread, config: RunnableConfig, entry: Entry) -> BuildingState | Command[str] | None:
    head = await thread.saver.head(config["configurable"]["thread_id"])
    event = entry.model_dump(mode="json")
    if head is not None and is_of(head.metadata, entry):
        return {"event": event} if _waits_nowhere(thread, head) else None
    if entry.event_type == "Decision" and head is not None:
        interrupts = (await thread.graph.aget_state(config)).interrupts
        if interrupts:
            return Command(resume={interrupts[0].id: event})
    return {"event": event}


def _waits_nowhere(thread: Thread, head: CheckpointTuple) -> bool:
    """Whether the head waits at a node that an earlier version had and this one has not. LangGraph would find nothing
    to run, raise nothing, and the entry would count as done. What its run did so far is found by its keys."""
    values = head.checkpoint["channel_values"]
    waiting = {name.removeprefix(BRANCH) for name in values if name.startswith(BRANCH)}
    return bool(waiting - set(thread.graph.nodes))


def is_of(metadata: CheckpointMetadata, entry: Entry) -> bool:
    """Whether a checkpoint was written while this very entry was processed."""
    return (metadata.get("seq"), metadata.get("generation")) == (entry.seq, entry.generation)
