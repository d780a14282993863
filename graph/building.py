"""The graph of a building's agent: all nodes, all edges. Uncompiled: the caller supplies the checkpointer."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar, cast

from langgraph.graph import START, StateGraph
from langgraph.types import Command

from graph import routes
from graph.unwatched import Condition
from nodes.acknowledge_order import acknowledge_order
from nodes.advise import advise
from nodes.apply_decision import apply_decision
from nodes.await_approval import await_approval
from nodes.carry_out import carry_out
from nodes.change_log import change_log
from nodes.check_schedule import check_schedule
from nodes.classify_event import classify_event
from nodes.decide import decide
from nodes.follow_up import follow_up
from nodes.issue_purchase_order import issue_purchase_order
from nodes.learn import learn
from nodes.post_answer import post_answer
from nodes.read_message import read_message
from nodes.read_reply import read_reply
from nodes.receive_shipment import receive_shipment
from nodes.record_inspection import record_inspection
from nodes.reject_submittal import reject_submittal
from nodes.remember import remember
from nodes.state import BuildingState, as_written
from nodes.summarise import summarise
from nodes.take_note import take_note
from nodes.void_event import void_event
from tools.context import Toolbox

T = TypeVar("T")
Node = Callable[[Toolbox, BuildingState], Awaitable[BuildingState]]

STEPS: tuple[Node, ...] = (
    classify_event,
    issue_purchase_order,
    reject_submittal,
    acknowledge_order,
    check_schedule,
    receive_shipment,
    record_inspection,
    take_note,
    change_log,
    void_event,
    follow_up,
    read_message,
    read_reply,
    apply_decision,
    decide,
    advise,
    carry_out,
    learn,
    remember,
    summarise,
    await_approval,
    post_answer,
)


def build(toolbox: Toolbox, *, for_edits: bool = False) -> StateGraph[BuildingState]:
    """The building's graph with its tools bound to the nodes.

    A worker's nodes name the next one along with what they write. With `for_edits` (Studio) the conditions stand on
    edges instead: a state that a person writes in a node's place then leads on as the node would have. At each such
    edge LangGraph makes a copy of every channel, which took a worker a twelfth of its events. The picture, the steps
    and their checkpoints are the same.
    """
    graph = StateGraph(BuildingState)
    begins = ["classify_event", "read_reply", "apply_decision"]
    graph.add_conditional_edges(START, Condition(routes.from_start), begins)
    for node in STEPS:
        name, bound = node.__name__, _bound(node, toolbox)
        if name not in routes.CONDITIONS:
            graph.add_node(name, bound)
            graph.add_edge(name, routes.ALWAYS[name])
            continue
        condition, ends = routes.CONDITIONS[name]
        if for_edits:
            graph.add_node(name, bound)
            graph.add_conditional_edges(name, Condition(condition), ends)
        else:
            graph.add_node(name, _leading(bound, condition), destinations=tuple(ends))
    return graph


class Bound(Protocol):
    """A node with its tools, as LangGraph calls it."""

    async def __call__(self, state: BuildingState) -> Mapping[str, object]: ...


class Leading(Protocol):
    """A node that also names the one that follows."""

    async def __call__(self, state: BuildingState) -> Command[str]: ...


def _bound(node: Node, toolbox: Toolbox) -> Bound:
    """The node with its tools; where somebody traces, within a span of its own. What it leaves as it was is not
    written: most of what a run starts anew is as the last one left it, and every value written is two rows."""

    async def bound(state: BuildingState) -> Mapping[str, object]:
        if not toolbox.tracer.active:
            return _changed(state, await node(toolbox, state))
        with toolbox.tracer.step(node.__name__) as told:
            update = await node(toolbox, state)
            told(as_written(update))
        return _changed(state, update)

    return bound


def _leading(bound: Bound, condition: Callable[[BuildingState], str]) -> Leading:
    """The node, which also names the one that follows."""

    async def leading(state: BuildingState) -> Command[str]:
        update = await bound(state)
        return Command(update=update, goto=condition(cast(BuildingState, {**state, **update})))

    return leading


_ABSENT = object()


def _changed(state: Mapping[str, T], update: Mapping[str, T]) -> Mapping[str, T]:
    """Where nothing is new, all of it: the thread's history tells which nodes ran by what they wrote."""
    return {name: value for name, value in update.items() if state.get(name, _ABSENT) != value} or update
