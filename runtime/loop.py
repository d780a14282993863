"""The event loop of Longlead's processes: uvloop, which takes less of a core than the standard one for the many short
exchanges with the database. Windows has none, and runs on the standard loop."""

import asyncio
import importlib
import sys
from collections.abc import Callable, Coroutine


def run(main: Coroutine[None, None, None]) -> None:
    """Run a process's main coroutine to its end."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    made: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return made
