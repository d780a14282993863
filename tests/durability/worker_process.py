"""A worker as a process of its own, set up by the environment; with `standing`, on a clock that stands still; with
`held-in` and a node, it stays in the first one until a line comes in, as a node waits for a model."""

import asyncio
import sys
from functools import partial, update_wrapper
from typing import Any

import graph.building
from runtime.logs import set_up_logs
from runtime.resources import open_resources
from runtime.service import signals, supervise, work
from runtime.settings import Settings, load_settings
from tests.agent.desk import FixedClock


async def work_on_a_standing_clock(settings: Settings) -> None:
    """Stories are told at a time of their own; nothing may fall due because today is later."""
    set_up_logs(settings)
    stop = asyncio.Event()
    async with open_resources(settings, name="worker", clock=FixedClock()) as resources, signals(stop):
        await supervise(resources, stop)


def hold_in(name: str) -> None:
    """Have the node of this name tell its connection's process, and wait."""
    waiting = [name]

    async def held(node: Any, toolbox: Any, state: Any) -> Any:
        if waiting:
            waiting.clear()
            print(toolbox.conn.info.backend_pid, flush=True)
            await asyncio.to_thread(sys.stdin.readline)
        return await node(toolbox, state)

    steps = list(graph.building.STEPS)
    (place,) = [number for number, step in enumerate(steps) if step.__name__ == name]
    steps[place] = update_wrapper(partial(held, steps[place]), steps[place])
    graph.building.STEPS = tuple(steps)


if __name__ == "__main__":
    if "held-in" in sys.argv:
        hold_in(sys.argv[sys.argv.index("held-in") + 1])
    asyncio.run((work_on_a_standing_clock if "standing" in sys.argv else work)(load_settings()))
