"""How long the event loop's thread works between two callbacks, in CPU time: a busy machine does not decide."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

MAX_S = 0.1
"""The most that one callback may take: everybody else waits so long."""


@dataclass
class Meter:
    """The longest callbacks, each with what was being done."""

    doing: str = ""
    worst: dict[str, tuple[float, str]] = field(default_factory=dict)

    def take(self, took: float, handle: asyncio.Handle) -> None:
        if took > self.worst.get(self.doing, (0.0, ""))[0]:
            self.worst[self.doing] = (took, repr(handle)[:300])

    def report(self) -> str:
        """One line for each thing that was done, the longest first."""
        lines = sorted(self.worst.items(), key=lambda one: -one[1][0])
        return "\n".join(f"{took * 1000:7.1f} ms  {doing}" for doing, (took, _) in lines)

    def stalls(self) -> list[str]:
        return [f"{doing}: {took:.3f} s in {where}" for doing, (took, where) in self.worst.items() if took > MAX_S]


@asynccontextmanager
async def loop_meter() -> AsyncIterator[Meter]:
    """Measure every callback of every loop of this process. What earlier tests left is not collected meanwhile."""
    meter, run = Meter(), asyncio.Handle._run

    def measured(handle: Any) -> None:
        started = time.thread_time()
        try:
            run(handle)
        finally:
            meter.take(time.thread_time() - started, handle)

    gc.collect()
    gc.freeze()
    asyncio.Handle._run = measured  # type: ignore[method-assign]
    try:
        await asyncio.sleep(0)  # what follows runs in a callback that is measured
        yield meter
        await asyncio.sleep(0)
    finally:
        asyncio.Handle._run = run  # type: ignore[method-assign]
        gc.unfreeze()


async def leave_behind() -> None:
    """What earlier events left in memory is not collected while the next one is measured: in a thread of its own."""
    await asyncio.to_thread(_collect)


def _collect() -> None:
    gc.collect()
    gc.freeze()
