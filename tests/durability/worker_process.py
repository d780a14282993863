"""A worker as a process of its own, set up by the environment; with `standing`, on a clock that stands still."""

import asyncio
import sys

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


if __name__ == "__main__":
    asyncio.run((work_on_a_standing_clock if "standing" in sys.argv else work)(load_settings()))
