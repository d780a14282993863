"""A worker's nodes name the one that follows, and Studio's graph has edges for that, which an edit needs: both go the
same way."""

from typing import Any

from langgraph.checkpoint.memory import InMemorySaver

from domain.events import Entry
from graph.building import build
from graph.routes import ALWAYS, CONDITIONS
from graph.unwatched import unwatched
from tests.agent.desk import Desk
from tools.context import Toolbox

LINES = {
    "schedule": {
        "project": {"name": "Office"},
        "deliveries": [
            {"item": "Doors", "required_by": "2026-06-15", "buffer_days": 7},
            {"item": "Windows", "required_by": "2026-06-15", "buffer_days": 7},
        ],
    }
}


def graphs(desk: Desk) -> list[Any]:
    """The worker's graph and Studio's; neither acts."""
    toolbox = Toolbox(conn=desk.conn, clock=desk.clock, acts=False)
    worker, studio = (build(toolbox, for_edits=edits).compile(checkpointer=InMemorySaver()) for edits in (False, True))
    return [unwatched(worker), studio]


async def _course(graph: Any, entry: Entry) -> tuple[list[str], dict[str, Any], int]:
    """The nodes that ran, the state that they left, and how many values were written on the way."""
    config = {"configurable": {"thread_id": f"entry {entry.seq}"}}
    steps = [step async for step in graph.astream({"event": entry.model_dump(mode="json")}, config)]
    values = (await graph.aget_state(config)).values
    written = [step async for step in graph.aget_state_history(config)]
    return [name for step in steps for name in step], values, len(written)


async def test_both_graphs_are_drawn_alike(desk: Desk) -> None:
    worker, studio = (graph.get_graph() for graph in graphs(desk))
    assert worker.nodes.keys() == studio.nodes.keys()
    assert {(edge.source, edge.target, edge.conditional) for edge in worker.edges} == {
        (edge.source, edge.target, edge.conditional) for edge in studio.edges
    }


async def test_every_entry_takes_the_same_steps_in_both(desk: Desk) -> None:
    await desk.open(**LINES)
    await desk.post("Submittal_Approved", item="Doors")
    await desk.post("Shipment_Departed_Factory", item="Doors", eta="2026-06-20")
    question = await desk.question()
    await desk.decide(question, "reject", why="too dear")
    await desk.decide(await desk.question(), "approve")
    await desk.post("Submittal_Approved", item="Gates")  # no such line
    await desk.post("Human_Input", text="Doors: the crane is booked.")
    await desk.post("Message_Received", text="Windows will be late.", sender="sales@acme.example")
    await desk.post("Submittal_Rejected", item="Windows", reason="wrong glass")
    await desk.post("Shipment_Arrived_Site", item="Doors", date_arrived="2026-06-10")
    await desk.post("Inspection_Failed", item="Doors", inspection_date="2026-06-11")

    worker, studio = graphs(desk)
    entries = await desk.entries()
    seen: set[str] = set()
    for entry in entries:
        course = await _course(worker, entry)
        assert course == await _course(studio, entry), entry.event_type
        seen.update(course[0])
    assert {"__interrupt__", "apply_decision", "carry_out", "take_note"} <= seen
    assert len({entry.event_type for entry in entries}) > 7


def test_each_node_has_one_way_on() -> None:
    assert not ALWAYS.keys() & CONDITIONS.keys()
