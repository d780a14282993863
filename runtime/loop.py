"""The event loop of Longlead's processes: uvloop, which takes less of a core than the standard one for the many short
exchanges with the database. Windows has none, and runs on the standard loop."""

import asyncio
import gc
import importlib
import sys
from collections.abc import Callable, Coroutine
from typing import TypeVar

T = TypeVar("T")


def run(main: Coroutine[None, None, T]) -> T:
    """Run a process's main coroutine to its end; what it returns."""
    _settle_collector()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def _settle_collector() -> None:
    """What was imported stays for as long as the process lives: looking through it for garbage again and again took a
    twentieth of a worker's CPU. What a run leaves is freed by counting; cycles are looked for more seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    made: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return made
