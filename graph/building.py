"""The graph of a building's agent: all nodes, all edges. Uncompiled: the caller supplies the checkpointer."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.graph import END, START, StateGraph

from graph import routes
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
from nodes.state import BuildingState
from nodes.summarise import summarise
from nodes.take_note import take_note
from tools.context import Toolbox

HANDLERS: tuple[Callable[..., Any], ...] = (
    issue_purchase_order,
    reject_submittal,
    acknowledge_order,
    check_schedule,
    receive_shipment,
    record_inspection,
    take_note,
    change_log,
    follow_up,
)
STEPS: tuple[Callable[..., Any], ...] = (
    classify_event,
    *HANDLERS,
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


def build(toolbox: Toolbox) -> StateGraph[BuildingState]:
    """The building's graph with its tools bound to the nodes."""
    graph = StateGraph(BuildingState)
    for node in STEPS:
        graph.add_node(node.__name__, _bound(node, toolbox))
    handlers = [node.__name__ for node in HANDLERS]

    graph.add_conditional_edges(START, Condition(routes.from_start), ["classify_event", "read_reply", "apply_decision"])
    graph.add_edge("read_reply", "apply_decision")
    graph.add_conditional_edges("classify_event", Condition(routes.from_classification), [*handlers, "decide"])
    for handler in handlers:
        if handler != "take_note":
            graph.add_edge(handler, "decide")
    graph.add_conditional_edges("take_note", Condition(routes.from_note), ["read_message", "decide"])
    graph.add_edge("read_message", "decide")
    graph.add_edge("apply_decision", "decide")
    graph.add_conditional_edges("decide", Condition(routes.from_decide), ["advise", "carry_out", "remember"])
    graph.add_edge("advise", "carry_out")
    graph.add_conditional_edges("carry_out", Condition(routes.from_carry_out), ["learn", "decide", "remember"])
    graph.add_conditional_edges("learn", Condition(routes.from_learn), ["decide", "remember"])
    graph.add_conditional_edges("remember", Condition(routes.from_remember), ["summarise", "await_approval", END])
    graph.add_conditional_edges("summarise", Condition(routes.to_sleep), ["await_approval", END])
    graph.add_conditional_edges(
        "await_approval", Condition(routes.from_await_approval), ["read_reply", "apply_decision", "post_answer"]
    )
    graph.add_conditional_edges("post_answer", Condition(routes.from_post_answer), ["await_approval", END])
    return graph


class Condition(Runnable[BuildingState, str]):
    """An edge's condition as LangGraph calls it, without a run of its own in the callbacks: a plain function is given
    one each time, which costs several times what the conditions do."""

    def __init__(self, of: Callable[[BuildingState], Awaitable[str]]) -> None:
        self.of, self.name = of, of.__name__

    def invoke(self, input: BuildingState, config: RunnableConfig | None = None, **kwargs: Any) -> str:
        """Refused: graphs of coroutines run in an event loop.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("The building's graph runs asynchronously: use ainvoke or astream.")

    async def ainvoke(self, input: BuildingState, config: RunnableConfig | None = None, **kwargs: Any) -> str:
        return await self.of(input)


def _bound(node: Callable[..., Any], toolbox: Toolbox) -> Callable[..., Any]:
    """The node with its tools; where somebody traces, within a span of its own. What it leaves as it was is not
    written: most of what a run starts anew is as the last one left it, and every value written is two rows."""

    async def bound(state: BuildingState) -> Mapping[str, Any]:
        if not toolbox.tracer.active:
            return _changed(state, await node(toolbox, state))
        with toolbox.tracer.step(node.__name__) as told:
            update = await node(toolbox, state)
            told(update)
        return _changed(state, update)

    return bound


_ABSENT = object()


def _changed(state: Mapping[str, Any], update: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where nothing is new, all of it: the thread's history tells which nodes ran by what they wrote."""
    return {name: value for name, value in update.items() if state.get(name, _ABSENT) != value} or update
