"""The nodes of a worker's graph without the callbacks of LangChain, while nobody listens to any."""

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.graph.state import CompiledStateGraph

from nodes.state import BuildingState


def unwatched(compiled: CompiledStateGraph[BuildingState]) -> CompiledStateGraph[BuildingState]:
    """The same graph, its nodes `Unwatched`."""
    for node in compiled.nodes.values():
        stock = node.node
        if stock is not None and (steps := getattr(stock, "steps", None)):
            node.node = Unwatched(stock, steps)
    return compiled


class Unwatched(Runnable[Any, Any]):
    """A node, and after it what writes its result.

    LangGraph's own sequence of the two makes managers and ids for callbacks at each of them and gives the node a task
    of its own: a twentieth of what a worker did. With a handler in the run's config, or one that the surroundings ask
    for (LangSmith), it is left to that sequence. `interrupt` finds the config where it looks for it.
    """

    def __init__(self, stock: Runnable[Any, Any], steps: Sequence[Runnable[Any, Any]]) -> None:
        self.stock, self.steps, self.name = stock, steps, stock.name

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        return self.stock.invoke(input, config, **kwargs)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        if config is None or _listened(config):
            return await self.stock.ainvoke(input, config, **kwargs)
        before = var_child_runnable_config.set(config)
        try:
            for step in self.steps:
                input = await step.ainvoke(input, config)
            return input
        finally:
            var_child_runnable_config.reset(before)


def _listened(config: RunnableConfig) -> bool:
    """Whether somebody may listen. The run hands each node its manager, which knows."""
    return bool(getattr(config.get("callbacks"), "handlers", True))


class Condition(Runnable[BuildingState, str]):
    """An edge's condition as LangGraph calls it, without a run of its own in the callbacks: a plain function is given
    one each time, and a thread, which costs several times what the conditions do."""

    def __init__(self, of: Callable[[BuildingState], str]) -> None:
        self.of, self.name = of, of.__name__

    def invoke(self, input: BuildingState, config: RunnableConfig | None = None, **kwargs: Any) -> str:
        return self.of(input)

    async def ainvoke(self, input: BuildingState, config: RunnableConfig | None = None, **kwargs: Any) -> str:
        return self.of(input)
